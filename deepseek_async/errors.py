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

An error carries facts (a status, a phase, a reason). What follows from them stands in two tables at the end of this
page: `RETRYABLE` and `BILLABLE`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple, NoReturn, Protocol

__all__ = [
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetExceededError",
    "DeepSeekError",
    "EmptyResponseError",
    "InsufficientBalanceError",
    "InternalServerError",
    "InvalidRequestError",
    "MalformedResponseError",
    "NoEffectWarning",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseTooLargeError",
    "ServiceUnavailableError",
    "StreamInterruptedError",
    "TurnLimitError",
    "UnprocessableEntityError",
]

Phase = Literal["connect", "first_chunk", "idle", "total"]

Reason = Literal["network", "untrusted", "address", "protocol", "proxy", "closed", "unscripted"]


class PartialCompletion(Protocol):
    """What an error carries of an answer: a `ChatCompletion` (of a FIM call, a `TextCompletion`) not yet complete.

    This is a protocol and not the class itself, because the classes of `types` import this module: their validators
    raise `InvalidRequestError`.
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


class _NamedElsewhere:
    """An attribute that other packages have: an AttributeError, so that `hasattr` works, with our word in it.

    It costs nothing where it is not asked for, unlike a ``__getattr__``, which makes each attribute of a class slower.
    """

    __slots__ = ("_name", "_word")

    def __init__(self, name: str, word: str) -> None:
        self._name = name
        self._word = word

    def __get__(self, owned: object, owner: type) -> Any:
        message = f"{owner.__name__!r} object has no attribute {self._name!r}; use {self._word}"
        raise AttributeError(message, name=self._name, obj=owned)


def name_ours(cls: type, words: Mapping[str, str]) -> None:
    """Let a class answer names that other packages have with our word for each."""
    for name, word in words.items():
        setattr(cls, name, _NamedElsewhere(name, word))


def refuse_sync(cls: type, or_else: str = "") -> None:
    """Let a class answer ``with`` and ``for`` with the words for what it is made for.

    At run time alone: a type checker is to find them wrong by itself.

    Args:
        or_else: What else there is for programs without an event loop.
    """

    def enter(self: object) -> NoReturn:
        advice = f"use `async with`, within an `async def`{or_else}"
        raise TypeError(f"{type(self).__name__!r} object is asynchronous; {advice}")

    def iterate(self: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__!r} object is asynchronous; use `async for`, within an `async def`")

    methods: dict[str, Any] = {}
    if hasattr(cls, "__aenter__"):
        methods |= {"__enter__": enter, "__exit__": lambda *_: None}
    if hasattr(cls, "__aiter__"):
        methods["__iter__"] = iterate
    for name, method in methods.items():
        setattr(cls, name, method)


# What a server says must not steer the terminal that shows it: control characters are shown as their pictures. Marks of
# direction (U+202E and its kin) must not make a line read otherwise than it is: they are shown as unknown characters.
_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: 0x2421}
_DIRECTION_MARKS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_PICTURES |= dict.fromkeys((*range(0x80, 0xA0), *_DIRECTION_MARKS), 0xFFFD)


def visible(text: str) -> str:
    """The text with marks of direction, and control characters but line feed and tab, replaced by visible ones."""
    return text if text.isprintable() else text.translate(_PICTURES)


class DeepSeekError(Exception):
    """Base of every error this package raises.

    Attributes:
        message: What happened, in one or two sentences. Never holds a key or a prompt, nor what steers a terminal.
        request_id: The server's id of the request (DeepSeek's ``x-ds-trace-id``), if a head arrived.
        attempts: How many times the request was sent; 0 if it never left.
        retryable: Whether sending the same request again can help, by the table `RETRYABLE`.
        may_be_billed: Whether a server may have read the request and billed it, in this attempt (by the table
            `BILLABLE`) or in one before it.
        billed_before: The same of the attempts before the last.
        partial: What had arrived of the answer, folded (``complete`` is False); ``None`` if no answer had begun.
            Show it, or continue from it.
        delivered: How many chunks of a stream the caller had received before.
        history: What each attempt before the last ended with, first to last.
        usage: Token counts of the answers that came and were paid for, where `parse` asked for several.
    """

    def __init__(
        self,
        message: str,
        *,
        request_id: str | None = None,
        attempts: int = 0,
        partial: PartialCompletion | None = None,
        delivered: int = 0,
    ) -> None:
        message = visible(message)
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.attempts = attempts
        self.partial = partial
        self.delivered = delivered
        self.history: tuple[str, ...] = ()
        self.usage: Any = None
        self.billed_before = False

    @property
    def retryable(self) -> bool:
        """Whether sending the same request again can help."""
        return _verdict(RETRYABLE, self)

    @property
    def may_be_billed(self) -> bool:
        """Whether a server may have read the request and billed it."""
        return self.billed_before or _verdict(BILLABLE, self)

    def __str__(self) -> str:
        facts = []
        if self.request_id:
            facts.append(f"request_id={visible(self.request_id)}")
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

    @classmethod
    def unknown(cls, parameter: str, known: Iterable[str], further: str = "", of: str = "") -> InvalidRequestError:
        """The error for a name that is no parameter: what is likely meant, and what there is.

        Args:
            known: The names that there are.
            further: Words after their list, such as where anything else goes.
            of: What has them, if it is not the call itself.
        """
        known = sorted(known)
        path, whose = (f"{of}.{parameter}", f"{of}: ") if of else (parameter, "")
        told = whose + unknown_name(parameter, known, further)
        return cls(path, None, ", ".join(known) + further, message=told)


LIST_OF_MODELS: Final = "client.models.list()"
"""What an error advises of a model that the server does not have; the shell has another word for it."""


def unknown_name(name: str, known: Iterable[str], further: str = "") -> str:
    """What is told of a name that is none of the known ones: which of them is likely meant, and all of them."""
    names = sorted(known)
    return f"{name} is unknown{meant_by(name, names)}; allowed: {', '.join(names)}{further}"


def meant_by(name: str, known: Iterable[str]) -> str:
    """Which of the known names is near to one that is none, in brackets; ``""``: none is."""
    from difflib import get_close_matches  # for those only who made a mistake

    # Of a short name, one wrong letter is a quarter.
    near = get_close_matches(name, list(known), n=1, cutoff=0.75 if len(name) > 4 else 0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _shorten(value: object, limit: int = 60) -> str:
    try:
        text = repr(value)
    except Exception:  # an integer of thousands of digits, or a class of the caller's
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


class NoEffectWarning(UserWarning):
    """A parameter has no effect on the official API. Told once for each client and parameter.

    ``warnings.simplefilter("ignore", NoEffectWarning)`` turns it off, as does ``AsyncClient(official_rules=False)``.
    """


class APIConnectionError(DeepSeekError):
    """No connection could be made, or it broke before the answer began.

    Attributes:
        during: ``"connect"`` if no connection stood yet (the server saw nothing), else ``"request"``.
        reason: ``"network"``: the other side refused, was not found, or broke the connection.
            ``"untrusted"``: its certificate is not trusted. ``"address"``: the URL, or a proxy's, cannot be used.
            ``"protocol"``: what answers does not speak HTTP. ``"proxy"``: the proxy does not let the request through.
            ``"closed"``: the client, its session or the event loop was closed. ``"unscripted"``: a transport that
            stands in for the network has no answer to this request.
    """

    def __init__(
        self,
        message: str,
        *,
        during: Literal["connect", "request"] = "request",
        reason: Reason = "network",
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.during = during
        self.reason: Reason = reason


class APITimeoutError(DeepSeekError, TimeoutError):
    """A deadline passed.

    Attributes:
        phase: Which one: ``"connect"``, ``"first_chunk"``, ``"idle"`` or ``"total"``.
        seconds: The timeout that was set for that phase.
        keepalives: Keep-alive comments or blank lines seen meanwhile. More than 0 means that the server was alive
            and the request queued; 0 means silence.
        waiting: Why no request was on its way when ``total`` passed: the server had asked to be left alone, for
            instance; ``""`` if one was.
    """

    def __init__(
        self,
        message: str,
        *,
        phase: Phase,
        seconds: float,
        keepalives: int = 0,
        waiting: str = "",
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.phase = phase
        self.seconds = seconds
        self.keepalives = keepalives
        self.waiting = waiting


class ResponseFacts(NamedTuple):
    """What is known of a response with an error status; see `APIStatusError.response`."""

    status_code: int
    headers: Mapping[str, str]
    text: str


class APIStatusError(DeepSeekError):
    """The server answered with an error: by status, or in the body of a 200.

    Attributes:
        status: HTTP status. 200 where the error came in the body of a success.
        code, type, param: The fields of the error object, where there is one (DeepSeek does not document it).
        body: The body as text, cut at 64 KiB. May quote the request: part of neither the message nor a pickle.
        retry_after: Seconds to wait by ``Retry-After``, seconds or date form, or, of a 429 without it, by its words
            ("try again in 7m12s"); ``None`` if it does not say.
        headers: The response's headers, names in lower case.
        by_gateway: Whether something in front of the server seems to have answered: the body of a 5xx is no JSON.
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
        by_gateway: bool = False,
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
        self.by_gateway = by_gateway

    @property
    def status_code(self) -> int:
        """The same as ``status``, by the openai package's name."""
        return self.status

    @property
    def response(self) -> ResponseFacts:
        """``status_code``, ``headers`` and ``text`` of the response, where the openai package has them."""
        return ResponseFacts(self.status, self.headers, self.body)

    def _pickled(self) -> dict[str, Any]:
        return {**super()._pickled(), "body": ""}


