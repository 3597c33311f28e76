"""One call's meter: what each end of an attempt costs, by its table."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from deepseek_async import Budget, BudgetExceededError, InvalidRequestError, Price, Usage
from deepseek_async.policy.metering import Meter

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PRICES = {"m": Price(Decimal(0), Decimal(10_000), Decimal(20_000))}  # 0.01 and 0.02 a token


def budgets(count: int = 1) -> list[Budget]:
    """With room for much."""
    return [Budget(max_cost=100, max_tokens=10_000, prices=PRICES) for _ in range(count)]


@pytest.mark.parametrize(
    ("ended", "tokens", "spent", "estimated"),
    [
        ({"usage": Usage(10, 5, 15), "answer_tokens": 0}, 15, "0.2", "0"),
        ({"usage": Usage(10, 5, 15), "answer_tokens": 99, "is_billed": False}, 15, "0.2", "0"),
        ({"usage": None, "answer_tokens": 50}, 150, "2", "2"),
        ({"usage": None, "answer_tokens": 0}, 100, "1", "1"),
        ({"usage": None, "answer_tokens": 0, "is_billed": False}, 0, "0", "0"),
    ],
)
def test_each_end_has_its_cost(ended: dict[str, Any], tokens: int, spent: str, estimated: str) -> None:
    """Told, estimated, or nothing; for every budget, and once."""
    shared = budgets(2)
    meter = Meter(shared, "m", 100, None)
    meter.begin(NOON)
    for _ in range(2):
        meter.settle(**ended, model="m")
    for budget in shared:
        assert (budget.tokens, budget.spent, budget.estimated) == (tokens, Decimal(spent), Decimal(estimated))
        assert not budget.is_held


def test_what_was_not_begun_costs_nothing() -> None:
    """Whatever is said of its end."""
    (budget,) = budgets()
    Meter([budget], "m", 100, None).settle(None, 50)
    assert budget.tokens == 0


def test_each_attempt_is_paid_for() -> None:
    """At the price of when it was sent."""
    (budget,) = budgets()
    meter = Meter([budget], "m", 100, None)
    for _ in range(3):
        meter.begin(NOON)
        meter.settle(None, 0)
    assert budget.tokens == 300


def test_parts_of_a_continued_answer() -> None:
    """The next has the text so far in its prompt; of the answer only what is new counts."""
    (budget,) = budgets()
    meter = Meter([budget], "m", 100, None)
    meter.begin(NOON)
    meter.settle(None, 40, goes_on=True)
    assert budget.tokens == 140
    meter.begin(NOON)
    meter.settle(None, 70)
    assert budget.tokens == 140 + (100 + 40) + 30


def test_one_of_several_that_is_used_up_refuses_for_all() -> None:
    """Nothing is held then, in none of them."""
    full, empty = budgets(1)[0], Budget(max_tokens=0)
    with pytest.raises(BudgetExceededError):
        Meter([full, empty], "m", 20_000, None).begin(NOON)
    full.check("m", NOON)
    with pytest.raises(InvalidRequestError, match="other"):
        Meter([full], "other", 1, None).begin(NOON)


def test_the_name_asked_has_a_price_where_the_answers_has_none() -> None:
    """Else it would count as nothing."""
    (budget,) = budgets()
    meter = Meter([budget], "m", 100, None)
    meter.begin(NOON)
    meter.settle(Usage(10, 0, 10), 0, model="checkpoint")
    assert (budget.spent, budget.unpriced) == (Decimal("0.1"), 0)
