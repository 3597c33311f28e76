"""How far a request has come, by aiohttp's tracing.

A session tells its trace configs; past the session (see `direct`) the connector is handed the trace itself. Everything
that a `Progress` wants to know happens in the connector.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.tracing import Trace

from ..base import Progress

_NO_CONTEXT = SimpleNamespace()  # of listeners, too


class Watched(Trace):
    """One request's trace: hands its signals on.

    Attributes:
        progress: Whom it tells.
        is_reused: Whether the connection has served a request before.
        is_connecting: Whether a new connection is being made.
        has_heard: Whether a part of an answer has come.
    """

    def __init__(self, progress: Progress) -> None:
        session: Any = None  # the first argument of listeners, which there are none of
        super().__init__(session, TRACE, _NO_CONTEXT)
        self.progress = progress
        self.is_reused: bool = False
        self.is_connecting: bool = False
        self.has_heard = False
        self._connected_at = 0.0

    async def send_connection_queued_start(self) -> None:
        self.progress.queued()

    async def send_connection_create_start(self) -> None:
        self.is_reused = False
        self.is_connecting = True
        self.progress.connecting()

    async def send_connection_create_end(self) -> None:
        self.is_connecting = False
        self.progress.connected(reused=False)

    async def send_connection_reuseconn(self) -> None:
        self.is_reused = True
        self._connected_at = time.monotonic()
        self.progress.connected(reused=True)

    def may_be_stale(self, seconds: float) -> bool:
        """Whether the connection has served before and was taken no longer ago, and nothing has come over it."""
        is_recent = time.monotonic() - self._connected_at < seconds
        return self.is_reused and is_recent and not self.has_heard


async def _on_queued(_: object, context: SimpleNamespace, __: object) -> None:
    if watched := _watched(context):
        await watched.send_connection_queued_start()


async def _on_connecting(_: object, context: SimpleNamespace, __: object) -> None:
    if watched := _watched(context):
        await watched.send_connection_create_start()


async def _on_created(_: object, context: SimpleNamespace, __: object) -> None:
    if watched := _watched(context):
        await watched.send_connection_create_end()


async def _on_reused(_: object, context: SimpleNamespace, __: object) -> None:
    if watched := _watched(context):
        await watched.send_connection_reuseconn()


def _watched(context: SimpleNamespace) -> Watched | None:
    watched = context.trace_request_ctx
    return watched if isinstance(watched, Watched) else None


def _make_trace() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_connection_queued_start.append(_on_queued)
    trace.on_connection_create_start.append(_on_connecting)
    trace.on_connection_create_end.append(_on_created)
    trace.on_connection_reuseconn.append(_on_reused)
    trace.freeze()
    return trace


TRACE = _make_trace()
"""For a session of the caller's: heeds requests of ours only, by their ``trace_request_ctx``."""
