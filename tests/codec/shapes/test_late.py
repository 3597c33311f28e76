"""Logprobs made late or at once: the same values, each error in time, no memory for what is said twice."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from deepseek_async.codec.reading.one_piece import completion_in
from deepseek_async.codec.reading.shapes import AnswerReader, late
from deepseek_async.codec.reading.shapes import reader as reader_module
from deepseek_async.codec.reading.shapes.documented import COMPLETION
from deepseek_async.codec.reading.shapes.learned import LONG
from deepseek_async.codec.reading.shapes.lessons import read_slowly
from deepseek_async.codec.reading.shapes.reader import _plain_chunk
from deepseek_async.errors import MalformedResponseError
from deepseek_async.types import ChatCompletion

from ...wire import completion, of_choices, to_json

HALF = "\ud83e"
WORDS = ["the", " sky", "é", "\n\n", '"', "雨", ""]


def a_token(word: str, *others: str, **own: Any) -> dict[str, Any]:
    """A token with its alternatives, as DeepSeek writes it."""
    tops = [{"token": one, "logprob": -0.5, "bytes": list(one.encode()), **own} for one in (word, *others)]
    return {**tops[0], "top_logprobs": tops}


def a_chunk(*tokens: dict[str, Any], channel: str = "content", **more: Any) -> bytes:
    choice = {"index": 0, "delta": {channel: "a"}, "logprobs": {channel: list(tokens)}, "finish_reason": None}
    return to_json(of_choices({**choice, **more}))


def looked_at(reader: AnswerReader, text: bytes) -> Any:
    """What is read; whoever reads it looks at all of it."""
    chunk = reader.chunk(text)
    for choice in chunk.choices:
        for channel in (choice.logprobs.content, choice.logprobs.reasoning_content) if choice.logprobs else ():
            assert all(top.token is not None for token in channel or () for top in token.top_logprobs)
    return chunk


@pytest.mark.parametrize("own", [{}, {"id": 5}])
@pytest.mark.parametrize("channel", ["content", "reasoning_content"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_whoever_looks_gets_the_same_as_whoever_does_not(count: int, channel: str, own: dict[str, Any]) -> None:
    """Of chunks of one token, of several, of none; of each channel; looked at before, or read for the first time."""
    tokens = [a_token(word, *WORDS, **own) for word in WORDS[:count]]
    text = a_chunk(*tokens, channel=channel)
    first, reader = AnswerReader().chunk(text), AnswerReader()
    assert [looked_at(reader, text) for _ in range(4)] == [first] * 4
    one = AnswerReader()
    for _ in range(3):  # the chosen tokens alone
        logprobs = one.chunk(text).choices[0].logprobs
        found = getattr(logprobs, channel)
        assert [token.token for token in found] == WORDS[:count]
        assert logprobs == first.choices[0].logprobs


@pytest.mark.parametrize("wrong", ["x", [1.5], ["1"], [[1]], [None], [True], {"0": 1}, 5, True])
@pytest.mark.parametrize("where", ["in the token", "in an alternative"])
def test_bytes_that_are_none_are_refused_when_they_come(where: str, wrong: Any) -> None:
    """Whether anybody has looked at chunks before or not: the error is raised by the chunk that has it."""
    good, bad = a_token("a", "b"), a_token("a", "b")
    (bad if where == "in the token" else bad["top_logprobs"][1])["bytes"] = wrong
    reader = AnswerReader()
    for look in (lambda: None, reader._looks.at_tokens, reader._looks):
        look()
        slow = AnswerReader()
        reader.chunk(a_chunk(good))
        told: list[Any] = []
        for one in (reader, slow):
            try:
                told.append(one.chunk(a_chunk(bad)))
            except MalformedResponseError as error:
                told.append((error.path, str(error)))
        assert told[0] == told[1]
        assert reader.slow_chunks


@pytest.mark.parametrize("longest", [1, 2**20])
def test_whoever_keeps_a_token_does_not_keep_the_answer(longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least likely token of each of 10,000 answers, say: each would hold 2 MB of JSON until its alternatives are
    looked at."""
    monkeypatch.setattr(late, "LONG_ANSWER", longest)
    whole = completion("ab")
    whole["choices"][0]["logprobs"] = {"content": [a_token("a", "b", id="é"), a_token("b", "a", id="é")], "x": ["y"]}
    body = to_json(whole)
    before = sys.getrefcount(body)
    answer = completion_in(body, None, AnswerReader())[0]
    assert answer.logprobs is not None
    assert answer.logprobs.content is not None
    assert sys.getrefcount(body) == before
    token = answer.logprobs.content[1]
    assert [top.token for top in token.top_logprobs] == ["b", "a"]


