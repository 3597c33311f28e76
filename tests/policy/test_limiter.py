"""The admission-count limiter: what it makes of hidden limits in virtual time, and each of its rules by itself."""

from __future__ import annotations

import math
from functools import cache

import pytest

from deepseek_async.errors import InvalidRequestError
from deepseek_async.policy.limiter import AdmissionLimiter, Permit

from .simulator import SCENARIOS, Aimd, Fixed, Outcome, Scenario, simulate

simulated = pytest.mark.usefixtures("untraced")

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@cache
def of_ours(name: str) -> Outcome:
    """What the limiter makes of a scenario: always the same, and some take two seconds."""
    return simulate(BY_NAME[name])


@simulated
@pytest.mark.parametrize("name", [name for name in BY_NAME if name.startswith(("constant", "four workers share"))])
def test_a_constant_limit_is_filled(name: str) -> None:
    """At least 95 % of what the limit allows, told or not, with early heads or late, alone or among four."""
    outcome = of_ours(name)
    assert outcome.goodput >= 0.95
    assert outcome.refusals_per_success <= 0.15
    assert outcome.dead == 0


@simulated
@pytest.mark.parametrize(
    "name", [name for name in BY_NAME if name.startswith(("step", "fall", "sawtooth", "four workers, "))]
)
def test_a_moving_limit_is_followed(name: str) -> None:
    """At least 93 % of it, up, down, and down at once."""
    outcome = of_ours(name)
    assert outcome.goodput >= 0.93
    assert outcome.dead == 0


@simulated
def test_capacity_is_found_at_the_speed_of_the_network() -> None:
    """A limit of 500 is 90 % used before the first answers have come: their median takes eight seconds."""
    assert of_ours("constant 500").seconds_to_90 < 2
    assert of_ours("constant 2500").seconds_to_90 < 2


@simulated
def test_the_others_do_worse() -> None:
    """The usual default fills a fifth of the same account; additive increase loses a fifth of it."""
    scenario: Scenario = BY_NAME["constant 500"]
    ours = of_ours("constant 500").goodput
    assert simulate(scenario, lambda: Fixed(100)).goodput < 0.25
    assert simulate(scenario, Aimd).goodput < ours - 0.1


@simulated
def test_four_workers_share_fairly() -> None:
    """None gets less than a third of an equal share."""
    outcome = of_ours("four workers share 500")
    assert min(outcome.by_worker) > sum(outcome.by_worker) / 4 / 3


def fill(limiter: AdmissionLimiter, now: float) -> list[Permit]:
    permits = []
    while (permit := limiter.try_acquire(now)) is not None:
        permits.append(permit)
    return permits


def test_it_grows_on_admissions_and_not_past_the_ceiling() -> None:
    """Each head adds two while the limit is used."""
    limiter = AdmissionLimiter(ceiling=40, initial=10)
    permits = fill(limiter, 0.0)
    assert len(permits) == 10
    limiter.admit(permits[0], 0.1)
    assert limiter.limit == 12
    for _ in range(20):
        for permit in permits:
            limiter.admit(permit, 0.2)
        permits += fill(limiter, 0.2)
    assert limiter.limit == 40


def test_one_burst_makes_one_cut() -> None:
    """Refusals of requests sent before the cut do not cut again."""
    limiter = AdmissionLimiter(ceiling=1000, initial=100)
    permits = fill(limiter, 0.0)
    for permit in permits[:60]:
        limiter.admit(permit, 0.05)
    refused = [permit for permit in permits if permit.state == "undecided"]
    limiter.refuse(refused[0], 0.06, told=60, current=101)
    cut_to, epoch = limiter.limit, limiter.epoch
    for permit in refused[1:]:
        limiter.refuse(permit, 0.06, told=60, current=101)
    assert limiter.epoch == epoch == 1
    assert cut_to == limiter.limit == 60


def test_a_falling_told_limit_warns_of_the_balance_once() -> None:
    """Under a quarter of its best the account runs dry; the notice is not repeated."""
    limiter = AdmissionLimiter(ceiling=1000)
    notices = []
    for number, told in enumerate((39, 25, 9, 7)):
        permit = limiter.try_acquire(float(10 * number))
        assert permit is not None
        notices.append(limiter.refuse(permit, 10.0 * number + 0.1, told=told, current=told + 1))
    assert notices == [None, None, "balance_low", None]


def test_starved_it_asks_every_ten_seconds_and_says_so() -> None:
    """Something else holds the whole limit: two minutes without an answer."""
    limiter = AdmissionLimiter(ceiling=100)
    now, sent, notices = 0.0, 0, []
    while now < 300:
        permit = limiter.try_acquire(now)
        if permit is None:
            wake = limiter.wake_at(now)
            assert wake > now
            assert not math.isinf(wake)
            now = wake
            continue
        sent += now > 150
        notices.append(limiter.refuse(permit, now, told=0, current=None))
        now += 0.01
    assert "starved" in notices
    assert sent <= 16


def test_failures_halve_it_once_and_stop_its_growth() -> None:
    """A server in trouble is not probed; when it is well again the limit may grow."""
    limiter = AdmissionLimiter(ceiling=1000, initial=64)
    for number in range(40):
        permit = limiter.try_acquire(number * 0.1)
        assert permit is not None
        limiter.fail(permit, number * 0.1)
    assert limiter.limit == 32
    assert limiter.in_flight == 0


def test_a_permit_ends_once() -> None:
    """Handing one back twice is the caller's mistake, and said."""
    limiter = AdmissionLimiter(ceiling=4)
    permit = limiter.try_acquire(0.0)
    assert permit is not None
    limiter.abandon(permit)
    with pytest.raises(ValueError, match="already"):
        limiter.complete(permit, 1.0)


@pytest.mark.parametrize("arguments", [{"ceiling": 0}, {"ceiling": 5, "initial": 0}])
def test_a_limit_below_one_is_refused(arguments: dict[str, int]) -> None:
    """It could never send anything."""
    with pytest.raises(InvalidRequestError, match="at least 1"):
        AdmissionLimiter(**arguments)
