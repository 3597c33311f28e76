"""Fields that nobody knows, and usages, as the chunks of a stream bring them: streamed equals whole."""

from __future__ import annotations

from typing import Any

import pytest

from deepseek_async.codec import chunk_from_json, fold
from deepseek_async.codec.folding.text_fold import TextFold
from deepseek_async.codec.folding.usages import later
from deepseek_async.codec.reading.responses import text_from_json
from deepseek_async.types import CompletionTokensDetails, PromptTokensDetails, Usage

from ...wire import of_choices, to_json

R = "reasoning_details"

# what the chunks say in one field, and what it is in the end; in a delta, and beside it in a choice
IN_A_DELTA: dict[str, tuple[str, list[Any], Any]] = {
    "a refusal in pieces": ("refusal", ["I ", None, "can't", "."], "I can't."),
    "equal pieces of prose": ("refusal", ["ha", "ha", "ha"], "hahaha"),
    "another text in pieces": ("audio_text", ["one ", "two"], "one two"),
    "a text that every chunk repeats": ("provider", ["x", "x", "x"], "x"),
    "an empty text at first": ("refusal", ["", "No."], "No."),
    "only empty texts": ("refusal", ["", ""], ""),
    "only nulls": ("refusal", [None, None], None),
    "a list in pieces": ("token_ids", [[1, 2], [3], None, [3]], [1, 2, 3, 3]),
    "objects in a list": ("annotations", [[{"url": "a"}], [{"url": "b"}]], [{"url": "a"}, {"url": "b"}]),
    "objects with an index": (
        R,
        [
            [{"index": 0, "type": "reasoning.text", "text": "Full ", "format": "v1"}],
            [{"index": 0, "type": "reasoning.text", "text": "moon", "format": "v1", "signature": None}],
            [{"index": 1, "type": "reasoning.encrypted", "data": "ab"}],
            [{"index": 1, "data": "ab"}, {"index": 0, "signature": "s"}],
        ],
        [
            {"index": 0, "type": "reasoning.text", "text": "Full moon", "format": "v1", "signature": "s"},
            {"index": 1, "type": "reasoning.encrypted", "data": "abab"},
        ],
    ),
    "a function call": (
        "function_call",
        [{"name": "f", "arguments": ""}, {"arguments": '{"x'}, {"name": "f", "arguments": '":1}'}],
        {"name": "f", "arguments": '{"x":1}'},
    ),
    "an object within": ("audio", [{"id": "1", "data": "aa"}, {"id": "1", "data": "aa", "transcript": "Hi"}],
                         {"id": "1", "data": "aaaa", "transcript": "Hi"}),
    "numbers": ("score", [1, 2, 3], 3),
    "types that change": ("state", ["a", {"b": 1}], {"b": 1}),
}  # fmt: skip

IN_A_CHOICE: dict[str, tuple[str, list[Any], Any]] = {
    "vLLM's tokens": ("token_ids", [[1], [1], [2, 3], None], [1, 1, 2, 3]),
    "a reason of their own": ("native_finish_reason", [None, "", "STOP"], "STOP"),
    "a text that changes": ("stage", ["think", "say"], "say"),
    "filters": (
        "content_filter_results",
        [{"hate": {"filtered": False}}, {"hate": {"filtered": False}, "sex": {"filtered": False}}],
        {"hate": {"filtered": False}, "sex": {"filtered": False}},
    ),
}

IN_A_CHUNK: dict[str, tuple[str, list[Any], Any]] = {
    "a provider": ("provider", ["x", "x"], "x"),
    "citations, repeated in full": ("citations", [["a", "b"], ["a", "b"]], ["a", "b"]),
    "timings": ("timings", [{"n": 1}, None, {"n": 2}], {"n": 2}),
    "the prompt's tokens": ("prompt_token_ids", [[1, 2], None], [1, 2]),
}


def chunks_of(place: str, name: str, values: list[Any]) -> list[dict[str, Any]]:
    """A chunk for each value, in a delta, in a choice, or in the chunk itself."""
    chunks = []
    for value in values:
        choice: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": None}
        if place == "delta":
            choice["delta"] = {name: value}
        elif place == "choice":
            choice[name] = value
        chunks.append(of_choices(choice, **({name: value} if place == "chunk" else {})))
    return chunks


@pytest.mark.parametrize("name", IN_A_DELTA)
def test_fields_of_a_delta(name: str) -> None:
    """Texts and lists are joined, objects field by field."""
    field, values, whole = IN_A_DELTA[name]
    answer = fold(chunk_from_json(to_json(chunk)) for chunk in chunks_of("delta", field, values))
    assert answer.message.extra == {field: whole}


