"""Rows that were pulled and are not in flight: refused, resting after a failure, held back for a warm cache.

Of those that wait for a slot the oldest goes first, whatever it has been through: a burst of refusals changes nothing
about the order, and with outcomes in order nobody waits for a row that newer ones have overtaken.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import chain, count

from ...policy.budget import RetryBudget
from ..source.row import Row
from .slots import Lane, Lanes
from .warm_up import WarmUp


class Waiting:
    """The rows of one batch that wait, by what they wait for.

    Args:
        lanes: The client's.
        ceiling: What the limit of each lane may grow to.
        warm_up: What holds rows back until the cache is warm for them.
        budget: Says how many of the rows that rest may be sent again.

    Attributes:
        count: How many rows wait.
        has_resting: Whether rows rest.
        by_model: The lanes that rows were seen for, by model.
        lanes: The same lanes, each with a heap of the rows that wait for nothing but a slot in it.
    """

    def __init__(self, lanes: Lanes, ceiling: int, warm_up: WarmUp | None, budget: RetryBudget) -> None:
        self._all_lanes = lanes
        self._ceiling = ceiling
        self._warm_up = warm_up
        self._budget = budget
        self.by_model: dict[str | None, Lane] = {}
        self._resting: list[tuple[float, int, Row]] = []
        self._order = count()
        self.count: int = 0
        self.has_resting: bool = False
        self.lanes: dict[Lane, list[tuple[int, Row]]] = {}

    def __iter__(self) -> Iterator[Row]:
        """Those that wait for a slot, and those that rest; of these alone some may have been sent."""
        yield from (row for _, row in chain.from_iterable(self.lanes.values()))
        yield from (row for _, _, row in self._resting)

    def next(self, lane: Lane) -> Row:
        """The row whose turn it is, out of those that wait for nothing but a slot."""
        self.count -= 1
        return heapq.heappop(self.lanes[lane])[1]

    def add(self, row: Row) -> Lane | None:
        """Take a row up; ``None`` if it is held back for a warm cache, else the lane in which it waits for a slot."""
        if self._warm_up is not None and not self._warm_up.may_go(row):
            self.count += 1
            return None
        return self.put(row)

    def put(self, row: Row) -> Lane:
        """Let a row wait for nothing but a slot."""
        assert row.request is not None  # noqa: S101 - rows without one are not sent
        lane = self.by_model.get(row.request.model) or self._see(row.request.model)
        heapq.heappush(self.lanes[lane], (row.number, row))
        self.count += 1
        return lane

    def rest(self, row: Row, until: float) -> None:
        """Let a row rest until a time of the loop's clock."""
        heapq.heappush(self._resting, (until, next(self._order), row))
        self.has_resting = True
        self.count += 1

    def end_rests(self, now: float) -> float | None:
        """Let rows whose rest is over wait for a slot, the first to rest first.

        Returns:
            In how many seconds to look again; ``None`` if no row rests.
        """
        while self._resting:
            if (left := self._resting[0][0] - now) > 0:
                return left
            if not self._budget.take(now):
                return self._budget.wait(now)
            self.count -= 1
            self.put(heapq.heappop(self._resting)[2])
        self.has_resting = False
        return None

    def ended(self, row: Row) -> None:
        """Take that a row has its outcome, and put those rows into the queue that were held back until then."""
        if self._warm_up is not None:
            for freed in self._warm_up.ended(row):
                self.count -= 1
                self.put(freed)

    def _see(self, model: str) -> Lane:
        lane = self.by_model[model] = self._all_lanes.of(model)
        lane.widen(self._ceiling)
        self.lanes[lane] = []
        return lane
