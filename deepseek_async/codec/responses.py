"""The server's JSON → values: by the documented shapes where it has one, leniently where it has not."""

from __future__ import annotations

import json
import operator
from functools import partial
from typing import Any, TypeVar

import attrs
import msgspec

from ..errors import EmptyResponseError, MalformedResponseError
from ..types import Balance, ChatCompletion, ChatCompletionChunk, ChoiceLogprobs, ModelList, TextCompletion
from . import documented
from .building import chunk_of, completion_of, text_of
from .endings import interruption_in
from .folding.channels import of_whole
from .in_band import in_band_failure
from .lenient import MAX_SHOWN_BODY, parse_json, value_from, what_can_be_read
from .quirks.messages import mended

T = TypeVar("T")
C = TypeVar("C", ChatCompletion, ChatCompletionChunk, TextCompletion)
W = TypeVar("W", ChatCompletion, TextCompletion)

# What decoders of documented shapes raise at anything else.
_OTHERWISE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_decode_chunk = msgspec.json.Decoder(documented.Chunk).decode
_decode_completion = msgspec.json.Decoder(documented.Completion).decode
_decode_text = msgspec.json.Decoder(documented.Text).decode


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
        return _read_leniently(text, TextCompletion, "the chunk")


def salvage(payload: bytes, cls: type[C]) -> C | None:
    """What can be read of an event's payload that is none of a chunk's shape; ``None``: nothing."""
    try:
        return what_can_be_read(json.loads(payload.decode("utf-8-sig", "replace")), cls)
    except (ValueError, RecursionError):
        return None


def completion_from_json(body: bytes, request_id: str | None = None) -> ChatCompletion:
    """A whole body → completion.

    Raises:
        MalformedResponseError: No JSON, or a type does not fit; ``path`` names the place, ``partial`` has what could be
            read.
        EmptyResponseError: There is no choice in it, or none with a message.
        APIStatusError: The body is an error object in spite of its status.
    """
    try:
        completion = completion_of(_decode_completion(body), request_id)
    except _OTHERWISE:
        completion = _whole_from(body, ChatCompletion)
        completion = attrs.evolve(completion, request_id=request_id)
    if not completion.choices:
        raise _no_answer(body)
    for choice in completion.choices:
        if choice.finish_reason is not None and interruption_in((choice.finish_reason,)):
            completion = attrs.evolve(completion, complete=False)
    return _as_folded(completion, body)


def _as_folded(completion: ChatCompletion, body: bytes) -> ChatCompletion:
    """The completion as the same answer, streamed, is folded: no content is ``""``, each token is in its channel."""
    choices = list(completion.choices)
    for number, choice in enumerate(choices):
        message, logprobs = choice.message, choice.logprobs
        if message.content is None and completion.complete:
            if message.reasoning_content is None and not message.tool_calls:
                _check_message(body)
            message = attrs.evolve(message, content="")
        if logprobs is not None:
            logprobs = ChoiceLogprobs.deferred(partial(of_whole, logprobs, message))
        if message is not choice.message or logprobs is not None:
            choices[number] = attrs.evolve(choice, message=message, logprobs=logprobs)
    same = all(map(operator.is_, choices, completion.choices))
    return completion if same else attrs.evolve(completion, choices=tuple(choices))


def text_completion_from_json(body: bytes) -> TextCompletion:
    """The whole body of a FIM answer → `TextCompletion`. Raises as `completion_from_json`."""
    try:
        completion = text_of(_decode_text(body))
    except _OTHERWISE:
        completion = _whole_from(body, TextCompletion)
    if not completion.choices:
        raise _no_answer(body)
    choices = tuple(attrs.evolve(choice, text=mended(choice.text)) for choice in completion.choices)
    complete = interruption_in(choice.finish_reason for choice in choices) is None
    return attrs.evolve(completion, choices=choices, complete=complete)


def _whole_from(body: bytes, cls: type[W]) -> W:
    try:
        return _read_leniently(body, cls, "the completion", is_whole=True)
    except MalformedResponseError as error:
        if (rest := salvage(body, cls)) is not None and rest.choices:
            error.partial = attrs.evolve(rest, complete=False)
        raise


def _no_answer(body: bytes) -> EmptyResponseError:
    text = body.decode("utf-8", "replace")[:MAX_SHOWN_BODY]
    return EmptyResponseError("the answer holds no answer: status 200, no choice with a message in it", body=text)


def _check_message(body: bytes) -> None:
    """Tell a message that says nothing from one that is not there, which is no answer."""
    for choice in _unwrapped(_parsed(body, "the completion", is_whole=True))["choices"]:
        if isinstance(choice, dict) and any(choice.get(name) for name in ("message", "delta", "text")):
            return
    raise _no_answer(body)


def _read_leniently(text: bytes, cls: type[T], what: str, *, is_whole: bool = False) -> T:
    parsed = _unwrapped(_parsed(text, what, is_whole=is_whole))
    if (failure := in_band_failure(parsed, is_whole=is_whole)) is not None:
        raise failure from None
    if is_whole and isinstance(parsed, dict) and "choices" not in parsed:
        body = text.decode("utf-8", "replace")[:MAX_SHOWN_BODY]
        raise MalformedResponseError(f"{what}: no field `choices` at $", body=body) from None
    return value_from(parsed, cls, what)


def _parsed(text: bytes, what: str, *, is_whole: bool) -> Any:
    if is_whole and (body := text.rstrip()).endswith(b"[DONE]"):  # of a gateway that ends everything so
        text = body.removesuffix(b"[DONE]").rstrip().removesuffix(b"data:")
    return parse_json(text, what)


def _unwrapped(parsed: Any) -> Any:
    """The answer that a gateway has put into an envelope of its own, ``{"code": 0, "data": …}`` for instance."""
    if isinstance(parsed, dict) and not parsed.get("choices"):
        for name in ("data", "result", "response", "output", "body"):
            inner = parsed.get(name)
            if isinstance(inner, dict) and inner.get("choices"):
                return inner
    return parsed


def models_from_json(body: bytes) -> ModelList:
    """The body of ``GET /models`` → `ModelList`, also a bare list of models. Raises as `completion_from_json`."""
    return _from_json(body, ModelList, "the list of models")


def balance_from_json(body: bytes) -> Balance:
    """The body of ``GET /user/balance`` → `Balance`. Raises as `completion_from_json`."""
    return _from_json(body, Balance, "the balance")


def _from_json(body: bytes, cls: type[T], what: str) -> T:
    parsed = parse_json(body, what)
    if (failure := in_band_failure(parsed)) is not None:
        raise failure
    if cls is ModelList and isinstance(parsed, list):  # Together
        parsed = {"data": parsed}
    return value_from(parsed, cls, what)
