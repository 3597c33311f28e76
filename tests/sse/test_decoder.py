"""`Decoder`: each rule by name, the two views, the end, the cap."""

from __future__ import annotations

import doctest
import sys
from typing import Any

import pytest

import deepseek_async.sse
from deepseek_async.errors import InvalidRequestError, ResponseTooLargeError
from deepseek_async.sse import Comment, Decoder, ServerSentEvent

from .feeding import as_text, byte_by_byte, feed

PLAIN = b'data: {"n": 1}\n\n'


def decode(*reads: bytes) -> list[ServerSentEvent | Comment]:
    """What the reads give, the same in both views."""
    return feed(reads).items


def payloads(*reads: bytes) -> list[bytes | ServerSentEvent | Comment]:
    """What the reads give in the view of a JSON decoder."""
    decoder = Decoder()
    return [item for data in reads for item in decoder.receive_payloads(data)]


# Lines


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("blank", [b"\n", b"\r", b"\r\n"])
def test_each_line_end_with_each_other(end: bytes, blank: bytes) -> None:
    """LF, CR and CRLF end a line and make a blank one, in any mixture but the one that is CRLF itself."""
    expected = [] if (end, blank) == (b"\r", b"\n") else [ServerSentEvent(data="x")]
    assert decode(b"data: x" + end + blank) == expected
    assert decode(*byte_by_byte(b"data: x" + end + blank)) == expected


def test_a_cr_at_the_end_of_a_read_dispatches_at_once() -> None:
    """What follows the CR may never come; the LF that does belongs to it and is no blank line of its own."""
    decoder = Decoder()
    assert decoder.receive_data(b"data: 1\r\n\r") == [ServerSentEvent(data="1")]
    assert decoder.receive_data(b"\n") == []
    assert decoder.receive_data(b"data: 2\r") == []
    assert decoder.receive_data(b"\ndata: 3\r") == []
    assert decoder.receive_data(b"\n\r") == [ServerSentEvent(data="2\n3")]
    assert decoder.receive_data(b"\ndata: 4\n\n") == [ServerSentEvent(data="4")]


def test_an_empty_read_between_cr_and_lf_changes_nothing() -> None:
    """The LF is the CR's, however many reads without a byte lie between."""
    assert decode(b"data: 1\r", b"", b"\ndata: 2\n\n") == [ServerSentEvent(data="1\n2")]


# Fields


def test_one_space_after_the_colon_is_dropped() -> None:
    """Of two spaces one stays, and other white space is not touched at either end."""
    assert decode(b"data:x\ndata: x\ndata:  x \ndata:\tx\t\n\n") == [ServerSentEvent(data="x\nx\n x \n\tx\t")]


def test_an_empty_data_line_is_data() -> None:
    """A block with a `data` line is an event, if an empty one; a block without any is none."""
    assert decode(b"data\n\ndata:\n\ndata: \n\n") == [ServerSentEvent(data="")] * 3
    assert decode(b"event: e\n\nid: 1\n\nretry: 1\n\n: c\n\n\n\n") == [Comment("c")]


def test_the_type_lasts_for_one_block() -> None:
    """The last type of a block counts, an empty one is "message", and none outlives the block, dispatched or not."""
    assert decode(b"event: a\nevent: b\ndata: 1\n\ndata: 2\n\nevent: c\n\ndata: 3\n\nevent: d\nevent\ndata: 4\n\n") == [
        ServerSentEvent("b", "1"),
        ServerSentEvent("message", "2"),
        ServerSentEvent("message", "3"),
        ServerSentEvent("message", "4"),
    ]


def test_the_id_stays_in_force() -> None:
    """An ID holds until the next, through blocks without data; an empty one ends it; one with a NUL is ignored."""
    assert decode(b"id: 1\n\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\n") == [
        ServerSentEvent(data="a", id="1"),
        ServerSentEvent(data="b", id="1"),
        ServerSentEvent(data="c", id=""),
    ]


