"""`in_background` runs a server in a thread of its own, for tests and programs that have no event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import SandboxServer

__all__ = ["in_background"]


@contextmanager
def in_background(server: SandboxServer) -> Iterator[SandboxServer]:
    """Run a server beside the caller, whatever the caller runs.

        with in_background(SandboxServer(seed=1)) as server:
            openai.OpenAI(base_url=server.base_url, api_key="any")

    Scripts, records and the ceiling can be reached from the caller's thread as usual.

    Args:
        server: One that is not started yet.

    Raises:
        OSError: It cannot listen there.
    """
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with server:
            started.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="deepseek-sandbox", daemon=True)
    thread.start()
    loop, stop = started.result()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
