"""What one request learned holds for all of a client: until when the server wants to be left alone. Pure.

Only an error that may be tried again closes the gate: a ``Retry-After`` on a 404 (Varnish puts one on each of its
pages) says nothing about other requests.
"""

from __future__ import annotations

import math
from typing import Final

from ..errors import DeepSeekError, RateLimitError, StreamInterruptedError
from .retry import retry_after_in

HELD_ONCE_SECONDS: Final = 5.0
"""So long a call of one attempt waits at most for what others were told."""


class Gate:
    """Closed while a ``Retry-After`` of the server's runs, or while a call that met a rate limit waits to try again.

    Times are of the caller's clock, in seconds.

    Attributes:
        why: What closed it last, in words.
    """

    def __init__(self) -> None:
        self._opens_at: float = 0.0
        self.why: str = ""

    def learn(self, error: DeepSeekError, *, now: float, at_most: float, wait: float | None) -> None:
        """Take from an error how long the server is better left alone.

        Args:
            error: How an attempt ended.
            now: The present.
            at_most: A longer ``Retry-After`` than this is not believed.
            wait: What the call itself waits before its next attempt; ``None``: it makes none.
        """
        if not error.retryable:
            return
        retry_after = retry_after_in(error)
        if retry_after is not None:
            if retry_after <= at_most:
                self._close(now + retry_after, f"the server asked for {retry_after:g} s ({error.message})")
        elif wait is not None and _is_rate_limit(error):
            # DeepSeek sends no Retry-After. What was too much for one is too much for all.
            self._close(now + wait, f"a rate limit was met ({error.message})")

    def _close(self, until: float, why: str) -> None:
        if until > self._opens_at:
            self._opens_at, self.why = until, why

    def is_open(self, now: float) -> bool:
        """Whether requests may go out."""
        return now >= self._opens_at

    def wait(self, now: float, *, spread: float, randomness: float, at_most: float = math.inf) -> float:
        """Seconds until a request may go out; 0 if it may now.

        Args:
            now: The present.
            at_most: Whoever makes one attempt only is not held for longer: see `RetryPolicy.attempts`.
            spread: Those who wait go within so many seconds after the opening, so that they do not go all at once.
            randomness: Uniform in [0, 1).
        """
        closed = self._opens_at - now
        return min(closed + randomness * spread, at_most) if closed > 0 else 0.0


def _is_rate_limit(error: DeepSeekError) -> bool:
    return isinstance(error.cause if isinstance(error, StreamInterruptedError) else error, RateLimitError)
