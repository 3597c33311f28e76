"""What the resources of a client stand on: requests made out of bodies, calls made out of requests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar

import attrs

from ..codec.body import MAX_BODY_BYTES, MAX_EVENT_BYTES
from ..codec.dialects import CHAT, TEXT, Dialect, read_by
from ..codec.reading.shapes import AnswerReader
from ..codec.requests import body_in
from ..errors import APIStatusError, InvalidRequestError
from ..policy.retry import RetryPolicy
from ..policy.timeouts import Timeouts
from ..transport import HTTPRequest
from ..types import ChatCompletion, ChatCompletionChunk, ChatRequest, TextCompletion
from ..types.structs import maker_of
from ..types.tokens.estimate import prompt_tokens_of
from .arguments.official import OfficialRules, has_prefix, is_strict
from .arguments.parameters import CallOptions
from .arguments.settings import Endpoint, headers_of
from .call import Call, Surroundings
from .parsing.refusals import StrictRefusals

if TYPE_CHECKING:
    from ..policy.metering import Meter
    from ..policy.spending import Budget
    from ..transport import Form

T = TypeVar("T")

_HTTPRequest = maker_of(HTTPRequest)

_NO_BETA = "the server is not known to have a beta base URL (has_beta=True says so)"
SANDBOX_BETA = "x-sandbox-beta"
"""The header of a sandbox's refusal of what it serves under ``/beta`` alone."""


_log = logging.getLogger("deepseek_async")


def _tell_slow(base_url: str, reader: AnswerReader) -> None:
    _log.warning(
        "most chunks of %s are read slowly, %d of %d; the last one because of: %s. What is read is right, only slower",
        base_url,
        reader.slow_chunks,
        reader.chunks,
        reader.reason[:200],
    )


