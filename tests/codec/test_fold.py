"""Chunks → completion: each field by its own rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deepseek_async import InvalidRequestError
from deepseek_async.codec import Fold, chunk_from_json, fold
from deepseek_async.types import (
    ChatCompletion,
    ChatCompletionChunk,
    ChoiceLogprobs,
    ChunkChoice,
    Delta,
    FunctionCall,
    FunctionCallFragment,
    TokenLogprob,
    ToolCall,
    ToolCallFragment,
    Usage,
)


def of_deltas(*deltas: Delta) -> ChatCompletion:
    return fold(ChatCompletionChunk(choices=(ChunkChoice(0, delta),)) for delta in deltas)


def of_calls(*fragments: ToolCallFragment) -> tuple[ToolCall, ...]:
    """The calls that fragments, one a chunk, add up to."""
    calls = of_deltas(*(Delta(tool_calls=(fragment,)) for fragment in fragments)).message.tool_calls
    assert calls is not None
    return calls


def fragment(
    index: int | None = None,
    id: str | None = None,  # noqa: A002
    name: str | None = None,
    arguments: str | None = None,
    type: str | None = None,  # noqa: A002
) -> ToolCallFragment:
    return ToolCallFragment(index, id, type, FunctionCallFragment(name, arguments))


def call(id: str, name: str, arguments: str) -> ToolCall:  # noqa: A002
    return ToolCall(id, "function", FunctionCall(name, arguments))


def test_nothing_folds_to_nothing() -> None:
    """No chunk is an answer without choices, and not a complete one."""
    assert fold([]) == ChatCompletion(complete=False)


def test_the_head_is_the_first_that_is_not_empty() -> None:
    """A blank first chunk (Azure) does not blank the answer; a `created` that moves (Ollama) is the first."""
    chunks = [
        ChatCompletionChunk(),
        ChatCompletionChunk(id="1", created=5, model="m"),
        ChatCompletionChunk(id="2", created=6, model="n", system_fingerprint="fp"),
        ChatCompletionChunk(id="3", created=7, model="o", system_fingerprint="fp2"),
    ]
    answer = fold(chunks)
    assert (answer.id, answer.created, answer.model, answer.system_fingerprint) == ("1", 5, "m", "fp")


def test_an_empty_fingerprint_is_empty_and_a_missing_one_missing() -> None:
    """DashScope sends `""` in one mode and nothing in another: both stay what they were."""
    assert fold([ChatCompletionChunk(system_fingerprint="")]).system_fingerprint == ""
    assert fold([ChatCompletionChunk()]).system_fingerprint is None


def test_text_that_never_came_is_none_and_text_that_came_empty_is_empty() -> None:
    """`None` and `""` mean different things when the message goes back, so neither becomes the other."""
    assert of_deltas(Delta("assistant")).message.content is None
    assert of_deltas(Delta("assistant", content="")).message.content == ""
    assert of_deltas(Delta(reasoning_content="")).message.reasoning_content == ""
    assert of_deltas(Delta(content="a"), Delta(content=None), Delta(content="b")).message.content == "ab"
    assert of_deltas(Delta(content="a")).message.reasoning_content is None


def test_a_role_is_said_once() -> None:
    """Repeated in every chunk, null or empty in the last: it is said once."""
    for roles in (("assistant",) * 3, ("assistant", None, None), (None, "assistant", ""), ("", None, "assistant")):
        assert of_deltas(*map(Delta, roles)).message.role == "assistant"
    assert of_deltas(Delta("critic"), Delta("assistant")).message.role == "critic"
    assert of_deltas(Delta()).message.role == "assistant"


def test_choices_are_kept_apart_by_index() -> None:
    """Interleaved and out of order, with gaps: each index is one choice, in order of the indexes."""
    chunks = [
        ChatCompletionChunk(choices=(ChunkChoice(2, Delta(content="c")), ChunkChoice(0, Delta(content="a")))),
        ChatCompletionChunk(choices=(ChunkChoice(5, Delta(content="e")),)),
        ChatCompletionChunk(choices=(ChunkChoice(0, Delta(content="A"), finish_reason="stop"),)),
        ChatCompletionChunk(choices=(ChunkChoice(2, Delta(content="C"), finish_reason="length"),)),
    ]
    answer = fold(chunks)
    assert [(c.index, c.message.content, c.finish_reason) for c in answer.choices] == [
        (0, "aA", "stop"),
        (2, "cC", "length"),
        (5, "e", None),
    ]
    assert not answer.complete, "one choice has not ended"


@pytest.mark.parametrize(
    ("reasons", "complete"),
    [
        (["stop"], True),
        (["length"], True),
        (["something new"], True),
        ([None], False),
        (["stop", None], False),
        (["insufficient_system_resource"], False),
        (["stop", "aborted"], False),
    ],
)
def test_complete_is_what_the_server_finished(reasons: list[str | None], complete: bool) -> None:
    """Every choice has ended, and none because the server broke it off."""
    choices = tuple(ChunkChoice(index, finish_reason=reason) for index, reason in enumerate(reasons))
    assert fold([ChatCompletionChunk(choices=choices)]).complete is complete


def test_the_last_finish_reason_that_is_not_null_counts() -> None:
    """A null after it does not take it back."""
    choices = [ChunkChoice(finish_reason=reason) for reason in (None, "stop", None)]
    assert fold(ChatCompletionChunk(choices=(choice,)) for choice in choices).finish_reason == "stop"


@pytest.mark.parametrize("place", range(4))
def test_usage_counts_wherever_it_comes(place: int) -> None:
    """On any chunk, with or without choices; of several the last, and they are not added up."""
    usages: list[Usage | None] = [None] * 4
    usages[place] = Usage(1, 2, 3)
    chunks = [
        ChatCompletionChunk(choices=(ChunkChoice(),) if number % 2 else (), usage=usage)
        for number, usage in enumerate(usages)
    ]
    assert fold(chunks).usage == Usage(1, 2, 3)
    assert fold([ChatCompletionChunk(usage=Usage(1, 1, 2)), *chunks]).usage == Usage(1, 2, 3)


def test_logprobs_extend_by_choice_and_channel() -> None:
    """Both channels, each choice: token after token in order; a null channel stays null, an empty one empty."""

    def logprobs(content: str | None, reasoning: str | None) -> ChoiceLogprobs:
        return ChoiceLogprobs(
            None if content is None else tuple(TokenLogprob(c, -1.0) for c in content),
            None if reasoning is None else tuple(TokenLogprob(c, -2.0) for c in reasoning),
        )

    chunks = [
        ChatCompletionChunk(
            choices=(ChunkChoice(0, logprobs=logprobs(None, "ab")), ChunkChoice(1, logprobs=logprobs("x", None)))
        ),
        ChatCompletionChunk(choices=(ChunkChoice(0, logprobs=None),)),
        ChatCompletionChunk(
            choices=(ChunkChoice(0, logprobs=logprobs("c", None)), ChunkChoice(1, logprobs=logprobs("yz", None)))
        ),
        ChatCompletionChunk(choices=(ChunkChoice(0, logprobs=logprobs("", "d")),)),
        ChatCompletionChunk(choices=(ChunkChoice(2, logprobs=logprobs("", None)), ChunkChoice(3))),
    ]
    assert [choice.logprobs for choice in fold(chunks).choices] == [
        logprobs("c", "abd"),
        logprobs("xyz", None),
        logprobs("", None),
        None,
    ]


def test_calls_interleave_by_index() -> None:
    """Fragments of several calls mixed: each finds its own by index, in whatever order they come."""
    assert of_calls(
        fragment(1, "b", "g", ""),
        fragment(0, "a", "f", "{"),
        fragment(1, arguments="[1"),
        fragment(0, arguments="}"),
        fragment(1, arguments="]"),
    ) == (call("a", "f", "{}"), call("b", "g", "[1]"))


def test_two_fragments_of_one_chunk_are_taken_in_order() -> None:
    """Several fragments may share a chunk, of one call or of several."""
    delta = Delta(tool_calls=(fragment(0, "a", "f", "1"), fragment(1, "b", "g", "2"), fragment(0, arguments="3")))
    assert of_deltas(delta).message.tool_calls == (call("a", "f", "13"), call("b", "g", "2"))


def test_the_name_and_id_of_a_call_are_said_once() -> None:
    """Repeated, empty or null in later fragments: nothing is doubled, nothing erased."""
    for later in (fragment(0, "a", "f", "}", "function"), fragment(0, "", "", "}", ""), fragment(0, arguments="}")):
        assert of_calls(fragment(0, "a", "f", "{", "function"), later, fragment(0, "", None, None)) == (
            call("a", "f", "{}"),
        )


def test_another_id_on_the_same_index_is_another_call() -> None:
    """A server that numbers every call 0 still means two calls."""
    assert of_calls(
        fragment(0, "a", "f", "{"), fragment(0, arguments="}"), fragment(0, "b", "f", "["), fragment(0, arguments="]")
    ) == (call("a", "f", "{}"), call("b", "f", "[]"))


def test_an_id_that_comes_late_is_taken() -> None:
    """The id may come after the name; it is still this call's."""
    assert of_calls(fragment(0, None, "f", "{"), fragment(0, "a", None, "}")) == (call("a", "f", "{}"),)


