"""Brings files to the disk, off the event loop."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .append import Appending

GROUP_SECONDS = 0.005
"""Between the beginnings of two groups: each costs some 100 µs of the event loop's time, however few are in it."""


class Group:
    """What is brought to the disk together. Awaited, it is done once that is there, or raises `OSError`.

    Most rows never wait: they were marked ahead, and nobody waits for a finished row. So all rows of a group share it,
    and only who waits has a future.
    """

    __slots__ = ("_error", "_is_settled", "_waiting")

    def __init__(self) -> None:
        self._error: Exception | None = None
        self._is_settled = False
        self._waiting: list[asyncio.Future[None]] = []

    def __await__(self) -> Generator[Any, None, None]:
        if not self._is_settled:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            yield from future
        if self._error is not None:
            raise self._error

    def settle(self, error: Exception | None) -> None:
        """Say that it is on the disk, or why not."""
        self._is_settled, self._error = True, error
        for future in self._waiting:
            if not future.done():  # whoever waited may have been cancelled
                future.set_result(None)
        self._waiting.clear()


def failed(error: Exception) -> Group:
    """What never comes to the disk."""
    group = Group()
    group.settle(error)
    return group


class Disk:
    """Brings files to the disk, off the event loop: one group at a time, and meanwhile the next one gathers.

    Args:
        files: Synchronised in this order.
    """

    def __init__(self, files: Sequence[Appending]) -> None:
        self._files = files
        self._thread = ThreadPoolExecutor(1, "journal")
        self._gathering: Group | None = None
        self._begun: Group | None = None  # being brought there
        self._writing: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    def synced(self) -> Group:
        """What is done once all that has been appended up to now is on the disk."""
        group = self._gathering
        if group is None:
            if self._failure is not None:  # what became of the data then is not known, and asking again does not tell
                return failed(self._failure)
            group = self._gathering = Group()
            if self._writing is None:
                self._start()
        return group

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        began = -math.inf
        while (group := self._begun or self._gathering) is not None:
            if (wait := began + GROUP_SECONDS - loop.time()) > 0:
                await asyncio.sleep(wait)
            began = loop.time()
            if self._begun is None:
                self._begun, self._gathering = group, None
            if self._failure is None:
                try:
                    await loop.run_in_executor(self._thread, self._sync_all)
                except (OSError, RuntimeError) as error:  # RuntimeError: closed while rows were gathering
                    self._failure = error
            self._begun = None
            group.settle(self._failure)
        self._writing = None

    def _start(self, ended: asyncio.Task[None] | None = None) -> None:
        """Bring to the disk what gathers. A loop that ends cancels all tasks, and some of them wait for this one: then
        another one goes on."""
        if ended is None or ended.cancelled():
            self._writing = asyncio.get_running_loop().create_task(self._write())
            self._writing.add_done_callback(self._start)

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