def test_the_reconnection_time_stays_in_force() -> None:
    """A `retry` holds until the next that is all ASCII digits."""
    assert decode(b"retry: 7\n\ndata: a\n\nretry: -1\nretry\nretry: 1.5\ndata: b\n\nretry: 007000\ndata: c\n\n") == [
        ServerSentEvent(data="a", retry=7),
        ServerSentEvent(data="b", retry=7),
        ServerSentEvent(data="c", retry=7000),
    ]


def test_a_reconnection_time_of_any_length_is_an_int() -> None:
    """More digits than int() takes do not raise, zeros in front do not count, and what is absurdly long stays so."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)  # the least that Python lets anyone set
    try:
        (short, long) = feed([b"retry: %s1\ndata\n\nretry: %s\ndata\n\n" % (b"0" * 9999, b"9" * 9999)]).items
    finally:
        sys.set_int_max_str_digits(limit)
    assert isinstance(short, ServerSentEvent)
    assert short.retry == 1
    assert isinstance(long, ServerSentEvent)
    assert long.retry == 10**640 - 1


def test_a_comment_is_returned_as_soon_as_its_line_ends() -> None:
    """A keep-alive is seen at once: before the blank line, and amid an event."""
    decoder = Decoder()
    assert decoder.receive_data(b": keep-al") == []
    assert decoder.receive_data(b"ive\n") == [Comment("keep-alive")]
    assert decoder.receive_data(b"\ndata: 1\n:\n::  x\n\xff:\n") == [Comment(""), Comment(":  x")]
    assert decoder.receive_data(b"data: 2\n\n") == [ServerSentEvent(data="1\n2")]


def test_a_byte_order_mark_is_dropped_only_before_everything() -> None:
    """The first three bytes may be one, in any cut; a second one, or one on a later line, is part of the name."""
    bom = b"\xef\xbb\xbf"
    assert decode(bom + PLAIN) == decode(*byte_by_byte(bom + PLAIN)) == decode(PLAIN)
    assert decode(b"", bom[:1], b"", bom[1:], PLAIN) == decode(PLAIN)
    assert decode(bom + bom + PLAIN) == decode(b"\n" + bom + PLAIN) == []
    assert decode(bom[:2] + PLAIN) == []
    assert decode(b"data: " + bom + b"x\n\n") == [ServerSentEvent(data="\ufeffx")]


# Views


def test_plain_events_are_bytes_in_the_view_for_json() -> None:
    """An event of the default type, without ID or reconnection time, is its data, undecoded and as it came."""
    assert payloads(PLAIN) == [b'{"n": 1}']
    assert payloads(b"event: message\ndata: 1\ndata:2\r\n\n") == [b"1\n2"]
    assert payloads(b"data: \xff\xc3\xa9\n\n") == [b"\xff\xc3\xa9"]
    assert payloads(b"data: x\n\n: c\n\ndata: y\n\n") == [b"x", Comment("c"), b"y"]


@pytest.mark.parametrize("field", [b"event: error", b"id: 1", b"retry: 1"])
def test_what_is_more_than_data_is_an_event_in_the_view_for_json(field: bytes) -> None:
    """Type, ID and reconnection time are never lost; those that stay in force are on the events after it, too."""
    items = payloads(PLAIN + field + b"\n" + PLAIN, PLAIN)
    assert items[0] == b'{"n": 1}'
    assert items[1] == decode(field + b"\n" + PLAIN)[0]
    assert items[2] == (b'{"n": 1}' if field.startswith(b"event") else items[1])


@pytest.mark.parametrize(
    "run",
    [
        PLAIN * 32,
        PLAIN,
        b"data: \n\n" * 3,
        b"data:  two\n\ndata: [DONE]\n\n",
        b"data: data: \n\ndata: x\n\n",
        b"data: 1\n\n\n\ndata: 2\n\n",
        b"data: 1\n\ndata: 2\ndata: 3\n\n",
        b"data: 1\ndata: 2\n\ndata: 3\n\n",
        b"data: 1\n\ndata:2\n\ndata: 3\n\n",
        b"data: 1\n\nid: 2\ndata: 2\n\ndata: 3\n\n",
        b"data: 1\n\n: c\n\ndata: 3\n\n",
        b"data: 1\n\ndata: 2\r\n\r\ndata: 3\n\n",
        b"data: 1\rdata: 2\n\ndata: 3\n\n",
        b"data: 1\n\n\rdata: 2\n\n",
        b"data: 1\n\ndatax: 2\n\ndata: 3\n\n",
        b"data: 1\n\ndata: 2\n\nevent: e\n\ndata: 3\n\n",
        b"data: 1\n\nx\ndata: 2\n\n",
        b"x: 1\n\ndata: 2\n\n",
    ],
)
def test_a_run_in_one_read_is_what_it_is_byte_by_byte(run: bytes) -> None:
    """A read of whole events is split at once where it is plain; no other shape may be taken for it."""
    assert feed([PLAIN, run, PLAIN]) == feed(byte_by_byte(PLAIN + run + PLAIN))
    assert feed([b"data: be", b"gun\n\n" + run + b"data: rest", b"\n\n"]) == feed(
        byte_by_byte(b"data: begun\n\n" + run + b"data: rest\n\n")
    )


def test_bytes_alike_are_taken_as_bytes() -> None:
    """A bytearray or a memoryview is as good as bytes, is not kept, and a payload is bytes all the same."""
    data = bytearray(PLAIN + b"data: y")
    decoder = Decoder()
    (payload,) = decoder.receive_payloads(data)
    data[:] = b"\n" * len(data)
    assert decoder.receive_payloads(memoryview(b"es\n\n")) == [b"yes"]
    assert payload == b'{"n": 1}'
    assert type(payload) is bytes


@pytest.mark.parametrize("data", ["data: x\n\n", None, 10])
def test_what_is_not_bytes_is_refused(data: Any) -> None:
    """Text, nothing or a number raises TypeError that asks for bytes, and harms the stream in nothing."""
    decoder = Decoder()
    decoder.receive_data(b"data: ")
    with pytest.raises(TypeError, match="bytes"):
        decoder.receive_data(data)
    assert decoder.receive_data(b"1\n\n") == [ServerSentEvent(data="1")]


def test_the_documentation_tells_the_truth() -> None:
    """The example in the package's docstring gives what it says."""
    results = doctest.testmod(deepseek_async.sse)
    assert results.attempted > 0
    assert results.failed == 0


