"""Whether to try again, and when. Pure: the clock and the randomness are arguments.

One owner: nothing below this decides to send a request again, but for one repetition of a request whose kept-alive
connection turned out to be stale before the server saw it, which is no attempt.

Which errors may be followed by another attempt is data: the table `errors.RETRYABLE`, which `DeepSeekError.retryable`
reads. This module adds what depends on the call and not on the error: how many attempts there were, whether the caller
has already received a part of the answer (then there is never another), how long to wait, and whether the deadline
leaves the time.
"""

from __future__ import annotations

from typing import Any

import attrs

from ..errors import APIStatusError, DeepSeekError, InvalidRequestError, StreamInterruptedError
from ..types.requests.numbers import integer_in, integer_or_same, number_in, number_or_same
from ..types.structs import knows_its_names
from ..types.values import Brief


def _positive(_: object, attribute: Any, value: object) -> None:
    if (seconds := number_in(value)) is None or not 0 <= seconds < float("inf"):
        raise InvalidRequestError(f"retry.{attribute.name}", value, "seconds, 0 or more")


def _count(_: object, attribute: Any, value: object) -> None:
    if (count := integer_in(value)) is None or count < 1:
        raise InvalidRequestError(f"retry.{attribute.name}", value, "an integer of at least 1 (the first try counts)")


@knows_its_names
@attrs.frozen(repr=False)
class RetryPolicy(Brief):
    """When a failed attempt is followed by another.

    Full jitter: before attempt n + 1 the wait is uniform in [0, min(wait_max, wait_initial · 2^(n-1))], so that clients
    that failed together do not come back together. A ``Retry-After`` of the server's is the least wait instead.

    Args:
        attempts: At most so many tries, the first included; 1 means never again. Such a call waits at most 5 s
            for what other calls were told (a ``Retry-After``), then it goes out: its caller decides.
        wait_initial: Upper end of the first wait, seconds.
        wait_max: Upper end of every wait, seconds.
        retry_after_max: A ``Retry-After`` above this, in seconds, is not waited for: the error is raised instead.

    Raises:
        InvalidRequestError: A value is out of range.
    """

    _has_all = True

    attempts: int = attrs.field(default=3, converter=integer_or_same, validator=_count)
    wait_initial: float = attrs.field(default=0.5, converter=number_or_same, validator=_positive)
    wait_max: float = attrs.field(default=30.0, converter=number_or_same, validator=_positive)
    retry_after_max: float = attrs.field(default=120.0, converter=number_or_same, validator=_positive)

    def wait_before_next(
        self, error: DeepSeekError, *, attempt: int, delivered: int, remaining: float | None, randomness: float
    ) -> float | None:
        """Seconds to wait before the next attempt; ``None``: no other attempt.

        Args:
            error: How the attempt ended.
            attempt: Its number, from 1.
            delivered: Chunks that the caller has received.
            remaining: Seconds until the call's total deadline; ``None``: no such deadline.
            randomness: Uniform in [0, 1).
        """
        if attempt >= self.attempts or delivered or not error.retryable:
            return None
        wait = randomness * min(self.wait_max, self.wait_initial * 2.0 ** min(attempt - 1, 62))
        retry_after = retry_after_in(error)
        if retry_after is not None:
            if retry_after > self.retry_after_max:
                return None
            wait += retry_after  # the jitter on top: everyone was told the same time
        if remaining is not None and wait >= remaining:
            return None  # better the true error now than a timeout later
        return wait


def retry_after_in(error: DeepSeekError) -> float | None:
    """The server's wish to wait, in seconds, wherever the error carries it."""
    if isinstance(error, StreamInterruptedError) and error.cause is not None:
        return retry_after_in(error.cause)
    return error.retry_after if isinstance(error, APIStatusError) else None
