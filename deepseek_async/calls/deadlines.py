"""The deadlines of one call, kept by one timer.

A wait for the network begins and ends; between waits the clock of a phase stands still, so that a slow consumer is
not charged. What the client itself needs for bytes that bring the caller nothing is, by `Watch.go_on`, or a flood of
keep-alives would outrun its deadline. Only `Watch.enter` re-arms a phase. The timer only looks whether the deadline has
passed, once a minute or sooner: a deadline that moves later, as with every chunk, leaves it alone, and most calls find
it set by a call before; see `alarms`.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType

from ..errors import APITimeoutError, DeepSeekError, Phase
from ..policy.timeouts import Timeouts
from .alarms import Alarm, take_alarm

_LOOK_SECONDS = 60.0

_ADVICE = {
    "connect": "the host does not accept connections",
    "first_chunk": "the request is queued, or being worked on in silence",
    "idle": "the server stopped sending",
    "total": "the whole call took too long",
}


class Watch:
    """Cancels the wait of the task that it watches when a deadline passes; used as ``with watch: await …``.

    Raises:
        APITimeoutError: On leaving the ``with`` block, in place of that cancellation. Any other passes through.
        DeepSeekError: Likewise, what `interrupt` was called with.
    """

    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_cancelling",
        "_due",
        "_error",
        "_left",
        "_loop",
        "_seconds",
        "_since",
        "_task",
        "_time",
        "_total",
        "_total_at",
        "_until",
        "keepalives",
        "phase",
    )

    def __init__(self, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        self._time = self._loop.time
        self._alarm: Alarm | None = None
        self._alarm_at = math.inf
        self._total = self._total_at = math.inf
        if timeouts.total is not None:
            self._total = timeouts.total
            self._total_at = self._time() + timeouts.total
        self.phase: Phase = "connect"
        self._seconds = self._left = math.inf
        self._since = self._until = self._due = math.inf
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._error: DeepSeekError | None = None
        self.keepalives = 0

    @property
    def remaining(self) -> float | None:
        """Seconds until the total deadline; ``None``: there is none."""
        return None if self._total_at == math.inf else self._total_at - self._time()

    def enter(self, phase: Phase, seconds: float | None) -> None:
        """Begin a phase, or the same one anew: from now on it has all its seconds."""
        self.phase = phase
        self._seconds = self._left = math.inf if seconds is None else seconds
        if self._task is not None:
            self._since = self._time()
            self._arm(self._since)

    def __enter__(self) -> None:
        self._task = asyncio.current_task(self._loop)
        self._since = now = self._time()
        self._arm(now)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        self._until = until = self._time()
        self._left -= until - self._since
        if self._error is not None and task is not None:
            error_to_raise, self._error = self._error, None
            # As asyncio.timeout does: ours if no other cancellation came meanwhile.
            if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise error_to_raise from None

    def go_on(self) -> None:
        """The wait brought nothing for the caller: the time since it ended was ours, and is charged."""
        now = self._time()
        self._left -= now - self._until
        self._until = now

    def interrupt(self, error: DeepSeekError) -> None:
        """End the wait that is going on, if any, with an error of the caller's choice; for use by another task."""
        task = self._task
        if task is not None and self._error is None:
            self._error = error
            self._cancelling = task.cancelling()
            task.cancel()

    def _arm(self, now: float) -> None:
        due = self._since + self._left
        if self._total_at < due:
            due = self._total_at
        self._due = due
        if due < self._alarm_at:
            alarm = self._alarm
            if alarm is None:
                alarm = self._alarm = take_alarm(self._loop, self._look)
            if due < alarm.at:
                alarm.set(self._loop, min(due, now + _LOOK_SECONDS))
            self._alarm_at = alarm.at

    def _look(self) -> None:
        self._alarm_at = math.inf
        if self._task is None:
            return
        if (now := self._time()) < self._due:
            self._arm(now)
        else:
            # After a stall of the loop, data and deadline come due at once: what has arrived goes first.
            self._loop.call_soon(self._expire, self._task)

    def _expire(self, task: asyncio.Task[object]) -> None:
        if self._task is not task:
            return
        if (now := self._time()) < self._due:
            self._arm(now)
            return
        self.interrupt(self._timeout())

    def _timeout(self) -> APITimeoutError:
        phase, seconds = self.phase, self._seconds
        if self._time() >= self._total_at:
            phase, seconds = "total", self._total
        seen = f", {self.keepalives} keep-alives seen" if self.keepalives else ""
        return APITimeoutError(
            f"{phase} timeout of {seconds:g} s passed: {_ADVICE[phase]}{seen}",
            phase=phase,
            seconds=seconds,
            keepalives=self.keepalives,
        )

    def close(self) -> None:
        """The call is over: leave the timer to the next."""
        if self._alarm is not None:
            self._alarm.release()
            self._alarm = None
            self._alarm_at = math.inf
