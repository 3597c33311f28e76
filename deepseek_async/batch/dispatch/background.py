"""What goes on beside the task that decides: a coroutine that it must not wait for, a time at which it has to look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Errand:
    """At most one coroutine at a time.

    Args:
        back: Called when one has ended, with its error if it failed.
    """

    def __init__(self, back: Callable[[Exception | None], None]) -> None:
        self._back = back
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self._task is not None

    def start(self, work: Callable[[], Coroutine[Any, Any, None]], tasks: asyncio.TaskGroup) -> None:
        """Begin one, as a task of the group."""
        self._task = tasks.create_task(self._run(work))

    async def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        failure: Exception | None = None
        try:
            await work()
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            failure = failure_of(error)
        except Exception as error:  # it runs what callers gave us, which may raise anything
            failure = error
        self._task = None
        self._back(failure)

    def cancel(self) -> None:
        """Break it off."""
        if self._task is not None:
            self._task.cancel()


def is_cancelled() -> bool:
    """Whether the running task has been cancelled; if not, a CancelledError in it is somebody else's."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def failure_of(error: BaseException) -> Exception:
    """What came out of something of the caller's; a CancelledError that nobody meant for the batch, as an error."""
    if isinstance(error, Exception):
        return error
    failure = RuntimeError("what the batch waited for was cancelled by somebody else")
    failure.__cause__ = error
    return failure


class Alarm:
    """Calls back at the earliest of the times that it was set to.

    Args:
        ring: What to call.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def set_in(self, seconds: float) -> None:
        """Ring after so many seconds at the latest."""
        now = self._loop.time()
        when = now + seconds
        if self._timer is not None:
            if now < self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._ring)

    def cancel(self) -> None:
        """Do not ring."""
        if self._timer is not None:
            self._timer.cancel()
