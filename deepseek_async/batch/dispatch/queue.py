"""Rows that were pulled and are not in flight: refused, resting after a failure, held back for a warm cache.

Of those that wait for a slot the oldest goes first, whatever it has been through: a burst of refusals changes nothing
about the order, and with outcomes in order nobody waits for a row that newer ones have overtaken.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from ..source.row import Row
from .slots import Lane, Lanes
from .warm_up import WarmUp


class Waiting:
    """The rows of one batch that wait, by what they wait for.

    Args:
        lanes: The client's.
        ceiling: What the limit of each lane may grow to.
        warm_up: What holds rows back until the cache is warm for them.
    """

    def __init__(self, lanes: Lanes, ceiling: int, warm_up: WarmUp | None) -> None:
        self._lanes = lanes
        self._ceiling = ceiling
        self._warm_up = warm_up
        self._for_slot: dict[Lane, list[tuple[int, Row]]] = {}
        self._resting: list[tuple[float, int, Row]] = []
        self._order = count()

    def __len__(self) -> int:
        parked = self._warm_up.parked if self._warm_up is not None else 0
        return sum(map(len, self._for_slot.values())) + len(self._resting) + parked

    def __iter__(self) -> Iterator[Row]:
        for rows in self._for_slot.values():
            yield from (row for _, row in rows)
        yield from (row for _, _, row in self._resting)

    @property
    def lanes(self) -> Iterator[Lane]:
        """The lanes that rows were seen for."""
        return iter(self._for_slot)

    def has_next(self, lane: Lane) -> bool:
        """Whether a row waits for nothing but a slot."""
        return bool(self._for_slot[lane])

    def next(self, lane: Lane) -> Row:
        """The row whose turn it is, out of those that wait for nothing but a slot."""
        return heapq.heappop(self._for_slot[lane])[1]

    def add(self, row: Row) -> Lane | None:
        """Take a row up; ``None`` if it is held back, else the lane in which it waits for a slot."""
        if self._warm_up is not None and not self._warm_up.may_go(row):
            return None
        return self._put(row)

    def refused(self, row: Row) -> None:
        """Let a row wait for a slot again."""
        self._put(row)

    def rest(self, row: Row, until: float) -> None:
        """Let a row rest until a time of the loop's clock."""
        heapq.heappush(self._resting, (until, next(self._order), row))

    @property
    def rest_ends_at(self) -> float | None:
        """When the first rest is over; ``None`` if no row rests."""
        return self._resting[0][0] if self._resting else None

    def end_rest(self) -> None:
        """Let the row whose rest is over first wait for a slot."""
        self._put(heapq.heappop(self._resting)[2])

    def ended(self, row: Row) -> None:
        """A row has its outcome: others may have waited for that."""
        if self._warm_up is not None:
            for freed in self._warm_up.ended(row):
                self._put(freed)

    def _put(self, row: Row) -> Lane:
        assert row.request is not None  # noqa: S101 - rows without one have ended
        lane = self._lanes.of(row.request.model)
        if lane not in self._for_slot:
            lane.widen(self._ceiling)
            self._for_slot[lane] = []
        heapq.heappush(self._for_slot[lane], (row.number, row))
        return lane
