"""Whether to try again, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec.failures.statuses import failure_from
from deepseek_async.codec.heads import retry_after_of
from deepseek_async.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    DeepSeekError,
    EmptyResponseError,
    InvalidRequestError,
    MalformedResponseError,
    Phase,
    ResponseTooLargeError,
    StreamInterruptedError,
)
from deepseek_async.policy.retry import RetryPolicy

DEFAULT = RetryPolicy()
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def status(number: int, retry_after: str | None = None) -> DeepSeekError:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return failure_from(number, headers, b"", NOW)


def wait(error: DeepSeekError, policy: RetryPolicy = DEFAULT, **given_: Any) -> float | None:
    situation: dict[str, Any] = {"attempt": 1, "delivered": 0, "remaining": None, "randomness": 0.5, **given_}
    return policy.wait_before_next(error, **situation)


@pytest.mark.parametrize("number", [408, 429, 500, 502, 503, 504, 520, 529, 599])
def test_statuses_that_pass(number: int) -> None:
    """The server was busy, slow or broken: another attempt may meet it better."""
    assert wait(status(number)) is not None


@pytest.mark.parametrize("number", [201, 204, 301, 307, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 451])
def test_statuses_that_stay(number: int) -> None:
    """The same request meets the same answer, even if a Retry-After asks for it."""
    assert wait(status(number)) is None
    assert wait(status(number, "1")) is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (APIConnectionError("refused", during="connect"), True),
        (APIConnectionError("reset"), True),
        (APIConnectionError("no certificate", reason="untrusted"), False),
        (EmptyResponseError("nothing"), True),
        (StreamInterruptedError("cut"), True),
        (StreamInterruptedError("refused in the band", cause=APIStatusError("no", status=400)), False),
        (MalformedResponseError("no JSON"), False),
        (ResponseTooLargeError("huge", limit=1), False),
    ],
)
def test_other_failures(error: DeepSeekError, expected: bool) -> None:
    """What the network broke or the server left empty is asked for again; what cannot be read is not."""
    assert (wait(error) is not None) is expected


@pytest.mark.parametrize(("phase", "expected"), [("connect", True), ("first_chunk", False), ("idle", False)])
def test_timeouts(phase: Phase, expected: bool) -> None:
    """Only before the server saw the request: later it may be at work, and the work would be paid twice."""
    error = APITimeoutError("late", phase=phase, seconds=1.0)
    assert (wait(error) is not None) is expected


def test_nothing_is_repeated_once_delivered() -> None:
    """The caller has seen part of the answer, and another attempt brings another one."""
    assert wait(StreamInterruptedError("cut"), delivered=1) is None


def test_attempts_include_the_first() -> None:
    """Three attempts are two repetitions; one is none."""
    policy = RetryPolicy(attempts=3)
    assert [wait(status(503), policy, attempt=n) is not None for n in (1, 2, 3)] == [True, True, False]
    assert wait(status(503), RetryPolicy(attempts=1)) is None


@given(attempt=st.integers(1, 10_000), randomness=st.floats(0, 1, exclude_max=True))
def test_full_jitter(attempt: int, randomness: float) -> None:
    """Uniform from 0 to the exponential bound, which has a cap; never an overflow."""
    policy = RetryPolicy(attempts=100_000, wait_initial=0.5, wait_max=30.0)
    seconds = wait(status(503), policy, attempt=attempt, randomness=randomness)
    bound = 30.0 if attempt > 7 else min(30.0, 0.5 * 2 ** (attempt - 1))
    assert seconds == pytest.approx(randomness * bound)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        (format_datetime(NOW + timedelta(seconds=20), usegmt=True), 20.0),
        ("Monday, 23-Nov-26 12:00:20 GMT", 20.0),
        ("Mon Nov 23 12:00:20 2026", 20.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
    ],
)
def test_retry_after_is_the_least_wait(said: str, meant: float) -> None:
    """Seconds, or a date in each of HTTP's three forms; the jitter comes on top, since everyone was told the same."""
    assert wait(status(503, said), randomness=0.0) == meant
    assert wait(status(429, said), randomness=0.5) == meant + 0.25


@pytest.mark.parametrize("said", ["", " ", "soon", "nan", "inf", "Mon, 99 Nov 2026 12:00:00 GMT", "1e400", "²"])
def test_a_retry_after_without_sense_is_none(said: str) -> None:
    """It is passed over, and the wait is our own."""
    assert wait(status(503, said)) == 0.25


@given(st.text(max_size=40))
def test_any_retry_after_can_be_read(said: str) -> None:
    """Whatever a server writes there, it is None or a finite number of seconds that is not negative."""
    seconds = retry_after_of({"retry-after": said}, NOW)
    assert seconds is None or 0 <= seconds < float("inf")


def test_retry_after_is_bounded() -> None:
    """An hour is not slept: the error says it, and the caller decides."""
    assert wait(status(503, "120")) is not None
    assert wait(status(503, "121")) is None
    assert wait(status(503, "121"), RetryPolicy(retry_after_max=600)) is not None


def test_a_wait_beyond_the_deadline_is_declined() -> None:
    """Better the true error now than a timeout later."""
    assert wait(status(503, "5"), remaining=4.9) is None
    assert wait(status(503, "5"), remaining=5.0, randomness=0.0) is None
    assert wait(status(503, "5"), remaining=6.0) is not None
    assert wait(status(503), remaining=0.2, randomness=0.9) is None
    assert wait(status(503), remaining=-1.0, randomness=0.0) is None


def test_retry_after_inside_a_stream() -> None:
    """A refusal that came in the band carries its wish through the interruption."""
    cause = status(429, "9")
    assert wait(StreamInterruptedError("broken off", cause=cause), randomness=0.0) == 9.0


@pytest.mark.parametrize("attempts", [0, -1, True, 1.0, "3"])
def test_attempts_are_checked(attempts: Any) -> None:
    """An integer of at least 1; the message names the field."""
    with pytest.raises(InvalidRequestError, match=r"retry\.attempts"):
        RetryPolicy(attempts=attempts)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "1", None, True])
@pytest.mark.parametrize("field", ["wait_initial", "wait_max", "retry_after_max"])
def test_seconds_are_checked(field: str, seconds: Any) -> None:
    """Finite and not negative; the message names the field."""
    with pytest.raises(InvalidRequestError, match=rf"retry\.{field}"):
        RetryPolicy(**{field: seconds})
