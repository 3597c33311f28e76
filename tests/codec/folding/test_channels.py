"""Tokens of the reasoning among the content's, as llama.cpp and vLLM send them: told apart, streamed or whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec import chunk_from_json, completion_from_json, fold
from deepseek_async.codec.folding.channels import of_chunk
from deepseek_async.types import ChatCompletion, ChoiceLogprobs

from ...wire import of_choices, to_json

Json = dict[str, Any]


def token(text: str | bytes, **more: Any) -> Json:
    data = text if isinstance(text, bytes) else text.encode()
    shown = "\ufffd" if isinstance(text, bytes) else text
    return {"id": 5, "token": shown, "logprob": -0.5, "bytes": list(data), "top_logprobs": [], **more}


def whole_of(reasoning: str, content: str | None, tokens: list[Json], **message: Any) -> ChatCompletion:
    said = {"role": "assistant", "content": content, "reasoning_content": reasoning, **message}
    choice = {"index": 0, "message": said, "logprobs": {"content": tokens}, "finish_reason": "stop"}
    return completion_from_json(to_json({"choices": [choice]}))


def part(tokens: list[Json], **delta: Any) -> Json:
    return of_choices({"index": 0, "delta": delta, "logprobs": {"content": tokens}, "finish_reason": None})


def streamed(*chunks: Json) -> ChatCompletion:
    end = of_choices({"index": 0, "delta": {}, "finish_reason": "stop"})
    return fold(chunk_from_json(to_json(chunk)) for chunk in (*chunks, end))


def spelled(tokens: Any) -> list[str]:
    return [one.token for one in tokens]


def channels_of(answer: ChatCompletion) -> tuple[list[str], list[str]]:
    """The content's tokens, and the reasoning's."""
    logprobs = answer.logprobs
    assert logprobs is not None
    return spelled(logprobs.content or ()), spelled(logprobs.reasoning_content or ())


MARKS = [token("<"), token("think"), token(">"), token("\n")]
CLOSE = [token("</"), token("think"), token(">"), token("\n\n")]
HM = [token("Hm"), token(", so")]
YES = [token("Yes"), token(".")]
PARTS = [token(b"\xf0\x9f"), token(b"\xa6\x94"), token(b"\xe9"), token(b"\x9b\xa8")]
CALLS = [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]
END = [token("", bytes=[])]


def test_llamas_own_stream() -> None:
    """As the server wrote it: the reasoning's tokens in their channel, the marks in none."""
    text = (Path(__file__).parents[2] / "data/llama_reasoning_logprobs.sse").read_text("utf-8")
    chunks = [line.removeprefix("data: ").encode() for line in text.splitlines() if line.startswith("data: {")]
    answer = fold(map(chunk_from_json, chunks))
    assert answer.logprobs is not None
    assert answer.logprobs.text == answer.text
    reasoning = answer.logprobs.reasoning_content
    assert "".join(spelled(reasoning)) == answer.reasoning
    first = chunk_from_json(chunks[1]).choices[0]
    assert of_chunk(first) == ChoiceLogprobs(None, first.logprobs.content if first.logprobs else None)


