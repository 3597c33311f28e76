"""Brings files to the disk, off the event loop."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from .append import Appending

GROUP_SECONDS = 0.005
"""Between the beginnings of two groups: each costs some 100 µs of the event loop's time, however few are in it."""


class Disk:
    """Brings files to the disk, off the event loop: one group at a time, and meanwhile the next one gathers.

    Args:
        files: Synchronised in this order.
    """

    def __init__(self, files: Sequence[Appending]) -> None:
        self._files = files
        self._thread = ThreadPoolExecutor(1, "journal")
        self._gathering: list[asyncio.Future[None]] = []
        self._writing: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    def synced(self) -> asyncio.Future[None]:
        """A future that is done once all that has been appended up to now is on the disk, or raises `OSError`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if self._failure is not None:  # what became of the data then is not known, and asking again does not tell
            _settle((future,), self._failure)
            return future
        self._gathering.append(future)
        if self._writing is None:
            self._writing = loop.create_task(self._write())
        return future

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        began = -math.inf
        try:
            while self._gathering:
                if (wait := began + GROUP_SECONDS - loop.time()) > 0:
                    await asyncio.sleep(wait)
                began = loop.time()
                group, self._gathering = self._gathering, []
                if self._failure is None:
                    try:
                        await loop.run_in_executor(self._thread, self._sync_all)
                    except (OSError, RuntimeError) as error:  # RuntimeError: closed while rows were gathering
                        self._failure = error
                _settle(group, self._failure)
        finally:
            self._writing = None

    def _sync_all(self) -> None:
        for file in self._files:
            file.sync()
        for file in self._files:
            file.check()

    async def aclose(self) -> None:
        """Wait until all is on the disk.

        Raises:
            OSError: The disk failed.
        """
        try:
            await self.synced()
        finally:
            self._thread.shutdown()  # the files will be closed next


def _settle(group: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for future in group:
        if not future.done():  # whoever waited may have been cancelled
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
            future.exception()  # not everyone awaits it; closing raises it, too
