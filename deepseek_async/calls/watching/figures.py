"""What a client counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .statistics import Statistics


class Figures:
    """The figures of one client while it counts; `Statistics` is what it shows of them."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.waiting_for_connection = 0
        self.calls = 0
        self.attempts = 0
        self.retries = 0
        self.connections_made = 0
        self.connections_reused = 0
        self.resent = 0
        self.held = 0

    def frozen(self, slow_chunks: int, through_session: int) -> Statistics:
        from .statistics import Statistics  # not for those who never ask

        return Statistics(**vars(self), slow_chunks=slow_chunks, through_session=through_session)
