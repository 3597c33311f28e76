"""Sessions and their connections.

- aiohttp's `ClientTimeout(total=300)` is off: deadlines are the caller's, on one clock and with a name each.
- Its connector's `limit=100` is off: a pool that is full looks like a slow server. Where a limit is asked for, waiting
  has a figure of its own.
- Its ``trust_env`` is off: it costs two threads' work a request, and reads ~/.netrc; see `proxies`.
- Its ``request`` costs more than all the rest; where there is no proxy, requests go past it: see `direct`.
- A session belongs to one loop. There is one for each loop that uses the client, closed when that loop shuts down.
- Closing a session leaves readers of its answers waiting, and cancels those who wait for a connection as if their
  task had been cancelled; see `_keep` and `_send`.
"""

from __future__ import annotations

import asyncio
import os
import ssl as ssl_module
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import aiohttp
import attrs

from ...errors import APIConnectionError, InvalidRequestError
from ..base import HTTPRequest, Progress, Response
from ..proxies import environment_proxies
from . import direct
from .answer import INHERITED, NetworkAnswer
from .body import Body
from .direct import NO_TIMEOUT, READING, Direct, DirectAnswer
from .failures import StaleConnectionError, broke_before, closed, failure_of, is_stale
from .progress import TRACE, Watched

# For those above, who take a session of the caller's and know nothing else of aiohttp.
ClientSession = aiohttp.ClientSession

# How long an idle connection is kept. Shorter than the minute after which common gateways close theirs.
KEEPALIVE_SECONDS = 50.0
DNS_CACHE_SECONDS = 60

_OPTIONS: Mapping[str, Any] = {**READING, "allow_redirects": False, "timeout": NO_TIMEOUT}


