"""`serve` runs a server until a signal stops it, as ``deepseek-async sandbox`` does."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Any, TypeVar

__all__ = ["serve"]

S = TypeVar("S", bound=AbstractAsyncContextManager[Any])


async def serve(server: S, *, ready: Callable[[S], object] | None = None) -> None:
    """Run a server until SIGINT, SIGTERM or cancellation.

    Args:
        server: A `SandboxServer` or a `ReplayServer` that is not started yet.
        ready: Called once it listens, with the server; ``server.base_url`` is known then.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    caught = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not on Windows, and not outside the main thread: there cancellation is the way.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stopped.set)
            caught.append(number)
    try:
        async with server:
            with _calm_collector():
                if ready is not None:
                    ready(server)
                await stopped.wait()
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


@contextmanager
def _calm_collector() -> Iterator[None]:
    """Have the cyclic collector look at what lives long less often.

    This process does nothing else, and a thousand answers in the making are a million objects without cycles: looking
    through them again and again costs half of the time a token takes (29 µs against 15 measured).
    """
    before = gc.get_threshold()
    gc.freeze()  # without collecting first: the little that a start leaves behind is not worth 30 ms of waiting
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
