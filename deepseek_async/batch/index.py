"""What earlier runs have left in their files: rows that are done, rows sent and never finished, a torn end."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import attrs
import msgspec

from ..errors import InvalidRequestError
from .journal_lines import HEADER_START, Finished, SideLine, finished_decoder, side_decoder

T = TypeVar("T")

# Read and decoded at once: hundreds of rows a call, and small enough to stay in the processor's cache (16 times as much
# is a third slower).
_BLOCK_BYTES: Final = 2**18
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@attrs.frozen
class Failure:
    """The last line of a row that failed."""

    body_hash: int
    line_hash: int | None
    run: int
    is_permanent: bool


@attrs.define
class Index:
    """What earlier runs on an output have left.

    Attributes:
        runs: How many there were.
        marking, marked: While marks are read, the run that they are of, and what it has added to ``unfinished``.
        done: Id → body hash, of rows that succeeded.
        failed: Id → failure, of rows whose last line is one.
        lines: Hashes of source lines that are to be passed over.
        unfinished: Ids that were sent and not finished by the run that sent them.
        again: Ids that were sent anew after that, in order.
        rows_end, side_end: Where the readable part of each file ends, in bytes.
    """

    runs: int = 0
    marking: int = 0
    done: dict[str, int] = attrs.field(factory=dict)
    failed: dict[str, Failure] = attrs.field(factory=dict)
    lines: set[int] = attrs.field(factory=set)
    unfinished: set[str] = attrs.field(factory=set)
    again: dict[str, None] = attrs.field(factory=dict)
    marked: set[str] = attrs.field(factory=set)
    rows_end: int = 0
    side_end: int = 0


def index_of(output: Path, side: Path, *, retry_permanent: bool = False) -> Index:
    """Read both files of an output. Either may be empty or missing.

    Args:
        retry_permanent: Whether rows that failed for good are not to be passed over.

    Raises:
        InvalidRequestError: A line that is not at the end cannot be read, or nothing can: it is no journal.
        OSError: Reading failed.
    """
    index = Index()
    index.rows_end, row_count = _scan(output, finished_decoder, lambda lines: _take_rows(lines, index))
    index.side_end, side_count = _scan(side, side_decoder, lambda lines: _take_side_lines(lines, index))
    for path, count, others in ((output, row_count, side_count), (side, side_count, row_count)):
        if (
            not count and not others and path.exists() and path.stat().st_size
        ):  # cutting its "torn end" would empty another's file
            raise InvalidRequestError("output", None, message=f"{path} is no output of a batch; choose another path")
    for failure in () if retry_permanent else index.failed.values():
        if failure.is_permanent and failure.line_hash is not None:
            index.lines.add(failure.line_hash)
    return index


def _take_rows(rows: Sequence[Finished], index: Index) -> None:
    done, failed, take_line = index.done, index.failed, index.lines.add
    for row in rows:
        x = row.x
        if row.error is None:
            done[row.custom_id] = int(x.body_hash, 16)
            if (line_hash := x.line_hash) is not None:
                take_line(int(line_hash, 16))
            if failed:
                failed.pop(row.custom_id, None)
        elif row.custom_id not in done:
            line = None if x.line_hash is None else int(x.line_hash, 16)
            failed[row.custom_id] = Failure(int(x.body_hash, 16), line, x.run, x.is_permanent)
    if rows:  # runs follow one another
        index.runs = max(index.runs, rows[-1].x.run)


def _take_side_lines(lines: Sequence[SideLine], index: Index) -> None:
    done, failed = index.done, index.failed
    if not {line.sent for line in lines}.difference(done):
        return  # marks of rows that are done, as nearly all are; all else would be in the difference as None
    for line in lines:
        name = line.sent or line.sent_again
        if line.sent_again is not None:
            index.again[line.sent_again] = None
        if name is None:
            if line.run is not None:
                index.marking = line.run
                index.runs = max(index.runs, line.run)
                index.marked.clear()
            elif line.report is not None:  # it knew what it had in flight
                index.unfinished -= index.marked.difference(line.report.get("unfinished") or ())
        elif name not in done and ((failure := failed.get(name)) is None or failure.run < index.marking):
            if name not in index.unfinished:
                index.marked.add(name)
            index.unfinished.add(name)


def _scan(path: Path, decoder: msgspec.json.Decoder[T], take: Callable[[Sequence[T]], None]) -> tuple[int, int]:
    """Hand all lines over, some thousands at a time.

    Returns:
        Where the last readable line ends, in bytes, and how many lines were readable.

    Raises:
        InvalidRequestError: An unreadable line stands before a readable one.
    """
    end = count = 0
    torn_at: int | None = None
    for block in _blocks(path):
        if torn_at is None:
            try:
                lines = decoder.decode_lines(block)
            except _UNREADABLE:
                pass
            else:
                take(lines)
                end, count = end + len(block), count + len(lines)
                continue
        for raw in _lines_of(block):
            line = _read(raw, decoder)
            if line is None and torn_at is None and not raw.strip():
                end += len(raw)
            elif line is None:
                torn_at = end if torn_at is None else torn_at
            elif torn_at is not None:
                raise InvalidRequestError("output", None, message=_damaged(path, torn_at))
            else:
                take((line,))
                end, count = end + len(raw), count + 1
    return end, count


def lines_in(path: Path, decoder: msgspec.json.Decoder[T]) -> Iterator[T]:
    """The readable lines of a file, one by one. None of a file that is missing."""
    for block in _blocks(path):
        try:
            yield from decoder.decode_lines(block)
        except _UNREADABLE:
            yield from (line for raw in _lines_of(block) if (line := _read(raw, decoder)) is not None)


def _blocks(path: Path) -> Iterator[bytes]:
    """A file in pieces that end where a line does, the last perhaps not; none of a file that is missing."""
    if not path.exists():
        return
    rest: list[bytes] = []
    with path.open("rb", buffering=0) as file:
        while data := file.read(_BLOCK_BYTES):
            cut = data.rfind(b"\n") + 1
            if cut:
                yield b"".join((*rest, data[:cut]))
                rest.clear()
            rest.append(data[cut:])
    if last := b"".join(rest):
        yield last


def _lines_of(block: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", block)


def _read(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T | None:
    try:
        return decoder.decode(raw)
    except _UNREADABLE:
        return None


def _damaged(path: Path, position: int) -> str:
    with path.open("rb") as file:
        number = file.read(position).count(b"\n") + 1
    return (
        f"{path}:{number} cannot be read, yet lines after it can: this is not the torn end of a run that was killed; "
        "mend or remove that line (its row is sent again), or choose another output"
    )


def last_pid(side: Path) -> int | None:
    """The process of the latest run, by its header; ``None`` if there is none to be read."""
    try:
        with side.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            start = data.rfind(HEADER_START)
            return side_decoder.decode(data[start : data.find(b"\n", start)]).pid if start >= 0 else None
    except (OSError, ValueError, *_UNREADABLE):  # ValueError: empty
        return None
