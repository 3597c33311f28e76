"""How many rows of a run may be sent again after failures of the server. Pure: the clock is an argument."""

from __future__ import annotations

from typing import Final

SHARE_OF_SUCCESSES: Final = 0.2
PER_SECOND: Final = 10.0
_ONE: Final = 1 - 1e-6  # five fifths of a float are not quite one


class RetryBudget:
    """A run's allowance for retries: a fifth of its successes, and ten a second on top.

    When most requests fail, retries would multiply the load on a server that is already in trouble; a share of the
    successes cannot. The allowance per second lets a run begin, and find out when the server is well again.

    Args:
        now: The time of the run's start, in seconds of a monotonic clock.

    Attributes:
        successes: Rows answered since the allowance was last looked at; counted by whoever sends.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._allowance = PER_SECOND
        self.successes: int = 0

    def take(self, now: float) -> bool:
        """Take one retry from the allowance; False if there is none at present."""
        self._refill(now)
        if self._allowance < _ONE:
            return False
        self._allowance -= 1
        return True

    def wait(self, now: float) -> float:
        """Seconds until `take` has one to give, if no row succeeds meanwhile."""
        self._refill(now)
        return max(0.0, (_ONE - self._allowance) / PER_SECOND)

    def _refill(self, now: float) -> None:
        # Time saves up a second's worth at most; successes are kept for as long as the run goes on.
        elapsed, self._now = max(0.0, now - self._now), now
        if self._allowance < PER_SECOND:
            self._allowance = min(PER_SECOND, self._allowance + elapsed * PER_SECOND)
        self._allowance += SHARE_OF_SUCCESSES * self.successes
        self.successes = 0
