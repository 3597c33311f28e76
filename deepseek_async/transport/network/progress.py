"""How far a request has come, by aiohttp's tracing."""

from __future__ import annotations

from types import SimpleNamespace

import aiohttp

from ..base import Progress


class Watched(SimpleNamespace):
    """aiohttp's trace context of one request: hands its signals on."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress
        self.is_reused = False


def _watched(context: SimpleNamespace) -> Watched | None:
    watched = context.trace_request_ctx
    return watched if isinstance(watched, Watched) else None


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


TRACE = _make_trace()