# The end


@pytest.mark.parametrize(
    ("stream", "unfinished"),
    [
        (b"", None),
        (b"\xef\xbb", None),
        (PLAIN, None),
        (PLAIN + b": keep-al", None),
        (PLAIN + b"event: error\n", None),
        (PLAIN + b"data: [DONE]", ServerSentEvent(data="[DONE]")),
        (PLAIN + b"data: [DONE]\n", ServerSentEvent(data="[DONE]")),
        (PLAIN + b"data: [DONE]\r\n", ServerSentEvent(data="[DONE]")),
        (PLAIN + b"data: [DONE]\r", ServerSentEvent(data="[DONE]")),
        (PLAIN + b'data: {"n', ServerSentEvent(data='{"n')),
        (b"data: \xe4\xb8", ServerSentEvent(data="\ufffd")),
        (b"id: 1\nevent: e\ndata: 1\ndata", ServerSentEvent("e", "1\n", "1")),
        (b"data: 1\n: c", ServerSentEvent(data="1")),
    ],
)
def test_the_end_discards_what_lacks_its_blank_line_and_shows_it(
    stream: bytes, unfinished: ServerSentEvent | None
) -> None:
    """`receive_eof` returns nothing; an event that was cut off is in `unfinished`, as far as it came."""
    decoder = Decoder()
    decoder.receive_data(stream)
    assert decoder.unfinished is None
    assert decoder.receive_eof() == []
    assert decoder.unfinished == unfinished


