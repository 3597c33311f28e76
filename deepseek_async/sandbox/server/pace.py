"""A `Schedule` says when tokens are due, and a `Wheel` lets thousands of streams wait for that.

A thousand streams of twenty tokens a second wake up 20,000 times a second. A timer for each wake-up costs more than the
write it is for (7.4 µs against 2.4 µs measured), so wake-ups that fall into the same few milliseconds share one.
"""

from __future__ import annotations

import asyncio
import math

import attrs

__all__ = ["Schedule", "Wheel"]

_NEVER = 1e9  # seconds; no loop's clock takes infinity
_TICK = 0.004  # seconds; how late a token can be by sharing


@attrs.define
class Schedule:
    """The times of one answer's tokens, counted from the first one.

    Attributes:
        rate: Tokens a second.
    """

    rate: float
    _began: float | None = None
    _tokens: int = 0

    def due(self, tokens: int, now: float) -> float:
        """When the last of these tokens is due, which follow those asked for before."""
        if self._began is None:
            self._began = now
        self._tokens += tokens
        return self._began + min((self._tokens - 1) / self.rate, _NEVER)

    def shift(self, seconds: float) -> None:
        """Move what is still to come; there was a wait that the schedule knows nothing of."""
        if self._began is not None:
            self._began += seconds


class Wheel:
    """Wake-ups that share timers. Make one for each event loop."""

    __slots__ = ("_loop", "_slots")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[asyncio.Future[None]]] = {}

    def until(self, when: float) -> asyncio.Future[None]:
        """A future that is done at that time of the loop's clock, or up to 4 ms later."""
        future = self._loop.create_future()
        number = math.ceil(when / _TICK)
        slot = self._slots.get(number)
        if slot is None:
            self._slots[number] = [future]
            self._loop.call_at(number * _TICK, self._wake, number)
        else:
            slot.append(future)
        return future

    def _wake(self, number: int) -> None:
        for future in self._slots.pop(number):
            if not future.done():
                future.set_result(None)