class BadRequestError(APIStatusError):
    """400: the body is malformed or a value is out of range. Change the request; sending it again cannot help."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or wrong. See DEEPSEEK_API_KEY."""


class InsufficientBalanceError(APIStatusError):
    """402: the account has no balance left. Top up, then go on; a batch stops resumable."""


class PermissionDeniedError(APIStatusError):
    """403: the key has no permission for this."""


class NotFoundError(APIStatusError):
    """404: no such path or model. Usually a wrong ``base_url``."""


class UnprocessableEntityError(APIStatusError):
    """422: the parameters could not be deserialised."""


class RateLimitError(APIStatusError):
    """429: too many requests in flight. DeepSeek limits concurrency, by account and balance.

    Attributes:
        limit: The concurrency limit, where the text tells it.
        current: The concurrency the server counted, where the text tells it.
        is_exhausted: Whether it says that a balance, a quota, a budget or the limit of a day is used up, or that an
            account is closed. Other servers answer 429 to that, too; waiting a moment does not help, so it is not
            tried again. See `codec.failures.exhaustion` for what is taken as such.
    """

    def __init__(
        self,
        message: str,
        *,
        limit: int | None = None,
        current: int | None = None,
        is_exhausted: bool = False,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.limit = limit
        self.current = current
        self.is_exhausted = is_exhausted


class InternalServerError(APIStatusError):
    """5xx: the server failed."""


class ServiceUnavailableError(InternalServerError):
    """503: the server is overloaded."""


class APIResponseError(DeepSeekError):
    """The server's answer cannot be used as it is.

    Attributes:
        body: The offending text, cut at 64 KiB; not part of the message.
        continuation: What the server said instead of continuing an answer: a resumed one, or one that began anew
            amid the stream; ``None`` in every other case.
        path: Where in the JSON, as ``$.choices[0].delta.content``; ``""`` if it is not about one place.
    """

    def __init__(self, message: str, *, body: str = "", path: str = "", **context: Any) -> None:
        super().__init__(message, **context)
        self.body = body
        self.path = path
        self.continuation: PartialCompletion | None = None


class MalformedResponseError(APIResponseError):
    """The answer is not JSON, or not of the shape that the API documents."""


class EmptyResponseError(APIResponseError):
    """A 200 with nothing but white space, as an overloaded server sends."""


class ResponseTooLargeError(APIResponseError):
    """An event, a body or a head is larger than the cap.

    Attributes:
        limit: The cap, in bytes.
    """

    def __init__(self, message: str, *, limit: int, **context: Any) -> None:
        super().__init__(message, **context)
        self.limit = limit


class StreamInterruptedError(DeepSeekError):
    """An answer ended without its end: a stream cut, no ``[DONE]``, an error in the band; half a JSON text.

    Attributes:
        cause: The error underneath, where there is one: what the server sent inside the stream, or how the
            connection broke. The same as ``__cause__``, and pickled with the error.
        by_caller: Whether the caller closed the stream, from another task for instance.
    """

    def __init__(
        self, message: str, *, cause: DeepSeekError | None = None, by_caller: bool = False, **context: Any
    ) -> None:
        super().__init__(message, **context)
        self.cause = cause
        self.by_caller = by_caller
        _put_cause(self, cause)


def _put_cause(error: BaseException, cause: BaseException | None) -> None:
    error.__cause__ = cause


class TurnLimitError(DeepSeekError):
    """A run of tools came to its limit of turns, and the model still calls tools; ``partial`` is its last answer."""


class BudgetExceededError(DeepSeekError):
    """A `Budget` is used up; nothing was sent.

    Attributes:
        spent: Money so far, in the budget's currency, a `Decimal`.
        tokens: Tokens so far.
        is_held: Whether some of it is left, and held for what is in flight. Once that has ended there may be more.
    """

    def __init__(self, message: str, *, spent: Any = 0, tokens: int = 0, is_held: bool = False, **context: Any) -> None:
        super().__init__(message, **context)
        self.is_held = is_held
        self.spent = spent
        self.tokens = tokens


# The two tables. For an error the first row counts that names its class and the value of that fact ("": whatever its
# facts are). An error without a row: no.
_Table = Sequence[tuple[type[DeepSeekError], str, Container[object], bool]]

RETRYABLE: Final[_Table] = (
    # the error              a fact of it   with these values                   sending it again can help
    (APIConnectionError,     "reason",      ("network",),                       True),
    (APITimeoutError,        "phase",       ("connect",),                       True),  # later, the work was begun
    (RateLimitError,         "is_exhausted", (True,),                           False),  # not before somebody pays
    (APIStatusError,         "status",      (200, 408, 429, *range(500, 600)),  True),  # 200: an error in an answer
    (EmptyResponseError,     "",            (),                                 True),
    (StreamInterruptedError, "by_caller",   (False,),                           True),
)  # fmt: skip
"""What may be tried again. Of a `StreamInterruptedError` with a cause, the cause decides."""

# 52x: Cloudflare's "unknown error", "connection timed out", "a timeout occurred"; 598 and 599: timeouts of proxies that
# have no better word.
_LOST_BEHIND_GATEWAYS = (520, 522, 524, 598, 599)

BILLABLE: Final[_Table] = (
    # the error              a fact of it   with these values                   a server may have read and billed it
    (APIConnectionError,     "during",      ("request",),                       True),
    (APITimeoutError,        "phase",       ("connect",),                       False),
    (APITimeoutError,        "phase",       ("first_chunk", "idle"),            True),
    (APITimeoutError,        "waiting",     ("",),                              True),  # total, with a request out
    (APIStatusError,         "status",      (*range(200, 300), 502, 504, *_LOST_BEHIND_GATEWAYS), True),
    (APIStatusError,         "by_gateway",  (True,),                            True),
    (APIResponseError,       "",            (),                                 True),
    (StreamInterruptedError, "",            (),                                 True),
)  # fmt: skip
"""What may cost money although no answer came."""


def _verdict(table: _Table, error: DeepSeekError) -> bool:
    if table is RETRYABLE and isinstance(error, StreamInterruptedError) and error.cause is not None:
        return error.cause.retryable
    for cls, fact, values, verdict in table:
        if isinstance(error, cls) and (not fact or getattr(error, fact) in values):
            return verdict
    return False


def unforeseen(error: Exception, **context: Any) -> DeepSeekError:
    """The error of ours for an exception that nobody thought of: a fault of ours, or of a transport's or a hook's.

    The exception is its cause, without its traceback, whose frames hold the request. The message says where it came
    from and not what it says: nobody has looked through that text for keys and prompts.
    """
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" in {frame.tb_frame.f_code.co_filename.replace(chr(92), '/').rpartition('/')[2]}" if frame else ""
    line = f":{frame.tb_lineno}" if frame else ""
    failure = DeepSeekError(f"unexpected {type(error).__name__}{place}{line}; see its cause", **context)
    failure.billed_before = True  # nobody knows how far the request had come
    error.__context__ = None
    failure.__cause__ = error.with_traceback(None)
    return failure


def of_another_loop(waited_for: object) -> APIConnectionError:
    """The error for what is awaited in another event loop than the one that it began in."""
    if (close := getattr(waited_for, "close", None)) is not None:
        close()  # else Python warns that nobody awaited it
    message = "a stream is read in the event loop in which it was opened, and this is another; open one in each loop"
    return APIConnectionError(message, reason="closed")


def describe(errors: Sequence[DeepSeekError]) -> tuple[str, ...]:
    """One short line for each of several attempts' errors, for `DeepSeekError.history`; runs of equal ones as one."""
    lines = [f"{type(error).__name__}: {error.message}" for error in errors]
    return tuple(
        line if count == 1 else f"{line} ({count} times)"
        for line, count in ((k, len(list(g))) for k, g in groupby(lines))
    )


_WORDS_OF_ERRORS: Final[Mapping[str, str]] = {
    "http_status": ".status",
    "json_body": ".body, which is text",
    "user_message": ".message",
    "request": "hooks, which tell what is sent",
}
name_ours(DeepSeekError, _WORDS_OF_ERRORS)
