"""What runs beside the task that decides what is sent: coroutines that this task must not wait for, and a timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Errand:
    """At most one coroutine at a time.

    Args:
        back: Called when one has ended, with its error if it failed.

    Attributes:
        is_running: Whether one is under way.
    """

    def __init__(self, back: Callable[[Exception | None], None]) -> None:
        self._back = back
        self._task: asyncio.Task[None] | None = None
        self.is_running: bool = False

    def start(self, work: Callable[[], Coroutine[Any, Any, None]], tasks: asyncio.TaskGroup) -> None:
        """Begin one, as a task of the group."""
        self.is_running = True
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
        finally:
            self.is_running = False
        self._back(failure)

    def cancel(self) -> None:
        """Break it off."""
        if self._task is not None:
            self._task.cancel()


class _Hand(Generic[T]):
    """One task of a crew: a piece that was handed to it and not begun, and what wakes it for that."""

    __slots__ = ("piece", "wake")

    def __init__(self, piece: T) -> None:
        self.piece: T | None = piece
        self.wake: asyncio.Future[None] | None = None


class Crew(Generic[T]):
    """Tasks that do one piece of work after another: to make a task costs three times what it costs to wake one.

    Made in the loop that it runs in.

    Args:
        work: Does a piece of work; raises nothing but a cancellation.
        give_back: Takes a piece whose task was cancelled before it had begun with it.
    """

    def __init__(self, work: Callable[[T], Coroutine[Any, Any, None]], give_back: Callable[[T], None]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._give_back = give_back
        self._idle: list[_Hand[T]] = []
        self._is_over = False

    def start(self, piece: T, tasks: asyncio.TaskGroup) -> None:
        """Have a piece done by a task that has none, or by a new one of the group."""
        while self._idle:
            hand = self._idle.pop()
            if hand.wake is not None and not hand.wake.done():  # somebody may have cancelled the task
                hand.piece = piece
                hand.wake.set_result(None)
                return
        hand = _Hand(piece)
        tasks.create_task(self._run(hand)).add_done_callback(partial(self._end, hand))

    async def _run(self, hand: _Hand[T]) -> None:
        while (piece := hand.piece) is not None:
            hand.piece = None
            await self._work(piece)
            piece = None  # an idle task holds nothing
            if not self._is_over:
                hand.wake = self._loop.create_future()
                self._idle.append(hand)
                await hand.wake

    def _end(self, hand: _Hand[T], _: asyncio.Task[None]) -> None:
        piece, hand.piece = hand.piece, None
        if piece is not None:
            self._give_back(piece)

    def cancel(self) -> None:
        """Nothing more will come: let tasks end that have nothing to do, and the others after their piece."""
        self._is_over = True
        for hand in self._idle:
            if hand.wake is not None and not hand.wake.done():
                hand.wake.set_result(None)


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


class Pacing:
    """Lets one row go each time that a rate limiter was entered; without one, any.

    Args:
        rate_limiter: The caller's.
        back: Called when a row may go, or with an error if the rate limiter failed.

    Attributes:
        is_free: Whether there is no rate limiter.
        may_go: Whether a row may go. Whoever lets one go sets it to `is_free`.
    """

    def __init__(
        self, rate_limiter: AbstractAsyncContextManager[object] | None, back: Callable[[Exception | None], None]
    ) -> None:
        self._rate_limiter = rate_limiter
        self._entering = Errand(back)
        self.is_free: bool = rate_limiter is None
        self.may_go: bool = self.is_free

    def ask(self, tasks: asyncio.TaskGroup) -> bool:
        """A row would like to go: enter the rate limiter, unless that is under way. Whether one may go already."""
        if not self.may_go and not self._entering.is_running:
            self._entering.start(self._enter, tasks)
        return self.may_go

    async def _enter(self) -> None:
        assert self._rate_limiter is not None  # noqa: S101 - without one any row may go
        async with self._rate_limiter:
            self.may_go = True

    def cancel(self) -> None:
        """No row will go any more."""
        self._entering.cancel()


class Timer:
    """Calls back once, at the earliest of the times that it was set to.

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
