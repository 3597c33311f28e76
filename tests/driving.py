"""Drives a coroutine and does something at its n-th suspension: every await is met, with nothing left to timing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Driven(Generic[T]):
    """Awaits a coroutine and calls a function as it suspends for the n-th time.

    Args:
        coroutine: What to run.
        at: Which suspension, from 0.
        act: Called then, inside the task that waits.
        late: Call it not when waiting begins, but when it is over and the task has not been told yet.

    Attributes:
        suspensions: How often it has suspended.
        has_acted: Whether it came to that.
    """

    def __init__(
        self, coroutine: Coroutine[Any, Any, T], at: int, act: Callable[[], object], *, late: bool = False
    ) -> None:
        self._coroutine = coroutine
        self._at = at
        self._act = act
        self._late = late
        self.suspensions = 0
        self.has_acted = False

    def __await__(self) -> Generator[Any, Any, T]:
        thrown: BaseException | None = None
        while True:
            try:
                waited_for = self._coroutine.send(None) if thrown is None else self._coroutine.throw(thrown)
            except StopIteration as end:
                result: T = end.value
                return result
            if self.suspensions == self._at:
                if self._late and isinstance(waited_for, asyncio.Future):
                    waited_for.add_done_callback(self._do)  # comes before the task's own
                else:
                    self._do()
            self.suspensions += 1
            thrown = None
            try:
                yield waited_for
            except BaseException as error:
                thrown = error

    def _do(self, _: object = None) -> None:
        if not self.has_acted:
            self.has_acted = True
            self._act()


async def cancelled_at(coroutine: Coroutine[Any, Any, T], at: int, *, late: bool) -> tuple[bool, T | BaseException]:
    """Run a coroutine in a task of its own and cancel it at its n-th suspension.

    Returns:
        Whether it came to that; what it returned or raised.
    """

    async def run() -> T:
        return await driven

    driven = Driven(coroutine, at, lambda: task.cancel(), late=late)
    task = asyncio.ensure_future(run())
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    return driven.has_acted, outcome


async def settled() -> None:
    """Let everything run that can run without waiting for anything outside."""
    for _ in range(8):
        await asyncio.sleep(0)
