"""What refusals tell a person: in time, once, and never without reason."""

from __future__ import annotations

from deepseek_async.policy.limiter import AdmissionLimiter
from deepseek_async.policy.signs import STARVED_SECONDS, Signs


def test_starving_is_told_once_until_something_is_answered() -> None:
    """Two minutes of refusals are one notice; after an answer, two more minutes another."""
    signs = Signs()
    signs.begin(0.0)
    told = [signs.refused(float(now), None) for now in range(0, 300, 10)]
    assert told.index("starved") == STARVED_SECONDS / 10
    assert told.count("starved") == 1
    signs.completed(300.0)
    again = [signs.refused(300.0 + now, None) for now in range(0, 300, 10)]
    assert (again.count("starved"), again.index("starved")) == (1, STARVED_SECONDS / 10)


def test_who_wants_nothing_does_not_starve() -> None:
    """An hour without a request (a night until prices are low) is no hunger: refusals after it are just that."""
    limiter = AdmissionLimiter(ceiling=100)
    permit = limiter.try_acquire(0.0)
    assert permit is not None
    limiter.complete(permit, 1.0)
    permits = [limiter.try_acquire(3600.0) for _ in range(24)]
    assert {limiter.refuse(permit, 3600.1) for permit in permits if permit is not None} == {None}
    wake = limiter.wake_at(3600.2)
    assert wake < 3602.0


def test_a_limit_of_nothing_is_probed_after_a_second() -> None:
    """Long answers were in flight when the limit fell; once they are here, nothing would be sent for ten seconds."""
    limiter = AdmissionLimiter(ceiling=100, initial=4)
    sent = [limiter.try_acquire(0.0) for _ in range(4)]
    *admitted, refused = [permit for permit in sent if permit is not None]
    for permit in admitted:
        limiter.admit(permit, 0.1)
    limiter.refuse(refused, 0.2, told=0, current=4)
    assert limiter.limit == 0
    for permit in admitted:
        limiter.complete(permit, 30.0)
    assert limiter.in_flight == 0
    assert limiter.wake_at(30.0) <= 31.0
    assert limiter.try_acquire(31.0) is not None
