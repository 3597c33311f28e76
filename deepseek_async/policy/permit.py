"""Leave to send one request, and what has been seen of that request."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.define(eq=False)
class Permit:
    """Leave to send one request. Hand it back to the limiter with what became of it.

    Attributes:
        ordinal: How many permits the limiter gave before.
        epoch: The limiter's when it gave this one.
        sent_at: When that was.
        state: What is known of the request: nothing yet; that it is let in, by silence or by its head; that it is over.
    """

    ordinal: int
    epoch: int
    sent_at: float
    state: Literal["undecided", "presumed", "admitted", "ended"] = "undecided"
