"""A stream that goes on with the chunks of another answer: taken for one, unless that begins anew."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec.answer import Complete, Interrupted, StreamedAnswer
from deepseek_async.codec.dialects import CHAT, TEXT
from deepseek_async.errors import MalformedResponseError

TEXT_A = "The sea is salty because rivers carry minerals from the rocks into it"
TEXT_B = "The sea is salty since rain dissolves salts, and rivers bring them."
END = b"data: [DONE]\n\n"


def chunk(of: str, text: str | None = None, finish_reason: str | None = None, **delta: Any) -> bytes:
    said = {"content": text, **delta} if text is not None else delta
    choice = {"index": 0, "delta": said, "finish_reason": finish_reason}
    head = {"id": of, "object": "chat.completion.chunk", "created": 1, "model": f"m-{of}"}
    return b"data: " + json.dumps({**head, "choices": [choice]}).encode() + b"\n\n"


def words(of: str, text: str, field: str = "content") -> list[bytes]:
    parts = [f"{word} " for word in text.split()]
    return [chunk(of, **{"text" if field == "content" else field: part}) for part in parts]


def read(
    events: Sequence[bytes], cuts: Sequence[int] = (), choices: int | None = 1, **settings: Any
) -> StreamedAnswer[Any, Any]:
    answer: StreamedAnswer[Any, Any] = StreamedAnswer(CHAT, choices=choices, **settings)
    body = b"".join(events)
    for start, end in itertools.pairwise([0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]):
        if start < end:
            answer.receive_data(body[start:end])
    answer.receive_eof()
    return answer


ROLE = chunk("a", role="assistant")
AGAIN = chunk("b", "", role="assistant")
STOP = chunk("b", "", "stop")


@given(st.lists(st.integers(0, 6000), max_size=12), st.booleans())
def test_an_answer_that_begins_anew_is_an_error(cuts: list[int], is_continuable: bool) -> None:
    """However the bytes come: both answers are in it, the second whole, and nobody asks again."""
    events = [ROLE, *words("a", TEXT_A), AGAIN, *words("b", TEXT_B), STOP, END]
    answer = read(events, cuts, is_continuable=is_continuable)
    assert isinstance(answer.end, Interrupted)
    error: Any = answer.end.error
    assert isinstance(error, MalformedResponseError)
    assert "began anew" in str(error)
    assert "'a', then 'b'" in str(error)
    assert not error.retryable
    assert error.may_be_billed
    assert (error.partial.text.strip(), error.partial.complete, error.partial.id) == (TEXT_A, False, "a")
    assert (error.continuation.text.strip(), error.continuation.id) == (TEXT_B, "b")
    assert error.continuation.finish_reason == "stop"


def test_one_that_thinks_anew() -> None:
    """The reasoning tells, too, also before any content."""
    first = words("a", TEXT_A, "reasoning_content")
    second = [*words("b", TEXT_B, "reasoning_content"), *words("b", "It is salt.")]
    answer = read([ROLE, *first, AGAIN, *second, STOP, END])
    assert isinstance(answer.end, Interrupted)
    error: Any = answer.end.error
    assert isinstance(error, MalformedResponseError)
    assert error.partial.message.reasoning_content.strip() == TEXT_A
    assert error.continuation.message.reasoning_content.strip() == TEXT_B
    assert error.continuation.text.strip() == "It is salt."


WHOLE: dict[str, list[bytes]] = {
    "one id": [ROLE, *words("a", TEXT_A), *words("a", TEXT_B), chunk("a", "", "stop"), END],
    "a gateway that continues": [ROLE, *words("a", TEXT_A), AGAIN, *words("b", ", and rain helps."), STOP, END],
    "an id of its own in each": [
        *(chunk(f"c{number}", f"{word} ") for number, word in enumerate(f"{TEXT_A} {TEXT_B}".split())),
        chunk("z", "", "stop"),
        END,
    ],
    "another one in the first": [chunk("x", role="assistant"), *words("a", TEXT_A), chunk("a", "", "stop"), END],
    "an empty one at first": [chunk("", role="assistant"), *words("a", TEXT_A), chunk("a", "", "stop"), END],
    "another one at the end": [ROLE, *words("a", TEXT_A), chunk("u", "", "stop"), END],
    "a refrain": [ROLE, *words("a", f"{TEXT_A} {TEXT_A}"), AGAIN, *words("b", TEXT_A), STOP, END],
    "a few letters alike": [ROLE, *words("a", TEXT_A), AGAIN, *words("b", "The end."), STOP, END],
    "two in turns": [event for pair in zip(words("a", TEXT_A), words("b", TEXT_B), strict=False) for event in pair]
    + [STOP, END],
    "no ids": [*words("", TEXT_A), *words("", TEXT_B), chunk("", "", "stop"), END],
}


@pytest.mark.parametrize("events", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("cuts", [[], [100, 900, 1500], list(range(0, 9000, 37))], ids=["once", "cut", "small"])
def test_other_ids_are_no_error(events: list[bytes], cuts: list[int]) -> None:
    """All text is there, in order, and the answer has the first id that says something."""
    answer = read(events, cuts)
    assert isinstance(answer.end, Complete)
    completion = answer.completion()
    said = [json.loads(event[6:])["choices"][0]["delta"].get("content") or "" for event in events if event != END]
    assert completion.text == "".join(said)
    ids = [json.loads(event[6:])["id"] for event in events if event != END]
    assert completion.id == next(filter(None, ids), "")


def test_several_choices_may_have_several_ids() -> None:
    """As SGLang has them: what a choice says is its own, alike or not."""
    events = []
    for number, text in ((0, TEXT_A), (1, TEXT_A)):
        for word in text.split():
            said = {"index": number, "delta": {"content": f"{word} "}, "finish_reason": None}
            events.append(b"data: " + json.dumps({"id": f"c{number}", "choices": [said]}).encode() + b"\n\n")
        end = {"index": number, "delta": {}, "finish_reason": "stop"}
        events.append(b"data: " + json.dumps({"id": f"c{number}", "choices": [end]}).encode() + b"\n\n")
    for choices in (2, None):
        completion = read([*events, END], choices=choices).completion()
        assert [choice.message.content for choice in completion.choices] == [f"{TEXT_A} "] * 2


def test_fill_in_the_middle_is_not_followed() -> None:
    """Its pieces have ids, too, and code repeats itself."""
    answer: StreamedAnswer[Any, Any] = StreamedAnswer(TEXT, choices=1)
    for of in "ab":
        for word in TEXT_A.split():
            piece = {"id": of, "choices": [{"index": 0, "text": f"{word} ", "finish_reason": None}]}
            answer.receive_data(b"data: " + json.dumps(piece).encode() + b"\n\n")
    last = {"id": "b", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}
    answer.receive_data(b"data: " + json.dumps(last).encode() + b"\n\n" + END)
    assert answer.completion().text == f"{TEXT_A} " * 2


def told_of(answer: StreamedAnswer[Any, Any]) -> tuple[str, str, str | None]:
    error: Any = answer.end.error if isinstance(answer.end, Interrupted) else None
    second = None if error is None or error.continuation is None else error.continuation.to_json()
    return answer.snapshot().to_json(), str(error), second


@pytest.mark.parametrize("ids", ["aaabbbabbbaaa", "aaaacaaaaaaccccc", "aaabaaacccc", "aabaaaaabbbbb", "aaaabcbbbb"])
def test_ids_that_come_and_go_are_met_in_any_cut(ids: str) -> None:
    """Also those that begin and end within one read."""
    said = TEXT_A.split()
    starts = [place for place in range(1, len(ids)) if ids[place] != ids[place - 1]]
    for anew in starts:
        texts = [said[place if place < anew else place - anew] for place in range(len(ids))]
        events = [chunk(of, text + " ") for of, text in zip(ids, texts, strict=True)] + [STOP, END]
        places = list(itertools.accumulate(map(len, events)))
        expected = told_of(read(events, places))
        assert told_of(read(events)) == expected
        for first in range(len(places)):
            for last in range(first, min(first + 4, len(places))):
                assert told_of(read(events, [places[first], places[last]])) == expected
