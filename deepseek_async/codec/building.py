"""Documented shapes → values, field by field."""

from __future__ import annotations

from functools import partial
from itertools import chain

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
from ..types.values import unfrozen
from . import documented
from .documented import NULL

_Completion, _Choice, _Message = unfrozen(ChatCompletion), unfrozen(Choice), unfrozen(AssistantMessage)
_Usage = unfrozen(Usage)
_PromptDetails, _AnswerDetails = unfrozen(PromptTokensDetails), unfrozen(CompletionTokensDetails)
_Chunk, _ChunkChoice, _Delta = unfrozen(ChatCompletionChunk), unfrozen(ChunkChoice), unfrozen(Delta)
_TokenLogprob, _TopLogprob = unfrozen(TokenLogprob), unfrozen(TopLogprob)


def chunk_of(shape: documented.Chunk, text: bytes) -> ChatCompletionChunk:
    """The chunk that was decoded from ``text``."""
    choices: list[ChunkChoice] = []
    for said in shape.choices:
        new = said.delta
        calls = new.tool_calls
        delta = _Delta(new.role, new.content, new.reasoning_content, _fragments_of(calls) if calls else None)
        delta.__class__ = Delta
        logprobs = None
        if said.logprobs is not None:
            logprobs = ChoiceLogprobs.deferred(partial(_logprobs_in, text, len(choices)))
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


def completion_of(shape: documented.Completion, request_id: str | None) -> ChatCompletion:
    """The completion. Raises `msgspec.DecodeError` if its logprobs are not as documented."""
    choices = []
    for said in shape.choices:
        new = said.message
        calls = _calls_of(new.tool_calls) if new.tool_calls else None
        message = _Message(new.content, new.reasoning_content, calls, role=new.role)
        message.__class__ = AssistantMessage
        logprobs = None if said.logprobs == NULL else _checked(said.logprobs)
        choice = _Choice(said.index, message, logprobs, said.finish_reason)
        choice.__class__ = Choice
        choices.append(choice)
    completion = _Completion(
        shape.id,
        shape.created,
        shape.model,
        tuple(choices),
        _usage_of(shape.usage) if shape.usage else None,
        shape.system_fingerprint,
        shape.object,
        request_id=request_id,
    )
    completion.__class__ = ChatCompletion
    return completion


def text_of(shape: documented.Text) -> TextCompletion:
    """The fill-in-the-middle answer, or a piece of it."""
    choices = []
    for said in shape.choices:
        logprobs = TextLogprobs(*msgspec.structs.astuple(said.logprobs)) if said.logprobs else None
        choices.append(TextChoice(said.text, said.index, logprobs, said.finish_reason))
    return TextCompletion(
        id=shape.id,
        object=shape.object,
        created=shape.created,
        model=shape.model,
        choices=tuple(choices),
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
    prompt = answer = None
    if usage.prompt_tokens_details is not None:
        prompt = _PromptDetails(usage.prompt_tokens_details.cached_tokens)
        prompt.__class__ = PromptTokensDetails
    if usage.completion_tokens_details is not None:
        answer = _AnswerDetails(usage.completion_tokens_details.reasoning_tokens)
        answer.__class__ = CompletionTokensDetails
    counts = _Usage(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        usage.prompt_cache_hit_tokens,
        usage.prompt_cache_miss_tokens,
        prompt,
        answer,
    )
    counts.__class__ = Usage
    return counts


# Logprobs are checked to the last byte when they arrive, so that an error comes in time, and made when somebody looks.
# Until then they stay text: with 20 alternatives a token's values are 5.7 kB in 66 objects, which not only take time to
# make but, held by the thousand, keep the garbage collector busy for longer. Its text is 1.3 kB in one.

_decode_chunk = msgspec.json.Decoder(documented.Chunk).decode
_decode_logprobs = msgspec.json.Decoder(documented.Logprobs).decode
_decode_channels = msgspec.json.Decoder(documented.Channels).decode
_decode_token = msgspec.json.Decoder(documented.Token).decode


def _logprobs_in(chunk: bytes, number: int) -> ChoiceLogprobs:
    logprobs = _decode_chunk(chunk).choices[number].logprobs
    return _logprobs_of(logprobs or documented.Logprobs())


def _checked(text: msgspec.Raw) -> ChoiceLogprobs:
    channels = _decode_channels(text)
    for token in chain(channels.content or (), channels.reasoning_content or ()):
        _decode_token(token)  # one by one: together they would take several times the memory of the text
    return ChoiceLogprobs.deferred(lambda: _logprobs_of(_decode_logprobs(text)))


def _logprobs_of(shape: documented.Logprobs) -> ChoiceLogprobs:
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