def test_equal_bytes_of_a_long_answer_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million alternatives are some thousand words. What is read of a short answer, of a long one and slowly is the
    same."""
    whole = completion("".join(WORDS))
    whole["choices"][0]["logprobs"] = {"content": [a_token(word, *WORDS) for word in WORDS]}
    body = to_json(whole)

    def read(longest: int) -> ChatCompletion:
        monkeypatch.setattr(late, "LONG_ANSWER", longest)
        return completion_in(body, None, AnswerReader())[0]

    def bytes_in(answer: ChatCompletion) -> list[tuple[int, ...] | None]:
        assert answer.logprobs is not None
        return [top.bytes for token in answer.logprobs.content or () for top in token.top_logprobs]

    short, long = read(len(body)), read(1)
    said = bytes_in(long)
    assert said == bytes_in(short) == [tuple(w.encode()) for word in WORDS for w in (word, *WORDS)]
    assert len({id(one) for one in said}) == len(WORDS)
    assert short == long
    assert hash(short.logprobs) == hash(long.logprobs)


@pytest.mark.parametrize("size", [0, LONG])
def test_after_calls_texts_are_read_straight_again(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of calls, however long, does not make a client slow for those that come after it."""
    straight: list[bool] = []

    def plain_chunk(text: bytes) -> Any:
        found = _plain_chunk(text)
        straight.append(found is not None)
        return found

    monkeypatch.setattr(reader_module, "_plain_chunk", plain_chunk)
    call = {"index": 0, "function": {"arguments": "x" * size}}
    of_call = to_json(of_choices({"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}))
    reader = AnswerReader()
    for _ in range(1000):
        reader.chunk(of_call)
    assert len(straight) < 50
    straight.clear()
    for _ in range(1000):
        reader.chunk(to_json(of_choices({"index": 0, "delta": {"content": "x" * size}, "finish_reason": None})))
    assert sum(straight) > 900


@pytest.mark.parametrize("own", [{}, {"id": 5}])
@pytest.mark.parametrize("tokens", [[], [a_token("a")], [a_token("a", "b"), {**a_token("b"), "top_logprobs": None}]])
def test_a_whole_answer_is_the_same_however_it_is_read(tokens: list[dict[str, Any]], own: dict[str, Any]) -> None:
    """No token, one, one without alternatives; in either channel; learned or read slowly."""
    tokens = [{**token, **own} for token in tokens]
    said: Any
    for said in ({"content": tokens}, {"content": None, "reasoning_content": tokens}, {**own, "content": []}, None):
        whole = completion("ab", reasoning_content="ab")
        whole["choices"][0]["logprobs"] = said
        reader = AnswerReader()
        slowly = read_slowly(whole, b"", COMPLETION).choices[0].logprobs
        for _ in range(2):
            found = reader.completion(to_json(whole)).choices[0].logprobs
            assert found == slowly
            assert type(found and found.content) is type(slowly and slowly.content)


@pytest.mark.parametrize(
    "chunk",
    [
        of_choices({"index": 0, "delta": {"content": HALF}}),
        of_choices({"index": 0, "delta": {"reasoning_content": f"a{HALF}b"}}),
        of_choices({"index": 0, "delta": {"content": "a", "refusal": HALF}}),
        of_choices({"index": 0, "delta": {"content": "a", HALF: None}}),
        of_choices({"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": HALF}}]}}),
        of_choices({"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [a_token("a")], "x": [HALF]}}),
        of_choices({"index": 0, "delta": {"content": "\udd94" + HALF}}),
        of_choices({"index": 0, "delta": {"content": "a"}}, provider={"x": HALF}),
    ],
    ids=str,
)
def test_half_a_character_is_never_read_fast(chunk: dict[str, Any]) -> None:
    """Wherever it stands, and whatever was learned: `StreamedAnswer` looks for halves only where the slow way read."""
    reader, text = AnswerReader(), json.dumps(chunk).encode()
    for number in range(1, 4):
        reader.chunk(text)
        assert reader.slow_chunks == number
