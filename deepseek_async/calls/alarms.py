"""Timers that outlive the calls they were set for.

Nearly every call sets a timer and ends long before it is due. Making one and cancelling it costs a tenth of what a
short answer does; so a call that ends leaves its timer, as it is, to the next one of the same event loop.
"""

from __future__ import annotations

import asyncio
import math
import weakref
from collections.abc import Callable
from contextvars import Context


class Alarm:
    """A timer of one event loop, for one user after another. A user must bear being called too early.

    It knows neither the loop nor the loop's handle, which would keep a loop that has ended: a timer that is no longer
    wanted is not cancelled, but does nothing when it is due.

    Attributes:
        call: What to call; ``None``: nobody uses it.
        at: When it will call, by the loop's clock; infinity: it is not set.
    """

    __slots__ = ("_idle", "at", "call")

    def __init__(self, idle: list[Alarm]) -> None:
        self._idle = idle
        self.call: Callable[[], None] | None = None
        self.at = math.inf

    def set(self, loop: asyncio.AbstractEventLoop, moment: float) -> None:
        """Call at that moment and not at the one set before."""
        self.at = moment
        # In a context of its own: the caller's would be held, with all that is in it, for up to a minute.
        loop.call_at(moment, self._ring, moment, context=Context())

    def release(self) -> None:
        """Leave it to the next user."""
        self.call = None
        self._idle.append(self)

    def _ring(self, moment: float) -> None:
        if moment == self.at:
            self.at = math.inf
            if self.call is not None:
                self.call()


_IDLE: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[Alarm]] = weakref.WeakKeyDictionary()


def take_alarm(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> Alarm:
    """An alarm of the loop's that nobody uses; it may be set to some moment that was another's."""
    idle = _IDLE.get(loop)
    if idle is None:
        idle = _IDLE[loop] = []
    alarm = idle.pop() if idle else Alarm(idle)
    alarm.call = call
    return alarm