def test_the_end_is_final() -> None:
    """Told twice, the end changes nothing; data after it is an error of the caller's, said in words."""
    decoder = Decoder()
    decoder.receive_data(b"data: x")
    assert decoder.receive_eof() == decoder.receive_eof() == []
    assert decoder.unfinished == ServerSentEvent(data="x")
    for receive in (decoder.receive_data, decoder.receive_payloads):
        with pytest.raises(RuntimeError, match="the stream has ended"):
            receive(b"\n\n")


@pytest.mark.parametrize(
    ("stream", "unframed"),
    [
        (b'{"error": {"message": "no"}}', b'{"error": {"message": "no"}}\n'),
        (b'{\n  "error": "no"\n}\n', b'{\n  "error": "no"\n}\n'),
        (b'{"a":1}\r\n\r\n{"b":2}\r\n', b'{"a":1}\n{"b":2}\n'),
        (b"<html>\n<p>data: no</p>", b"<html>\n<p>data: no</p>\n"),
        (PLAIN + b": c\n[DONE]\n\n", b"[DONE]\n"),
        (PLAIN + b"event: e\nid: 1\nretry: x\ndata\n\n", b""),
    ],
)
def test_text_that_no_rule_knows_is_kept_to_be_shown(stream: bytes, unframed: bytes) -> None:
    """A bare JSON error or an HTML page in an event stream dispatches nothing and can be read in `unframed`."""
    decoder = Decoder()
    decoder.receive_data(stream)
    decoder.receive_eof()
    assert decoder.unframed == unframed


def test_only_the_beginning_of_unframed_text_is_kept() -> None:
    """64 KiB of it, whether it comes in one line or in many."""
    for line in (b"x" * 100_000 + b"\n", b"x: 1\n" * 20_000):
        decoder = Decoder()
        decoder.receive_data(line)
        decoder.receive_data(line)
        assert decoder.unframed == line[: 64 * 2**10]


# The cap


@pytest.mark.parametrize(
    "event",
    [
        b"data: 890123456\n\n",
        b"data:89\ndata:567\n\n",
        b"event:7\ndata:567\n\n",
        b"id:45\r\nevent:\rdata\n\n",
        b"retry:7\nid\ndata:6\n\n",
        b":23456789012345\ndata:x\n\n",
        b"unknown:9012345\n\n",
    ],
)
def test_the_cap_is_exact_in_every_cut(event: bytes) -> None:
    """An event of as many bytes as the cap passes, whole or byte by byte, and one of a byte more does not."""
    size = 15
    for reads in ([event], list(byte_by_byte(event)), [PLAIN, event], [event[:7], event[7:]]):
        assert feed(reads, max_event_bytes=size) == feed(reads)
        for method in (Decoder.receive_data, Decoder.receive_payloads):
            decoder = Decoder(max_event_bytes=size - 1)
            with pytest.raises(ResponseTooLargeError) as raised:
                for data in reads:
                    method(decoder, data)
            assert raised.value.limit == size - 1


@pytest.mark.parametrize("line", [b"data: ", b"data: 1\ndata: 2\ndata: ", b": ", b"", b"event: ", b"id: "])
def test_a_line_without_end_is_stopped(line: bytes) -> None:
    """What never ends is an error as soon as it is over the cap, whatever kind of line it was going to be."""
    decoder = Decoder(max_event_bytes=1000)
    decoder.receive_data(line)
    with pytest.raises(ResponseTooLargeError):
        for _ in range(20):
            decoder.receive_data(b"x" * 100)


def test_a_line_without_end_counts_with_the_lines_before_it() -> None:
    """The size is the event's: a line that has not ended is stopped where it takes the whole over the cap."""
    decoder = Decoder(max_event_bytes=10)
    decoder.receive_data(b"data: 1\ndat")
    with pytest.raises(ResponseTooLargeError):
        decoder.receive_data(b"a")


