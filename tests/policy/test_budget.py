"""Retries of a run are bounded by what succeeds, and by ten a second."""

from __future__ import annotations

from deepseek_async.policy.budget import RetryBudget


def test_without_successes_ten_a_second() -> None:
    """A run against a dead server sends no storm."""
    budget = RetryBudget(now=0.0)
    taken = sum(budget.take(step / 100) for step in range(1001))
    assert 100 <= taken <= 110


def test_a_fifth_of_the_successes_on_top() -> None:
    """What has succeeded may be spent later, and is not lost to the second's cap."""
    budget = RetryBudget(now=0.0)
    budget.successes += 1000
    assert sum(budget.take(0.0) for _ in range(1000)) == 210


def test_the_wait_tells_when() -> None:
    """After the wait there is one to take, and not before."""
    budget = RetryBudget(now=0.0)
    while budget.take(0.0):
        pass
    wait = budget.wait(0.0)
    assert 0 < wait <= 0.1
    assert not budget.take(wait * 0.9)
    assert budget.take(wait * 1.01)
