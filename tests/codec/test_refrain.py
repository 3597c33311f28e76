"""Events that come one a read and are like the one before: read straight from their bytes, to the same answer."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_async.codec.answer import Interrupted, StreamedAnswer
from deepseek_async.codec.dialects import CHAT, read_by
from deepseek_async.codec.reading.shapes import AnswerReader
from deepseek_async.errors import StreamInterruptedError

from ..wire import DONE, to_json
from .shapes.test_reader import DIALECTS, a_chunk
from .test_repetition import TEXTS, shown


def told(reads: list[bytes], **options: Any) -> tuple[list[str], str, str, int, int]:
    """What a stream of these reads delivers, folds to, ends with and counts."""
    reader = AnswerReader()
    answer: Any = StreamedAnswer(read_by(CHAT, reader), choices=1, **options)
    for data in reads:
        answer.receive_data(data)
    answer.receive_eof()
    answer.conclude()
    delivered = [shown(chunk) for chunk in iter(answer.next_chunk, None)]
    end = (
        f"{type(answer.end.error).__name__}: {answer.end.error}" if isinstance(answer.end, Interrupted) else "complete"
    )
    return delivered, answer.snapshot().to_json(), end, answer.chunks, answer.keepalives


def is_used(answer: Any) -> bool:
    """Whether the next event would be read so."""
    return answer._refrain is not None


def event(chunk: Any) -> bytes:
    return b"data: %b\n\n" % to_json(chunk)


# What comes where an event is expected that is like the one before.
ODD = {
    "a comment": lambda text: b": alive\n\n" + event(a_chunk(text)),
    "CRLF": lambda text: event(a_chunk(text)).replace(b"\n", b"\r\n"),
    "two events": lambda text: event(a_chunk(text)) + event(a_chunk(text)),
    "two lines": lambda text: b"data:\n" + event(a_chunk(text)),
    "an id": lambda text: b"id: 7\n" + event(a_chunk(text)),
    "a retry": lambda text: b"retry: 7\n" + event(a_chunk(text)),
    "a type": lambda text: b"event: ping\n" + event(a_chunk(text)),
    "no space": lambda text: event(a_chunk(text)).replace(b"data: ", b"data:"),
    "another field": lambda text: event(a_chunk(text, {"provider": "y"})),
    "a role": lambda text: event(a_chunk(text, role="assistant")),
    "another choice": lambda text: event(a_chunk(text, {}, {"index": 1})),
    "reasoning": lambda text: event(a_chunk(None, reasoning_content=text)),
    "logprobs": lambda text: event(a_chunk(text, {}, {"logprobs": {"content": []}})),
    "an end": lambda text: event(a_chunk(text, {}, {"finish_reason": "stop"})),
    "an error": lambda text: b'data: {"error": {"message": "overloaded"}}\n\n',
    "nothing": lambda text: event(a_chunk("")),
}


@given(
    st.lists(st.sampled_from([*["plain"] * 20, *ODD]), min_size=3, max_size=25),
    st.lists(st.integers(0, 3000), max_size=5),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_one_event_a_read_is_told_as_all_at_once(kinds: list[str], at: list[int], is_continuable: bool) -> None:
    """With odd ones between them, and some of them cut."""
    reads = [
        event(a_chunk(f" {number}é\n")) if kind == "plain" else ODD[kind](f" {number}")
        for number, kind in enumerate(kinds)
    ] + [DONE]
    whole = b"".join(reads)
    ends = [0]
    for data in reads:
        ends.append(ends[-1] + len(data))
    places = sorted({*ends, *(place % (len(whole) + 1) for place in at)})
    cut = [whole[start:end] for start, end in pairwise(places)]
    expected = told([whole], is_continuable=is_continuable)
    assert told(reads, is_continuable=is_continuable) == expected
    assert told(cut, is_continuable=is_continuable) == expected


@given(st.sampled_from(sorted(DIALECTS)), st.lists(TEXTS, min_size=4, max_size=12), st.data())
@settings(max_examples=100, deadline=None)
def test_any_bytes_in_the_place_of_the_text(server: str, texts: list[bytes], data: Any) -> None:
    """Another field, another chunk, a line's end, an error: whatever they are when all comes at once."""
    first = to_json(data.draw(st.sampled_from(DIALECTS[server])))
    pieces = first.partition(b'"Hi"') if b'"Hi"' in first else first.partition(b'"a"')
    blanks = st.sampled_from([b"", b"", b"", b" ", b"\n", b"\r"])
    payloads = [first, first, first]
    payloads += [b'%b%b"%b"%b%b' % (pieces[0], data.draw(blanks), text, data.draw(blanks), pieces[2]) for text in texts]
    reads = [b"data: %b\n\n" % payload for payload in payloads]
    assert told(reads) == told([b"".join(reads)])


def test_it_is_used() -> None:
    """From the fourth chunk on, for each that is like the one before; again soon after one that was not."""
    answer: Any = StreamedAnswer(read_by(CHAT, AnswerReader()), choices=1)
    used = []
    for number in range(12):
        chunk = a_chunk("", role="assistant") if number == 0 else a_chunk(f" {number}")
        if number == 8:
            chunk = a_chunk("one", {"usage": None, "x": 1})
        used.append(is_used(answer))
        answer.receive_data(event(chunk))
    assert used[4:9] == [True] * 5
    assert not used[9]
    assert [chunk.choices[0].delta.content for chunk in iter(answer.next_chunk, None)][-1] == " 11"
    assert answer.snapshot().text == " 1 2 3 4 5 6 7one 9 10 11"


def test_a_half_that_waits_is_not_forgotten() -> None:
    """Of a character, until what comes by itself says more."""
    texts = ["a", "a", "a", "a", "\ud83e", "", "b", "\ud83e", "\udd94", "c", "d"]
    reads = [b"data: %b\n\n" % json.dumps(a_chunk(text)).encode() for text in texts]
    assert told(reads) == told([b"".join(reads)])
    assert '"content":"aaaa\ufffdb🦔cd"' in told(reads)[1].replace(": ", ":")


def test_a_cap_on_events_holds() -> None:
    """Of one that is like the others, too."""
    reads = [event(a_chunk("a")) for _ in range(6)] + [event(a_chunk("a" * 400))]
    assert told(reads, max_event_bytes=300)[2].startswith("ResponseTooLargeError")
    assert told(reads, max_event_bytes=300) == told([b"".join(reads)], max_event_bytes=300)


@pytest.mark.parametrize("what", ["drain", "begin_attempt"])
def test_what_ends_it(what: str) -> None:
    """Nothing more is shown; or another attempt begins, whose chunks are not like those before."""
    answer: Any = StreamedAnswer(read_by(CHAT, AnswerReader()), choices=1)
    for _ in range(6):
        answer.receive_data(event(a_chunk("a")))
    assert is_used(answer)
    if what == "drain":
        answer.drain()
    else:
        answer.receive_break(StreamInterruptedError("cut"))
        answer.begin_attempt()
    for _ in range(6):
        answer.receive_data(event(a_chunk("b")))
        assert not (what == "drain" and answer.ready)
    assert answer.snapshot().text == ("aaaaaabbbbbb" if what == "drain" else "bbbbbb")
