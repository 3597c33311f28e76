"""A summary of intervals in constant memory: exact where it says so, and never off by a factor of two."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.hooks import ChunkIntervals
from deepseek_async.hooks.intervals import BOUNDS, IntervalCounts


def counted(*seconds: float) -> ChunkIntervals:
    counts = IntervalCounts()
    for each in seconds:
        counts.add(each)
    return counts.frozen()


def test_none_is_none() -> None:
    """Without an interval there is no mean and no quantile, and nothing divides by zero."""
    none = counted()
    assert none == ChunkIntervals()
    assert (none.count, none.total, none.max, none.mean, none.quantile(0.5)) == (0, 0.0, 0.0, None, None)


def test_chunks_of_one_read_count_with_nothing() -> None:
    """They came at once, so that the mean is that of all."""
    counts = IntervalCounts()
    counts.add(0.3, 2)
    summary = counts.frozen()
    assert (summary.count, summary.max) == (3, 0.3)
    assert summary.mean == pytest.approx(0.1)
    assert summary.quantile(0.5) <= BOUNDS[0]  # type: ignore[operator]


def test_a_share_is_a_share() -> None:
    """Whatever else is a slip of the caller's."""
    for share in (-0.1, 1.1, 50, math.nan):
        with pytest.raises(ValueError, match="0 to 1"):
            counted(1.0).quantile(share)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=60), st.floats(0, 1))
def test_figures_are_right(seconds: list[float], share: float) -> None:
    """Count, sum, mean and longest are exact; a quantile lies between the same bounds as the right one."""
    summary = counted(*seconds)
    assert summary.count == sum(summary.counts) == len(seconds)
    assert summary.total == pytest.approx(math.fsum(seconds))
    assert summary.total == pytest.approx(math.fsum(summary.totals))
    assert summary.max == max(seconds)
    assert summary.quantile(1) == pytest.approx(max(seconds))
    right = sorted(seconds)[max(math.ceil(share * len(seconds)) - 1, 0)]
    estimate = summary.quantile(share)
    assert estimate is not None
    low = max((bound for bound in BOUNDS if bound < right), default=0.0)
    high = min((bound for bound in BOUNDS if bound >= right), default=math.inf)
    assert low <= estimate <= min(high, summary.max) * (1 + 1e-9)


def test_memory_is_constant() -> None:
    """However long the stream."""
    assert len(counted(*[0.02] * 5000).counts) == len(BOUNDS) + 1
