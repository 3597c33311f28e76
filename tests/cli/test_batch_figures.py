"""What is told of a batch's progress."""

from __future__ import annotations

from decimal import Decimal

import pytest

from deepseek_async import BatchProgress, Usage
from deepseek_async.cli.batch_figures import Throughput, line_of


def moment(seconds: float, succeeded: int, **more: object) -> BatchProgress:
    """A moment at which each answer had 10 tokens and cost a cent."""
    usage = Usage(prompt_tokens=4 * succeeded, completion_tokens=10 * succeeded, prompt_cache_hit_tokens=succeeded)
    values = {"seconds": seconds, "succeeded": succeeded, "usage": usage, "cost": Decimal(succeeded) / 100, **more}
    return BatchProgress(in_flight=3, limit=32, **values)  # type: ignore[arg-type]


def test_figures_are_those_of_the_last_seconds() -> None:
    """Rates forget how slow the beginning was; what the whole will cost and take follows from them."""
    pace = Throughput(1000)
    pace.figures(moment(0, 0))
    for second in range(1, 101):
        figures = pace.figures(moment(second, second))
    for second in range(101, 141):
        figures = pace.figures(moment(second, 100 + 10 * (second - 100)))
    assert figures.rate == pytest.approx(10)
    assert figures.token_rate == pytest.approx(100)
    assert figures.hit_share == 0.25
    assert figures.projected == Decimal(10)
    assert figures.eta == pytest.approx(50)


def test_rows_that_were_done_cost_nothing_more() -> None:
    """A resumed run's projection and time to go are those of the rows that are left."""
    figures = Throughput(1000)
    figures.figures(moment(0, 0, skipped=900))
    shown = figures.figures(moment(10, 50, skipped=900))
    assert shown.projected == Decimal(1)
    assert shown.eta == pytest.approx(10)


def test_the_line() -> None:
    """Rows, rate, tokens, in flight and limit, refusals, cache, money so far and projected, time to go."""
    pace = Throughput(100)
    pace.figures(moment(0, 0))
    line = line_of(pace.figures(moment(10, 50, failed=10, refusals=7)), "USD")
    assert line == (
        "60/100 rows (10 failed) · 6.0/s · 50 tokens/s · 3/32 in flight · 7 refused · cache 25% · "
        "0.5000 of about 0.8333 USD · 0:07 to go"
    )


def test_nothing_is_made_up() -> None:
    """An endless source has no end to tell of; before the first answer there is no rate, share or projection."""
    first = Throughput(None).figures(moment(0, 0))
    assert (first.rate, first.hit_share, first.projected, first.eta) == (0.0, None, None, None)
    assert line_of(first, "CNY") == "0 rows · 0.0/s · 0 tokens/s · 3/32 in flight · 0 refused · 0.0000 CNY"
    assert Throughput(10).figures(moment(0, 0)).eta is None


def test_at_the_end_rates_are_those_of_the_whole_run() -> None:
    """They stand beside the time that the whole has taken."""
    pace = Throughput()
    for second in range(100):
        pace.figures(moment(second, second))
    ended = pace.figures(moment(100, 1000, state="ended"))
    assert (ended.rate, ended.token_rate) == (10, 100)


@pytest.mark.parametrize(
    ("state", "said"), [("holding", "waiting for low prices"), ("draining", "stopping"), ("ended", "10.0 s")]
)
def test_a_state_is_told(state: str, said: str) -> None:
    """In the place of the time to go."""
    pace = Throughput(100)
    pace.figures(moment(0, 0))
    assert line_of(pace.figures(moment(10, 50, state=state)), "USD").endswith(f" USD · {said}")