def test_calls_without_index_are_told_apart_by_id_and_name() -> None:
    """The call of that id, else the open one; another id, or another name where there are no ids, is another call."""
    assert of_calls(
        fragment(None, "a", "f", "{"),
        fragment(None, None, None, "}"),
        fragment(None, "b", "g", "["),
        fragment(None, "a", None, " "),
        fragment(None, "b", None, "]"),
    ) == (call("a", "f", "{} "), call("b", "g", "[]"))
    assert of_calls(fragment(None, None, "f", "{}"), fragment(None, None, "g", "[]")) == (
        call("", "f", "{}"),
        call("", "g", "[]"),
    )
    assert of_calls(fragment(None, None, "f", "{"), fragment(None, None, "f", "}")) == (call("", "f", "{}"),)


def test_a_call_without_function_is_a_call() -> None:
    """A fragment may bring only its id; what never came is empty."""
    assert of_calls(ToolCallFragment(0, "a")) == (call("a", "", ""),)
    assert of_deltas(Delta(tool_calls=())).message.tool_calls is None


def test_unknown_fields_are_kept_where_they_stood() -> None:
    """In the answer, the choice, the message, the call, its function and the logprobs; the last that is not null."""

    def chunk(value: Any) -> ChatCompletionChunk:
        extra = {"x": value}
        fragments = (ToolCallFragment(0, "a", None, FunctionCallFragment("f", "", extra=extra), extra=extra),)
        delta = Delta(tool_calls=fragments, extra=extra)
        choice = ChunkChoice(0, delta, ChoiceLogprobs(extra=extra), extra=extra)
        return ChatCompletionChunk(choices=(choice,), extra=extra)

    for values, expected in (((1, None), 1), ((None, 2), 2), ((1, 2), 2), ((None, None), None), ((0, None), 0)):
        answer = fold(map(chunk, values))
        message = answer.message
        assert message.tool_calls is not None
        assert answer.logprobs is not None
        places = [answer, answer.choices[0], message, message.tool_calls[0], message.tool_calls[0].function]
        for place in [*places, answer.logprobs]:
            assert place.extra == {"x": expected}  # type: ignore[attr-defined]