@pytest.mark.parametrize("name", IN_A_CHOICE)
def test_fields_of_a_choice(name: str) -> None:
    """Lists are joined, objects field by field; a text is about the whole. So in both endpoints."""
    field, values, whole = IN_A_CHOICE[name]
    answer = fold(chunk_from_json(to_json(chunk)) for chunk in chunks_of("choice", field, values))
    assert answer.choices[0].extra == {field: whole}
    folding = TextFold()
    for value in values:
        folding.add(text_from_json(to_json({"choices": [{"index": 0, "text": "x", field: value}]})))
    assert folding.completion(done=True).choices[0].extra == {field: whole}


@pytest.mark.parametrize("name", IN_A_CHUNK)
def test_fields_of_a_chunk(name: str) -> None:
    """They are about the whole answer: the last that is not null."""
    field, values, whole = IN_A_CHUNK[name]
    answer = fold(chunk_from_json(to_json(chunk)) for chunk in chunks_of("chunk", field, values))
    assert answer.extra == {field: whole}


def test_progress_is_no_part_of_the_answer() -> None:
    """A whole answer does not tell it."""
    chunks = chunks_of("chunk", "prompt_progress", [{"processed": 1}, {"processed": 9}])
    read = [chunk_from_json(to_json(chunk)) for chunk in chunks]
    assert read[1].extra == {"prompt_progress": {"processed": 9}}
    assert fold(read).extra == {}


def test_joining_is_linear() -> None:
    """Ten thousand pieces of a text and of a list cost ten times a thousand, and what came is not changed by it."""
    first = [1]
    chunks = [chunk_from_json(to_json(chunk)) for chunk in chunks_of("choice", "token_ids", [first] * 5000)]
    answer = fold(chunks)
    assert answer.choices[0].extra == {"token_ids": [1] * 5000}
    assert chunks[0].choices[0].extra == {"token_ids": [1]}
    assert fold(chunks) == answer


FULL = {"prompt_tokens": 40, "completion_tokens": 6, "total_tokens": 46}


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        [],
        "",
        None,
        dict.fromkeys(FULL),
        dict.fromkeys(FULL, 0),
        {"prompt_tokens_details": {"cached_tokens": 0}},
        {"prompt_tokens_details": None, "completion_tokens_details": {}},
        {"cost": 0.5},
    ],
)
@pytest.mark.parametrize("is_text", [False, True])
def test_a_usage_that_says_nothing_takes_nothing_back(nothing: Any, *, is_text: bool) -> None:
    """Whatever stands for nothing, in both endpoints, before the counts or after them."""
    for usages in ([FULL, nothing], [nothing, FULL], [FULL, nothing, nothing]):
        said: list[dict[str, Any]] = [{"choices": [], "usage": usage} for usage in usages]
        if is_text:
            folding = TextFold()
            for one in said:
                folding.add(text_from_json(to_json(one)))
            usage = folding.completion(done=True).usage
        else:
            usage = fold(chunk_from_json(to_json(one)) for one in said).usage
        assert usage is not None
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (40, 6, 46)


@pytest.mark.parametrize("nothing", [{}, dict.fromkeys(FULL), None, [], ""])
def test_a_usage_in_which_nothing_is_said_is_none(nothing: Any) -> None:
    """Zeros for what was left out would look like a price."""
    assert fold([chunk_from_json(to_json({"choices": [], "usage": nothing}))]).usage is None


def test_usages_in_parts_and_growing_ones() -> None:
    """A part adds what the other lacks; a count that grows is its last; nothing is added up."""
    details = Usage(prompt_tokens_details=PromptTokensDetails(8), extra={"cost": 0.5})
    assert later(details, Usage(40, 6, 46)) == Usage(
        40, 6, 46, prompt_tokens_details=PromptTokensDetails(8), extra={"cost": 0.5}
    )
    assert later(Usage(prompt_tokens=40), Usage(completion_tokens=6)) == Usage(40, 6, 0)
    assert later(Usage(40, 1, 41, 8, 32), Usage(40, 6, 46)) == Usage(40, 6, 46, 8, 32)
    assert later(Usage(40, 9, 49), Usage(40, 0, 40)) == Usage(40, 0, 40)
    for said in (Usage(total_tokens=49), Usage(40, 0, 49), Usage(0, 9, 49), Usage(completion_tokens=9), Usage()):
        assert later(Usage(40, 9, 49), said) == Usage(40, 9, 49)
    assert later(Usage(40, 1, 41), Usage(completion_tokens=6)) == Usage(40, 6, 46)
    one = Usage(40, 1, 41, completion_tokens_details=CompletionTokensDetails(1, extra={"audio_tokens": 2}))
    other = Usage(40, 6, 46, completion_tokens_details=CompletionTokensDetails(5))
    assert later(one, other).completion_tokens_details == CompletionTokensDetails(5, extra={"audio_tokens": 2})
    assert later(None, details) is details
