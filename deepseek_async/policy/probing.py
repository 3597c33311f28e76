"""When a limiter tries whether more requests are let in, and how many more. Pure: the clock is an argument."""

from __future__ import annotations

import math
from typing import Final

PROBE_SECONDS: Final = 1.0
PROBE_SECONDS_MAX: Final = 10.0
ANSWERS_PER_REFUSED_PROBE: Final = 10
HUNGER_SHARE: Final = 0.125  # of the time without an answer: how long the next probe waits where nothing is in flight


class Probing:
    """The probes of one limiter.

    A probe raises the limit by a step. The step doubles after each clean probe, to a quarter of the limit at most, and
    falls back to 1 on a refusal or a failure.

    Attributes:
        due_at: When the next probe may be made.
    """

    def __init__(self) -> None:
        self.due_at: float = -math.inf
        self._step = 1
        self._epoch = -1

    def probe(self, limit: int, *, epoch: int, now: float) -> int:
        """Make a probe; returns by how much the limit is raised.

        Args:
            limit: The limit.
            epoch: The limiter's: if it is the same as at the last probe, that one was clean.
        """
        if self._epoch == epoch:
            self._step = min(2 * self._step, max(limit // 4, 1))
        self._epoch = epoch
        self.due_at = now + PROBE_SECONDS
        return self._step

    def failed(self, now: float) -> None:
        """The server fails: wait until it has not failed for a second."""
        self.due_at = max(self.due_at, now + PROBE_SECONDS)
        self._step = 1

    def refused(self, now: float, *, answer_seconds: float, admitted: int, is_starved: bool) -> None:
        """A request was refused: wait until ten answers have paid for that.

        Args:
            answer_seconds: How long an answer takes.
            admitted: How many are being waited for.
            is_starved: Whether it is time to ask seldom.
        """
        self._step = 1
        paid = ANSWERS_PER_REFUSED_PROBE * answer_seconds / max(admitted, 1)
        self.due_at = max(self.due_at, now + _within_bounds(PROBE_SECONDS_MAX if is_starved else paid))

    def hungry(self, now: float, *, since: float, is_starved: bool) -> None:
        """Nothing is in flight and nothing allowed, so that no answer will pay: the longer none came, the later."""
        self.due_at = now + _within_bounds(PROBE_SECONDS_MAX if is_starved else HUNGER_SHARE * (now - since))


def _within_bounds(seconds: float) -> float:
    return min(max(seconds, PROBE_SECONDS), PROBE_SECONDS_MAX)