WHOLE: dict[str, tuple[ChatCompletion, list[str], list[str]]] = {
    "marks around, and the token that ended it": (
        whole_of("Hm, so\n", "Yes.", [*MARKS, *HM, token("\n"), *CLOSE, *YES, *END]),
        ["Yes", "."],
        ["Hm", ", so", "\n"],
    ),
    "no marks": (whole_of("Hm, so", "Yes.", [*HM, *YES]), ["Yes", "."], ["Hm", ", so"]),
    "a mark in one token": (
        whole_of("Hm, so", "Yes.", [token("<think>"), *HM, token("</think>"), *YES]),
        ["Yes", "."],
        ["Hm", ", so"],
    ),
    "marks in brackets": (
        whole_of("Hm, so", "Yes.", [token("[THINK]"), *HM, token("[/THINK]"), *YES]),
        ["Yes", "."],
        ["Hm", ", so"],
    ),
    "reasoning alone": (whole_of("Hm, so", "", [*MARKS, *HM]), [], ["Hm", ", so"]),
    "content null": (whole_of("Hm, so", None, [*MARKS, *HM]), [], ["Hm", ", so"]),
    "reasoning of a letter that the marks have, too": (
        whole_of("h", "Yes.", [*MARKS, token("h"), *CLOSE, *YES]),
        ["Yes", "."],
        ["h"],
    ),
    "content that the reasoning says, too": (
        whole_of("Yes. Yes.", "Yes.", [*YES, token(" "), *YES, *CLOSE, *YES]),
        ["Yes", "."],
        ["Yes", ".", " ", "Yes", "."],
    ),
    "characters in parts": (
        whole_of("🦔", "雨!", [*PARTS[:2], *CLOSE, *PARTS[2:], token("!")]),
        ["\ufffd", "\ufffd", "!"],
        ["\ufffd", "\ufffd"],
    ),
    "calls": (
        whole_of("Hm, so", None, [*MARKS, *HM, *CLOSE, token("<tool_call>"), token("{}")], tool_calls=CALLS),
        ["<tool_call>", "{}"],
        ["Hm", ", so"],
    ),
    "the content's tokens alone": (whole_of("Hm, so", "Yes.", YES), ["Yes", "."], []),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_split_by_its_text(name: str) -> None:
    """And not marked, since it is."""
    answer, content, reasoning = WHOLE[name]
    assert channels_of(answer) == (content, reasoning)
    assert answer.logprobs is not None
    assert answer.logprobs.extra == {}


@pytest.mark.parametrize(("reasoning", "content"), [("Hmm", "Yes."), ("Hm, so", "No."), ("Hm, so", "Yes. Hm.")])
def test_what_the_text_does_not_allow_is_left_alone_and_marked(reasoning: str, content: str) -> None:
    """Every token stays where the server put it, also on the way through a stream that came in one piece."""
    answer = whole_of(reasoning, content, [*MARKS, *HM, *CLOSE, *YES])
    assert channels_of(answer) == (spelled_of([*MARKS, *HM, *CLOSE, *YES]), [])
    assert answer.logprobs is not None
    assert answer.logprobs.extra == {"channels": "mixed"}


def spelled_of(tokens: list[Json]) -> list[str]:
    return [one["token"] for one in tokens]


def test_an_answer_that_is_not_mixed_is_itself() -> None:
    """Both channels from the server; no reasoning at all; an empty one."""
    for message, logprobs in (
        ({"content": "Yes.", "reasoning_content": "Hm, so"}, {"content": YES, "reasoning_content": HM}),
        ({"content": "Yes."}, {"content": [*HM, *YES]}),
        ({"content": "Yes.", "reasoning_content": ""}, {"content": [*HM, *YES]}),
        ({"content": "Yes.", "reasoning_content": "Hm"}, {"content": None}),
    ):
        choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
        answer = completion_from_json(to_json({"choices": [choice]}))
        delta = {**choice, "delta": message}
        del delta["message"]
        assert fold([chunk_from_json(to_json({"choices": [delta]}))]) == answer
        said: Any = logprobs
        assert channels_of(answer) == tuple(
            spelled_of(said.get(name) or []) for name in ("content", "reasoning_content")
        )


STREAMED: dict[str, tuple[ChatCompletion, list[str], list[str]]] = {
    "llama.cpp": (
        streamed(
            part(MARKS[:1], role="assistant", content=None),
            part(HM[:1], reasoning_content="Hm"),
            part(HM[1:], reasoning_content=", so"),
            part(YES[:1], content="Yes"),
            part(YES[1:], content="."),
        ),
        ["Yes", "."],
        ["Hm", ", so"],
    ),
    "vLLM: marks in chunks of their own, empty texts beside": (
        streamed(
            part([token("<think>")], role="assistant", content=""),
            part(HM, reasoning="Hm, so", content=""),
            part([token("</think>")], content=""),
            part(YES, content="Yes."),
            part([token("<|im_end|>")], content=""),
        ),
        ["Yes", "."],
        ["Hm", ", so"],
    ),
    "texts that the tokens do not spell": (
        streamed(
            part([token("<think>")], role="assistant", content=""),
            part([token("hm")], reasoning_content="Hm"),
            part([token("</think>")], content=None),
            part([token("yes")], content="Yes"),
        ),
        ["yes"],
        ["hm"],
    ),
    "parts of a character whose text comes later, not spelled": (
        streamed(
            part([token("hm")], reasoning_content="Hm"),
            part([token(b"\xf0\x9f")], content=""),
            part([token(b"\xa6\x94")], reasoning_content="🦔"),
            part([token(b"\xe9")], content=""),
            part([token(b"\x9b\xa8")], content="雨"),
        ),
        ["\ufffd", "\ufffd"],
        ["hm", "\ufffd", "\ufffd"],
    ),
    "parts of a character, no reasoning": (
        streamed(
            part([token(b"\xf0\x9f")], content=""),
            part([token(b"\xa6\x94")], content="🦔"),
            part([token("", id=None)], content=""),
        ),
        ["\ufffd", "\ufffd"],
        [],
    ),
    "one chunk with both": (
        streamed(part([*HM, token("</think>"), *YES], reasoning_content="Hm, so", content="Yes.")),
        ["Yes", "."],
        ["Hm", ", so"],
    ),
}


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_is_split_by_its_text_or_else_by_its_chunks(name: str) -> None:
    """A token belongs to what it spells, or to what its chunk brought; part of a character to that character."""
    answer, content, reasoning = STREAMED[name]
    assert channels_of(answer) == (content, reasoning)


WORDS = st.lists(st.sampled_from(["a", " b", "hm", "🦔", "雨", "\n", " think", "<", "/"]), min_size=1, max_size=6)


@given(WORDS, WORDS, st.booleans(), st.data())
def test_streamed_equals_whole(thoughts: list[str], words: list[str], has_marks: bool, data: st.DataObject) -> None:
    """Field for field, whatever was thought and said, in characters or in parts of them, with marks or without."""

    def cut(texts: list[str]) -> list[tuple[bytes, str]]:
        """Tokens, each with the text that comes with it."""
        made: list[tuple[bytes, str]] = []
        for text in texts:
            raw = text.encode()
            if len(raw) > 1 and not raw.isascii() and data.draw(st.booleans()):
                middle = data.draw(st.integers(1, len(raw) - 1))
                made += [(raw[:middle], ""), (raw[middle:], text)]
            else:
                made.append((raw, text))
        return made

    opening, closing = ([token("<think>"), token("\n")], [token("\n"), token("</think>"), token("\n\n")])
    reasoning, content = cut(["Hm:", *thoughts]), cut(["So:", *words])
    said = (
        [token(raw, token=raw.decode("utf-8", "replace")) for raw, _ in reasoning],
        [token(raw, token=raw.decode("utf-8", "replace")) for raw, _ in content],
    )
    marks = (opening, closing) if has_marks else ([], [])
    texts = "".join(text for _, text in reasoning), "".join(text for _, text in content)
    whole = whole_of(*texts, [*marks[0], *said[0], *marks[1], *said[1], *END])
    chunks = [part([one], role="assistant", content=None) for one in marks[0]]
    chunks += [
        part([token(raw, token=raw.decode("utf-8", "replace"))], reasoning_content=text or None, content=None)
        for raw, text in reasoning
    ]
    chunks += [part([one], content=None) for one in marks[1]]
    chunks += [part([token(raw, token=raw.decode("utf-8", "replace"))], content=text) for raw, text in content]
    answer = streamed(*chunks)
    assert answer.choices == whole.choices
    assert channels_of(answer) == (spelled_of(said[1]), spelled_of(said[0]))


def test_it_is_linear() -> None:
    """A text of one letter stands in as many places as it has letters."""
    tokens = [token("a")] * 3000
    answer = whole_of("a" * 1500, "a" * 1500, tokens)
    assert [len(channel) for channel in channels_of(answer)] == [1500, 1500]
