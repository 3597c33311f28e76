"""What breaks in other clients and must not here: faults of real streams, by the rule that each breaks."""

from __future__ import annotations

import json

import pytest

from deepseek_async.errors import ResponseTooLargeError
from deepseek_async.sse import Comment, Decoder, ServerSentEvent

from .feeding import byte_by_byte, feed, two_way_cuts

CHUNK = b'{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}'


def test_a_byte_order_mark_does_not_lose_the_first_event() -> None:
    """A proxy that puts a BOM before the stream costs nothing, however it is cut."""
    stream = b"\xef\xbb\xbfdata: " + CHUNK + b"\n\ndata: [DONE]\n\n"
    for reads in two_way_cuts(stream):
        assert [item.data for item in feed(reads).items if isinstance(item, ServerSentEvent)] == [
            CHUNK.decode(),
            "[DONE]",
        ]


@pytest.mark.parametrize("block", [b": keep-alive\n\n", b"retry: 3000\n\n", b"event: ping\n\n", b"id: 1\n\n", b"\n\n"])
def test_a_block_without_data_dispatches_no_event(block: bytes) -> None:
    """A comment, `retry`, `event` or `id` by itself is no event, so no JSON decoder meets an empty text."""
    events = [item for item in feed([block + b"data: 1\n\n" + block]).items if isinstance(item, ServerSentEvent)]
    assert [event.data for event in events] == ["1"]
    assert events[0].event == "message"


def test_an_invalid_byte_does_not_kill_the_stream() -> None:
    """It is replaced where it stands; the events before and after it, and the rest of its own, are whole."""
    stream = b"data: a\n\ndata: caf\xe9!\n\n: \xff\n\ndata: b\n\n"
    for reads in two_way_cuts(stream):
        assert feed(reads).items == [
            ServerSentEvent(data="a"),
            ServerSentEvent(data="caf\ufffd!"),
            Comment("\ufffd"),
            ServerSentEvent(data="b"),
        ]


def test_a_crlf_cut_between_reads_is_one_line_end() -> None:
    """Neither is an event dispatched too early between the two bytes, nor one too many behind them."""
    stream = b"event: e\r\ndata: 1\r\ndata: 2\r\n\r\ndata: 3\r\n\r\n"
    expected = [ServerSentEvent("e", "1\n2"), ServerSentEvent(data="3")]
    assert feed(byte_by_byte(stream)).items == expected
    for reads in two_way_cuts(stream):
        assert feed(reads).items == expected


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\x1d", "\x1e"])
def test_only_cr_and_lf_end_a_line(character: str) -> None:
    """U+2028 and its like, which str.splitlines() breaks at, leave a JSON text in one piece."""
    text = json.dumps({"content": f"a{character}b"}, ensure_ascii=False)
    stream = f"data: {text}{character}\n\n".encode()
    for reads in ([stream], byte_by_byte(stream)):
        assert feed(reads).items == [ServerSentEvent(data=text + character)]


def test_an_event_of_megabytes_passes() -> None:
    """A whole reasoning trace in one event is real: 3 MB in reads of 64 KiB come out as they went in."""
    payload = json.dumps({"reasoning_content": "thought " * 375_000}).encode()
    stream = b"data: " + payload + b"\n\n"
    decoder = Decoder()
    seen = [
        item
        for start in range(0, len(stream), 2**16)
        for item in decoder.receive_payloads(stream[start : start + 2**16])
    ]
    assert seen == [payload]


def test_an_event_over_the_cap_is_a_clear_error() -> None:
    """Past 16 MiB, or a cap of the caller's, the error says how large the cap is and what to raise."""
    decoder = Decoder()
    with pytest.raises(ResponseTooLargeError, match=r"16,777,216 bytes.*max_event_bytes"):
        for _ in range(2**24 // 2**16 + 1):
            decoder.receive_payloads(b"x" * 2**16)
    with pytest.raises(ResponseTooLargeError) as raised:
        Decoder(max_event_bytes=1024).receive_data(b"data: " + b"x" * 1024)
    assert raised.value.limit == 1024
    assert not raised.value.retryable
