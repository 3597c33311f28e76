"""Sessions and their connections.

- aiohttp's `ClientTimeout(total=300)` is off: deadlines are the caller's, on one clock and with a name each.
- Its connector's `limit=100` is off: a pool that is full looks like a slow server. Where a limit is asked for, waiting
  has a figure of its own.
- Its ``trust_env`` is off: it costs two threads' work a request, and reads ~/.netrc; see `proxies`.
- Its ``request`` costs more than all the rest; where there is no proxy, requests go past it: see `direct`.
- A session belongs to one loop. There is one for each loop that uses the client; see `loops`.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
import warnings
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from ...errors import APIConnectionError, DeepSeekError, InvalidRequestError
from ..base import HTTPRequest, Progress, Response
from ..proxies import checked_proxy, environment_proxies
from . import direct
from .answer import NetworkAnswer
from .body import Body
from .direct import NO_TIMEOUT, READING, Direct
from .direct_answer import DirectAnswer
from .failures import Way, closed, failure_of, may_be_stale
from .loops import Bound, Route, binding_of
from .pool import FRESH, Pool
from .progress import TRACE, Watched

# For those above, who take a session of the caller's and know nothing else of aiohttp.
ClientSession = aiohttp.ClientSession

# How long an idle connection is kept. Shorter than the minute after which common gateways close theirs.
KEEPALIVE_SECONDS = 50.0
DNS_CACHE_SECONDS = 60
STALE_SECONDS: Final = 0.25
"""A reused connection that breaks so soon after the write, without a byte of the answer, had been closed by the server
before it saw the request: word of that takes one way through the network. Later, the server may have been at work."""

# A stand-in writes requests down, and compares them: it is given plain values. Of longer bytes aiohttp warns.
_WARNED_BYTES: Final = 2**20

_OPTIONS: Mapping[str, Any] = {
    **READING,
    "allow_redirects": False,
    "raise_for_status": False,  # or a session that has it set would raise before the body is read
    "timeout": NO_TIMEOUT,
}


class AiohttpTransport:
    """Moves bytes over aiohttp sessions, one for each event loop.

    Args:
        session: A session of the caller's, never closed; its pool, limits, headers and proxies hold. It gets a trace
            config of ours, which heeds our requests only.
        max_connections: Cap on open connections; ``None``: none of ours.
        proxy: Proxy URL for every request.
        ssl: An `ssl.SSLContext`, or False to check no certificate (only for tests).
        trust_env: Whether to heed HTTP(S)_PROXY, ALL_PROXY and NO_PROXY.

    Raises:
        InvalidRequestError: The proxy is none of HTTP's, the session would send or answer requests in ways of its own,
            or a type is wrong.

    Attributes:
        through_session: How many requests went through aiohttp's session, and not past it: through a proxy, a session
            of the caller's, a stand-in of tests, or because this aiohttp lacks what going past it takes.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        max_connections: int | None = None,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | bool | None = None,
        trust_env: bool = True,
    ) -> None:
        given, session = session, None  # no frame shows what is wrong with more than its type
        if given is not None and (wrong := _what_is_wrong(given)):
            raise InvalidRequestError("session", None, wrong)
        if not isinstance(ssl, ssl_module.SSLContext | bool | None):  # True is a bool; any other truth must not pass
            raise InvalidRequestError("ssl", None, f"an ssl.SSLContext, a bool or None, not {type(ssl).__name__}")
        if given is not None and TRACE not in given.trace_configs:
            given.trace_configs.append(TRACE)
        self.through_session: int = 0
        self._given = None if given is None else Route(given)
        self._max_connections = max_connections
        self._proxy = checked_proxy(proxy)
        self._trust_env = trust_env
        self._options = {**_OPTIONS, "ssl": True if ssl is None else ssl}

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """See `Transport.send`.

        A request whose kept-alive connection breaks at once, before any byte of an answer, is sent once more, on a new
        connection (of a session of the caller's: on another one): the server had closed the old one while we wrote.

        Raises:
            APIConnectionError: No connection, or it broke before the head.
            ResponseTooLargeError: The head is larger than the cap.
        """
        if self._given is not None:
            route, proxy = self._given, self._proxy
            if route.session.closed:
                raise APIConnectionError("the session that was given is closed", during="connect", reason="closed")
        else:
            bound = binding_of(self) or await self._bind()
            route = bound.route
            proxy = self._proxy or (bound.proxy_for(request.url) if bound.proxy_for is not None else None)
        watched = Watched(progress)
        try:
            answer = await self._try(route, request, watched, proxy)
            if answer is None:
                fresh = FRESH.set(watched)
                try:
                    answer = await self._try(route, request, watched, proxy, is_last=True)
                finally:
                    FRESH.reset(fresh)
        finally:
            # aiohttp keeps it with the answer, or the connection: it must not hold the client from being collected.
            watched.progress = _UNWATCHED
        if isinstance(answer, DeepSeekError):  # raised here, where no exception of aiohttp's becomes its context
            raise answer
        assert answer is not None  # noqa: S101 - the last try has an end
        return NetworkAnswer(answer, route.session, route.answers)

    async def _try(
        self, route: Route, request: HTTPRequest, watched: Watched, proxy: str | None, *, is_last: bool = False
    ) -> aiohttp.ClientResponse | DirectAnswer | DeepSeekError | None:
        """The answer, or why there is none; ``None``: the connection was stale, and another may be tried."""
        session = route.session
        try:
            is_stood_in = aiohttp.ClientSession._request is not _REQUEST and _is_stood_in()  # noqa: SLF001
            if route.direct is not None and proxy is None and request.form is None and not is_stood_in:
                return await route.direct.send(request, watched)
            self.through_session += 1
            is_plain = is_stood_in and request.form is None and len(request.body or b"") <= _WARNED_BYTES
            return await session.request(
                request.method if is_plain else _Once(request.method),
                request.url,
                headers=request.headers,
                data=request.body if is_plain else _data_of(request),
                proxy=proxy,
                trace_request_ctx=watched,
                **self._options,
            )
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            return closed()  # it waited for a connection, and the pool is gone
        except DeepSeekError as error:
            return error
        except Exception as error:
            if isinstance(error.__cause__, InvalidRequestError):  # a form's file is not what it was
                return error.__cause__
            if route.session.closed:
                return closed()
            if not is_last and may_be_stale(error) and watched.may_be_stale(STALE_SECONDS):
                return None
            return failure_of(error, Way(request.url, proxy, watched.is_connecting))

    async def _bind(self) -> Bound:
        session = self._make_session()
        missing = direct.lacking()
        if missing:
            _warn_of(missing)
        route = Route(session, None if missing else Direct(session, self._options["ssl"]))
        return await Bound.keep(self, route, environment_proxies() if self._trust_env else None)

    def _make_session(self) -> aiohttp.ClientSession:
        pool = Pool(
            limit=self._max_connections or 0, ttl_dns_cache=DNS_CACHE_SECONDS, keepalive_timeout=KEEPALIVE_SECONDS
        )
        return aiohttp.ClientSession(
            connector=pool, timeout=NO_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[TRACE]
        )

    async def aclose(self) -> None:
        """Close the session of the running loop and break what goes through it. One of the caller's stays open."""
        if (bound := binding_of(self)) is not None:
            await bound.aclose()


