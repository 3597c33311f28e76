"""What refusals tell a person besides the limit: a balance that runs out, an account that somebody else has taken."""

from __future__ import annotations

import math
from typing import Final, Literal

__all__ = ["Notice", "Signs"]

Notice = Literal["balance_low", "starved"]
"""What a refusal can reveal: the told limit fell below a quarter of its best (the balance runs out), or nothing has
been completed for two minutes while requests are refused (something else holds the account's whole limit)."""

STARVED_SECONDS: Final = 120.0
LOW_BALANCE: Final = 0.25
# So long after a refusal, nothing in flight means that nobody has wanted anything. Longer than any probe waits.
IDLE_SECONDS: Final = 20.0


class Signs:
    """The signs of one account and model; each is told once until it has passed. ``now``: seconds of one clock."""

    def __init__(self) -> None:
        self._best_told = 0
        self._has_told_low = False
        self._has_told_starved = False
        self._last_refusal = -math.inf
        self._hungry_since = math.inf

    def begin(self, now: float) -> None:
        """A request is on its way, and none was."""
        if now - self._last_refusal > IDLE_SECONDS:
            self._hungry_since = now

    def completed(self, now: float) -> None:
        """A request was answered."""
        self._hungry_since = now
        self._has_told_starved = False

    def refused(self, now: float, told: int | None) -> Notice | None:
        """A request was refused; ``told``: the limit that the text tells. Returns what is new."""
        self._last_refusal = now
        if told is not None:
            self._best_told = max(self._best_told, told)
            if told >= LOW_BALANCE * self._best_told:
                self._has_told_low = False
            elif not self._has_told_low:
                self._has_told_low = True
                return "balance_low"
        if self._has_told_starved or not self.is_starved(now):
            return None
        self._has_told_starved = True
        return "starved"

    def is_starved(self, now: float) -> bool:
        """Whether nothing has been answered for two minutes although something was wanted."""
        return now - self._hungry_since >= STARVED_SECONDS
