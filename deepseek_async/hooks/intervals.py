"""How long a stream kept its reader waiting between chunks: all of its intervals in constant memory."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import attrs

BOUNDS: Final = tuple(0.01 * 2.0**power for power in range(-4, 14))
"""Upper bounds in seconds, 0.000625 to 81.92, each twice the one before. From 0.01 on they are those that the semantic
conventions of OpenTelemetry advise for the time of an output chunk."""


@attrs.frozen
class ChunkIntervals:
    """The times between the chunks of one stream, the first chunk's own wait left out.

    An interval is the time that the client waited for the network: what the caller does between two reads is not in it,
    and of chunks that came in one read the later ones count with 0 seconds.

    Attributes:
        count: Intervals: one fewer than chunks.
        total: Their sum in seconds.
        max: The longest, in seconds.
        counts: How many were at most as long as the bound of the same place in `BOUNDS`, and longer than the one
            before; one more for the longer ones. Empty if there was no interval.
        totals: The sums of those in seconds.
    """

    count: int = 0
    total: float = 0.0
    max: float = 0.0
    counts: tuple[int, ...] = attrs.field(default=(), repr=False)
    totals: tuple[float, ...] = attrs.field(default=(), repr=False)

    @property
    def mean(self) -> float | None:
        """Seconds on average; ``None`` if there was no interval."""
        return self.total / self.count if self.count else None

    def quantile(self, share: float) -> float | None:
        """How long that share of the intervals took at most, in seconds; ``None`` if there was no interval.

        Args:
            share: 0 to 1; 0.5 is the median.

        Returns:
            An estimate: it lies between the same two of `BOUNDS` as the right value, so that it is wrong by less than
            a factor of two. 1 gives the longest exactly.

        Raises:
            ValueError: ``share`` is not from 0 to 1.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"share: {share!r}; allowed: 0 to 1")
        if not self.count:
            return None
        rank = share * self.count
        below = 0
        for place, count in enumerate(self.counts):
            if count and below + count >= rank:
                low = BOUNDS[place - 1] if place else 0.0
                high = min(BOUNDS[place], self.max) if place < len(BOUNDS) else self.max
                return low + (high - low) * max(rank - below, 0.0) / count
            below += count
        return self.max


class IntervalCounts:
    """The intervals of one stream while they are counted; `ChunkIntervals` is what is shown of them."""

    __slots__ = ("_counts", "_max", "_totals")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._totals = [0.0] * (len(BOUNDS) + 1)
        self._max = 0.0

    def add(self, seconds: float, at_once: int = 0) -> None:
        """Count an interval, and as many of 0 seconds as further chunks came in the same read."""
        place = bisect_left(BOUNDS, seconds)
        self._counts[place] += 1
        self._counts[0] += at_once
        self._totals[place] += seconds
        if seconds > self._max:
            self._max = seconds

    def frozen(self) -> ChunkIntervals:
        """What was counted so far."""
        counts, totals = tuple(self._counts), tuple(self._totals)
        if not any(counts):
            return ChunkIntervals()
        return ChunkIntervals(sum(counts), sum(totals), self._max, counts, totals)
