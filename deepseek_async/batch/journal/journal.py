"""The journal of a run: the output file with the rows that are finished, and a side file with those that were sent.

    journal = Journal.open(output, durability="power", settings={...})   # blocks: seconds for a million rows
    journal.has_line(line, number), journal.has(row)                     # whether a row is done; `RowSource` asks
    journal.mark_all(rows)                                               # rows are about to be sent
    journal.record(outcome, row, body, cost=Decimal("0.0001"))           # a row is finished; an awaitable, or None
    await journal.aclose(report={...})                                   # the closing report; unlocks the output

| file | what | when |
| --- | --- | --- |
| OUTPUT | one line for each finished row: OpenAI's batch output, and ``x`` | when the row is finished |
| OUTPUT.run.jsonl | the header of each run | when it begins |
| | a mark for each row: it is about to be sent | when the row is pulled from the source |
| | how the run goes: the limit, what is in flight, refusals | ten times a second, and ever more seldom |
| | the closing report of each run | when it ends |

A row that failed and was sent again by a later run has a line for each of those runs. The last one holds.

Every line is appended by one call of the system, alone or with those of rows that are sent together, and nothing goes
on before: if the process is killed, nothing is lost that was recorded. With ``durability="power"`` lines are also
brought to the disk, in groups and off the event loop. A row is not sent before its mark is on the disk; what `record`
returns is done when the row's line is.

The files are looked at from time to time, and at the end: a run stops when somebody has moved or cut one of them.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, Self

from ...errors import InvalidRequestError
from ..faults import is_of_run
from ..outcomes import Failed, Outcome
from ..source.row import Row
from .append import Appending, MovedError, sync_directory
from .disk import Disk, failed
from .index import Index, index_of, last_pid
from .known_rows import Done
from .lines import closing_line, finished_line, header_line, mark_line, moment_line

Durability = Literal["process", "power"]

CHECK_SECONDS: Final = 1.0
"""With ``durability="process"``, between two looks at whether the files are still where they were."""

_log = logging.getLogger("deepseek_async")


class Journal:
    """The journal of one run, open for writing and locked against other runs. See `Journal.open`.

    Its attributes are what earlier runs have left, the files, and what this run has written so far.

    Attributes:
        output: The output file.
        run: Which run on this output it is, from 1.
        succeeded_before: Rows that earlier runs have finished well.
        failed_before: Rows that failed in earlier runs and whose last line is that failure.
        has_line, has: Which rows are done or under way; see `Done`.
        unfinished: Ids that earlier runs sent and never finished: they may have been billed.
        moved: Whether, and how, a file was found to have been moved or changed by somebody else.
    """

    def __init__(self, output: Path, index: Index, rows: Appending, side: Appending, disk: Disk | None) -> None:
        self.output = output
        self.run: int = index.runs + 1
        self._done = Done(output, index)
        self.has_line: Callable[[bytes, int], bool] = self._done.has_line
        self.has: Callable[[Row], bool] = self._done.has
        self.succeeded_before: int = len(index.done)
        self.failed_before: int = len(index.failed)
        self.unfinished: frozenset[str] = frozenset(index.unfinished)
        self._billed = self.unfinished | index.billed_failures
        self._again = index.again
        self._rows = rows
        self._side = side
        self._disk = disk
        self._prefix = f"batch_req_{time.time_ns() // 1_000_000:x}_"
        self._number = 0
        self._marked: set[str] = set()  # and without an outcome yet
        self._checked_at = 0.0
        self.moved: MovedError | None = None

    @property
    def given_up_seen(self) -> int:
        """Rows of the source that were passed over because an earlier run has given them up."""
        return self._done.given_up_seen

    @property
    def sent_again(self) -> tuple[str, ...]:
        """Ids that were sent, by this run or one before it, and may have been billed for an earlier run already."""
        return tuple(self._again)

    @classmethod
    def open(
        cls,
        output: Path | str,
        *,
        resume: bool = True,
        durability: Durability = "power",
        retry_permanent: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Lock the output, repair its torn end, and read what is done. Needs no event loop; call it in a thread.

        Args:
            output: The output file; made if it is missing. Its folder must exist.
            resume: Whether the output may hold rows of earlier runs.
            durability: What recorded rows survive: ``"process"``: that this process is killed; ``"power"``: that the
                machine loses power, too.
            retry_permanent: Send rows again that failed for good, too.
            settings: Noted in the run's header: plain JSON values.

        Raises:
            InvalidRequestError: Another run writes to this output; it is no journal; it has rows and ``resume`` is
                False; a value is out of range.
            OSError: The files cannot be made, read or written.
        """
        if durability not in ("process", "power"):
            raise InvalidRequestError("durability", durability, "'process' or 'power'")
        path = Path(output)
        side_path = side_file_of(path)
        try:
            rows = Appending(path)
        except OSError as error:
            raise InvalidRequestError("output", str(path), message=f"{path}: {error.strerror}") from None
        side: Appending | None = None
        try:
            if (is_locked := rows.lock()) is False:
                raise _locked(path, side_path)
            if is_locked is None:
                with suppress(Exception):  # a handler of the log's may raise anything
                    _log.warning("%s: this file system has no locks; see to it that no other run writes there", path)
            if not resume and rows.size:
                raise InvalidRequestError(
                    "resume", resume, message=f"{path} has rows already: resume, or choose another output"
                )
            index = index_of(path, side_path, retry_permanent=retry_permanent)
            side = Appending(side_path)
            rows.repair(index.rows_end)
            side.repair(index.side_end)
            side.append(header_line(os.getpid(), index.runs + 1, time.time(), settings or {}))
            if durability == "power":
                rows.sync()
                side.sync()
                sync_directory(path.parent)
        except BaseException:
            if side is not None:
                side.close()
            rows.close()
            raise
        disk = Disk((side, rows)) if durability == "power" else None
        return cls(path, index, rows, side, disk)

    # -- writing -----------------------------------------------------------------------------------------------------

    def mark(self, row: Row) -> Awaitable[None] | None:
        """Note that a row is about to be sent; to be awaited before, if there is something to await.

        Raises:
            OSError: It cannot be noted.
        """
        name = row.name
        self._marked.add(name)
        is_again = name in self._billed and name not in self._again
        self._side.append(mark_line(name, row.attempts + 1, is_again=is_again))
        if is_again:
            self._again[name] = None
        return None if self._disk is None else self._disk.synced()

    def mark_all(self, rows: Sequence[Row]) -> None:
        """Note that rows are about to be sent, all by one call of the system.

        Each row has in ``marked`` then what is to be awaited before it is sent, if anything is. If they cannot be
        noted, that raises `OSError`.
        """
        before = len(self._again)
        try:
            with self._side.at_once():
                for row in rows:
                    row.marked = self.mark(row)
        except OSError as error:
            for row in rows:
                row.marked = failed(error)
            for name in list(self._again)[before:]:
                del self._again[name]

    def note(self, *, limit: int, in_flight: int, refusals: int) -> None:
        """Note how the run goes at this moment, for its report. What cannot be written is left out."""
        with suppress(OSError):
            self._side.append(moment_line(time.time(), limit=limit, in_flight=in_flight, refusals=refusals))

    def record(self, outcome: Outcome, row: Row, body: bytes, *, cost: Decimal | None = None) -> Awaitable[None] | None:
        """Append a finished row.

        Args:
            outcome: How it ended.
            row: The row.
            body: The JSON of the answer; ``b""`` where there is none.
            cost: What it cost, if that is known.

        Returns:
            With ``durability="power"`` something to await: done once the row is on disk. Not awaiting it is allowed;
            `aclose` waits for all.

        Raises:
            OSError: It cannot be written: the disk is full.
        """
        self._number += 1
        line = finished_line(
            outcome,
            row,
            body,
            line_id=f"{self._prefix}{self._number}",
            run=self.run,
            cost=cost,
            is_permanent=isinstance(outcome, Failed) and outcome.is_permanent and not is_of_run(outcome.error),
            may_be_billed=isinstance(outcome, Failed) and (row.may_be_billed or outcome.error.may_be_billed),
        )
        self._rows.append(line)
        self._marked.discard(row.name)
        self._done.ended(row)
        if self._disk is not None:
            return self._disk.synced()
        if (now := time.monotonic()) >= self._checked_at + CHECK_SECONDS:
            self._checked_at = now
            self._check()
        return None

    def _check(self) -> None:
        try:
            self._rows.check()
            self._side.check()
        except MovedError as error:
            self.moved = self.moved or error

    async def aclose(self, report: Mapping[str, Any] | None = None) -> None:
        """Append the closing report, wait for the disk, and let go of the files. Closing twice does nothing.

        Args:
            report: Plain JSON values; ``None``: the run ends without a report, as if it had been killed.

        Raises:
            MovedError: A file was moved or changed by somebody else; the message says what is where.
            OSError: It cannot be written. The files are closed nevertheless.
        """
        if self._side.is_closed:
            return
        self._check()
        try:
            if report is not None and self.moved is None:  # else its list of what is unfinished would hide rows
                unsent = sorted(self._marked.difference(report.get("unfinished") or ()))
                self._side.append(closing_line(self.run, time.time(), report, unsent))
            if self._disk is not None:
                await self._disk.aclose()
            self._check()
            if self.moved is not None:
                raise self.moved
        finally:
            for file in (self._side, self._rows):
                try:
                    if self.moved is not None:
                        file.rescue()
                finally:
                    file.close()


def side_file_of(output: Path) -> Path:
    """Where the runs' headers, marks and reports of an output are."""
    return output.with_name(output.name + ".run.jsonl")


def _locked(output: Path, side: Path) -> InvalidRequestError:
    pid = last_pid(side)
    who = "another run" if pid is None else f"another run (process {pid})"
    return InvalidRequestError(
        "output", None, message=f"{who} writes to {output}; wait for it, or choose another output"
    )