def test_a_fold_in_progress_can_be_looked_at() -> None:
    """A look changes nothing, and what it showed does not change afterwards."""
    folding = Fold()
    folding.add(
        ChatCompletionChunk(
            id="1", choices=(ChunkChoice(0, Delta(content="a", tool_calls=(fragment(0, "c", "f", "{"),))),)
        )
    )
    before = folding.completion(done=False)
    assert (before.text, before.complete) == ("a", False)
    folding.add(
        ChatCompletionChunk(choices=(ChunkChoice(0, Delta(content="b"), finish_reason="stop"),), extra={"x": 1})
    )
    assert before.text == "a"
    assert before.extra == {}
    after = folding.completion(done=True)
    assert (after.text, after.complete, after.extra) == ("ab", True, {"x": 1})
    assert after == folding.completion(done=True)
    assert folding.finish_reasons == ["stop"]
    assert folding.is_finished


def test_the_answers_extra_is_its_own() -> None:
    """Two looks at one fold do not share a mapping that the caller could change."""
    folding = Fold()
    folding.add(ChatCompletionChunk(extra={"x": 1}))
    one, other = folding.completion(done=True), folding.completion(done=True)
    one.extra["x"] = 2  # type: ignore[index]
    assert other.extra == {"x": 1}
    assert folding.completion(done=True).extra == {"x": 1}


def test_a_fold_goes_on_after_its_end() -> None:
    """Reopened, it continues the same answer: the reason is taken back, the usage of both parts added."""
    folding = Fold()
    folding.add(
        ChatCompletionChunk(choices=(ChunkChoice(0, Delta(content="a"), finish_reason="length"),), usage=Usage(1, 2, 3))
    )
    folding.reopen()
    assert folding.completion(done=False).finish_reason is None
    assert folding.completion(done=False).usage == Usage(1, 2, 3)
    folding.add(
        ChatCompletionChunk(
            choices=(ChunkChoice(0, Delta(content="b"), finish_reason="stop"),), usage=Usage(10, 20, 30)
        )
    )
    answer = folding.completion(done=True)
    assert (answer.text, answer.finish_reason, answer.usage) == ("ab", "stop", Usage(11, 22, 33))


def test_deepseeks_own_sample_folds_to_its_message() -> None:
    """The role in every chunk and null in the last, content null while reasoning, as on its page."""
    lines = [
        {"role": "assistant", "content": None, "reasoning_content": ""},
        {"role": "assistant", "content": None, "reasoning_content": "Hm"},
        {"role": "assistant", "content": "Hi", "reasoning_content": None},
        {"role": None, "content": ""},
    ]
    ends = [None, None, None, "stop"]
    chunks = [
        json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
        for delta, end in zip(lines, ends, strict=True)
    ]
    answer = fold(chunk_from_json(text.encode()) for text in chunks)
    assert (answer.message.role, answer.reasoning, answer.text) == ("assistant", "Hm", "Hi")
    assert answer.complete


@pytest.mark.parametrize("given", [["a"], [{"choices": []}], [None], [5], "abc"])
def test_what_is_no_chunk_is_named(given: Any) -> None:
    """With how one is made; what the chunks' own source raises stays as it is."""
    with pytest.raises(InvalidRequestError, match=r"ChatCompletionChunk each, not .*from_dict"):
        fold(given)

    def broken() -> Iterator[ChatCompletionChunk]:
        yield ChatCompletionChunk()
        raise AttributeError("theirs")

    with pytest.raises(AttributeError, match="theirs"):
        fold(broken())
