"""Reading costs no more, next to a hand-written loop, than it did when its ratios were stored."""

from __future__ import annotations

import pytest

pytest.importorskip("orjson")

from benchmarks import guard

# Far beyond what noise does to minima, and far below what a lost fast path costs. Under coverage or a debugger, ours
# is traced line by line and the floors' C is not: nothing can be said then.
QUICK_SLACK = 2.0


def _is_traced() -> bool:
    import sys

    has_monitor = hasattr(sys, "monitoring") and any(sys.monitoring.get_tool(number) for number in range(6))
    return sys.gettrace() is not None or has_monitor


@pytest.mark.skipif(_is_traced(), reason="a tracer's cost is not ours")
def test_ratios_stay_within_the_slack_of_the_stored_ones() -> None:
    """Bytes to chunks and to the fold: ours over the floor, the least of many turns, is about what was stored."""
    assert guard.confirmed_regressions(lambda: guard.ratios(turns=40), QUICK_SLACK) == []


def test_every_case_reads_the_text_that_was_sent() -> None:
    """A ratio is measured for each case and floor, of readers that saw every character."""
    assert set(guard.ratios(turns=1)) == set(guard.stored())


def test_a_ratio_beyond_its_slack_is_named() -> None:
    """The guard can fail: what grew by more than the slack is told with both figures; what grew by less is not."""
    kept = {"a / json": 1.0, "b / json": 1.0}
    assert guard.regressions({"a / json": 1.34, "b / json": 1.0}, kept, slack=1.35) == []
    (line,) = guard.regressions({"a / json": 1.36, "b / json": 0.2}, kept, slack=1.35)
    assert line == "a / json: 1.36, stored 1.00, at most 1.35 with its slack"


def test_cases_known_to_one_side_only_are_named() -> None:
    """A case that is new or was dropped cannot pass unseen."""
    lines = guard.regressions({"new / json": 0.5}, {"old / json": 0.5})
    assert [line.split(":")[0] for line in lines] == ["old / json", "new / json"]


def test_one_bad_moment_is_no_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what two measurements agree on counts."""
    monkeypatch.setattr(guard, "stored", lambda: {"a / json": 1.0})
    moments = iter([{"a / json": 9.0}, {"a / json": 1.1}])
    assert guard.confirmed_regressions(lambda: next(moments), 1.35) == []
    assert len(guard.confirmed_regressions(lambda: {"a / json": 9.0}, 1.35)) == 1
