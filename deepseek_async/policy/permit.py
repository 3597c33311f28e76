"""Leave to send one request, and what has been seen of that request."""

from __future__ import annotations

from typing import Literal


class Permit:
    """Leave to send one request. Hand it back to the limiter with what became of it.

    Args:
        ordinal: How many permits the limiter gave before.
        epoch: The limiter's when it gave this one.
        sent_at: When that was.
    """

    __slots__ = ("epoch", "ordinal", "sent_at", "state")

    def __init__(self, ordinal: int, epoch: int, sent_at: float) -> None:
        self.ordinal = ordinal
        self.epoch = epoch
        self.sent_at = sent_at
        self.state: Literal["undecided", "presumed", "admitted", "ended"] = "undecided"
