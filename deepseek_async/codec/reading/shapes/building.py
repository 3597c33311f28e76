"""Shapes → values, field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from typing import Any

import msgspec

from ....types import (
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
from ....types.values import NO_EXTRA, unfrozen
from ...failures.in_band import in_band_failure
from . import documented
from .documented import NULL

_Completion, _Choice, _Message = unfrozen(ChatCompletion), unfrozen(Choice), unfrozen(AssistantMessage)
_Usage, _Logprobs = unfrozen(Usage), unfrozen(ChoiceLogprobs)
_PromptDetails, _AnswerDetails = unfrozen(PromptTokensDetails), unfrozen(CompletionTokensDetails)

Decode = Callable[[Any], Any]


def chunk_of(shape: documented.ChunkShape, load: Callable[[int], ChoiceLogprobs] | None = None) -> ChatCompletionChunk:
    """The chunk that has this shape.

    Args:
        load: From a choice's place in the chunk to its logprobs: called when somebody looks at them. ``None``: they are
            made at once.
    """
    choices: list[ChunkChoice] = []
    for said in shape.choices:
        new = said.delta
        if new is None:
            delta = Delta()
        else:
            delta = Delta(
                new.role or None,
                new.content,
                _reasoning_of(new) if new.aliases else new.reasoning_content,
                _fragments_of(new.tool_calls) if new.tool_calls else None,
                extra=NO_EXTRA if new.extra_in is None else new.extra_in(),
            )
        logprobs = None
        if said.logprobs is not None:
            if load is None:
                logprobs = logprobs_of(said.logprobs)
            else:
                logprobs = ChoiceLogprobs.deferred(partial(load, len(choices)))
        extra = NO_EXTRA if said.extra_in is None else said.extra_in()
        choice = ChunkChoice(said.index or 0, delta, logprobs, said.finish_reason or None, extra=extra)
        choices.append(choice)
    extra = NO_EXTRA if shape.extra_in is None else shape.extra_in()
    if not choices:
        _check_empty(shape.object, extra)
    created = shape.created
    return ChatCompletionChunk(
        shape.id or "",
        "chat.completion.chunk" if shape.object is None else shape.object,
        created if created.__class__ is int else _whole(created),
        shape.model or "",
        shape.system_fingerprint,
        tuple(choices),
        _usage_of(shape.usage) if shape.usage else None,
        extra=extra,
    )


def completion_of(
    shape: documented.CompletionShape, request_id: str | None, checked: Callable[[msgspec.Raw], ChoiceLogprobs]
) -> ChatCompletion:
    """The completion. Raises `msgspec.DecodeError` if its logprobs are not as ``checked`` wants them."""
    choices = []
    for said in shape.choices:
        new = said.message
        if new is None:
            message = AssistantMessage()
        else:
            message = _Message(
                new.content,
                _reasoning_of(new) if new.aliases else new.reasoning_content,
                _calls_of(new.tool_calls) if new.tool_calls else None,
                role=new.role or "assistant",
                extra=NO_EXTRA if new.extra_in is None else new.extra_in(),
            )
            message.__class__ = AssistantMessage
        logprobs = None if said.logprobs == NULL else checked(said.logprobs)
        extra = NO_EXTRA if said.extra_in is None else said.extra_in()
        choice = _Choice(said.index or 0, message, logprobs, said.finish_reason or None, extra=extra)
        choice.__class__ = Choice
        choices.append(choice)
    if not choices:
        raise msgspec.ValidationError("no choices")  # and so no answer
    completion = _Completion(
        shape.id or "",
        _whole(shape.created),
        shape.model or "",
        tuple(choices),
        _usage_of(shape.usage) if shape.usage else None,
        shape.system_fingerprint,
        "chat.completion" if shape.object is None else shape.object,
        request_id=request_id,
        extra=NO_EXTRA if shape.extra_in is None else shape.extra_in(),
    )
    completion.__class__ = ChatCompletion
    return completion


def text_of(shape: documented.TextShape) -> TextCompletion:
    """The fill-in-the-middle answer, or a piece of it."""
    choices = []
    for said in shape.choices:
        logprobs = None
        if (new := said.logprobs) is not None:
            logprobs = TextLogprobs(
                new.text_offset, new.token_logprobs, new.tokens, new.top_logprobs, extra=_extra_of(new)
            )
        choices.append(
            TextChoice(said.text or "", said.index or 0, logprobs, said.finish_reason or None, extra=_extra_of(said))
        )
    extra = _extra_of(shape)
    if not choices:
        _check_empty(shape.object, extra, is_whole=True)
    return TextCompletion(
        id=shape.id or "",
        object="text_completion" if shape.object is None else shape.object,
        created=_whole(shape.created),
        model=shape.model or "",
        choices=tuple(choices),
        usage=_usage_of(shape.usage) if shape.usage else None,
        system_fingerprint=shape.system_fingerprint,
        extra=extra,
    )


def _check_empty(said: str | None, extra: Mapping[str, Any], *, is_whole: bool = False) -> None:
    """Refuse what has no choices and may be an error, or an answer in an envelope: `lenient` tells."""
    if said == "error" or (extra and in_band_failure({**extra, "choices": []}, is_whole=is_whole) is not None):
        raise msgspec.ValidationError("an error object")
    if any(isinstance(value, dict) and "choices" in value for value in extra.values()):
        raise msgspec.ValidationError("an answer in an envelope")


def _reasoning_of(shape: documented.DeltaShape | documented.MessageShape) -> str | None:
    """The reasoning, under whichever name it came."""
    reasoning = shape.reasoning_content
    for attribute in shape.aliases:
        other = getattr(shape, attribute)
        if other is None or other is msgspec.UNSET or other == reasoning:
            continue
        if not reasoning:
            reasoning = other
        elif other:
            raise msgspec.ValidationError("reasoning under two names")
    return reasoning


def _extra_of(shape: documented.Shape) -> Mapping[str, Any]:
    """The unknown fields that came."""
    return NO_EXTRA if shape.extra_in is None else shape.extra_in()


def _whole(number: Any) -> int:
    """A whole number, written as an integer or as 1.76e9; 0 for null."""
    if number.__class__ is float:
        if not number.is_integer() or abs(number) > 2**53:
            raise msgspec.ValidationError("Expected `int`, got `float`")
        return int(number)
    return number or 0


def _fragments_of(calls: list[documented.CallFragmentShape]) -> tuple[ToolCallFragment, ...]:
    fragments = []
    for call in calls:
        function = None
        if (new := call.function) is not None:
            function = FunctionCallFragment(new.name, new.arguments, extra=_extra_of(new))
        fragments.append(ToolCallFragment(call.index, call.id, call.type, function, extra=_extra_of(call)))
    return tuple(fragments)


def _calls_of(calls: list[documented.CallShape]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            call.id or "",
            "function" if call.type is None else call.type,
            _function_of(call.function) if call.function is not None else FunctionCall(),
            extra=_extra_of(call),
        )
        for call in calls
    )


def _function_of(function: documented.FunctionShape) -> FunctionCall:
    return FunctionCall(function.name or "", function.arguments or "", extra=_extra_of(function))


def _usage_of(usage: documented.UsageShape) -> Usage:
    prompt = answer = None
    if usage.prompt_tokens_details is not None:
        details = usage.prompt_tokens_details
        prompt = _PromptDetails(details.cached_tokens, extra=_extra_of(details))
        prompt.__class__ = PromptTokensDetails
    if usage.completion_tokens_details is not None:
        spent = usage.completion_tokens_details
        answer = _AnswerDetails(spent.reasoning_tokens, extra=_extra_of(spent))
        answer.__class__ = CompletionTokensDetails
    counts = _Usage(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        usage.prompt_cache_hit_tokens,
        usage.prompt_cache_miss_tokens,
        prompt,
        answer,
        extra=_extra_of(usage),
    )
    counts.__class__ = Usage
    return counts


# Logprobs are checked to the last byte when they arrive, so that an error comes in time, and made when somebody looks.
# Until then they stay text: with 20 alternatives a token's values are 4 kB in 66 objects, its text is 1.3 kB in one.


def logprobs_checker(
    decode_channels: Decode, decode_token: Decode, load: Callable[[msgspec.Raw], ChoiceLogprobs]
) -> Callable[[msgspec.Raw], ChoiceLogprobs]:
    """A function that checks the logprobs of a whole answer and defers them.

    Args:
        decode_channels: From their JSON to a shape in which each token is still JSON.
        decode_token: From a token's JSON to its shape.
        load: From their JSON to their values.
    """

    def checked(text: msgspec.Raw) -> ChoiceLogprobs:
        channels = decode_channels(text)
        for token in chain(channels.content or (), channels.reasoning_content or ()):
            decode_token(token)  # one by one: together they would take several times the memory of the text
        return ChoiceLogprobs.deferred(partial(load, text))

    return checked


def logprobs_of(shape: documented.LogprobsShape) -> ChoiceLogprobs:
    """The logprobs of one choice, or of one chunk of it. Its tokens are shapes, or values already."""
    extra = NO_EXTRA if shape.extra_in is None else shape.extra_in()
    logprobs = _Logprobs(_tokens_of(shape.content), _tokens_of(shape.reasoning_content), extra=extra)
    logprobs.__class__ = ChoiceLogprobs
    return logprobs


def _tokens_of(tokens: Any) -> tuple[TokenLogprob, ...] | None:
    if not tokens or isinstance(tokens[0], TokenLogprob):  # they are all of one kind
        return tokens  # type: ignore[no-any-return]
    return tuple(map(_token_of, tokens))


def _token_of(shape: documented.TokenShape) -> TokenLogprob:
    alternatives = [
        TopLogprob(top.token, top.logprob, top.bytes, extra=NO_EXTRA if top.extra_in is None else top.extra_in())
        for top in shape.top_logprobs or ()
    ]
    extra = NO_EXTRA if shape.extra_in is None else shape.extra_in()
    return TokenLogprob(shape.token, shape.logprob, shape.bytes, top_logprobs=tuple(alternatives), extra=extra)
