"""What one call learns keeps all waiting."""

from __future__ import annotations

from deepseek_async.errors import DeepSeekError, RateLimitError, ServiceUnavailableError, StreamInterruptedError
from deepseek_async.policy.gate import Gate


def limited(retry_after: float | None = None) -> RateLimitError:
    return RateLimitError("too many", status=429, retry_after=retry_after)


def closed_for(gate: Gate, now: float) -> float:
    return gate.wait(now, spread=0.0, randomness=0.0)


def learned(error: DeepSeekError, wait: float | None = 0.25) -> Gate:
    gate = Gate()
    gate.learn(error, now=100.0, at_most=60.0, wait=wait)
    return gate


def test_it_is_open_at_first() -> None:
    """Nobody waits before anybody was refused."""
    assert closed_for(Gate(), 0.0) == 0.0


def test_retry_after_closes_it() -> None:
    """Until that moment, also where the call that was told makes no other attempt."""
    gate = learned(limited(5.0), wait=None)
    assert (closed_for(gate, 100.0), closed_for(gate, 104.0), closed_for(gate, 105.0)) == (5.0, 1.0, 0.0)
    assert closed_for(learned(ServiceUnavailableError("busy", status=503, retry_after=2.0)), 100.0) == 2.0


def test_an_unbelievable_retry_after_does_not() -> None:
    """A day's wait ends the call that was told; others may try."""
    assert closed_for(learned(limited(86_400.0)), 100.0) == 0.0


def test_a_rate_limit_without_it_closes_for_the_wait() -> None:
    """All leave the server alone for as long as the call that met its limit."""
    assert closed_for(learned(limited()), 100.0) == 0.25
    assert closed_for(learned(StreamInterruptedError("cut", cause=limited())), 100.0) == 0.25
    assert closed_for(learned(limited(), wait=None), 100.0) == 0.0


def test_other_failures_concern_one_call() -> None:
    """One 503 does not stop the traffic."""
    assert closed_for(learned(ServiceUnavailableError("busy", status=503)), 100.0) == 0.0


def test_it_never_opens_earlier() -> None:
    """A shorter wait learned later takes nothing back."""
    gate = learned(limited(5.0))
    gate.learn(limited(1.0), now=100.0, at_most=60.0, wait=None)
    assert closed_for(gate, 100.0) == 5.0


def test_those_who_wait_do_not_go_at_once() -> None:
    """Spread after the opening; once it is open nobody is held."""
    gate = learned(limited(5.0))
    assert gate.wait(100.0, spread=2.0, randomness=0.5) == 6.0
    assert gate.wait(105.0, spread=2.0, randomness=0.5) == 0.0
