"""The keyword arguments of the calls: names, types, and which of them are the request's and which the call's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict, cast

import attrs

from ..errors import InvalidRequestError
from ..policy.retry import RetryPolicy
from ..policy.timeouts import Timeouts
from ..types import ChatRequest, Message, TextRequest, Tool


class CallOptions(TypedDict, total=False):
    """What belongs to the call and not to the body."""

    extra_headers: Mapping[str, str] | None
    timeouts: Timeouts | None
    retry: RetryPolicy | None


class ChatParameters(CallOptions, total=False):
    """The parameters of a chat request; see `ChatRequest` for what each means and its range."""

    messages: Required[Sequence[Message | Mapping[str, Any]]]
    model: Required[str]
    thinking: Mapping[str, Any] | None
    reasoning_effort: str | None
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    frequency_penalty: float | None
    presence_penalty: float | None
    stop: str | Sequence[str] | None
    stream_options: Mapping[str, Any] | None
    response_format: Mapping[str, Any] | None
    tools: Sequence[Tool | Mapping[str, Any]] | None
    tool_choice: str | Mapping[str, Any] | None
    logprobs: bool | None
    top_logprobs: int | None
    user_id: str | None
    extra_body: Mapping[str, Any] | None


class TextParameters(CallOptions, total=False):
    """The parameters of a fill-in-the-middle request; see `TextRequest`."""

    model: Required[str]
    prompt: Required[str]
    suffix: str | None
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    frequency_penalty: float | None
    presence_penalty: float | None
    stop: str | Sequence[str] | None
    stream_options: Mapping[str, Any] | None
    logprobs: int | None
    echo: bool | None
    extra_body: Mapping[str, Any] | None


_CALL_OPTIONS = (("timeouts", Timeouts), ("retry", RetryPolicy), ("extra_headers", Mapping))

# Of each kind of request: the names of all parameters, and of those that it cannot do without.
_NAMES = {
    cls: (
        frozenset(field.name for field in attrs.fields(cls) if field.name != "stream"),
        tuple(field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING),
    )
    for cls in (ChatRequest, TextRequest)
}


def split_off_options(parameters: dict[str, Any]) -> CallOptions:
    """Take the call's options out of the keyword arguments; what is left is the request's.

    Raises:
        InvalidRequestError: An option is of the wrong type.
    """
    options: dict[str, Any] = {}
    for name, wanted in _CALL_OPTIONS:
        value = options[name] = parameters.pop(name, None)
        if value is not None and not isinstance(value, wanted):
            raise InvalidRequestError(name, None, f"{wanted.__name__} or None, not {type(value).__name__}")
    return cast(CallOptions, options)


def check_stream(stream: object) -> None:
    """Refuse a ``stream`` that is not True, False or ``None``: a truthy word might mean the opposite."""
    if stream is not None and not isinstance(stream, bool):
        raise InvalidRequestError("stream", stream, "True, False or None")


def chat_request_of(parameters: dict[str, Any], *, stream: bool) -> ChatRequest:
    """The request that keyword arguments mean. Raises `InvalidRequestError`."""
    _check_names(parameters, ChatRequest)
    return ChatRequest(**parameters, stream=stream or None)


def text_request_of(parameters: dict[str, Any], *, stream: bool) -> TextRequest:
    """The request that keyword arguments mean. Raises `InvalidRequestError`."""
    _check_names(parameters, TextRequest)
    return TextRequest(**parameters, stream=stream or None)


def _check_names(parameters: dict[str, Any], request_class: type[ChatRequest | TextRequest]) -> None:
    known, required = _NAMES[request_class]
    if not known.issuperset(parameters):
        unknown = min(parameters.keys() - known)
        raise InvalidRequestError(
            unknown, None, f"{', '.join(sorted(known))}; anything else goes into extra_body={{…}}"
        )
    for name in required:
        if parameters.get(name) is None:
            raise InvalidRequestError(name, None, "a value: this parameter is required")
    if parameters.get("extra_body", ...) is None:
        del parameters["extra_body"]
