"""Lines of a file or of standard input, read off the event loop and only when asked for."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from ...errors import InvalidRequestError
from .encodings import utf8_of

BLOCK_BYTES: Final = 2**20
MAX_LINE_BYTES: Final = 256 * 2**20
_STDIN: Final = 0


class Lines:
    """The lines of one file or pipe, a block of them at a time. What they are written in is told by how they begin.

    A thread of its own waits for the bytes: a pipe may bring none for hours, and the loop waits for its threads to end.

    Args:
        path: The file; ``"-"``: standard input.

    Attributes:
        name: For messages.
        size: Bytes of the file; ``None`` if that cannot be known.
        position: Bytes read so far.

    Raises:
        InvalidRequestError: There is no such file, or it cannot be read.
    """

    def __init__(self, path: Path | str) -> None:
        self.name = "<stdin>" if path == "-" else str(path)
        self._owns = path != "-"
        try:
            # Opening a named pipe waits for whoever writes to it: that, too, is for the thread.
            is_pipe = self._owns and stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116
            self._fd = None if is_pipe else os.open(path, os.O_RDONLY) if self._owns else _STDIN
            status = os.stat(path if self._fd is None else self._fd)  # noqa: PTH116
        except OSError as error:
            raise InvalidRequestError("source", self.name, message=f"{self.name}: {error.strerror}") from None
        if stat.S_ISDIR(status.st_mode) and self._fd is not None:
            os.close(self._fd)
            raise InvalidRequestError("source", self.name, "a file, not a directory")
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        self.position = 0
        self._rest: list[bytes] = []
        self._is_at_end = False
        self._asked: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[bytes]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def block(self) -> list[bytes]:
        """The next lines, without their ends; ``[]`` after the last.

        Raises:
            InvalidRequestError: A line is longer than 256 MiB, or there are no lines: see `encodings`.
            OSError: Reading failed.
        """
        while not self._is_at_end:
            data = await self._read()
            if not data:
                self._is_at_end = True
                last, self._rest = b"".join(self._rest), []
                return [last] if last else []
            if (end := data.rfind(b"\n")) < 0:
                self._rest.append(data)
                if sum(map(len, self._rest)) > MAX_LINE_BYTES:
                    raise InvalidRequestError("source", self.name, f"lines of at most {MAX_LINE_BYTES:,} bytes")
                continue
            self._rest.append(data[:end])
            lines = b"".join(self._rest).split(b"\n")
            self._rest = [data[end + 1 :]]
            return lines
        return []

    async def _read(self) -> bytes:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=f"lines of {self.name}", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        self._asked.put((loop, future))
        return await future

    def _pieces(self) -> Iterator[bytes]:
        if self._fd is None:
            self._fd = os.open(self.name, os.O_RDONLY)
        while data := os.read(self._fd, BLOCK_BYTES):
            self.position += len(data)
            yield data

    def _serve(self) -> None:
        pieces = utf8_of(self._pieces(), self.name)
        while (asked := self._asked.get()) is not None:
            loop, future = asked
            data: bytes = b""
            failure: Exception | None = None
            try:
                data = next(pieces, b"")
            except Exception as error:  # whatever it is, somebody waits for it
                failure = error
            try:
                loop.call_soon_threadsafe(_settle, future, data, failure)
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


def _settle(future: asyncio.Future[bytes], data: bytes, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(data)