def test_an_event_of_endless_lines_is_stopped() -> None:
    """An event without its blank line is an error as soon as its lines are over the cap, empty ones too."""
    decoder = Decoder(max_event_bytes=1000)
    with pytest.raises(ResponseTooLargeError):
        for _ in range(251):
            decoder.receive_data(b"data\n")


def test_keep_alives_do_not_add_up_to_the_cap() -> None:
    """Comments and unknown lines may go on for ever without a blank line: they are not held."""
    decoder = Decoder(max_event_bytes=20)
    decoder.receive_data(b"data: x\n")
    for _ in range(1_000):
        assert decoder.receive_data(b": keep-alive\nunknown: x\n") == [Comment("keep-alive")]
    assert decoder.receive_data(b"\n") == [ServerSentEvent(data="x")]


def test_the_cap_is_for_one_event_at_a_time() -> None:
    """Events within the cap pass in any number, and in one read far larger than the cap."""
    assert len(feed([PLAIN * 100], max_event_bytes=len(PLAIN)).items) == 100


def test_over_the_cap_the_decoder_is_dead() -> None:
    """The error says what the cap is and how to raise it, and no call after it gets anything else, the end included."""
    decoder = Decoder(max_event_bytes=1_000)
    with pytest.raises(ResponseTooLargeError, match=r"larger than the cap of 1,000 bytes.*raise max_event_bytes"):
        decoder.receive_data(b"data: secret" + b"x" * 1_000)
    for call in (
        lambda: decoder.receive_data(b"\n\n" + PLAIN),
        lambda: decoder.receive_payloads(b""),
        decoder.receive_eof,
        decoder.receive_eof,
    ):
        with pytest.raises(ResponseTooLargeError) as raised:
            call()
        assert raised.value.limit == 1_000
        assert "secret" not in str(raised.value)
    assert decoder.unfinished is None


def test_what_stands_before_the_large_event_is_returned_first() -> None:
    """Events and comments of the same read are not lost: they are returned, and the error is the next call's."""
    large = b"data: " + b"x" * 50 + b"\n\n"
    for receive in ("receive_data", "receive_payloads"):
        decoder = Decoder(max_event_bytes=50)
        items = getattr(decoder, receive)(PLAIN + b": c\n\n" + large + PLAIN)
        assert [as_text(item) for item in items] == [ServerSentEvent(data='{"n": 1}'), Comment("c")]
        with pytest.raises(ResponseTooLargeError):
            getattr(decoder, receive)(PLAIN)


def test_the_error_of_the_cap_waits_for_the_end_if_no_data_comes() -> None:
    """A stream that ends right after the read with the large event still ends in its error."""
    decoder = Decoder(max_event_bytes=50)
    assert decoder.receive_data(PLAIN + b"x" * 51) == [ServerSentEvent(data='{"n": 1}')]
    with pytest.raises(ResponseTooLargeError):
        decoder.receive_eof()


@pytest.mark.parametrize("cap", [0, -1, 1.5, "1", None, True])
def test_a_cap_that_is_no_size_is_refused(cap: Any) -> None:
    """The error names the parameter and what is allowed."""
    with pytest.raises(InvalidRequestError, match=r"max_event_bytes.* whole number of bytes, at least 1"):
        Decoder(max_event_bytes=cap)
    with pytest.raises(ValueError, match="max_event_bytes"):
        Decoder(cap)


def test_a_cap_of_one_byte_is_a_cap() -> None:
    """The least cap lets blank lines and one-byte lines through, and nothing more."""
    decoder = Decoder(max_event_bytes=1)
    assert decoder.receive_data(b"\r\n:\n\n:\n") == [Comment("")] * 2
    with pytest.raises(ResponseTooLargeError):
        decoder.receive_data(b"::")
