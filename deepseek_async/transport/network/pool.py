"""Where the idle connections of one aiohttp session wait for the next request to their server."""

from __future__ import annotations

import time
import warnings
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp

from .progress import Watched
from .protocol import AnswerProtocol
from .sockets import make_socket

ASLEEP_SECONDS = 10.0
"""The wall's clock went so much further than the monotonic one: the machine has slept, or its clock was set."""

FRESH: ContextVar[Watched | None] = ContextVar("deepseek_async_fresh", default=None)
"""Set while a request must not go over a connection that has served before; the value is its trace."""


class Pool(aiohttp.TCPConnector):
    """aiohttp's pool of connections, with some additions.

    Its connections speak `AnswerProtocol`, and their sockets say that they are there; see `sockets`. A request can
    demand a new connection, one that has not served another request before (see `FRESH`): the pool then closes idle
    connections until it has to make one, and keeps within its limit. After the machine has slept it keeps no idle one:
    by its clock they have rested for a moment, and who was at their other end has long gone, without a word. And
    nothing complains when the event loop was closed before the pool.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(socket_factory=make_socket, **options)
        self._slept = slept()
        # There is no public way to it. An aiohttp that has it no more makes connections of its own kind, which will do.
        factory: Any = partial(AnswerProtocol, loop=self._loop)
        self._factory = factory

    async def connect(self, req: Any, traces: Any, timeout: Any) -> aiohttp.connector.Connection:
        """See `aiohttp.BaseConnector.connect`."""
        if (now := slept()) - self._slept > ASLEEP_SECONDS:
            self._forget_idle()
        self._slept = now
        connection = await super().connect(req, traces, timeout)
        if (watched := FRESH.get()) is not None:
            while watched.is_reused:
                connection.close()
                connection = await super().connect(req, traces, timeout)
        return connection

    def _forget_idle(self) -> None:
        # There is no public way to them. An aiohttp that has them elsewhere keeps them, as before.
        idle: dict[Any, Any] = getattr(self, "_conns", {})
        for connections in tuple(idle.values()):
            for protocol, *_ in tuple(connections):
                protocol.close()

    @property
    def closed(self) -> bool:
        """Whether it can serve no request any more: it was closed, or its event loop was. aiohttp warns if a session is
        dropped whose pool says False here."""
        return super().closed or self._loop.is_closed()

    def __del__(self, _warnings: Any = warnings) -> None:
        # A loop that was closed without ceremony took its connections with it; nobody could have closed them since.
        if not self._loop.is_closed():
            super().__del__(_warnings)


def slept() -> float:
    """Seconds of the wall's clock that the monotonic one does not know, but for a constant."""
    return time.time() - time.monotonic()
