"""HTTP's chunked transfer coding, as far as it can be read at a glance. Its chunks are called frames here.

Source: RFC 9112 section 7.1. Only what nearly every server writes is known: a size in hexadecimal digits without zeros
before it or extensions behind it, and data. Anything else is left to aiohttp's parser.
"""

from __future__ import annotations

import re
from typing import Final

_MAX_LENGTHS: Final = 4096  # so many are kept
_MAX_SIZE_LINE: Final = 10  # bytes: seven digits and what ends the line may be cut by the end of a read
_SIZE: Final = re.compile(rb"([1-9a-fA-F][0-9a-fA-F]{0,6})\r\n")

_SIZE_LINES: dict[int, tuple[bytes, ...]] = {}


def _size_lines(length: int) -> tuple[bytes, ...]:
    """How a read of that many bytes begins if it is one frame, in small letters and in capitals; ``()``: it is none."""
    found: tuple[bytes, ...] = ()
    for digits in range(1, 8):
        size = length - digits - 4
        if size > 0 and len(f"{size:x}") == digits:
            found = b"%x\r\n" % size, b"%X\r\n" % size
    if len(_SIZE_LINES) >= _MAX_LENGTHS:
        _SIZE_LINES.clear()
    _SIZE_LINES[length] = found
    return found


def body_in(data: bytes) -> bytes | None:
    """What whole frames hold; ``None`` if the data is anything else, as nothing is, or the last frame."""
    lines = _SIZE_LINES.get(len(data))
    if lines is None:
        lines = _size_lines(len(data))
    if data.startswith(lines) and data.endswith(b"\r\n"):
        return data[len(lines[0]) : -2]
    parts: list[bytes] = []
    at, end = 0, len(data)
    while at < end:
        found = _SIZE.match(data, at)
        if found is None:
            return None
        start = found.end()
        at = start + int(found[1], 16) + 2
        if at > end or not data.endswith(b"\r\n", start, at):
            return None
        parts.append(data[start : at - 2])
    return b"".join(parts) or None


class Boundaries:
    """Where frames end in what comes, so that it is known when a read begins with a frame.

    Attributes:
        are_known: Whether it can be said.
        is_at_one: Whether the next byte is the first of a frame.
    """

    __slots__ = ("_cut", "_left", "are_known", "is_at_one")

    def __init__(self) -> None:
        self.are_known: bool = True
        self.is_at_one: bool = True
        self._left = 0  # bytes of the frame in progress, with its line end
        self._cut = b""  # the beginning of a size

    def pass_by(self, data: bytes) -> None:
        """Take what one read brought that was left to aiohttp's parser."""
        if not self.are_known:
            return
        data, at = self._cut + data, self._left
        self._cut = b""
        end = len(data)
        if at and not _may_end_at(at, data):
            self.are_known = self.is_at_one = False
            return
        while at < end:
            found = _SIZE.match(data, at)
            if found is None:
                if end - at >= _MAX_SIZE_LINE:
                    self.are_known = self.is_at_one = False
                    return
                self._cut = data[at:]
                self._left = 0
                self.is_at_one = False
                return
            at = found.end() + int(found[1], 16) + 2
            if not _may_end_at(at, data):
                self.are_known = self.is_at_one = False
                return
        self._left = at - end
        self.is_at_one = not self._left


def _may_end_at(place: int, data: bytes) -> bool:
    """Whether a frame that is to end there ends with CRLF, as far as that has come. aiohttp takes LF alone, too."""
    start = max(place - 2, 0)
    line_end = data[start:place]
    return b"\r\n".startswith(line_end, start - place + 2) if line_end else True


def boundaries_behind_head(heard: bytes) -> Boundaries | None:
    """Where frames end behind the head of an answer; ``None``: there are none, or where the head ends is not known."""
    end = heard.find(b"\r\n\r\n")
    if (
        heard.find(b"hunked", 0, max(end, 0)) < 0
        or not heard.startswith(b"HTTP/1.1 ")
        or heard.count(b"\n", 0, end) != heard.count(b"\r\n", 0, end)
    ):
        return None  # aiohttp takes lines that end with LF alone, too: then the blank one may stand before
    boundaries = Boundaries()
    boundaries.pass_by(heard[end + 4 :])
    return boundaries if boundaries.are_known else None
