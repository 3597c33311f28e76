"""The keyword arguments of the calls: names, types, and which of them are the request's and which the call's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    Protocol,
    Required,
    SupportsFloat,
    SupportsIndex,
    TypedDict,
    TypeVar,
    cast,
)

import attrs

from ...errors import InvalidRequestError
from ...policy.retry import RetryPolicy
from ...policy.timeouts import Timeouts
from ...types import ChatRequest, Message, Tool
from ...types.requests.numbers import integer_in
from ...types.secrecy import hide, kind_of
from ...types.structs import maker_of
from .checks import check_budget
from .spellings import MEANT_BY, NOT_GIVEN, SPELLINGS, translate

if TYPE_CHECKING:
    from types import CodeType

    from ...policy.spending import Budget
    from ...types import TextRequest

R = TypeVar("R", "ChatRequest", "TextRequest")


class Method(Protocol):
    """A function that was written in Python."""

    @property
    def __code__(self) -> CodeType: ...


class CallOptions(TypedDict, total=False):
    """What belongs to the call and not to the body."""

    extra_headers: Mapping[str, str] | None
    timeouts: Timeouts | Mapping[str, float | None] | None
    retry: RetryPolicy | Mapping[str, Any] | None
    via: Literal["stream", "whole", "auto"] | None
    budget: Budget | None
    timeout: SupportsFloat | None
    max_retries: SupportsIndex | None


class AskingParameters(CallOptions, total=False):
    """The parameters of a chat request that say how to answer; see `ChatRequest` for what each means and its range."""

    thinking: Mapping[str, Any] | None
    reasoning_effort: str | None
    max_tokens: SupportsIndex | None
    temperature: SupportsFloat | None
    top_p: SupportsFloat | None
    frequency_penalty: SupportsFloat | None
    presence_penalty: SupportsFloat | None
    stop: str | Sequence[str] | None
    stream_options: Mapping[str, Any] | None
    response_format: Mapping[str, Any] | None
    tool_choice: str | Mapping[str, Any] | None
    logprobs: bool | None
    top_logprobs: SupportsIndex | None
    user_id: str | None
    extra_body: Mapping[str, Any] | None
    # What they are called elsewhere; see `spellings`.
    max_completion_tokens: SupportsIndex | None
    user: str | None
    n: SupportsIndex | None
    seed: SupportsIndex | None


class ParametersWithoutTools(AskingParameters, total=False):
    """The parameters of a chat request but its tools."""

    messages: Required[Sequence[Message | Mapping[str, Any]]]
    model: Required[str]


class ChatParameters(ParametersWithoutTools, total=False):
    """The parameters of a chat request; see `ChatRequest` for what each means and its range."""

    tools: Sequence[Tool | Mapping[str, Any]] | None


class TextParameters(CallOptions, total=False):
    """The parameters of a fill-in-the-middle request; see `TextRequest`."""

    model: Required[str]
    prompt: Required[str]
    suffix: str | None
    max_tokens: SupportsIndex | None
    temperature: SupportsFloat | None
    top_p: SupportsFloat | None
    frequency_penalty: SupportsFloat | None
    presence_penalty: SupportsFloat | None
    stop: str | Sequence[str] | None
    stream_options: Mapping[str, Any] | None
    logprobs: SupportsIndex | None
    echo: bool | None
    extra_body: Mapping[str, Any] | None


# A stream says what it cost only where it is asked to (vLLM, llama.cpp), and DeepSeek, vLLM, llama.cpp and litellm take
# the question. For a server that refuses it there is ``stream_options=None``.
INCLUDE_USAGE: Mapping[str, Any] = {"include_usage": True}

_CALL_OPTIONS = (
    ("timeouts", (Timeouts, Mapping)),
    ("retry", (RetryPolicy, Mapping)),
    ("extra_headers", (Mapping,)),
    ("via", (str,)),
    ("budget", (object,)),
)
_ELSE = "; anything else goes into extra_body={…}"
_OPTION_NAMES = frozenset(name for name, _ in _CALL_OPTIONS)


class _Maker(Generic[R]):
    """Makes requests of one class out of keyword arguments.

    What was left out needs no check, for a default is right; so only those validators run whose parameters are there,
    usually four of nineteen. The rest of what making a request costs is half of what it would.
    """

    def __init__(self, request_class: type[R]) -> None:
        fields = {field.name: field for field in attrs.fields(request_class) if field.name != "stream"}
        self._fields = fields
        self._names = frozenset(fields)
        self._required = tuple(name for name, field in fields.items() if field.default is attrs.NOTHING)
        self._make: Callable[..., R] = maker_of(request_class)

    def make(self, parameters: dict[str, Any], *, stream: bool, method: Method | None = None) -> R:
        """Raises `InvalidRequestError`."""
        fields = self._fields
        if not self._names.issuperset(parameters):
            unknown = min(parameters.keys() - self._names)
            if (advice := MEANT_BY.get(unknown)) is not None:
                raise InvalidRequestError(unknown, None, advice, message=f"{unknown} is unknown; write {advice}")
            raise InvalidRequestError.unknown(unknown, self._names | _OPTION_NAMES | names_of(method), _ELSE)
        for name in self._required:
            if parameters.get(name) is None:
                raise InvalidRequestError(name, None, "a value: this parameter is required")
        if parameters.get("extra_body", ...) is None:
            del parameters["extra_body"]
        if stream and "stream_options" not in parameters:
            parameters["stream_options"] = INCLUDE_USAGE
        request = self._make(**parameters, stream=stream or None)
        for name in parameters:
            field = fields[name]
            if field.validator is not None:
                field.validator(request, field, getattr(request, name))
        return request


_chat = _Maker(ChatRequest)


@cache
def _text() -> _Maker[TextRequest]:
    from ...types import TextRequest  # not for those who only chat

    return _Maker(TextRequest)


def split_off_options(parameters: dict[str, Any]) -> CallOptions:
    """Take the call's options out of the keyword arguments; what is left is the request's, in our words.

    Raises:
        InvalidRequestError: An option is of the wrong type.
    """
    if not SPELLINGS.isdisjoint(parameters) or any(value is NOT_GIVEN for value in parameters.values()):
        translate(parameters)
    if isinstance(response_format := parameters.get("response_format"), type):
        advice = f"parse(response_type={response_format.__name__}), which checks the answer and returns such a value"
        raise InvalidRequestError("response_format", None, advice)
    if _OPTION_NAMES.isdisjoint(parameters):
        return {}
    options: dict[str, Any] = {}
    hide_headers(parameters)
    for name, wanted in _CALL_OPTIONS:
        value = options[name] = parameters.pop(name, None)
        if value is not None and not isinstance(value, wanted):
            allowed = ", ".join("a mapping" if cls is Mapping else cls.__name__ for cls in wanted)
            raise InvalidRequestError(name, None, f"{allowed} or None, not {kind_of(value)}")
    check_via(options["via"])
    check_budget(options["budget"])
    return cast(CallOptions, options)


def check_via(via: object) -> None:
    """Refuse a way to ask that there is not."""
    if via not in (None, "stream", "whole", "auto"):
        raise InvalidRequestError("via", via, '"stream", "whole", "auto" or None')


def hide_headers(parameters: Any) -> None:
    """Keep what a call's own headers hold, a key perhaps, from showing where a traceback is rendered with locals."""
    for name in ("extra_headers", "default_headers"):
        if name in parameters and parameters[name] is not NOT_GIVEN:
            parameters[name] = hide(parameters[name])