class AiohttpTransport:
    """Moves bytes over aiohttp sessions, one for each event loop.

    Args:
        session: A session of the caller's, never closed; its pool, limits, headers and proxies hold. It gets a trace
            config of ours, which heeds our requests only.
        max_connections: Cap on open connections; ``None``: none of ours.
        proxy: Proxy URL for every request.
        ssl: An `ssl.SSLContext`, or False to check no certificate (only for tests).
        trust_env: Whether to heed HTTP(S)_PROXY, ALL_PROXY and NO_PROXY.
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
        if session is not None:
            if not isinstance(session, aiohttp.ClientSession):
                raise InvalidRequestError("session", None, f"an aiohttp.ClientSession, not {type(session).__name__}")
            if TRACE not in session.trace_configs:
                session.trace_configs.append(TRACE)
        if not isinstance(ssl, ssl_module.SSLContext | bool | None):  # True is a bool; any other truth must not pass
            raise InvalidRequestError("ssl", None, f"an ssl.SSLContext, a bool or None, not {type(ssl).__name__}")
        self._given = None if session is None else _Way(session)
        self._given_answers: set[NetworkAnswer] = set()
        self._max_connections = max_connections
        self._proxy = proxy
        self._trust_env = trust_env
        self._options = {**_OPTIONS, "ssl": True if ssl is None else ssl}
        self._bound: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Bound] = weakref.WeakKeyDictionary()

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """See `Transport.send`.

        A request whose kept-alive connection breaks before any byte of an answer is sent once more, on a new
        connection (of a session of the caller's: on another one): the server had closed the old one while we wrote.

        Raises:
            APIConnectionError: No connection, or it broke before the head.
            ResponseTooLargeError: The head is larger than the cap.
        """
        bound = None if self._given is not None else self._present() or await self._bind()
        way = self._given if bound is None else bound.way
        assert way is not None  # noqa: S101 - one of the two is there
        answers = self._given_answers if bound is None else bound.answers
        watched = Watched(progress)
        proxy = self._proxy or (bound.proxy_for(request.url) if bound is not None else None)
        try:
            response = await self._send(way, request, watched, proxy)
        except StaleConnectionError:
            way = way if bound is None else bound.fresh()
            try:
                response = await self._send(way, request, watched, proxy)
            except StaleConnectionError as error:  # only a given session may have another such
                raise APIConnectionError(error.message) from None
        finally:
            # aiohttp keeps it with the answer, or the connection: it must not hold the client from being collected.
            watched.progress = _UNWATCHED
        return NetworkAnswer(response, way.session, answers)

    async def _send(
        self, way: _Way, request: HTTPRequest, watched: Watched, proxy: str | None
    ) -> aiohttp.ClientResponse | DirectAnswer:
        session = way.session
        if session.closed:
            raise APIConnectionError("the session that was given is closed", during="connect", retryable=False)
        try:
            if way.direct is not None and proxy is None:
                return await way.direct.send(request, watched)
            return await session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=None if request.body is None else Body(request.body),
                proxy=proxy,
                trace_request_ctx=watched,
                **self._options,
            )
        # OSError: TLS and timeouts, too. UnicodeError: a host that is no name.
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError, UnicodeError) as error:
            if session.closed:
                raise closed() from None
            if watched.is_reused and is_stale(error):
                raise StaleConnectionError(broke_before(error, request.url)) from None
            raise failure_of(error, request.url) from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise closed() from None  # it waited for a connection, and the pool is gone

    def _present(self) -> _Bound | None:
        bound = self._bound.get(asyncio.get_running_loop())
        return None if bound is None or bound.pid != os.getpid() or bound.way.session.closed else bound

    async def _bind(self) -> _Bound:
        loop = asyncio.get_running_loop()
        if (inherited := self._bound.get(loop)) is not None and inherited.pid != os.getpid():
            INHERITED.append(inherited)
        proxy_for = environment_proxies() if self._trust_env else _directly
        bound = _Bound(self._max_connections or 0, self._options["ssl"], proxy_for)
        self._bound[loop] = bound
        await bound.start()
        return bound

    async def aclose(self) -> None:
        """Close the sessions of the running loop and break what goes through them. One of the caller's stays open."""
        bound = self._bound.pop(asyncio.get_running_loop(), None)
        if bound is not None:
            await bound.aclose()


@attrs.frozen
class _Way:
    """How requests go out: through a session, or past it where there is no proxy."""

    session: aiohttp.ClientSession
    direct: Direct | None = None


class _Bound:
    """The sessions of one loop, and the answers that come through them.

    They are held by an async generator because the loop knows its generators: `asyncio.run` closes them when it ends.
    The generator is held by a finalizer, so that whoever drops a client has it closed by a task of the loop's. Were
    sessions and answers garbage together with the clients and streams that nobody has closed, the collector would call
    everybody's finalizers in any order, and aiohttp complain before ours could close anything.
    """

    def __init__(self, max_connections: int, ssl: Any, proxy_for: Callable[[str], str | None]) -> None:
        self._max_connections = max_connections
        self._ssl = ssl
        self._sessions: list[aiohttp.ClientSession] = []
        self.way = self._make_way(force_close=False)
        self._fresh: _Way | None = None
        self.answers: set[NetworkAnswer] = set()
        self.proxy_for = proxy_for
        self.pid = os.getpid()
        holding: list[weakref.finalize[..., _Bound]] = []
        self._keeper = _keep(self._sessions, self.answers, holding)
        self._holding = weakref.finalize(self, _close_soon, self._keeper, asyncio.get_running_loop(), self.pid)
        self._holding.atexit = False
        holding.append(self._holding)

    async def start(self) -> None:
        await anext(self._keeper)

    def fresh(self) -> _Way:
        """A way that never uses a connection twice."""
        if self._fresh is None:
            self._fresh = self._make_way(force_close=True)
        return self._fresh

    def _make_way(self, *, force_close: bool) -> _Way:
        session = _make_session(self._max_connections, force_close=force_close)
        self._sessions.append(session)
        return _Way(session, Direct(session, self._ssl) if direct.is_possible() else None)

    async def aclose(self) -> None:
        await self._keeper.aclose()


def _make_session(max_connections: int, *, force_close: bool) -> aiohttp.ClientSession:
    pool = {} if force_close else {"keepalive_timeout": KEEPALIVE_SECONDS}
    connector = aiohttp.TCPConnector(
        limit=max_connections,
        ttl_dns_cache=DNS_CACHE_SECONDS,
        force_close=force_close,
        **pool,  # type: ignore[arg-type]
    )
    return aiohttp.ClientSession(
        connector=connector, timeout=NO_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[TRACE]
    )


async def _keep(
    sessions: list[aiohttp.ClientSession],
    answers: set[NetworkAnswer],
    holding: list[weakref.finalize[..., _Bound]],
) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        for finalizer in holding:
            finalizer.detach()
        for answer in tuple(answers):
            answer.break_off()
        for session in sessions:
            await session.close()


def _close_soon(keeper: AsyncGenerator[None, None], loop: asyncio.AbstractEventLoop, pid: int) -> None:
    if pid != os.getpid():
        INHERITED.append(keeper)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(lambda: loop.create_task(keeper.aclose()))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _Unwatched:
    """A `Progress` of nobody's."""

    def queued(self) -> None: ...
    def connecting(self) -> None: ...
    def connected(self, *, reused: bool) -> None: ...


_UNWATCHED = _Unwatched()


def _directly(url: str) -> None:
    """No proxy, whatever the URL."""
