"""Shapes → values, field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    ToolCall,
    ToolCallFragment,
    Usage,
)
from ....types.structs import maker_of
from ....types.values import NO_EXTRA
from . import documented
from .tokens import logprobs_of, logprobs_of_one

_Completion, _Choice, _Message = maker_of(ChatCompletion), maker_of(Choice), maker_of(AssistantMessage)
_Usage = maker_of(Usage)
_PromptDetails, _AnswerDetails = maker_of(PromptTokensDetails), maker_of(CompletionTokensDetails)


def chunk_of(
    shape: documented.ChunkShape,
    load: Callable[[int], Callable[[], ChoiceLogprobs]] | None = None,
    load_tops: Callable[[int], Callable[[], Any]] | None = None,
) -> ChatCompletionChunk:
    """The chunk that has this shape.

    Args:
        load: From a choice's place in the chunk to what makes its logprobs, called when somebody looks at them.
            ``None``: they are made at once.
        load_tops: Likewise, to what makes the alternatives of its token: the token is made at once, if it is but one.
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
            elif load_tops is not None:
                logprobs = logprobs_of_one(said.logprobs, load_tops(len(choices)))
            if logprobs is None:
                logprobs = ChoiceLogprobs.deferred(load(len(choices)))  # type: ignore[misc]
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
    shape: documented.CompletionShape, request_id: str | None, checked: Callable[[Any], ChoiceLogprobs]
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
        logprobs = None if said.logprobs is None else checked(said.logprobs)
        extra = NO_EXTRA if said.extra_in is None else said.extra_in()
        choices.append(_Choice(said.index or 0, message, logprobs, said.finish_reason or None, extra=extra))
    if not choices:
        raise msgspec.ValidationError("no choices")  # and so no answer
    created = shape.created
    return _Completion(
        shape.id or "",
        created if created.__class__ is int else _whole(created),
        shape.model or "",
        tuple(choices),
        _usage_of(shape.usage) if shape.usage else None,
        shape.system_fingerprint,
        "chat.completion" if shape.object is None else shape.object,
        request_id=request_id,
        extra=NO_EXTRA if shape.extra_in is None else shape.extra_in(),
    )


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
    if said == "error":
        raise msgspec.ValidationError("an error object")
    if not extra:
        return
    from ...failures.in_band import in_band_failure

    if in_band_failure({**extra, "choices": []}, is_whole=is_whole) is not None:
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
    if (details := usage.prompt_tokens_details) is not None:
        extra = NO_EXTRA if details.extra_in is None else details.extra_in()
        prompt = _PromptDetails(details.cached_tokens, extra=extra)
    if (spent := usage.completion_tokens_details) is not None:
        extra = NO_EXTRA if spent.extra_in is None else spent.extra_in()
        answer = _AnswerDetails(spent.reasoning_tokens, extra=extra)
    return _Usage(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        usage.prompt_cache_hit_tokens,
        usage.prompt_cache_miss_tokens,
        prompt,
        answer,
        extra=NO_EXTRA if usage.extra_in is None else usage.extra_in(),
    )
