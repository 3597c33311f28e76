"""Rows that were sent and not finished: those that have a mark in the side file and no line in the output.

Both files are in the order of time, so they are read in step: the line of a row comes soon after its mark. Only ids
whose line has not come yet are remembered, which are about as many as were ever in flight at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from .lines import Finished, SideLine

# When more ids than this wait for their lines, the output is read on. More than are in flight by default.
_WAITING: Final = 10_000


class Marks:
    """What the runs on an output have sent and not finished.

    Args:
        finished: The output's lines, in order; read to the end.
        side: The side file's; read to the end.

    Attributes:
        runs: How many runs there were.
        unfinished: Ids that were sent, and not finished by the run that sent them or a later one.
        again: Ids that were sent anew after a run was killed that had them in flight, in order.
        report: The closing report of the latest run; ``None``: it has not ended, or was killed.
    """

    def __init__(self, finished: Iterable[Sequence[Finished]], side: Iterable[Sequence[SideLine]]) -> None:
        self.runs: int = 0
        self.unfinished: set[str] = set()
        self.again: dict[str, None] = {}
        self.report: Mapping[str, Any] | None = None
        self._finished = (rows for rows in finished if rows)
        self._rows: Sequence[Finished] = ()  # of these, read and not looked at
        self._run: float = 0
        self._waiting: set[str] = set()  # marked by the present run, no line seen yet
        self._early: set[str] = set()  # the other way round
        for lines in side:
            sent = [line.sent for line in lines if line.sent is not None]
            if len(sent) == len(lines):  # marks alone, as nearly always
                self._mark(set(sent))
            else:
                self._take_each(lines)
        self._end_run()
        self._run = float("inf")
        self._end_run()

    def _take_each(self, lines: Sequence[SideLine]) -> None:
        names: set[str] = set()
        for line in lines:
            if line.sent is not None:
                names.add(line.sent)
            elif line.at is None:
                self._mark(names)
                names = set()
                self._take(line)
        self._mark(names)

    def _take(self, line: SideLine) -> None:
        if line.run is not None:
            self._run = line.run - 1
            self._end_run()
            self._run = line.run
            self.runs, self.report = max(self.runs, line.run), None
        elif line.report is not None:
            self.report = line.report
            self._end_run(line)
        elif line.sent_again is not None:
            self.again[line.sent_again] = None
            self._mark({line.sent_again})

    def _mark(self, names: set[str]) -> None:
        self._waiting |= names
        if self._early:
            self._waiting -= self._early
            self._early -= names
        while len(self._waiting) > _WAITING and (rows := self._next_rows()):
            if not self._match(rows):
                break  # what waits is in flight for longer than that; more marks first

    def _match(self, rows: Sequence[Finished]) -> bool:
        """Finish rows of the present run. Returns whether any of them had been waiting."""
        names = {row.custom_id for row in rows}
        self.unfinished -= names
        matched = self._waiting & names
        self._waiting -= matched
        if len(matched) < len(names):  # a row that could not be sent has no mark to come
            self._early.update(row.custom_id for row in rows if row.x.attempts and row.custom_id not in matched)
        return bool(matched)

    def _next_rows(self) -> Sequence[Finished]:
        """Some more lines of runs up to the present one; none if there are none."""
        rows = self._rows or next(self._finished, ())
        self._rows = ()
        if rows and rows[-1].x.run > self._run:
            cut = bisect_right(rows, self._run, key=lambda row: row.x.run)
            rows, self._rows = rows[:cut], rows[cut:]
        if rows:
            self.runs = max(self.runs, rows[-1].x.run)
        return rows

    def _end_run(self, closing: SideLine | None = None) -> None:
        """No mark of the present run is to come. What waits now is unfinished, but for what the run did not send."""
        while rows := self._next_rows():
            names = {row.custom_id for row in rows}
            self.unfinished -= names
            self._waiting -= names
        if closing is not None and closing.unsent is not None:
            self._waiting.difference_update(closing.unsent)
        self.unfinished |= self._waiting
        self._waiting.clear()
        self._early.clear()
