"""What is in an output's two files when a run begins: which rows are done, which were sent and never finished."""

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
        done: Rows that succeeded: of each its id with a hash, of the source's line or, if it has none, of the body.
        failed: Ids of rows whose last line is a failure. When such a row succeeds, its id is removed; another id goes
            with it with a probability of n / 2**53 (see `Fingerprints`), and then one failed row is not counted.
        given_up: Rows that failed in a way that cannot pass: of each its id with the hash of the body, and its id with
            the hash of the source's line. When such a row succeeds, both are removed; with the same probability those
            of another row go with them, and then that row is sent once more.
        runs: How many runs wrote to the output.
        unfinished: Ids of rows that a run sent, and that neither this run nor a later one finished.
        billed_failures: Ids of rows that failed although a server may have answered: their connection broke, say.
        again: Ids of rows that were sent again although an earlier run may have been billed for them, in order.
        rows_end, side_end: Where the readable part of the output, and of the side file, ends, in bytes.
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
        # A file without one readable line is somebody else's, or was written over: repairing it would empty it.
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
