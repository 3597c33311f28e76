"""Batches share a budget with whatever else is given it, and stop cleanly once it is used up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepseek_async import AsyncClient, Budget, BudgetExceededError, Succeeded, run_batch
from deepseek_async.batch.outcomes import Failed

from .account import Account, client_of

pytestmark = pytest.mark.anyio

# Each answer takes 150 tokens, of which 64 are cached.
ROWS: list[dict[str, Any]] = [{"custom_id": f"row-{n}", "prompt": f"row-{n}"} for n in range(50)]


@pytest.mark.parametrize("place", ["batch", "client"])
async def test_a_batch_stops_once_it_is_used_up(place: str) -> None:
    """What was sent has its outcome; what was not sent has none; the error comes last."""
    budget, account = Budget(max_tokens=1_500), Account()
    client = client_of(account)
    if place == "client":
        client = client.with_options(budget=budget)
    outcomes = []
    with pytest.raises(BudgetExceededError) as caught:
        async with client.batch(ROWS, budget=budget if place == "batch" else None) as batch:
            async for outcome in batch:
                outcomes.append(outcome)  # noqa: PERF401 - what comes before the error is looked at
    assert all(isinstance(outcome, Succeeded) for outcome in outcomes)
    assert len(outcomes) == len(account.seen) == budget.tokens // 150
    assert 10 <= len(outcomes) <= 18
    assert caught.value.tokens >= 1_500
    assert not budget.estimated


async def test_a_run_stops_and_goes_on_with_another(tmp_path: Path) -> None:
    """No row has failed by it; each is answered once."""
    account, output = Account(), tmp_path / "out.jsonl"
    budget = Budget(max_cost="0.0005")
    report = await run_batch(client_of(account), ROWS, output, budget=budget)
    assert report.stopped == "budget"
    assert "used up" in str(report.error)
    assert "the budget is used up" in str(report)
    assert (report.failed, report.unfinished, report.possibly_billed_twice) == (0, (), ())
    assert report.cost == budget.spent
    assert 0 < report.succeeded < 50
    report = await run_batch(client_of(account), ROWS, output, budget=Budget(max_cost=1))
    assert (report.stopped, report.failed) == (None, 0)
    assert len(account.answered) == 50
    assert set(account.answered.values()) == {1}


async def test_one_that_has_come_to_its_end_is_no_hindrance(tmp_path: Path) -> None:
    """A budget that does for all rows stops nothing; one that is used up sends nothing."""
    account = Account()
    budget = Budget(max_tokens=50 * 150)
    report = await run_batch(client_of(account), ROWS, tmp_path / "out.jsonl", budget=budget)
    assert (report.stopped, report.succeeded, budget.is_used_up) == (None, 50, True)
    report = await run_batch(client_of(account), ROWS, tmp_path / "other.jsonl", budget=budget)
    assert (report.stopped, report.succeeded) == ("budget", 0)
    assert len(account.seen) == 50


async def test_a_row_whose_model_has_no_price_fails_alone() -> None:
    """Where money counts it is not sent; the others are."""
    account = Account()
    rows = [{**ROWS[0], "model": "local"}, *ROWS[1:5]]
    async with client_of(account).batch(rows, budget=Budget(max_cost=1)) as outcomes:
        ended = {outcome.custom_id: outcome async for outcome in outcomes}
    failed = ended["row-0"]
    assert isinstance(failed, Failed)
    assert "prices={'local': Price" in str(failed.error)
    assert sum(isinstance(outcome, Succeeded) for outcome in ended.values()) == 4
    assert "row-0" not in account.seen


async def test_calls_and_batches_share_one() -> None:
    """Whoever comes first takes it."""
    budget = Budget(max_tokens=150)
    client: AsyncClient = client_of(Account()).with_options(budget=budget)
    await client.chat.completions.create(model="deepseek-flash", messages=[{"role": "user", "content": "row"}])
    with pytest.raises(BudgetExceededError):
        async with client.batch(ROWS) as outcomes:
            assert [outcome async for outcome in outcomes] == []
