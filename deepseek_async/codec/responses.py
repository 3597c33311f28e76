"""The server's JSON → values: by the documented shapes where it has one, leniently where it has not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import attrs
import msgspec

from ..errors import DeepSeekError, MalformedResponseError, ServiceUnavailableError
from ..types import Balance, ChatCompletion, ChatCompletionChunk, FinishReason, ModelList, TextCompletion
from . import documented
from .building import chunk_of, completion_of, text_of
from .failures import in_band_failure
from .lenient import MAX_SHOWN_BODY, mended, parse_json, value_from

T = TypeVar("T")
W = TypeVar("W", ChatCompletion, TextCompletion)

# What decoders of documented shapes raise at anything else.
_OTHERWISE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_decode_chunk = msgspec.json.Decoder(documented.Chunk).decode
_decode_completion = msgspec.json.Decoder(documented.Completion).decode
_decode_text = msgspec.json.Decoder(documented.Text).decode

# Generation was broken off: the answer came whole, yet the server did not finish it.
_INTERRUPTED = (FinishReason.INSUFFICIENT_SYSTEM_RESOURCE, FinishReason.ABORTED)


def chunk_from_json(text: bytes) -> ChatCompletionChunk:
    """One event's payload → chunk.

    Raises:
        MalformedResponseError: No JSON, or a type does not fit; ``path`` names the place.
        APIStatusError: The payload is an error object.
    """
    try:
        return chunk_of(_decode_chunk(text), text)
    except _OTHERWISE:
        return _read_leniently(text, ChatCompletionChunk, "the chunk")


def text_from_json(text: bytes) -> TextCompletion:
    """One event of a streamed FIM answer → `TextCompletion`, a piece. Raises as `chunk_from_json`."""
    try:
        return text_of(_decode_text(text))
    except _OTHERWISE:
        return _read_leniently(text, TextCompletion, "the completion", required="choices")


def completion_from_json(body: bytes, request_id: str | None = None) -> ChatCompletion:
    """A whole body → completion.

    Raises:
        MalformedResponseError: No JSON, or a type does not fit; ``path`` names the place.
        APIStatusError: The body is an error object in spite of its status.
    """
    try:
        completion = completion_of(_decode_completion(body), request_id)
    except _OTHERWISE:
        completion = _read_leniently(body, ChatCompletion, "the completion", required="choices")
        completion = attrs.evolve(completion, request_id=request_id)
    for choice in completion.choices:
        if choice.finish_reason in _INTERRUPTED:
            return attrs.evolve(completion, complete=False)
    return completion


def text_completion_from_json(body: bytes) -> TextCompletion:
    """The whole body of a FIM answer → `TextCompletion`. Raises as `completion_from_json`."""
    completion = text_from_json(body)
    choices = tuple(attrs.evolve(choice, text=mended(choice.text)) for choice in completion.choices)
    complete = interruption_in(choice.finish_reason for choice in choices) is None
    return attrs.evolve(completion, choices=choices, complete=complete)


def _read_leniently(text: bytes, cls: type[T], what: str, *, required: str | None = None) -> T:
    # Called because the strict decoder refused; that it did is no part of what is raised here.
    parsed = parse_json(text, what)
    if (failure := in_band_failure(parsed)) is not None:
        raise failure from None
    if required is not None and isinstance(parsed, dict) and required not in parsed:
        body = text.decode("utf-8", "replace")[:MAX_SHOWN_BODY]
        raise MalformedResponseError(f"{what}: no field `{required}` at $", body=body) from None
    return value_from(parsed, cls, what)


def interruption_in(finish_reasons: Iterable[str | None]) -> str | None:
    """The reason by which the server says that it broke the generation of a choice off; ``None`` if there is none."""
    for reason in finish_reasons:
        if reason in _INTERRUPTED:
            return reason
    return None


def finished(completion: W) -> W:
    """The completion, if the server finished it.

    Raises:
        ServiceUnavailableError: It says that it broke the generation off; ``partial`` is the completion.
    """
    if completion.complete:
        return completion
    reason = interruption_in([choice.finish_reason for choice in completion.choices])
    raise ServiceUnavailableError(
        f"the server broke the answer off: finish_reason {reason!r}",
        status=200,
        code=reason,
        request_id=completion.request_id,
        partial=completion,
        retryable=reason == FinishReason.INSUFFICIENT_SYSTEM_RESOURCE,
    )


def models_from_json(body: bytes) -> ModelList:
    """The body of ``GET /models`` → `ModelList`. Raises as `completion_from_json`."""
    return _from_json(body, ModelList, "the list of models")


def balance_from_json(body: bytes) -> Balance:
    """The body of ``GET /user/balance`` → `Balance`. Raises as `completion_from_json`."""
    return _from_json(body, Balance, "the balance")


def _from_json(body: bytes, cls: type[T], what: str) -> T:
    parsed = parse_json(body, what)
    failure: DeepSeekError | None = in_band_failure(parsed)
    if failure is not None:
        raise failure
    return value_from(parsed, cls, what)
