"""When failures are noise, and when they are an outage. Pure."""

from __future__ import annotations

from typing import Final

FAILURE_MEMORY: Final = 0.05  # weight of the newest answer in the share of failures
FAILURE_SHARE_BAD: Final = 0.5
FAILURE_SHARE_GOOD: Final = 0.25


class Outage:
    """Begins when half of the latest answers are failures, and ends when a quarter of them are.

    Attributes:
        is_on: Whether it has begun and not ended.
        share: How many of the latest answers are failures, 0 to 1.
    """

    def __init__(self) -> None:
        self.is_on: bool = False
        self.share: float = 0.0

    def failed(self) -> bool:
        """An answer is a failure. Returns whether an outage begins with it."""
        self.share += FAILURE_MEMORY * (1.0 - self.share)
        begins = not self.is_on and self.share > FAILURE_SHARE_BAD
        self.is_on = self.is_on or begins
        return begins

    def succeeded(self) -> None:
        """An answer is none."""
        self.share -= FAILURE_MEMORY * self.share
        self.is_on = self.is_on and self.share >= FAILURE_SHARE_GOOD
