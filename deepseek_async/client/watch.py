"""The deadlines of one call, kept by one timer.

A wait for the network begins and ends; between waits the clock of a phase stands still, so that a slow consumer is
not charged. What the client itself needs for bytes that bring the caller nothing is, by `Watch.go_on`, or a flood of
keep-alives would outrun its deadline. Only `Watch.enter` re-arms a phase. The timer only looks whether the deadline has
passed, once a minute or sooner: a deadline that moves later, as with every chunk, leaves it alone, and most calls set
it once.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType

from ..errors import APITimeoutError, DeepSeekError, Phase
from ..policy.timeouts import Timeouts

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
        "_cancelling",
        "_due",
        "_error",
        "_left",
        "_loop",
        "_seconds",
        "_since",
        "_task",
        "_time",
        "_timer",
        "_timer_at",
        "_total",
        "_total_at",
        "_until",
        "keepalives",
        "phase",
    )

    def __init__(self, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        self._time = self._loop.time
        self._total = math.inf if timeouts.total is None else timeouts.total
        self._total_at = self._time() + self._total
        self.phase: Phase = "connect"
        self._seconds = self._left = math.inf
        self._since = self._until = self._due = math.inf
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
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
        self._since = self._time()
        self._arm(self._since)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        self._until = self._time()
        self._left -= self._until - self._since
        error_to_raise, self._error = self._error, None
        # As asyncio.timeout does: ours if no other cancellation came meanwhile.
        if (
            error_to_raise is not None
            and task is not None
            and task.uncancel() <= self._cancelling
            and kind is asyncio.CancelledError
        ):
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
        if self._timer is None:
            if due < math.inf:
                self._look_at(min(due, now + _LOOK_SECONDS))
        elif due < self._timer_at:
            self._timer.cancel()
            self._look_at(due)

    def _look_at(self, moment: float) -> None:
        self._timer_at = moment
        self._timer = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        self._timer = None
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
        """Take the timer down."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
