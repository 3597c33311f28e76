"""A server that is well again is found again, whatever it has been through; and asking the limiter moves nothing."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest

from deepseek_async.policy.limiter import AdmissionLimiter, Permit

from .recovery import seconds_to_recover

RECOVERED_WITHIN = 60.0


@pytest.mark.usefixtures("untraced")
def test_servers_that_are_well_again_are_used_again() -> None:
    """Sixty random servers that refuse, fail, hang and mix that: used to 90 % within a minute of their recovery."""
    slowest = max(map(seconds_to_recover, range(60)))
    assert slowest <= RECOVERED_WITHIN


@pytest.mark.soak
def test_a_thousand_servers_that_are_well_again() -> None:
    """The same, of a thousand others."""
    slowest = max((seconds_to_recover(seed), seed) for seed in range(1000, 2000))
    assert slowest[0] <= RECOVERED_WITHIN
    print(f"1,000 servers: the slowest ({slowest[1]}) was used to 90 % {slowest[0]:.1f} s after it was well again")


def fill(limiter: AdmissionLimiter, now: float) -> list[Permit]:
    permits = []
    while (permit := limiter.try_acquire(now)) is not None:
        permits.append(permit)
    return permits


def test_an_outage_and_then_a_refusal() -> None:
    """More failures than not, then one 429, then health: a probe is due within ten seconds, and the limit grows."""
    limiter = AdmissionLimiter(ceiling=100)
    now = 0.0
    for _ in range(3):
        for permit in fill(limiter, now):
            limiter.fail(permit, now + 0.1)
        now += 1.0
    while (permit := limiter.try_acquire(now)) is None:
        now += 0.1
    limiter.refuse(permit, now)
    assert limiter.limit == 0
    answered, end = 0, now + 40
    while now < end:
        for permit in fill(limiter, now):
            limiter.complete(permit, now)
            answered += 1
        now += 0.1
    assert answered > 100
    assert limiter.limit > 10


def test_failures_of_requests_that_hung_since_the_outage_hold_nothing_up() -> None:
    """Each says what the server was like when it was sent, and others were let in since."""
    limiter = AdmissionLimiter(ceiling=400)
    hung = fill(limiter, 0.0)
    for permit in hung[:20]:
        limiter.fail(permit, 0.1)
    hung = hung[20:]
    now = 2.0
    well = fill(limiter, now)
    for permit in well:
        limiter.admit(permit, now + 0.1)
    before = limiter.limit
    for permit in hung:
        limiter.fail(permit, now := now + 0.5)
        for other in fill(limiter, now):
            limiter.admit(other, now)
    assert limiter.limit > before


@pytest.mark.parametrize("ask_every", [0.1, 0.7, 1.0, 5.0])
def test_asking_moves_nothing(ask_every: float) -> None:
    """Asked for minutes, while probes are due and while requests turn out to be admitted by silence."""
    limiter = AdmissionLimiter(ceiling=100, initial=20)
    for permit in fill(limiter, 0.0)[15:]:
        limiter.refuse(permit, 0.1)
    before = _state(limiter)
    for step in range(200):
        limiter.has_room(0.2 + step * ask_every)
        limiter.wake_at(0.2 + step * ask_every)
    assert _state(limiter) == before


def _state(limiter: AdmissionLimiter) -> dict[str, object]:
    state = {name: value for name, value in vars(limiter).items() if name not in ("_undecided", "_signs")}
    return {**state, "undecided": len(limiter._undecided), "signs": copy.copy(vars(limiter._signs))}


def test_a_retry_after_closes_it() -> None:
    """Of a refusal or of a failure: nothing goes out before, and it wakes then."""
    for name in ("refuse", "fail"):
        limiter = AdmissionLimiter(ceiling=100)
        first = limiter.try_acquire(0.0)
        assert first is not None
        assert getattr(limiter, name)(first, 0.1, retry_after=30.0) == "waits"
        assert not limiter.has_room(30.0)
        assert limiter.try_acquire(30.0) is None
        assert limiter.wake_at(1.0) == pytest.approx(30.1)
        assert limiter.has_room(31.2)
        assert limiter.try_acquire(31.2) is not None


@pytest.mark.parametrize("name", ["refuse", "fail"])
def test_hours_are_not_waited_for(name: str) -> None:
    """The caller is told at once, and the limiter is not closed: whoever tries again asks once."""
    limiter = AdmissionLimiter(ceiling=100)
    permit = limiter.try_acquire(0.0)
    assert permit is not None
    assert getattr(limiter, name)(permit, 0.1, retry_after=7200.0) == "given_up"
    assert limiter.try_acquire(60.0) is not None


def _refuse_for_good(seconds: float, **refusal: object) -> tuple[list[float], list[tuple[str, float]]]:
    """When a server that refuses everything was asked, and what was told."""
    limiter, now = AdmissionLimiter(ceiling=100), 0.0
    asked: list[float] = []
    told: list[tuple[str, float]] = []
    while now < seconds:
        for permit in fill(limiter, now):
            asked.append(now)
            notice = limiter.refuse(permit, now, **refusal)  # type: ignore[arg-type]
            if notice is not None:
                told.append((notice, now))
                if notice == "given_up":
                    return asked, told
        now = max(limiter.wake_at(now), now + 1e-3)
    return asked, told


def test_a_server_that_refuses_for_good() -> None:
    """Told after two minutes, given up after fifteen; asked more and more seldom, every ten seconds at last."""
    asked, told = _refuse_for_good(2000.0)
    assert [notice for notice, _ in told] == ["starved", "given_up"]
    assert 120 <= told[0][1] <= 131
    assert 900 <= told[1][1] <= 911
    assert sum(1 for at in asked if 1 < at <= 120) < 40
    assert all(later - earlier >= 9.9 for earlier, later in pairwise(asked) if earlier > 130)


def test_a_quota_that_is_gone() -> None:
    """Told with the first refusal, given up after a minute; asked every ten seconds meanwhile."""
    asked, told = _refuse_for_good(2000.0, is_quota=True)
    assert [notice for notice, _ in told] == ["quota", "given_up"]
    assert told[0][1] == 0.0
    assert 60 <= told[1][1] <= 71
    assert sum(1 for at in asked if at > 0) <= 7