class Client(Protocol):
    """What stands on a client needs of it: where it sends, its caller, and its end."""

    _caller: Caller

    @property
    def base_url(self) -> str: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Caller:
    """One client's way to its server.

    Its attributes are a client's settings, and what was learned of the server.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        headers: dict[str, str],
        *,
        timeouts: Timeouts,
        retry: RetryPolicy,
        surroundings: Surroundings,
        max_event_bytes: int = MAX_EVENT_BYTES,
        max_body_bytes: int = MAX_BODY_BYTES,
        reader: AnswerReader | None = None,
        via: Literal["stream", "whole", "auto"] | None = None,
        budget: Budget | None = None,
        rules: OfficialRules | None = None,
    ) -> None:
        self.endpoint: Endpoint = endpoint
        self.timeouts = timeouts
        self.retry = retry
        self.surroundings = surroundings
        self.max_event_bytes = max_event_bytes
        self.max_body_bytes = max_body_bytes
        self.reader: AnswerReader = reader or AnswerReader(partial(_tell_slow, endpoint.base_url))
        self.chat_dialect: Dialect[ChatCompletionChunk, ChatCompletion] = read_by(CHAT, self.reader)
        self.text_dialect: Dialect[TextCompletion, TextCompletion] = read_by(TEXT, self.reader)
        self.strict_refusals: StrictRefusals = StrictRefusals("" if endpoint.has_beta else _NO_BETA)
        self.via = via
        self.budget = budget
        self.rules = rules
        """What every chat request is held against before it is sent; ``None``: nothing, another server is asked."""
        self.goes_on_alone = False
        """Whether the server is known to compute an answer in one piece to its end though nobody waits any more."""
        self._chat_url = endpoint.url("/chat/completions")
        self._headers = headers
        self._headers_with_body = {**headers, "content-type": "application/json"}

    def changed(
        self, timeouts: Timeouts, retry: RetryPolicy, headers: Mapping[str, str], budget: Budget | None
    ) -> Caller:
        """Another caller on the same way, with other settings and more headers."""
        return Caller(
            self.endpoint,
            {**self._headers, **headers},
            timeouts=timeouts,
            retry=retry,
            surroundings=self.surroundings,
            max_event_bytes=self.max_event_bytes,
            max_body_bytes=self.max_body_bytes,
            reader=self.reader,
            via=self.via,
            budget=budget,
            rules=self.rules,
        )

    def chat_url(self, request: ChatRequest) -> str:
        """Where a chat request goes: the beta base URL if it continues a prefix or has strict tools."""
        if self.endpoint.beta_base_url == self.endpoint.base_url or not _is_beta(request):
            return self._chat_url
        return self.endpoint.url("/chat/completions", is_beta=True)

    @property
    def text_url(self) -> str:
        """Where a fill-in-the-middle request goes."""
        return self.endpoint.url("/completions", is_beta=True)

    def http_request(
        self, method: str, url: str, body: bytes | None, options: CallOptions, form: Form | None = None
    ) -> HTTPRequest:
        """The request with the client's headers and the call's. Raises `InvalidRequestError`."""
        headers = self._headers if body is None else self._headers_with_body
        if extra := options.get("extra_headers"):
            headers = {**headers, **headers_of(extra, "extra_headers")}
        return _HTTPRequest(method, url, headers, body, form)

    def call(self, request: HTTPRequest, options: CallOptions, *, model: str | None, streamed: bool) -> Call:
        """A call that makes its attempts with that request."""
        budget, timeouts, retry = options.get("budget"), options.get("timeouts"), options.get("retry") or self.retry
        return Call(
            self.surroundings,
            request,
            model=model,
            streamed=streamed,
            timeouts=self.timeouts if timeouts is None else timeouts_of(timeouts, self.timeouts),
            retry=self.retry
            if retry is None
            else retry
            if isinstance(retry, RetryPolicy)
            else retry_of(retry, self.retry),
            meter=self._meter(request, budget, model) if budget is not None or self.budget is not None else None,
            elsewhere=self._in_beta if self.endpoint.may_be_sandbox else None,
        )

    def _meter(self, request: HTTPRequest, budget: Budget | None, model: str | None) -> Meter | None:
        """What meters a call by the client's budget and its own; nothing, where no model is asked."""
        if model is None:
            return None
        from ..policy.metering import Meter

        budgets = tuple(dict.fromkeys(each for each in (self.budget, budget) if each is not None))
        body = body_in(request.body)
        limit = body.get("max_tokens")
        return Meter(budgets, model, prompt_tokens_of(body), limit if isinstance(limit, int) else None)

    def _in_beta(self, request: HTTPRequest, error: APIStatusError) -> HTTPRequest | None:
        """Learn from a refusal that the server is a sandbox. The request as it takes it; ``None``: it is none."""
        if SANDBOX_BETA not in error.headers or request.url.startswith(self.endpoint.base_url + "/beta/"):
            return None
        if self.endpoint.may_be_sandbox:
            self.endpoint = self.endpoint.with_beta()
            self.strict_refusals.rule_in()
        path = request.url.removeprefix(self.endpoint.base_url)
        return attrs.evolve(request, url=self.endpoint.beta_base_url + path)


def timeouts_of(given: Timeouts | Mapping[str, Any] | None, default: Timeouts) -> Timeouts:
    """What is given over the default. Raises `InvalidRequestError`."""
    if given is None:
        return default
    return (given if isinstance(given, Timeouts) else _made(Timeouts, Timeouts, "timeouts", given)).over(default)


def retry_of(given: RetryPolicy | Mapping[str, Any] | None, default: RetryPolicy) -> RetryPolicy:
    """What is given, a mapping over the default. Raises `InvalidRequestError`."""
    if given is None or isinstance(given, RetryPolicy):
        return given or default
    return _made(RetryPolicy, partial(attrs.evolve, default), "retry", given)


def _made(cls: Any, make: Callable[..., T], name: str, given: Mapping[str, Any]) -> T:
    known = [field.name for field in attrs.fields(cls) if not field.name.startswith("_")]
    for unknown in given.keys() - set(known):
        raise InvalidRequestError.unknown(str(unknown), known, of=name)
    return make(**given)


def _is_beta(request: ChatRequest) -> bool:
    return has_prefix(request.messages[-1]) or (request.tools is not None and any(map(is_strict, request.tools)))


def caller_of(client: Client) -> Caller:
    """What a client's requests go through.

    Raises:
        InvalidRequestError: It is no client.
    """
    try:
        return client._caller  # noqa: SLF001 - no part of what users see
    except AttributeError:
        raise InvalidRequestError("client", None, f"an AsyncClient, not {type(client).__name__}") from None
