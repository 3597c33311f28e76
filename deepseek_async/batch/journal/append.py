"""Files that lines are appended to: locked, repaired, and brought to the disk in groups."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import stat
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Without fdatasync (macOS, Windows) the whole of fsync is what there is.
_sync = getattr(os, "fdatasync", os.fsync)

# What a file system without locks answers: NFS without its lock service, FUSE, some network shares.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})

# Whoever asks whether a file is locked (`is_locked`) has it locked meanwhile, for some microseconds.
_LOCK_TRIES = 10
_LOCK_SECONDS = 0.01


class MovedError(OSError):
    """A file that a run writes to was renamed, removed, replaced or changed by somebody else meanwhile."""


class Appending:
    """A file that grows by whole lines. There is no buffer here: what was appended outlives the process.

    Args:
        path: The file; made if it is missing.

    Attributes:
        size: Its length in bytes.
        is_closed: Whether it is closed.

    Raises:
        OSError: It cannot be opened for writing, or it is something else than a file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        status = os.fstat(self._fd)
        self.size = status.st_size
        self.is_closed = False
        if not stat.S_ISREG(status.st_mode):  # a pipe, a terminal, /dev/null: nothing could be resumed from it
            self.close()
            raise OSError(errno.EINVAL, "Not a regular file", str(path))

    def lock(self) -> bool | None:
        """Lock the file until it is closed or the process ends.

        Returns:
            False if another process has the lock; ``None`` if the file system has no locks.
        """
        for _ in range(_LOCK_TRIES):
            try:
                if _lock(self._fd):
                    return True
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    return None
                raise
            time.sleep(_LOCK_SECONDS)
        return False

    def check(self) -> None:
        """Look whether the file is still where it was, and no shorter. May be called while a line is appended.

        Raises:
            MovedError: It is not; the message says what is where.
        """
        size = self.size
        ours = os.fstat(self._fd)
        try:
            there = os.stat(self._path)  # noqa: PTH116 - a path that was made once
        except OSError:
            there = None
        if there is not None and (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
            if ours.st_size < size:
                raise MovedError(
                    f"{self._path} was cut by somebody else while the run wrote to it, from {size:,} bytes to "
                    f"{ours.st_size:,}; rows whose lines are missing are sent again by the next run"
                )
            return
        what = "removed or renamed" if there is None else "replaced by another file"
        raise MovedError(f"{self._path} was {what} while the run wrote to it; {self._where(ours)}")

    def _where(self, ours: os.stat_result) -> str:
        if not ours.st_nlink:
            return f"its lines are saved to {self._rescue_path}: move that back to {self._path.name} and run again"
        place = path_of(self._fd)
        if place is None:
            return f"find the file with its lines, move it back to {self._path.name} and run again"
        return f"its lines are in {place}: move that back to {self._path.name} and run again"

    @property
    def _rescue_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.rescued")

    def rescue(self) -> None:
        """If the file has no name any more, write it down under another one: ``NAME.rescued``.

        Raises:
            OSError: It cannot be written.
        """
        if self.is_closed or os.fstat(self._fd).st_nlink:
            return
        with self._rescue_path.open("wb") as copy:
            os.lseek(self._fd, 0, os.SEEK_SET)
            while data := os.read(self._fd, 2**20):
                copy.write(data)
            copy.flush()
            os.fsync(copy.fileno())

    def repair(self, end: int) -> None:
        """Drop what stands after ``end``, and complete the last line."""
        if end < self.size:
            os.ftruncate(self._fd, end)
            self.size = end
        if end:
            os.lseek(self._fd, end - 1, os.SEEK_SET)
            if os.read(self._fd, 1) != b"\n":
                self.append(b"\n")

    def append(self, line: bytes) -> None:
        """Append a line, whole or not at all.

        Raises:
            OSError: The disk is full, or fails.
        """
        written = 0
        try:
            while written < len(line):
                written += os.write(self._fd, line[written:] if written else line)
        except OSError:
            if written:  # half a line before the next one would make both unreadable
                os.ftruncate(self._fd, self.size)
            raise
        self.size += written

    def sync(self) -> None:
        """Bring all to the disk. Blocks."""
        _sync(self._fd)

    def close(self) -> None:
        """Close the file, and with it let the lock go. Closing twice does nothing."""
        if not self.is_closed:
            self.is_closed = True
            os.close(self._fd)


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


def path_of(fd: int) -> str | None:
    """Where an open file is now, if the system tells."""
    try:
        return os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115 - no file of ours
    except OSError:
        return None


def sync_directory(path: Path) -> None:
    """Bring a folder's entries to the disk, so that a new file is found after a loss of power."""
    if sys.platform != "win32":
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def is_locked(path: Path) -> bool | None:
    """Whether a process has a file locked, by `Appending.lock`, at this moment. Changes nothing about it.

    Returns:
        ``None``: it cannot be known, the file system has no locks.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return not _lock_with_others(fd)
    except OSError:
        return None
    finally:
        os.close(fd)


if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 2**40  # locks forbid reading there, too: far behind the end

    def _lock(fd: int) -> bool:
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _lock_with_others(fd: int) -> bool:
        if not _lock(fd):
            return False
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)  # closing would do it, but not at once
        return True
else:
    import fcntl

    def _lock(fd: int) -> bool:
        return _flock(fd, fcntl.LOCK_EX)

    def _lock_with_others(fd: int) -> bool:
        return _flock(fd, fcntl.LOCK_SH)

    def _flock(fd: int, kind: int) -> bool:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
