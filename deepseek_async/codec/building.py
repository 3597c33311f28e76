"""Documented shapes → values, field by field."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import attrs
import msgspec

from ..types import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    CompletionTokensDetails,
    Delta,
    FunctionCall,
    FunctionCallFragment,
    PromptTokensDetails,
    TextChoice,
    TextCompletion,
    TextLogprobs,
    TokenLogprob,
    ToolCall,
    ToolCallFragment,
    TopLogprob,
    Usage,
)
from . import documented

T = TypeVar("T")


def _unfrozen(cls: type[T]) -> type[T]:
    """A twin of a frozen class whose values are quick to make, and frozen once their ``__class__`` is the original.

    attrs fills a frozen value through `object.__setattr__`; plain assignments take a third of that: 0.13 µs, not 0.38,
    for a delta. With three values a chunk that is a quarter of what a chunk costs.
    """
    plain = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return attrs.define(type(cls.__name__, (cls,), plain), eq=False, repr=False, getstate_setstate=False)


_Chunk, _ChunkChoice, _Delta = _unfrozen(ChatCompletionChunk), _unfrozen(ChunkChoice), _unfrozen(Delta)
_TokenLogprob, _TopLogprob = _unfrozen(TokenLogprob), _unfrozen(TopLogprob)


def chunk_of(shape: documented.Chunk) -> ChatCompletionChunk:
    """The chunk."""
    choices = []
    for said in shape.choices:
        new = said.delta
        calls = new.tool_calls
        delta = _Delta(new.role, new.content, new.reasoning_content, _fragments_of(calls) if calls else None)
        delta.__class__ = Delta
        logprobs = _logprobs_of(said.logprobs) if said.logprobs else None
        choice = _ChunkChoice(said.index, delta, logprobs, said.finish_reason)
        choice.__class__ = ChunkChoice
        choices.append(choice)
    chunk = _Chunk(
        shape.id,
        shape.object,
        shape.created,
        shape.model,
        shape.system_fingerprint,
        tuple(choices),
        _usage_of(shape.usage) if shape.usage else None,
    )
    chunk.__class__ = ChatCompletionChunk
    return chunk


def completion_of(shape: documented.Completion) -> ChatCompletion:
    """The completion."""
    return ChatCompletion(
        id=shape.id,
        created=shape.created,
        model=shape.model,
        choices=tuple(
            Choice(
                choice.index,
                AssistantMessage(
                    choice.message.content,
                    choice.message.reasoning_content,
                    _calls_of(choice.message.tool_calls) if choice.message.tool_calls else None,
                    role=choice.message.role,
                ),
                _logprobs_of(choice.logprobs) if choice.logprobs else None,
                choice.finish_reason,
            )
            for choice in shape.choices
        ),
        usage=_usage_of(shape.usage) if shape.usage else None,
        system_fingerprint=shape.system_fingerprint,
        object=shape.object,
    )


def text_of(shape: documented.Text) -> TextCompletion:
    """The fill-in-the-middle answer, or a piece of it."""
    return TextCompletion(
        id=shape.id,
        object=shape.object,
        created=shape.created,
        model=shape.model,
        choices=tuple(
            TextChoice(
                choice.text,
                choice.index,
                TextLogprobs(*msgspec.structs.astuple(choice.logprobs)) if choice.logprobs else None,
                choice.finish_reason,
            )
            for choice in shape.choices
        ),
        usage=_usage_of(shape.usage) if shape.usage else None,
        system_fingerprint=shape.system_fingerprint,
    )


def _fragments_of(calls: list[documented.CallFragment]) -> tuple[ToolCallFragment, ...]:
    return tuple(
        ToolCallFragment(
            call.index,
            call.id,
            call.type,
            FunctionCallFragment(call.function.name, call.function.arguments) if call.function else None,
        )
        for call in calls
    )


def _calls_of(calls: list[documented.Call]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(call.id, call.type, FunctionCall(call.function.name, call.function.arguments)) for call in calls
    )


def _usage_of(usage: documented.Usage) -> Usage:
    prompt, answer = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        usage.prompt_cache_hit_tokens,
        usage.prompt_cache_miss_tokens,
        PromptTokensDetails(prompt.cached_tokens) if prompt else None,
        CompletionTokensDetails(answer.reasoning_tokens) if answer else None,
    )


def _logprobs_of(shape: documented.Logprobs) -> ChoiceLogprobs:
    """The logprobs, made when somebody looks: with 20 alternatives that takes as long as all else that a chunk needs.

    The shape has been checked to the last byte, so that nothing can fail then.
    """
    return ChoiceLogprobs.deferred(partial(_read_logprobs, shape))


def _read_logprobs(shape: documented.Logprobs) -> ChoiceLogprobs:
    return ChoiceLogprobs(
        None if shape.content is None else tuple(map(_token_of, shape.content)),
        None if shape.reasoning_content is None else tuple(map(_token_of, shape.reasoning_content)),
    )


def _token_of(shape: documented.Token) -> TokenLogprob:
    alternatives = []
    for top in shape.top_logprobs:
        alternative = _TopLogprob(top.token, top.logprob, top.bytes)
        alternative.__class__ = TopLogprob
        alternatives.append(alternative)
    token = _TokenLogprob(shape.token, shape.logprob, shape.bytes, top_logprobs=tuple(alternatives))
    token.__class__ = TokenLogprob
    return token
