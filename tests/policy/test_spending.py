"""A budget counts exactly, refuses in time, and never takes an unknown price for nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from deepseek_async import Budget, BudgetExceededError, InvalidRequestError, Price, Usage

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PEAK = datetime(2026, 11, 23, 2, tzinfo=UTC)
MILLION = Usage(1_000_000, 0, 1_000_000)


def test_money() -> None:
    """By the hour of the request; at the limit nothing more goes out."""
    budget = Budget(max_cost="0.45")
    budget.check("deepseek-flash", NOON)
    assert budget.charge(MILLION, "deepseek-flash", NOON) == Decimal("0.15")
    assert budget.charge(MILLION, "deepseek-flash", PEAK, is_estimate=True) == Decimal("0.30")
    assert (budget.spent, budget.estimated, budget.is_used_up) == (Decimal("0.45"), Decimal("0.30"), True)
    with pytest.raises(BudgetExceededError) as caught:
        budget.check("deepseek-flash", NOON)
    assert caught.value.spent == Decimal("0.45")
    assert "0.45" in str(caught.value)
    assert "0.3" in repr(budget)


@pytest.mark.parametrize("amount", ["0.10", 0.1, Decimal("0.1")])
def test_amounts(amount: Any) -> None:
    """A float is what it is written as."""
    assert Budget(max_cost=amount).max_cost == Decimal("0.1")


def test_what_is_in_flight_is_held_and_given_back() -> None:
    """Prompt, and as long an answer as those before it had; by the price of the hour, and as much from the cache."""
    budget = Budget(max_cost="0.10", max_tokens=1_000)
    expected = budget.expects(400)
    assert (expected.prompt_tokens, expected.completion_tokens) == (400, 0)
    first, second = (budget.hold(expected, "deepseek-flash", NOON) for _ in range(2))
    budget.check("deepseek-flash", NOON)
    third = budget.hold(budget.expects(300), "deepseek-flash", NOON)
    assert budget.is_held
    assert not budget.is_used_up
    with pytest.raises(BudgetExceededError, match="in flight") as caught:
        budget.check("deepseek-flash", NOON)
    assert caught.value.is_held
    for release in (first, second, third):
        release()
    assert not budget.is_held
    budget.learn(Usage(800, 100, 900, prompt_cache_hit_tokens=600), 400)
    expected = budget.expects(100, max_tokens=60)
    assert (expected.prompt_tokens, expected.completion_tokens, expected.cached_tokens) == (200, 60, 150)
    assert (budget.spent, budget.tokens, budget.answers) == (0, 0, 1)


def test_tokens() -> None:
    """Prompt and answer together, from whichever counts the server told."""
    budget = Budget(max_tokens=30)
    budget.charge(Usage(10, 5, 15), "any", NOON)
    assert not budget.is_used_up
    budget.charge(Usage(10, 5, 0), "any", NOON)
    assert (budget.tokens, budget.is_used_up, budget.unpriced) == (30, True, 2)


def test_a_model_without_price_is_refused_where_money_counts() -> None:
    """It would count as nothing; with a price of one's own, or a limit of tokens alone, it goes."""
    with pytest.raises(InvalidRequestError, match="local-model"):
        Budget(max_cost=1).check("local-model", NOON)
    Budget(max_cost=1, prices={"local-model": Price(Decimal(0), Decimal(0), Decimal(1))}).check("local-model", NOON)
    Budget(max_tokens=1).check("local-model", NOON)


def test_nothing_may_be_spent() -> None:
    """Zero is a limit."""
    with pytest.raises(BudgetExceededError):
        Budget(max_cost=0).check("deepseek-flash", NOON)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"max_cost": -1},
        {"max_cost": -0.5},
        {"max_cost": float("nan")},
        {"max_cost": float("inf")},
        {"max_cost": [1]},
        {"max_cost": "much"},
        {"max_cost": "NaN"},
        {"max_cost": True},
        {"max_tokens": -1},
        {"max_tokens": 1.5},
        {"max_tokens": True},
        {"max_cost": 1, "currency": "EUR"},
    ],
)
def test_what_is_no_limit_is_refused(wrong: Any) -> None:
    """By name, and with what is allowed."""
    with pytest.raises(InvalidRequestError):
        Budget(**wrong)
