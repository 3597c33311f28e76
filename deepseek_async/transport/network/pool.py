"""The connections of one session of ours."""

from __future__ import annotations

import warnings
from contextvars import ContextVar
from typing import Any

import aiohttp

from .progress import Watched

FRESH: ContextVar[Watched | None] = ContextVar("deepseek_async_fresh", default=None)
"""Set while a request must not go over a connection that has served before; the value is its trace."""


class Pool(aiohttp.TCPConnector):
    """aiohttp's pool, which can be asked for a connection that has not served yet, and bears the end of its loop.

    A connection that is asked for so is made in this same pool: idle ones are closed for it, and its limit holds.
    """

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
        """Whether it is of no use any more, closed or not: aiohttp complains of a session with an open pool."""
        return super().closed or self._loop.is_closed()

    def __del__(self, _warnings: Any = warnings) -> None:
        # A loop that was closed without ceremony took its connections with it; nobody could have closed them since.
        if not self._loop.is_closed():
            super().__del__(_warnings)
