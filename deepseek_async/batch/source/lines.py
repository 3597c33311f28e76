"""JSON lines, in pieces of any size; one JSON array of rows is read as if each of them had a line of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Final

import msgspec

from ...errors import InvalidRequestError
from .template import Template

MAX_LINE_BYTES: Final = 256 * 2**20
# So many lines are looked at to tell a file that has no rows from one with bad rows in it.
_LOOKED_AT: Final = 20
_KINDS: Final = "JSON lines, a JSON array of rows, CSV (NAME.csv), TSV (NAME.tsv) or Parquet (NAME.parquet)"

_decode: Final = msgspec.json.Decoder().decode


def lines_of(pieces: Iterator[bytes], name: str, template: Template | None = None) -> Iterator[list[bytes]]:
    """The lines of a file without their ends, a block of them at a time.

    Args:
        pieces: The file in UTF-8.
        name: The file's, for messages.
        template: Has to find the columns that its prompt names, in one of the first rows at least.

    Raises:
        InvalidRequestError: A line is longer than 256 MiB; none of the first lines is a JSON object, or has a column.
    """
    start = b""
    while not start.strip() and (piece := next(pieces, b"")):
        start += piece
    pieces = chain((start,), pieces)
    is_array = start.lstrip().startswith(b"[")
    blocks = _elements_of(pieces, name) if is_array else _split(pieces, name)
    begun: list[list[bytes]] = []
    looked_at: list[bytes] = []
    for block in blocks:
        begun.append(block)
        looked_at += [line for line in block if line.strip()][: _LOOKED_AT - len(looked_at)]
        if len(looked_at) >= _LOOKED_AT or any(map(_names_in, looked_at)):
            break
    if looked_at:
        names = dict.fromkeys(chain.from_iterable(map(_names_in, looked_at)))
        is_document = looked_at[0].strip() == b"{"  # objects within it may have a line to themselves
        if is_document or (not names and not any(line.strip() == b"{}" for line in looked_at)):
            message = f"{name} has no rows: {_what_is(looked_at)}; a source is {_KINDS}"
            raise InvalidRequestError("source", name, message=message)
        if template is not None:
            template.check(names, name)
    yield from begun
    yield from blocks


def _split(pieces: Iterator[bytes], name: str) -> Iterator[list[bytes]]:
    rest: list[bytes] = []
    size = 0
    for data in pieces:
        if (end := data.rfind(b"\n")) < 0:
            rest.append(data)
            size += len(data)
            if size > MAX_LINE_BYTES:
                raise InvalidRequestError("source", name, f"lines of at most {MAX_LINE_BYTES:,} bytes")
            continue
        rest.append(data[:end])
        lines = b"".join(rest).split(b"\n")
        rest, size = [data[end + 1 :]], len(data) - end - 1
        yield lines
    if last := b"".join(rest):
        yield [last]


def _names_in(line: bytes) -> Collection[str]:
    """The keys of the object that a line is; none if it is none."""
    try:
        value = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return value.keys() if isinstance(value, dict) else ()


def _what_is(lines: list[bytes]) -> str:
    first = lines[0].strip()
    if first == b"{":
        return "it is one JSON document over many lines, and not an object on each"
    if b"\0" in first or (not first.isascii() and _is_binary(first)):
        return "its bytes are no text"
    try:
        kind = type(_decode(first)).__name__
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "its first lines are no JSON"
    return f"its first lines are JSON, and no objects ({kind})"


def _is_binary(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return True
    return False


# -- one array -------------------------------------------------------------------------------------------------------

_MARKS: Final = re.compile(rb'["\\{}\[\]]')


def _elements_of(pieces: Iterator[bytes], name: str) -> Iterator[list[bytes]]:
    """The elements of an array, as lines: cut where a comma stands between two of them."""
    scan = _Elements(name)
    for piece in pieces:
        if found := scan.receive(piece):
            yield found
    scan.end()


class _Elements:
    """Finds where the elements of an array of objects begin and end, in pieces of any size. Nothing is decoded here.

    Args:
        name: The file's, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._begun: list[bytes] = []  # of the element in progress
        self._size = 0
        self._depth = 0
        self._in_string = self._escaped = False
        self._is_over = False

    def receive(self, piece: bytes) -> list[bytes]:
        """The elements that end in a piece."""
        found: list[bytes] = []
        start = 0  # of what of this piece belongs to the element in progress
        skip = -1
        if self._escaped:
            self._escaped, skip = False, 0
        for match in _MARKS.finditer(piece):
            at, mark = match.start(), match[0]
            if at == skip:
                continue
            if self._in_string:
                if mark == b"\\":
                    skip = at + 1
                    self._escaped = skip == len(piece)
                elif mark == b'"':
                    self._in_string = False
                continue
            if self._depth == 1 and mark != b"]":
                if mark != b"{" or self._is_over:
                    raise self._wrong("an element of its array is no object")
                self._between(piece[start:at], is_inside=True)
                start = at
            if mark == b'"':
                self._in_string = True
            elif mark in b"{[":
                if self._is_over:
                    raise self._wrong("something follows its array")
                self._depth += 1
                start = at + 1 if self._depth == 1 else start
            elif mark in b"}]":
                self._depth -= 1
                if self._depth == 1:
                    found.append(b"".join((*self._begun, piece[start : at + 1])).replace(b"\n", b" "))
                    self._begun, self._size, start = [], 0, at + 1
                elif self._depth == 0:
                    self._between(piece[start:at], is_inside=True)
                    self._is_over, start = True, at + 1
        rest = piece[start:]
        if self._depth > 1:
            self._begun.append(rest)
            self._size += len(rest)
            if self._size > MAX_LINE_BYTES:
                raise InvalidRequestError("source", self._name, f"rows of at most {MAX_LINE_BYTES:,} bytes")
        else:
            self._between(rest, is_inside=self._depth == 1)
        return found

    def end(self) -> None:
        """The file is over."""
        if not self._is_over:
            raise self._wrong("its array has no end; is it still being written?")

    def _between(self, data: bytes, *, is_inside: bool) -> None:
        if data.strip(b" \t\r\n," if is_inside else b" \t\r\n"):
            raise self._wrong("an element of its array is no object" if is_inside else "something follows its array")

    def _wrong(self, what: str) -> Any:
        return InvalidRequestError("source", self._name, message=f"{self._name} cannot be read: {what}")
