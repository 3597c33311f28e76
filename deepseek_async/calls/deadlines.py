"""The deadlines of one call, kept by one timer.

The clock of a phase runs while the client waits for the network, and stands still between two waits: a caller who is
slow with a chunk is not charged. One thing between waits is charged, by `Deadlines.go_on`: what the client needs for
bytes that bring the caller nothing. Otherwise a flood of keep-alives would outrun its deadline. Only a chunk, or
another phase, begins the time anew.

The timer does not end a wait by itself. It looks, once a minute or sooner, whether the deadline has passed; so a
deadline that moves later, as with every chunk, need not touch the timer. While a connection is made it looks eight
times: if it comes late, the event loop has stood still, and that time is not charged.

A timer outlives the call that set it. Nearly every call ends long before its timer is due, and to make a timer and
cancel it costs a tenth of a short answer; so a call that ends leaves its timer to the next call of the same event loop.
"""

from __future__ import annotations

import asyncio
import math
import weakref
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import TypeVar

from ..errors import APITimeoutError, DeepSeekError, Phase, of_another_loop
from ..policy.timeouts import Timeouts

T = TypeVar("T")

_LOOK_SECONDS = 60.0
# How often a connection's timer looks, so that it notices when the loop stands still.
_LOOKS_AT_CONNECTING = 8
_DUE = "a deadline passed"  # the message of our cancellations

_ADVICE = {
    "connect": "the host does not accept connections",
    "first_chunk": "the request is queued, or being worked on in silence",
    "idle": "the server stopped sending",
    "total": "the whole call took too long",
}

# A server that queues a request sends keep-alives; not even those, nor the role that a stream begins with, came.
_MAY_BE_HELD = "; nothing at all came: a proxy may hold events back (docs/proxies.md)"