def _data_of(request: HTTPRequest) -> aiohttp.Payload | None:
    if request.form is not None:
        from .form import multipart_of  # not for those who upload nothing

        return multipart_of(request.form)
    return None if request.body is None else Body(request.body)


class _Unlisted(str):
    """A method that is in no set of methods: aiohttp repeats a GET that breaks, once and unseen, as idempotent."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return str(self) == other

    def __hash__(self) -> int:
        return id(self)


class _Once(_Unlisted):
    """As the session is given it. It asks for capitals, and so does what it makes of it, which is told a plain word."""

    __slots__ = ()

    def upper(self) -> _Unlisted:
        return _Unlisted(super().upper())


def _what_is_wrong(session: Any) -> str | None:
    """Why a session of the caller's cannot be used; ``None``: it can."""
    if not isinstance(session, aiohttp.ClientSession):
        return f"an aiohttp.ClientSession, not {type(session).__name__}"
    if session.auth is not None:
        return "a session without auth: the key goes into api_key, other headers into headers"
    if getattr(session, "_middlewares", None):
        return "a session without middlewares: they could send a request again unseen; see hooks and transport"
    return None


_has_warned = False


def _warn_of(missing: list[str]) -> None:
    global _has_warned
    if not _has_warned:
        _has_warned = True
        warnings.warn(
            f"aiohttp {aiohttp.__version__} lacks {', '.join(missing)}: requests go through its session, which takes "
            "twice the CPU of a short answer; `statistics().through_session` counts them",
            RuntimeWarning,
            stacklevel=2,
        )


def _is_stood_in() -> bool:
    """Whether something stands in for aiohttp's session: aioresponses or vcrpy in tests, which our requests must not
    go past to the network, or what traces requests in production."""
    code = getattr(aiohttp.ClientSession._request, "__code__", None)  # noqa: SLF001 - what they replace
    return code is None or code.co_filename != aiohttp.client.__file__


_REQUEST: Final = None if _is_stood_in() else aiohttp.ClientSession._request  # noqa: SLF001
"""What was seen not to be replaced, so that one look tells."""


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _Unwatched:
    """A `Progress` of nobody's."""

    def queued(self) -> None: ...
    def connecting(self) -> None: ...
    def connected(self, *, reused: bool) -> None: ...


_UNWATCHED = _Unwatched()
