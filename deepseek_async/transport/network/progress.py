"""How far a request has come, by aiohttp's tracing.

A session with a trace config tells it of a whole request, in six signals that nobody here listens to, and takes another
path to write the request: a tenth of what a short answer costs. So only a session of the caller's gets one. In ours the
connector brings the trace, which is where everything happens that a `Progress` wants to know.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.tracing import Trace

from ..base import Progress


class Watched(Trace):
    """One request's trace: hands its signals on."""

    def __init__(self, progress: Progress) -> None:
        session: Any = None  # the first argument of listeners, which there are none of
        super().__init__(session, TRACE, SimpleNamespace())
        self.progress = progress
        self.is_reused = False

    async def send_connection_queued_start(self) -> None:
        self.progress.queued()

    async def send_connection_create_start(self) -> None:
        self.is_reused = False
        self.progress.connecting()

    async def send_connection_create_end(self) -> None:
        self.progress.connected(reused=False)

    async def send_connection_reuseconn(self) -> None:
        self.is_reused = True
        self.progress.connected(reused=True)


PRESENT: ContextVar[Watched | None] = ContextVar("PRESENT", default=None)
"""The request that the running task sends, for `Connector`."""


class Connector(aiohttp.TCPConnector):
    """A connector that tells the `PRESENT` request how its connection comes about."""

    def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Coroutine[Any, Any, aiohttp.connector.Connection]:
        watched = PRESENT.get()
        return super().connect(req, traces if watched is None else [*traces, watched], timeout)


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
