"""The network, by aiohttp. The one module that knows aiohttp's client, its defaults and its traps.

- Its `ClientTimeout(total=300)` is off: deadlines are the caller's, on one clock and with a name each.
- Its connector's `limit=100` is off: a pool that is full looks like a slow server. Where a limit is asked for, waiting
  has a figure of its own.
- Bodies are read as they come (`readany`), never by lines, whose length aiohttp caps.
- After a broken connection its reader raises at once and keeps what had arrived to itself; see `_rescued`.
- A session belongs to one loop. There is one for each loop that uses the client, closed when that loop shuts down.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
import weakref
from collections.abc import AsyncGenerator, Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp

from ..errors import APIConnectionError, InvalidRequestError
from .base import HTTPRequest, Progress, Response

# For those above, who take a session of the caller's and know nothing else of aiohttp.
ClientSession = aiohttp.ClientSession

# A head larger than this is refused by aiohttp's parser: the cap on what a server may make us hold before the body.
MAX_HEADER_BYTES = 16_384
# How long an idle connection is kept. Shorter than the minute after which common gateways close theirs.
KEEPALIVE_SECONDS = 50.0
DNS_CACHE_SECONDS = 60
READ_BUFFER_BYTES = 2**18

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


class AiohttpTransport:
    """Moves bytes over aiohttp sessions, one for each event loop.

    Args:
        session: A session of the caller's, used as it is and never closed; its pool and limits hold.
        max_connections: Cap on open connections; ``None``: none of ours.
        proxy: Proxy URL for every request.
        ssl: An `ssl.SSLContext`, or False to check no certificate (only for tests).
        trust_env: Whether to heed HTTP(S)_PROXY, NO_PROXY and ~/.netrc.
        connect_timeout: Only for a session of the caller's, whose connecting cannot be watched.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        max_connections: int | None = None,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | bool | None = None,
        trust_env: bool = True,
        connect_timeout: float | None = None,
    ) -> None:
        if session is not None and not isinstance(session, aiohttp.ClientSession):
            raise InvalidRequestError("session", None, f"an aiohttp.ClientSession, not {type(session).__name__}")
        self._given = session
        self._max_connections = max_connections
        self._trust_env = trust_env
        self._options: dict[str, Any] = {"proxy": proxy, "ssl": True if ssl is None else ssl}
        self._given_timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout)
        self._bound: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Bound] = weakref.WeakKeyDictionary()

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """See `Transport.send`.

        A request whose kept-alive connection breaks before any byte of an answer is sent once more, on a new
        connection: the server had closed the old one while we wrote.
        """
        if self._given is not None:
            progress.connected(reused=False)
            return await self._send(self._given, request, SimpleNamespace(), self._given_timeout)
        bound = await self._bind()
        watched = _Watched(progress)
        try:
            return await self._send(bound.session, request, watched, _NO_TIMEOUT)
        except APIConnectionError as error:
            if not (watched.is_reused and error.during == "request"):
                raise
        return await self._send(bound.fresh(), request, watched, _NO_TIMEOUT)

    async def _send(
        self, session: aiohttp.ClientSession, request: HTTPRequest, context: object, timeout: aiohttp.ClientTimeout
    ) -> Response:
        try:
            response = await session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                timeout=timeout,
                read_bufsize=READ_BUFFER_BYTES,
                trace_request_ctx=context,
                **self._options,
            )
        except (aiohttp.ClientError, OSError) as error:  # OSError: TLS and timeouts too
            raise _connection_error(error, request.url) from None
        return _AiohttpResponse(response)

    async def _bind(self) -> _Bound:
        loop = asyncio.get_running_loop()
        bound = self._bound.get(loop)
        if bound is None or bound.session.closed:
            bound = _Bound(self._make_session(force_close=False), self._make_session)
            self._bound[loop] = bound
            await bound.start()
        return bound

    def _make_session(self, *, force_close: bool) -> aiohttp.ClientSession:
        pool = {} if force_close else {"keepalive_timeout": KEEPALIVE_SECONDS}
        connector = aiohttp.TCPConnector(
            limit=self._max_connections or 0,
            ttl_dns_cache=DNS_CACHE_SECONDS,
            force_close=force_close,
            **pool,  # type: ignore[arg-type]
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=_NO_TIMEOUT,
            trust_env=self._trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            trace_configs=[_TRACE],
        )

    async def aclose(self) -> None:
        """Close the sessions of the running loop. One of the caller's stays open."""
        bound = self._bound.pop(asyncio.get_running_loop(), None)
        if bound is not None:
            await bound.aclose()


