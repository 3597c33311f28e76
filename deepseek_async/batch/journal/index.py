"""What earlier runs have left in their files: rows that are done, rows sent and never finished, a torn end."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from ...errors import InvalidRequestError
from .fingerprints import Fingerprints
from .lines import HEADER_START, Finished, finished_decoder, side_decoder
from .scan import UNREADABLE, Scan, has_whole_lines
from .unfinished import Marks


@attrs.define
class Index:
    """What earlier runs on an output have left.

    Attributes:
        done: Rows that succeeded: id with the hash of the source's line or, where there was none, of the body.
        failed: Ids of rows whose last line is a failure. A success takes its id out, and with a probability of
            n / 2**53 another one's with it: that row is not counted, and nothing else.
        given_up: Rows that failed for good: id with the hash of the body, and of the line if there was one. Likewise:
            with that probability one is sent once more.
        runs: How many there were.
        unfinished: Ids that were sent, and not finished by the run that sent them or a later one.
        billed_failures: Ids of rows that failed, yet may have been billed: their connection broke, say.
        again: Ids that were sent anew after that, in order.
        rows_end, side_end: Where the readable part of each file ends, in bytes.
    """

    done: Fingerprints = attrs.field(factory=lambda: Fingerprints(with_digests=True))
    failed: Fingerprints = attrs.field(factory=Fingerprints)
    given_up: Fingerprints = attrs.field(factory=lambda: Fingerprints(with_digests=True))
    runs: int = 0
    unfinished: set[str] = attrs.field(factory=set)
    billed_failures: set[str] = attrs.field(factory=set)
    again: dict[str, None] = attrs.field(factory=dict)
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
    rows, side_lines = Scan(output, finished_decoder), Scan(side, side_decoder)
    marks = Marks(_taken(rows, index, retry_permanent=retry_permanent), side_lines)
    for path, scan, other in ((output, rows, side_lines), (side, side_lines, rows)):
        # Cutting its "torn end" would empty another's file, or one that was written over since.
        if not scan.count and path.exists() and path.stat().st_size and (not other.count or has_whole_lines(path)):
            raise InvalidRequestError("output", None, message=f"{path} is no output of a batch; choose another path")
    index.runs, index.unfinished, index.again = marks.runs, marks.unfinished, marks.again
    index.rows_end, index.side_end = rows.end, side_lines.end
    return index


def _taken(scan: Scan[Finished], index: Index, *, retry_permanent: bool) -> Iterator[Sequence[Finished]]:
    done, failed = index.done, index.failed
    for rows in scan:
        for row in rows:
            name, x = row.custom_id, row.x
            if row.error is None:
                if failed and failed.has(name):
                    failed.discard(name)
                    index.given_up.discard(name)
                done.add(name, x.line_hash or x.body_hash)
            elif not done.has(name):
                if x.may_be_billed:
                    index.billed_failures.add(name)
                if not failed.has(name):
                    failed.add(name)
                index.given_up.discard(name)
                if x.is_permanent and not retry_permanent:
                    index.given_up.add(name, x.body_hash)
                    if x.line_hash is not None:
                        index.given_up.add(name, x.line_hash)
        yield rows


def last_pid(side: Path) -> int | None:
    """The process of the latest run, by its header; ``None`` if there is none to be read."""
    try:
        with side.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            start = data.rfind(HEADER_START)
            return side_decoder.decode(data[start : data.find(b"\n", start)]).pid if start >= 0 else None
    except (OSError, ValueError, *UNREADABLE):  # ValueError: empty
        return None
