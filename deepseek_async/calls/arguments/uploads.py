"""A path, bytes or an open file, as the file of a form."""

from __future__ import annotations

import io
import mimetypes
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from ...errors import InvalidRequestError
from ...transport import FormFile

_UNKNOWN: Final = "application/octet-stream"
_ALLOWED: Final = "a path, bytes, or a binary file that is open and can be rewound"


def form_file_of(file: Any, *, filename: str | None, media_type: str | None, most: int | None) -> FormFile:
    """What is sent of it.

    Args:
        most: Bytes that it may have; ``None``: as many as it has.

    Raises:
        InvalidRequestError: It is no file, it cannot be read, or it is empty or too large.
    """
    for name, value in (("filename", filename), ("media_type", media_type)):
        if value is not None and (not isinstance(value, str) or not value or any(c < " " for c in value)):
            raise InvalidRequestError(name, None, "text of one line, or None")
    own_name, size, opener = _facts_of(file)
    if size == 0:
        raise InvalidRequestError("file", own_name, "a file that is not empty")
    if most is not None and size > most:
        raise InvalidRequestError("file", own_name, f"at most {most:,} bytes, and it has {size:,}")
    name = filename or own_name or "upload"
    return FormFile(name, media_type or mimetypes.guess_type(name)[0] or _UNKNOWN, size, opener)


def _facts_of(file: Any) -> tuple[str | None, int, Callable[[], BinaryIO]]:
    """Its name, its size, and what opens it."""
    if isinstance(file, (bytes, bytearray, memoryview)):
        data = bytes(file)
        return None, len(data), lambda: io.BytesIO(data)
    if not isinstance(file, (str, os.PathLike)):
        return _of_open_file(file)
    path = Path(os.fspath(file))
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise InvalidRequestError("file", str(path), f"a file that can be read ({reason})") from None
    if not stat.S_ISREG(facts.st_mode):
        raise InvalidRequestError("file", str(path), "a regular file")
    if not os.access(path, os.R_OK):
        raise InvalidRequestError("file", str(path), "a file that can be read (permission denied)")
    return path.name, facts.st_size, lambda: path.open("rb")


def _of_open_file(file: Any) -> tuple[str | None, int, Callable[[], BinaryIO]]:
    if not callable(getattr(file, "read", None)) or isinstance(file, io.TextIOBase):
        raise InvalidRequestError("file", None, f"{_ALLOWED}, not {type(file).__name__}")
    try:
        begin = file.tell()
        size = file.seek(0, os.SEEK_END) - begin
        file.seek(begin)
    except (OSError, ValueError, AttributeError, TypeError):
        raise InvalidRequestError("file", None, f"{_ALLOWED}; this one cannot be rewound, or is closed") from None
    name = getattr(file, "name", None)

    def open_again() -> BinaryIO:
        file.seek(begin)
        return cast(BinaryIO, _Lent(file))

    return Path(name).name if isinstance(name, str) else None, size, open_again


class _Lent:
    """A file of the caller's: closing it leaves the caller's open."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read

    def close(self) -> None:
        """It is not ours to close."""
