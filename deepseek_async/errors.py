"""The whole error tree on one page.

Every error says what happened, where, and what is allowed or what to do next. The names follow the ecosystem's, so
that moving over changes imports and nothing else. Each carries ``request_id``, ``attempts`` and ``retryable``.

Whose fault it is decides the branch:

- ours, before a byte left: `InvalidRequestError`;
- the network's: `APIConnectionError`, `APITimeoutError`;
- the server said no: `APIStatusError` and its subclasses, one for each documented status;
- the server said something that cannot be understood: `APIResponseError`;
- a stream that began and did not end well: `StreamInterruptedError`.

Cancellation is none of these: `asyncio.CancelledError` passes through untouched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, ClassVar, Literal, Protocol

__all__ = [
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "DeepSeekError",
    "EmptyResponseError",
    "InsufficientBalanceError",
    "InternalServerError",
    "InvalidRequestError",
    "MalformedResponseError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseTooLargeError",
    "ServiceUnavailableError",
    "StreamInterruptedError",
    "UnprocessableEntityError",
]

Phase = Literal["connect", "first_chunk", "idle", "total"]


class PartialCompletion(Protocol):
    """What an error carries of an answer: a `ChatCompletion` (of a FIM call, a `TextCompletion`) not yet complete.

    Described by shape, since the values stand on this page (their validators raise `InvalidRequestError`) and this
    page can therefore not stand on them.
    """

    @property
    def text(self) -> str: ...
    @property
    def finish_reason(self) -> str | None: ...
    @property
    def complete(self) -> bool: ...
    @property
    def choices(self) -> tuple[Any, ...]: ...
    @property
    def usage(self) -> Any: ...


class DeepSeekError(Exception):
    """Base of every error this package raises.

    Attributes:
        message: What happened, in one or two sentences. Never holds a key or a prompt.
        request_id: The server's id of the request (DeepSeek's ``x-ds-trace-id``), if a head arrived.
        attempts: How many times the request was sent; 0 if it never left.
        retryable: Whether sending the same request again can help.
        partial: What had arrived of the answer, folded (``complete`` is False); ``None`` if no answer had begun.
            Show it, or continue from it.
        delivered: How many chunks of a stream the caller had received before.
        history: What each attempt before the last ended with, first to last.
        usage: Token counts of the answers that came and were paid for, where `parse` asked for several.
    """

    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        request_id: str | None = None,
        attempts: int = 0,
        retryable: bool | None = None,
        partial: PartialCompletion | None = None,
        delivered: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.attempts = attempts
        self.retryable = self.default_retryable if retryable is None else retryable
        self.partial = partial
        self.delivered = delivered
        self.history: tuple[str, ...] = ()
        self.usage: Any = None

    def __str__(self) -> str:
        facts = []
        if self.request_id:
            facts.append(f"request_id={self.request_id}")
        if self.attempts > 1:
            facts.append(f"attempts={self.attempts}")
        text = f"{self.message} ({', '.join(facts)})" if facts else self.message
        if self.history:
            text += "; before: " + "; ".join(self.history)
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException's own reduce calls cls(*args), which loses keyword-only arguments.
        return _rebuild, (type(self), self.args, self._pickled())

    def _pickled(self) -> dict[str, Any]:
        return self.__dict__.copy()


def _rebuild(cls: type[DeepSeekError], args: tuple[Any, ...], state: dict[str, Any]) -> DeepSeekError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    error.__cause__ = state.get("cause")
    return error


class InvalidRequestError(DeepSeekError, ValueError):
    """The request is wrong and was not sent.

    Attributes:
        parameter: Which one, as a path: ``"temperature"``, ``"messages[2].content"``.
        value: What was given, shortened; ``None`` where showing it could show a prompt or a key.
        allowed: What would have been right, in words.
    """

    def __init__(self, parameter: str, value: object = None, allowed: str = "", *, message: str | None = None) -> None:
        self.parameter = parameter
        self.value = value
        self.allowed = allowed
        if message is None:
            shown = "" if value is None else f" is {_shorten(value)}"
            message = f"{parameter}{shown}; allowed: {allowed}" if allowed else f"{parameter}{shown}"
        super().__init__(message)


def _shorten(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


class APIConnectionError(DeepSeekError):
    """No connection could be made, or it broke before the answer began.

    Attributes:
        during: ``"connect"`` if no connection stood yet (the server saw nothing), else ``"request"``.
    """

    default_retryable = True

    def __init__(self, message: str, *, during: Literal["connect", "request"] = "request", **context: Any) -> None:
        super().__init__(message, **context)
        self.during = during


class APITimeoutError(DeepSeekError, TimeoutError):
    """A deadline passed.

    Attributes:
        phase: Which one: ``"connect"``, ``"first_chunk"``, ``"idle"`` or ``"total"``.
        seconds: The timeout that was set for that phase.
        keepalives: Keep-alive comments or blank lines seen meanwhile. More than 0 means that the server was alive
            and the request queued; 0 means silence.
    """

    default_retryable = True

    def __init__(
        self,
        message: str,
        *,
        phase: Phase,
        seconds: float,
        keepalives: int = 0,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.phase = phase
        self.seconds = seconds
        self.keepalives = keepalives


class APIStatusError(DeepSeekError):
    """The server answered with an error: by status, or in the body of a 200.

    Attributes:
        status: HTTP status. 200 where the error came in the body of a success.
        code, type, param: The fields of the error object, where there is one (DeepSeek does not document it).
        body: The body as text, cut at 64 KiB. May quote the request: part of neither the message nor a pickle.
        retry_after: Seconds to wait by ``Retry-After``, seconds or date form; ``None`` where absent.
        headers: The response's headers, names in lower case.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        type: str | None = None,  # noqa: A002 - the wire's name
        param: str | None = None,
        body: str = "",
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.status = status
        self.code = code
        self.type = type
        self.param = param
        self.body = body
        self.retry_after = retry_after
        self.headers: Mapping[str, str] = headers or {}

    def _pickled(self) -> dict[str, Any]:
        return {**super()._pickled(), "body": ""}


