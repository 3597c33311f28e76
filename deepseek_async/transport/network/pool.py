"""Where the idle connections of one aiohttp session wait for the next request to their server."""

from __future__ import annotations

import warnings
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp

from .progress import Watched
from .protocol import AnswerProtocol

FRESH: ContextVar[Watched | None] = ContextVar("deepseek_async_fresh", default=None)
"""Set while a request must not go over a connection that has served before; the value is its trace."""


class Pool(aiohttp.TCPConnector):
    """aiohttp's pool of connections, with three additions.

    Its connections speak `AnswerProtocol`. A request can demand a new connection, one that has not served another
    request before (see `FRESH`): the pool then closes idle connections until it has to make one, and keeps within its
    limit. And nothing complains when the event loop was closed before the pool.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # There is no public way to it. An aiohttp that has it no more makes connections of its own kind, which will do.
        factory: Any = partial(AnswerProtocol, loop=self._loop)
        self._factory = factory

    async def connect(self, req: Any, traces: Any, timeout: Any) -> aiohttp.connector.Connection:
        """See `aiohttp.BaseConnector.connect`."""
        connection = await super().connect(req, traces, timeout)
        if (watched := FRESH.get()) is not None:
            while watched.is_reused:
                connection.close()
                connection = await super().connect(req, traces, timeout)
        return connection

    @property
    def closed(self) -> bool:
        """Whether it can serve no request any more: it was closed, or its event loop was. aiohttp warns if a session is
        dropped whose pool says False here."""
        return super().closed or self._loop.is_closed()

    def __del__(self, _warnings: Any = warnings) -> None:
        # A loop that was closed without ceremony took its connections with it; nobody could have closed them since.
        if not self._loop.is_closed():
            super().__del__(_warnings)