class _Bound:
    """The sessions of one loop.

    They are held by an async generator because the loop knows its generators: `asyncio.run` closes them when it ends,
    and one that is garbage-collected is closed by a task. Either way no socket outlives the client or the loop.
    """

    def __init__(self, session: aiohttp.ClientSession, make: Any) -> None:
        self.session = session
        self._make = make
        self._sessions = [session]
        self._keeper = _keep(self._sessions)

    async def start(self) -> None:
        await anext(self._keeper)

    def fresh(self) -> aiohttp.ClientSession:
        """A session that never uses a connection twice."""
        if len(self._sessions) == 1:
            self._sessions.append(self._make(force_close=True))
        return self._sessions[1]

    async def aclose(self) -> None:
        await self._keeper.aclose()


async def _keep(sessions: list[aiohttp.ClientSession]) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        for session in sessions:
            await session.close()


class _Watched(SimpleNamespace):
    """aiohttp's trace context of one request: hands its signals on."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress
        self.is_reused = False


def _watched(context: SimpleNamespace) -> _Watched | None:
    watched = context.trace_request_ctx
    return watched if isinstance(watched, _Watched) else None


async def _on_queued(_: object, context: SimpleNamespace, __: object) -> None:
    if watched := _watched(context):
        watched.progress.queued()


async def _on_connecting(_: object, context: SimpleNamespace, __: object) -> None:
    if watched := _watched(context):
        watched.is_reused = False
        watched.progress.connecting()


async def _on_created(_: object, context: SimpleNamespace, __: object) -> None:
    if watched := _watched(context):
        watched.progress.connected(reused=False)


async def _on_reused(_: object, context: SimpleNamespace, __: object) -> None:
    if watched := _watched(context):
        watched.is_reused = True
        watched.progress.connected(reused=True)


def _make_trace() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_connection_queued_start.append(_on_queued)
    trace.on_connection_create_start.append(_on_connecting)
    trace.on_connection_create_end.append(_on_created)
    trace.on_connection_reuseconn.append(_on_reused)
    trace.freeze()
    return trace


_TRACE = _make_trace()


class _AiohttpResponse:
    """An aiohttp response as `Response`."""

    __slots__ = ("_content", "_headers", "_readany", "_response", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._content = response.content
        self._readany = response.content.readany
        self._headers: Mapping[str, str] | None = None
        self.status = response.status

    @property
    def headers(self) -> Mapping[str, str]:
        if self._headers is None:
            self._headers = {name.lower(): value for name, value in self._response.headers.items()}
        return self._headers

    async def receive(self) -> bytes:
        try:
            return await self._readany()
        except (aiohttp.ClientError, OSError) as error:
            if rest := self._rescued():
                return rest
            raise APIConnectionError(f"the connection broke while the answer came: {_why(error)}") from None

    def _rescued(self) -> bytes:
        """What had arrived before the connection broke. aiohttp has no public way to it once it has an exception."""
        content: Any = self._content
        buffer = getattr(content, "_buffer", None)
        return content._read_nowait(-1) if buffer else b""  # noqa: SLF001

    @property
    def is_at_end(self) -> bool:
        return self._content.at_eof()

    def close(self) -> None:
        if not self._content.at_eof():
            self._response.close()
            return
        self._response.release()


def _connection_error(error: BaseException, url: str) -> APIConnectionError:
    place = "/".join(url.split("/")[:3])
    connecting = isinstance(
        error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError | aiohttp.ConnectionTimeoutError
    )
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl_module.SSLCertVerificationError):
        why = f"the certificate of {place} is not trusted: {_why(error)}"
        return APIConnectionError(why, during="connect", retryable=False)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return APIConnectionError(f"no valid address: {place}", during="connect", retryable=False)
    if connecting:
        return APIConnectionError(f"cannot connect to {place}: {_why(error)}", during="connect")
    if isinstance(error, aiohttp.ClientResponseError):
        return APIConnectionError(f"{place} does not answer in HTTP: {_why(error)}", retryable=False)
    return APIConnectionError(f"the connection to {place} broke before the answer: {_why(error)}")


def _why(error: BaseException) -> str:
    os_error = getattr(error, "os_error", None)
    if os_error is not None and str(os_error):
        return str(os_error)
    if isinstance(error, aiohttp.ClientResponseError):
        return " ".join(error.message.split())[:200]
    return " ".join(str(error).split())[:200] or type(error).__name__