class BadRequestError(APIStatusError):
    """400: the body is malformed or a value is out of range. Change the request; sending it again cannot help."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or wrong. See DEEPSEEK_API_KEY."""


class InsufficientBalanceError(APIStatusError):
    """402: the account has no balance left. Top up, then go on; a batch stops resumable."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: no such path or model. Usually a wrong ``base_url``."""


class UnprocessableEntityError(APIStatusError):
    """422: the parameters could not be deserialised."""


class RateLimitError(APIStatusError):
    """429: too many requests in flight. DeepSeek limits concurrency, by account and balance.

    Attributes:
        limit: The concurrency limit, where the text tells it.
        current: The concurrency the server counted, where the text tells it.
    """

    default_retryable = True

    def __init__(self, message: str, *, limit: int | None = None, current: int | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.limit = limit
        self.current = current


class InternalServerError(APIStatusError):
    """5xx: the server failed."""

    default_retryable = True


class ServiceUnavailableError(InternalServerError):
    """503: the server is overloaded."""


class APIResponseError(DeepSeekError):
    """The server's answer cannot be used as it is.

    Attributes:
        body: The offending text, cut at 64 KiB; not part of the message.
        path: Where in the JSON, as ``$.choices[0].delta.content``; ``""`` if it is not about one place.
    """

    def __init__(self, message: str, *, body: str = "", path: str = "", **context: Any) -> None:
        super().__init__(message, **context)
        self.body = body
        self.path = path


class MalformedResponseError(APIResponseError):
    """The answer is not JSON, or not of the shape that the API documents."""


class EmptyResponseError(APIResponseError):
    """A 200 with nothing but white space, as an overloaded server sends."""

    default_retryable = True


class ResponseTooLargeError(APIResponseError):
    """An event, a body or a head is larger than the cap.

    Attributes:
        limit: The cap, in bytes.
    """

    def __init__(self, message: str, *, limit: int, **context: Any) -> None:
        super().__init__(message, **context)
        self.limit = limit


class StreamInterruptedError(DeepSeekError):
    """A stream ended without its end: cut, no ``[DONE]``, or an error in the band.

    Attributes:
        cause: The error underneath, where there is one: what the server sent inside the stream, or how the
            connection broke. The same as ``__cause__``, and pickled with the error.
    """

    default_retryable = True

    def __init__(self, message: str, *, cause: DeepSeekError | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.cause = cause
        self.__cause__ = cause


class TurnLimitError(DeepSeekError):
    """A run of tools came to its limit of turns, and the model still calls tools; ``partial`` is its last answer."""


class BudgetExceededError(DeepSeekError):
    """A `Budget` is used up; nothing was sent.

    Attributes:
        spent: Money so far, in the budget's currency, a `Decimal`.
        tokens: Tokens so far.
    """

    def __init__(self, message: str, *, spent: Any = 0, tokens: int = 0, **context: Any) -> None:
        super().__init__(message, **context)
        self.spent = spent
        self.tokens = tokens


def describe(errors: Sequence[DeepSeekError]) -> tuple[str, ...]:
    """One short line for each of several attempts' errors, for `DeepSeekError.history`; runs of equal ones as one."""
    lines = [f"{type(error).__name__}: {error.message}" for error in errors]
    return tuple(
        line if count == 1 else f"{line} ({count} times)"
        for line, count in ((k, len(list(g))) for k, g in groupby(lines))
    )
