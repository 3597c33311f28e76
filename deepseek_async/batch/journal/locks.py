"""Locks on files, so that only one run at a time writes to an output.

The operating system frees a lock when its process ends, however that happens: a killed run leaves no lock behind.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

# What a file system without locks answers: NFS without its lock service, FUSE, some network shares.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})

# Whoever asks whether a file is locked (`is_locked`) has it locked meanwhile, for some microseconds.
_LOCK_TRIES = 10
_LOCK_SECONDS = 0.01


def lock_file(fd: int) -> bool | None:
    """Lock an open file until it is closed or the process ends.

    Returns:
        False if another process has the lock; ``None`` if the file system has no locks.
    """
    for _ in range(_LOCK_TRIES):
        try:
            if _lock(fd):
                return True
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return None
            raise
        time.sleep(_LOCK_SECONDS)
    return False


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