def check_stream(stream: object) -> None:
    """Refuse a ``stream`` that is not True, False or ``None``: a truthy word might mean the opposite."""
    if stream is not None and not isinstance(stream, bool):
        raise InvalidRequestError("stream", stream, "True, False or None")


def choices_of(extra_body: Mapping[str, Any]) -> int | None:
    """How many choices are asked for (``n``, which DeepSeek does not document); ``None``: that cannot be told."""
    choices = extra_body.get("n", 1)
    return integer_in(choices)


def call_options_of(given: Mapping[str, Any], method: Method) -> CallOptions:
    """The call's options, of a method that takes these and arguments of its own, but sends no parameters.

    Raises:
        InvalidRequestError: One is unknown, or of the wrong type.
    """
    options = dict(given)
    hide_headers(options)
    if unknown := options.keys() - CallOptions.__annotations__.keys():
        raise InvalidRequestError.unknown(min(unknown), CallOptions.__annotations__.keys() | names_of(method))
    return split_off_options(options)


def check_names(given: Mapping[str, Any], parameters: type, method: Method) -> None:
    """Refuse a name that is neither among the parameters nor an argument of the method's own.

    Args:
        parameters: A `TypedDict` of them.

    Raises:
        InvalidRequestError: There is one.
    """
    known = parameters.__annotations__.keys()
    if unknown := given.keys() - known - SPELLINGS:
        raise InvalidRequestError.unknown(min(unknown), known | names_of(method), _ELSE)


def names_of(method: Method | None) -> frozenset[str]:
    """The arguments that a method names itself."""
    if method is None:
        return frozenset()
    code = method.__code__
    return frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]) - {"self"}


def chat_request_of(parameters: dict[str, Any], *, stream: bool, method: Method | None = None) -> ChatRequest:
    """The request that keyword arguments mean.

    Args:
        method: What they were given to; for an unknown name, its own arguments are what may have been meant.

    Raises:
        InvalidRequestError: One is unknown, missing or out of range.
    """
    return _chat.make(parameters, stream=stream, method=method)


def text_request_of(parameters: dict[str, Any], *, stream: bool, method: Method | None = None) -> TextRequest:
    """The same of fill in the middle."""
    return _text().make(parameters, stream=stream, method=method)
