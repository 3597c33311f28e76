"""Which rows a run passes over because they are done, and which it refuses because another row has their id.

Of a row that is done a few bytes are remembered: a fingerprint of its id and of what it asked. So a source may be
endless. Of a row that is under way the whole id is remembered.

A row is passed over only if both its id and a hash of what it asks are known. If the id is known and the hash is not,
the output itself is read before the row is refused: two ids may have the same fingerprint, and then the row is new.
"""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Final

from ...errors import InvalidRequestError
from ..source.row import Row, name_and_hash, written
from .fingerprints import Fingerprints
from .index import Index
from .lines import Finished, finished_decoder
from .scan import Scan, lines_in

_NUMBERED: Final = "row-"
_MAX_DIGITS: Final = 19
# Ids of rows that ended are made into fingerprints so many at a time.
_AT_ONCE: Final = 1000


class Done:
    """Knows which rows earlier runs on an output have finished, and which this run has taken up.

    A `RowSource` asks it about each row (there it is called `Known`). It has an attribute for each way to know a row.

    Args:
        output: The output file.
        index: What it held when the run began.
    """

    def __init__(self, output: Path, index: Index) -> None:
        self._output = output
        self._run = index.runs + 1
        self._done = index.done
        self._given_up = index.given_up
        self._is_first_run = not (index.done or index.given_up)
        self._under_way: dict[str, str] = {}  # taken up by this run: ids, with the hashes of what they ask
        self._just_ended: set[str] = set()
        self._ended = Fingerprints()
        self._has_ended = False  # whether there are any in it
        self.given_up_seen: int = 0
        """Rows that were passed over because an earlier run has given them up."""
        # Rows known by their number, as ranges: from each of the starts to the end at its place.
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._is_range_open = False
        self._bodies_end = 0  # up to here in the output, rows are known by their bodies, not only by a source's lines

    def has_line(self, line: bytes, number: int) -> bool:
        """Whether an earlier run has finished the row that was read from this very line.

        Args:
            line: A line of the source, without its end.
            number: The row's number in the source, from 1.
        """
        if self._is_first_run:
            return False
        custom_id, line_hash = name_and_hash(line, number)
        name = written(custom_id)
        return self._done.has(name, line_hash) or self._is_given_up(name, line_hash)

    def _is_given_up(self, name: str, some_hash: str) -> bool:
        is_given_up = self._given_up.has(name, some_hash)
        self.given_up_seen += is_given_up
        return is_given_up

    def has(self, row: Row) -> bool:
        """Whether a row is done. To be asked once a row: from then on it counts as taken.

        Where the source was written anew since the last run, or has a row twice, the output is read on from where that
        was done last: some two seconds of the event loop for a million rows, once.

        Returns:
            True: pass it over, it has succeeded, or failed for good, in an earlier run, or is in the source twice.

        Raises:
            InvalidRequestError: A row of this id is done or under way, and asks something else.
            OSError: The output cannot be read.
        """
        name = row.name
        if self._starts or not row.is_named:
            self._note_number(row, name)
        if self._is_taken(name) or (not self._is_first_run and self._done.has(name)):
            if self._is_same(name, row.body_hash):
                return True
            if self._is_really_there(name):
                raise self._another(row, name)
        elif not self._is_first_run and self._is_given_up(name, row.body_hash):
            return True
        if row.is_named:  # of those that bear their number there is one each: they cost no memory at all
            self._under_way[name] = row.body_hash
        return False

    def _is_taken(self, name: str) -> bool:
        """Whether this run has taken up a row of that id."""
        if name in self._under_way or name in self._just_ended:
            return True
        return self._has_ended and self._ended.has(name)

    def _note_number(self, row: Row, name: str) -> None:
        if not row.is_named:
            if self._is_range_open:
                self._ends[-1] = row.number
            else:
                self._starts.append(row.number)
                self._ends.append(row.number)
                self._is_range_open = True
            return
        self._is_range_open = False
        if self._starts and (number := _number_in(name)) is not None:
            place = bisect_right(self._starts, number) - 1
            if place >= 0 and number <= self._ends[place]:
                raise _of_a_number(row, number)

    def was_before(self, row: Row) -> bool:
        """Whether an earlier run has finished this very row. It does not count as taken.

        Raises:
            OSError: The output cannot be read.
        """
        name = row.name
        if self._done.has(name):
            return self._is_same(name, row.body_hash)
        return self._given_up.has(name, row.body_hash)

    def ended(self, row: Row) -> None:
        """A row that was taken is in the output now."""
        if row.is_named:
            self._under_way.pop(row.name, None)
            self._just_ended.add(row.name)
            if len(self._just_ended) >= _AT_ONCE:
                for name in self._just_ended:
                    self._ended.add(name)
                self._just_ended.clear()
                self._has_ended = True

    def _is_same(self, name: str, body_hash: str) -> bool:
        if (under_way := self._under_way.get(name)) is not None:
            return under_way == body_hash
        if not self._done.has(name, body_hash):
            self._read_bodies()
        return self._done.has(name, body_hash)

    def _read_bodies(self) -> None:
        scan = Scan(self._output, finished_decoder, self._bodies_end)
        for lines in scan:
            for line in lines:
                if self._counts(line) and not self._done.has(line.custom_id, line.x.body_hash):
                    self._done.add(line.custom_id, line.x.body_hash)
        self._bodies_end = scan.end

    def _is_really_there(self, name: str) -> bool:
        return name in self._under_way or any(
            line.custom_id == name and self._counts(line) for line in lines_in(self._output, finished_decoder)
        )

    def _counts(self, line: Finished) -> bool:
        """A row that failed may be mended under its id, but not within one run."""
        return line.error is None or line.x.run == self._run

    def _another(self, row: Row, name: str) -> InvalidRequestError:
        what = f"{row.place}: custom_id {row.custom_id!r} is taken by a row with another body"
        if row.is_named or self._is_taken(name):
            todo = (
                f"give each row an id of its own; if the row was changed, write to another output than {self._output}"
            )
        else:
            todo = (
                f"rows without a custom_id are known by their number, and the source has changed since {self._output} "
                "was begun; give rows a custom_id, or write to another output"
            )
        return InvalidRequestError("custom_id", row.custom_id, todo, message=f"{what}: {todo}")


def _number_in(name: str) -> int | None:
    """The number of the row that goes by such a name if it has none of its own."""
    digits = name.removeprefix(_NUMBERED)
    return int(digits) if digits != name and digits.isdecimal() and len(digits) < _MAX_DIGITS else None


def _of_a_number(row: Row, number: int) -> InvalidRequestError:
    todo = "rows without a custom_id go by their number; give all rows one, or this one another"
    what = f"{row.place}: custom_id {row.custom_id!r} is that of row {number:,} of the source"
    return InvalidRequestError("custom_id", row.custom_id, todo, message=f"{what}: {todo}")