class Deadlines:
    """Cancels the wait of the task that waits in it when a deadline passes: ``await deadlines.wait(…)``.

    It has an attribute for each instant and duration that a wait depends on: a wait must cost next to nothing.

    Args:
        timeouts: The durations.
        streamed: Whether the answer is a stream, which begins to arrive long before its end.

    Attributes:
        loop: The event loop that it runs in, by whose clock it goes.
        phase: The present one.
        keepalives: Keep-alives seen in the present attempt, for the errors' text.
    """

    __slots__ = (
        *("_alarm", "_alarm_at", "_cancelling", "_due", "_error", "_has_heard", "_idle", "_is_stream", "_left"),
        *("_seconds", "_since", "_task", "_total", "_total_at", "_until", "keepalives", "loop", "phase"),
    )

    def __init__(self, timeouts: Timeouts, *, streamed: bool = False) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self._alarm: Alarm | None = None
        self._alarm_at = math.inf
        self._idle = math.inf if timeouts.idle is None else timeouts.idle
        self._total = self._total_at = math.inf
        if timeouts.total is not None:
            self._total = timeouts.total
            self._total_at = self.loop.time() + timeouts.total
        self.phase: Phase = "connect"
        self._seconds = self._left = math.inf
        self._since = self._until = self._due = math.inf
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._error: DeepSeekError | None = None
        self._is_stream = streamed
        self._has_heard = False
        self.keepalives: int = 0

    @property
    def remaining(self) -> float | None:
        """Seconds until the total deadline; ``None``: there is none."""
        return None if self._total_at == math.inf else self._total_at - self.loop.time()

    @property
    def waited(self) -> float:
        """Seconds that the last wait took, or what is left of it after its last phase began."""
        return self._until - self._since

    def enter(self, phase: Phase, seconds: float | None) -> None:
        """Begin a phase, or the same one anew: from now on it has all its seconds."""
        self.phase = phase
        self._has_heard = False
        self._seconds = self._left = math.inf if seconds is None else seconds
        if self._task is not None:
            self._since = self.loop.time()
            self._arm(self._since)

    async def wait(self, waited_for: Awaitable[T], *, is_fresh: bool = False) -> T:
        """Wait for something of the network's, no longer than the phase and the call have left.

        Args:
            waited_for: What to await.
            is_fresh: Whether a chunk has just come: the phase is ``idle``, and begins anew with this wait.

        Raises:
            APITimeoutError: In place of the cancellation by which a deadline ended the wait.
            DeepSeekError: Likewise, what `interrupt` was called with.
            CancelledError: Somebody else has cancelled the task, be it in the same turn as a deadline passed.
        """
        if not self.begin(is_fresh=is_fresh):
            raise of_another_loop(waited_for)
        try:
            brought = await waited_for
        except BaseException as error:
            due = self.end(error)
            if due is None:
                raise
        else:
            self.end()
            return brought
        raise due

    def begin(self, *, is_fresh: bool = False) -> bool:
        """A wait begins, as `wait` has it; False: not in a task of this loop, and nothing begins.

        Whoever waits many times a second calls this before, and `end` behind, and saves a coroutine.
        """
        self._task = task = asyncio.current_task(self.loop)
        if task is None:
            return False
        if is_fresh:
            self.phase = "idle"
            self._seconds = self._left = self._idle
        self._cancelling = task.cancelling()
        self._since = now = self.loop.time()
        due = now + self._left
        if self._total_at < due:
            due = self._total_at
        self._due = due
        if due < self._alarm_at:
            self._set_alarm(now)
        return True

    def end(self, error: BaseException | None = None) -> DeepSeekError | None:
        """The wait has ended, by itself or by an error; return what to raise instead of that, as `wait` has it."""
        task, self._task = self._task, None
        self._until = until = self.loop.time()
        self._left -= until - self._since
        if self._error is None or task is None:
            return None
        due_error, self._error = self._error, None
        cancelled = error if isinstance(error, asyncio.CancelledError) else None
        return due_error if self._is_ours(task, cancelled) else None

    def _is_ours(self, task: asyncio.Task[object], cancelled: asyncio.CancelledError | None) -> bool:
        """Take our cancellation back; whether it was the only one that ended the wait."""
        others = task.uncancel()
        if cancelled is None or others > self._cancelling:
            return False
        # A cancellation that was asked for before the wait began may only now have come.
        return self._cancelling == 0 or cancelled.args == (_DUE,)

    def go_on(self) -> None:
        """The wait brought nothing for the caller: the time since it ended was ours, and is charged."""
        now = self.loop.time()
        self._left -= now - self._until
        self._until = now
        self._has_heard = True

    def interrupt(self, error: DeepSeekError) -> None:
        """End the wait that is going on, if any, with an error of the caller's choice; for use by another task."""
        task = self._task
        if task is not None and self._error is None:
            self._error = error
            task.cancel(_DUE)

    def _arm(self, now: float) -> None:
        due = self._since + self._left
        if self._total_at < due:
            due = self._total_at
        self._due = due
        if due < self._alarm_at or self.phase == "connect":
            self._set_alarm(now)

    def _set_alarm(self, now: float) -> None:
        alarm = self._alarm
        if alarm is None:
            alarm = self._alarm = take_alarm(self.loop, self._look)
        latest = now + _LOOK_SECONDS
        look_at = self._due if self._due < latest else latest
        if self.phase == "connect":
            look_at = min(look_at, now + self._seconds / _LOOKS_AT_CONNECTING)
        if look_at < alarm.at:
            alarm.set(self.loop, look_at)
        self._alarm_at = alarm.at

    def _look(self) -> None:
        now = self.loop.time()
        late = now - max(self._alarm_at, self._since)
        self._alarm_at = math.inf
        if self._task is None:
            return
        if self.phase == "connect" and late > 0:
            # The loop stood still meanwhile, and a connection takes several turns of it: that time does not count.
            self._left += late
            self._due = min(self._since + self._left, self._total_at)
        if now < self._due:
            self._arm(now)
        else:
            # After a stall of the loop, data and deadline come due at once: what has arrived goes first.
            self.loop.call_soon(self._expire, self._task)

    def _expire(self, task: asyncio.Task[object]) -> None:
        if self._task is not task:
            return
        if (now := self.loop.time()) < self._due:
            self._arm(now)
            return
        self.interrupt(self._timeout())

    def _timeout(self) -> APITimeoutError:
        phase, seconds = self.phase, self._seconds
        if self.loop.time() >= self._total_at:
            phase, seconds = "total", self._total
        # While it waits for a connection, or for one to be made, nothing of the request has been sent.
        waiting = "there was no connection yet" if phase == "total" and self.phase == "connect" else ""
        seen = f", {self.keepalives} keep-alives seen" if self.keepalives else ""
        if self._is_stream and self.phase == "first_chunk" and not self._has_heard:
            seen = _MAY_BE_HELD
        return APITimeoutError(
            f"{phase} timeout of {seconds:g} s passed: {waiting or _ADVICE[phase]}{seen}",
            phase=phase,
            seconds=seconds,
            keepalives=self.keepalives,
            waiting=waiting,
        )

    def close(self) -> None:
        """The call is over: leave the timer to the next."""
        if self._alarm is not None:
            self._alarm.release()
            self._alarm = None
            self._alarm_at = math.inf


class Alarm:
    """A timer of one event loop, for one user after another. A user must bear being called too early.

    An alarm refers neither to its loop nor to the loop's handle of the timer: either would keep a loop in memory that
    has ended. So a timer that nobody wants any more cannot be cancelled; when it is due, it does nothing.

    Attributes:
        call: What to call; ``None``: nobody uses it.
        at: When it will call, by the loop's clock; infinity: it is not set.
    """

    __slots__ = ("_idle", "at", "call")

    def __init__(self, idle: list[Alarm]) -> None:
        self._idle = idle
        self.call: Callable[[], None] | None = None
        self.at: float = math.inf

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
_of_latest: tuple[Callable[[], asyncio.AbstractEventLoop | None], list[Alarm]] = (lambda: None), []  # a look-up less


def take_alarm(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> Alarm:
    """An alarm of the loop's that nobody uses; it may be set to some moment that was another's."""
    global _of_latest
    if _of_latest[0]() is not loop:
        _of_latest = weakref.ref(loop), _IDLE.setdefault(loop, [])
    idle = _of_latest[1]
    alarm = idle.pop() if idle else Alarm(idle)
    alarm.call = call
    return alarm
