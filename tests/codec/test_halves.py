"""Halves of characters in two chunks: what is delivered, joined, is the text, and each piece can be printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec import chunk_from_json, fold
from deepseek_async.codec.answer import StreamedAnswer
from deepseek_async.codec.dialects import CHAT, TEXT
from deepseek_async.transport import Answer

from ..wire import DONE, HELLO, client_on, of_choices

HIGH, LOW = "\ud83e", "\udd94"  # the halves of 🦔
WHERE = ["content", "reasoning_content", "arguments", "text"]


def payloads_of(where: str, pieces: list[str], reasons: list[str | None]) -> Iterator[dict[str, Any]]:
    for number, (piece, reason) in enumerate(zip(pieces, reasons, strict=True)):
        choice: dict[str, Any] = {"index": 0, "finish_reason": reason}
        if where == "text":
            choice["text"] = piece
        elif where == "arguments":
            name = {"name": "f", "arguments": piece} if number == 0 else {"arguments": piece}
            choice["delta"] = {"tool_calls": [{"index": 0, "id": "a", "function": name}]}
        else:
            choice["delta"] = {where: piece}
        yield of_choices(choice)


def events_of(where: str, pieces: list[str], *, end: str = "apart") -> bytes:
    """The stream; the finish reason comes in a chunk of its own, with the last piece, or never."""
    pieces = [*pieces, ""] if end == "apart" else pieces
    reasons: list[str | None] = [None] * len(pieces)
    if end != "never":
        reasons[-1] = "stop"
    # As ASCII: half a character can only be said in an escape.
    return b"".join(b"data: " + json.dumps(p).encode() + b"\n\n" for p in payloads_of(where, pieces, reasons)) + DONE


def delivered(where: str, reads: list[bytes]) -> tuple[list[str], str]:
    """The pieces that are shown, and the whole."""
    answer: Any = StreamedAnswer(TEXT if where == "text" else CHAT)
    for data in reads:
        answer.receive_data(data)
    answer.receive_eof()
    answer.conclude()
    choices = [choice for chunk in iter(answer.next_chunk, None) for choice in chunk.choices]
    shown = [said_in(where, choice, is_whole=False) for choice in choices]
    return shown, said_in(where, answer.completion().choices[0], is_whole=True)


def said_in(where: str, choice: Any, *, is_whole: bool) -> str:
    if where == "text":
        return str(choice.text)
    said = choice.message if is_whole else choice.delta
    if where == "arguments":
        return "".join(call.function.arguments or "" for call in said.tool_calls or ())
    return getattr(said, where) or ""


CUTS: list[tuple[list[str], str]] = [
    (["a" + HIGH, LOW + "b"], "a🦔b"),
    ([HIGH, LOW], "🦔"),
    (["a", HIGH, "", LOW, "b"], "a🦔b"),
    ([HIGH, LOW + HIGH, LOW], "🦔🦔"),
    ([HIGH, "b"], "\ufffdb"),
    (["a", LOW + "b"], "a\ufffdb"),
    ([HIGH, HIGH, LOW], "\ufffd🦔"),
    (["a" + HIGH], "a\ufffd"),
    (["é" + HIGH + LOW], "é🦔"),
]


def whole_reads(body: bytes) -> list[bytes]:
    return [body]


def single_bytes(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def lines_of(body: bytes) -> list[bytes]:
    """Each line as a read of its own: what ends an event is in another than what it says."""
    return body.splitlines(keepends=True)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize(("pieces", "text"), CUTS)
def test_halves_that_meet_and_halves_that_do_not(where: str, pieces: list[str], text: str) -> None:
    """Of both texts, of a call's arguments and of a gap; with the end in a chunk of its own, or in the last."""
    for end, cut in product(("apart", "with the last"), (whole_reads, single_bytes, lines_of)):
        shown, whole = delivered(where, cut(events_of(where, pieces, end=end)))
        is_left_out = where == "arguments" and pieces[-1].endswith(HIGH)  # a call has no end of its own
        assert whole == (text.removesuffix("\ufffd") if is_left_out else text)
        assert "".join(shown) == whole
        for piece in shown:
            piece.encode()


def test_a_half_that_no_end_follows_is_left_out() -> None:
    """It is no character, and none was shown."""
    shown, whole = delivered("content", [events_of("content", ["a", HIGH], end="never")])
    assert ("".join(shown), whole) == ("a", "a")


PIECES = st.lists(st.text(st.sampled_from('aé🦔雨\\"𝄞'), max_size=4), min_size=1, max_size=4)


@given(st.sampled_from(WHERE), PIECES, st.data())
def test_any_cut_of_any_text(where: str, texts: list[str], data: st.DataObject) -> None:
    """However it is cut into halves, chunks and reads: what is shown is the text, printable throughout."""
    text = "".join(texts)
    units = text.encode("utf-16-le")
    places = data.draw(st.lists(st.integers(0, len(units) // 2), max_size=5))
    borders = [0, *sorted(places), len(units) // 2]
    pieces = [units[2 * a : 2 * b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(borders)]
    body = events_of(where, pieces)
    cuts = [0, *sorted(set(data.draw(st.lists(st.integers(1, len(body) - 1), max_size=6)))), len(body)]
    shown, whole = delivered(where, [body[a:b] for a, b in pairwise(cuts)])
    assert "".join(shown) == whole == text
    for piece in shown:
        piece.encode()


def test_halves_in_what_nobody_documents() -> None:
    """Texts in pieces, and the name of a call, are whole characters in the end."""
    said: list[dict[str, Any]] = [
        {"refusal": "a" + HIGH, "tool_calls": [{"index": 0, "function": {"name": "f" + HIGH}}]},
        {"refusal": LOW, "tool_calls": [{"index": 0, "function": {"name": LOW, "arguments": "{}"}}]},
    ]
    chunks = [of_choices({"index": 0, "delta": delta, "finish_reason": None}) for delta in said]
    message = fold(chunk_from_json(json.dumps(chunk).encode()) for chunk in chunks).message
    assert message.extra == {"refusal": "a🦔"}
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.name == "f🦔"


@pytest.mark.anyio
async def test_the_stream_shows_whole_characters() -> None:
    """Through the client, as text and as deltas."""
    body = events_of("content", ["a" + HIGH, LOW + "b"])
    client, _ = client_on(Answer([body]), Answer([body]))
    texts = [text async for text in client.chat.completions.stream(model="m", messages=HELLO).text_deltas()]
    assert texts == ["a", "🦔b"]
    deltas = [d async for d in client.chat.completions.stream(model="m", messages=HELLO).deltas()]
    assert [delta.content for delta in deltas] == ["a", "🦔b"]
