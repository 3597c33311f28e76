"""A file or standard input, read off the event loop and only when asked for, as lines, records or rows of a table."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from ...errors import InvalidRequestError

BLOCK_BYTES: Final = 2**20
_STDIN: Final = 0

Items = Sequence[object]
Made = Callable[[Iterator[bytes]], Iterator[Items]]
"""Makes items, some at a time, of the bytes of a file in pieces."""


_NO_PATH: Final = "; a string is the path of a file of requests, and requests themselves stand in a list"


class Blocks:
    """The items of one file or pipe, a block of them at a time.

    A thread of its own waits for the bytes: a pipe may bring none for hours, and the loop waits for its threads to end.

    Args:
        path: The file; ``"-"``: standard input.
        made: What makes its items; called, and iterated, in the thread.

    Attributes:
        name: For messages.
        size: Bytes of the file; ``None`` if that cannot be known.
        position: Bytes read so far.

    Raises:
        InvalidRequestError: There is no such file, or it cannot be read.
    """

    def __init__(self, path: Path | str, made: Made) -> None:
        self.name: str = name_of(path)
        self._made = made
        self._owns = path != "-"
        try:
            # Opening a named pipe waits for whoever writes to it: that, too, is for the thread.
            is_pipe = self._owns and stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116
            self._fd = None if is_pipe else os.open(path, os.O_RDONLY) if self._owns else _STDIN
            status = os.stat(path if self._fd is None else self._fd)  # noqa: PTH116
        except OSError as error:
            hint = "" if {".", "/", os.sep}.intersection(self.name) else _NO_PATH
            raise InvalidRequestError("source", self.name, message=f"{self.name}: {error.strerror}{hint}") from None
        if stat.S_ISDIR(status.st_mode) and self._fd is not None:
            os.close(self._fd)
            raise InvalidRequestError("source", self.name, "a file, not a directory")
        self.size: int | None = status.st_size if stat.S_ISREG(status.st_mode) else None
        self.position: int = 0
        self._is_at_end = False
        self._asked: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[Items]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def block(self) -> Items:
        """The next items; empty after the last.

        Raises:
            InvalidRequestError: The file is none of its kind.
            OSError: Reading failed.
        """
        if self._is_at_end:
            return ()
        items = await self._read()
        self._is_at_end = self._is_at_end or not items
        return items

    async def _read(self) -> Items:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=f"rows of {self.name}", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Items] = loop.create_future()
        self._asked.put((loop, future))
        return await future

    def _pieces(self) -> Iterator[bytes]:
        if self._fd is None:
            self._fd = os.open(self.name, os.O_RDONLY)
        while data := os.read(self._fd, BLOCK_BYTES):
            self.position += len(data)
            yield data

    def _serve(self) -> None:
        blocks = self._made(self._pieces())
        while (asked := self._asked.get()) is not None:
            loop, future = asked
            items: Items = ()
            failure: Exception | None = None
            try:
                items = next(blocks, ())
            except Exception as error:  # whatever it is, somebody waits for it
                failure = error
            try:
                loop.call_soon_threadsafe(_settle, future, items, failure)
            except RuntimeError:  # the loop ended while we waited for bytes
                break
        if self._owns and self._fd is not None:
            os.close(self._fd)

    def close(self) -> None:
        """Read no more. Never waits."""
        self._is_at_end = True
        if self._thread is not None:
            self._asked.put(None)
        elif self._owns and self._fd is not None:
            self._owns = False
            os.close(self._fd)


def _settle(future: asyncio.Future[Items], items: Items, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(items)


def name_of(path: Path | str) -> str:
    """The name by which messages call a source: its path, or ``<stdin>``."""
    return "<stdin>" if path == "-" else str(path)
