"""Files that lines are appended to: locked, repaired, looked after."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .locks import lock_file

# Without fdatasync (macOS, Windows) the whole of fsync is what there is.
_sync = getattr(os, "fdatasync", os.fsync)


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
        self._path = path.absolute()  # the program may change its directory
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        status = os.fstat(self._fd)
        self.size: int = status.st_size
        self.is_closed: bool = False
        self._gathered: list[bytes] | None = None
        if not stat.S_ISREG(status.st_mode):  # a pipe, a terminal, /dev/null: nothing could be resumed from it
            self.close()
            raise OSError(errno.EINVAL, "Not a regular file", str(path))

    def lock(self) -> bool | None:
        """Lock the file until it is closed or the process ends; see `lock_file`."""
        return lock_file(self._fd)

    def check(self) -> None:
        """Look whether the file is still where it was, and no shorter. May be called while a line is appended.

        Raises:
            MovedError: It is not; the message says what is where.
        """
        size = self.size
        ours = os.fstat(self._fd)
        try:
            there = os.stat(self._path)  # noqa: PTH116 - a path that was made once
        except (FileNotFoundError, NotADirectoryError):
            there = None
        except OSError:  # it cannot be known now
            return
        if there is not None and _is_same(there, ours, os.fstat(self._fd)):
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
        if self._gathered is not None:
            self._gathered.append(line)
            return
        written = 0
        try:
            while written < len(line):
                written += os.write(self._fd, line[written:] if written else line)
        except OSError:
            if written:  # half a line before the next one would make both unreadable
                os.ftruncate(self._fd, self.size)
            raise
        self.size += written

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Lines that are appended in the block are so by one call of the system at its end, all or none.

        Raises:
            OSError: As `append`.
        """
        gathered = self._gathered = list[bytes]()
        try:
            yield
        finally:
            self._gathered = None
        self.append(b"".join(gathered))

    def sync(self) -> None:
        """Bring all to the disk. Blocks."""
        _sync(self._fd)

    def close(self) -> None:
        """Close the file, and with it let the lock go. Closing twice does nothing."""
        if not self.is_closed:
            self.is_closed = True
            os.close(self._fd)


def _is_same(there: os.stat_result, ours: os.stat_result, later: os.stat_result) -> bool:
    """Whether a look at a path found our file, of which the other two were taken before and after it.

    By size and time where a network file system makes up inode numbers: they lie between those before and after, since
    lines may be appended meanwhile.
    """
    if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
        return True
    return ours.st_size <= there.st_size <= later.st_size and ours.st_mtime_ns <= there.st_mtime_ns <= later.st_mtime_ns


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
