"""The server's JSON → values, and what is an answer at all: by an `AnswerReader`, which learns the server's shapes."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, TypeVar

import attrs

from ...errors import APIStatusError, DeepSeekError, EmptyResponseError, MalformedResponseError, StreamInterruptedError
from ...types import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChoiceLogprobs,
    TextCompletion,
)
from ..endings import interruption_in, reason_of
from ..folding.channels import of_whole
from .bodies import MAX_SHOWN_BODY
from .quirks.messages import mended
from .shapes import AnswerReader

C = TypeVar("C", ChatCompletion, ChatCompletionChunk, TextCompletion)
W = TypeVar("W", ChatCompletion, TextCompletion)

SHARED = AnswerReader()
"""Reads where nobody says whose answer it is."""


def chunk_from_json(text: bytes, reader: AnswerReader = SHARED) -> ChatCompletionChunk:
    """One event's payload → chunk.

    Args:
        text: JSON.
        reader: Of that server's answers: it learns from each of them how the next is read fast.

    Raises:
        MalformedResponseError: No JSON, or a type does not fit; ``path`` names the place.
        APIStatusError: The payload is an error object.
    """
    return reader.chunk(text)


def text_from_json(text: bytes, reader: AnswerReader = SHARED) -> TextCompletion:
    """One event of a streamed FIM answer → `TextCompletion`, a piece. Args and raises as `chunk_from_json`."""
    return reader.text(text)


def salvage(text: str, cls: type[C]) -> C | None:
    """What can be read of JSON that is not of the shape that it should be; ``None``: nothing."""
    from .lenient import what_can_be_read  # not for those whose server sends nothing odd
    from .shapes.lessons import without_envelope

    try:
        return what_can_be_read(without_envelope(json.loads(text)), cls)
    except (ValueError, RecursionError):
        return None


def completion_from_json(body: bytes, request_id: str | None = None, reader: AnswerReader = SHARED) -> ChatCompletion:
    """A whole body → completion.

    Raises:
        MalformedResponseError: No JSON, or a type does not fit; ``path`` names the place, ``partial`` has what could be
            read.
        StreamInterruptedError: It is the beginning of one; ``partial`` has what could be read.
        EmptyResponseError: There is no choice in it, or none with a message.
        APIStatusError: The body is an error object in spite of its status.
    """
    try:
        completion = reader.completion(body, request_id)
    except MalformedResponseError as error:
        _raise_if_cut(body, ChatCompletion)
        _raise_if_foreign(error, body)
        _salvage_into(error, body, ChatCompletion)
        raise
    except APIStatusError as error:  # beside an answer, perhaps
        _salvage_into(error, body, ChatCompletion)
        raise
    if not completion.choices:
        raise _no_answer(body)
    for number, choice in enumerate(completion.choices):
        if (reason := reason_of(choice)) is not None and interruption_in((reason,)):
            choices = list(completion.choices)
            choices[number] = attrs.evolve(choice, finish_reason=reason)
            completion = attrs.evolve(completion, choices=tuple(choices), complete=False)
    return _as_folded(completion, body)


def _as_folded(completion: ChatCompletion, body: bytes) -> ChatCompletion:
    """The completion as the same answer, streamed, is folded: no content is ``""``, each token is in its channel."""
    changed: dict[int, Choice] = {}
    for number, choice in enumerate(completion.choices):
        message, logprobs = choice.message, choice.logprobs
        if message.content is None and completion.complete:
            if message.reasoning_content is None and not message.tool_calls:
                _check_message(body)
            message = attrs.evolve(message, content="")
        if logprobs is not None:
            logprobs = ChoiceLogprobs.deferred(partial(of_whole, logprobs, message))
        if message is not choice.message or logprobs is not None:
            changed[number] = attrs.evolve(choice, message=message, logprobs=logprobs)
    if not changed:
        return completion
    choices = tuple(changed.get(number, choice) for number, choice in enumerate(completion.choices))
    return attrs.evolve(completion, choices=choices)


def text_completion_from_json(body: bytes, reader: AnswerReader = SHARED) -> TextCompletion:
    """The whole body of a FIM answer → `TextCompletion`. Raises as `completion_from_json`."""
    try:
        completion = reader.whole_text(body)
    except MalformedResponseError as error:
        _raise_if_cut(body, TextCompletion)
        _raise_if_foreign(error, body)
        _salvage_into(error, body, TextCompletion)
        raise
    except APIStatusError as error:
        _salvage_into(error, body, TextCompletion)
        raise
    if not completion.choices:
        raise _no_answer(body)
    if not any(choice.text for choice in completion.choices):
        _check_message(body)
    choices = tuple(
        attrs.evolve(choice, text=mended(choice.text), finish_reason=reason_of(choice)) for choice in completion.choices
    )
    complete = interruption_in(choice.finish_reason for choice in choices) is None
    return attrs.evolve(completion, choices=choices, complete=complete)


def _raise_if_cut(body: bytes, cls: type[W]) -> None:
    """Half a JSON text: nginx, Caddy, lighttpd and h2o give the body of a server that broke off a proper end."""
    if (value := _beginning_in(body)) is None:
        return
    raise StreamInterruptedError(
        f"the answer was cut: its JSON ends in the middle, after {len(body):,} bytes, though the connection ended in "
        "form; a proxy does so when its server breaks off",
        partial=_partial_of(value, cls),
    ) from None


def partial_in(body: bytes, cls: type[W]) -> W | None:
    """What can be read of the beginning of a body; ``None``: it holds nothing of an answer, or is whole."""
    return None if (value := _beginning_in(body)) is None else _partial_of(value, cls)


def _beginning_in(body: bytes) -> Any:
    from .beginnings import beginning_in  # which good answers can do without

    return beginning_in(body)


def _partial_of(value: Any, cls: type[W]) -> W | None:
    from .lenient import what_can_be_read

    partial = what_can_be_read(value, cls)
    return attrs.evolve(partial, complete=False) if partial is not None and partial.choices else None


def _raise_if_foreign(error: MalformedResponseError, body: bytes) -> None:
    from ..failures.foreign import foreign_form_in

    text = body.decode("utf-8-sig", "replace")
    if (whose := foreign_form_in(text)) is not None:
        message = f"the answer is no chat completion: {whose}"
        raise MalformedResponseError(message, body=error.body or text[:MAX_SHOWN_BODY], path=error.path) from None


def _salvage_into(error: DeepSeekError, body: bytes, cls: type[W]) -> None:
    if (rest := salvage(body.decode("utf-8-sig", "replace"), cls)) is not None and rest.choices:
        error.partial = attrs.evolve(rest, complete=False)


def _no_answer(body: bytes) -> EmptyResponseError:
    text = body.decode("utf-8", "replace")[:MAX_SHOWN_BODY]
    return EmptyResponseError("the answer holds no answer: status 200, no choice with a message in it", body=text)


def _check_message(body: bytes) -> None:
    """Tell a message that says nothing from one that is not there, which is no answer."""
    from .shapes.lessons import parsed_answer

    for choice in parsed_answer(body, "the completion", is_whole=True)["choices"]:
        if isinstance(choice, dict) and ("text" in choice or choice.get("message") or choice.get("delta")):
            return
    raise _no_answer(body)
