"""``client.batch(…)``: the outcomes of many requests, to be iterated."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

import attrs

from ..calls.caller import Caller
from ..errors import refuse_sync
from .dispatch.dispatch import Dispatch
from .dispatch.slots import CEILING
from .options import SendingRules
from .outcomes import Outcome
from .source.row import Row
from .source.rows import RowSource, Source
from .stop_rules import within


class Batch:
    """An async context manager and the async iterator of its outcomes. Single use.

    Nothing is sent before the block is entered, and nothing is in flight after it was left, however it was left. A
    consumer that is slow stops the sending: outcomes that wait to be taken count like requests in flight.

    Args:
        caller: The client's.
        source: See `rows`.
        rules: How to send.
        ordered: Whether outcomes come in the order of the source.
    """

    def __init__(self, caller: Caller, source: Source, rules: SendingRules, *, ordered: bool) -> None:
        self._caller = caller
        rules = within(rules, caller.budget)
        # In order, those behind a slow one wait for it. Twice as many rows may be under way, so that slots stay filled.
        self._rules = attrs.evolve(rules, window=2 * (rules.max_concurrency or CEILING)) if ordered else rules
        self._source = source
        self._ready: deque[Outcome] = deque()
        self._early: dict[int, Outcome] | None = {} if ordered else None
        self._next = 1
        self._dispatch: Dispatch | None = None
        self._task: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        if self._dispatch is not None:
            raise RuntimeError("a batch can be entered once")
        self._rows = RowSource(self._source)
        self._dispatch = Dispatch(self._rows, self._caller, self._rules, deliver=self._deliver, untaken=self._untaken)
        self._task = asyncio.create_task(self._dispatch.run())
        self._task.add_done_callback(lambda _: self._arrived.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            await self._rows.aclose()  # a task that was cancelled before it began has not
            if not self._task.cancelled():
                self._task.exception()  # iteration raises it; whoever left before did not ask
        self._ready.clear()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        """The next outcome.

        Raises:
            AuthenticationError, InsufficientBalanceError: The key was refused, or the balance is gone. Nothing more is
                sent; all outcomes have been delivered.
            BudgetExceededError: The budget is used up. Likewise.
            RateLimitError, InternalServerError: The server refuses for good: without an answer for 15 minutes (for one
                minute, if it says that the quota is gone), or by a ``Retry-After`` of more than 15 minutes. Likewise.
            DeepSeekError: What was reached is not the API, or the client was closed. Likewise.
            Exception: What the source raised.
        """
        if self._dispatch is None or self._task is None:
            raise RuntimeError("use `async with client.batch(…) as outcomes`, then `async for outcome in outcomes`")
        while not self._ready:
            if self._task.done():
                return self._rest()
            self._arrived.clear()
            await self._arrived.wait()
        return self._taken()

    def _taken(self) -> Outcome:
        outcome = self._ready.popleft()
        if self._dispatch is not None:
            self._dispatch.wake()
        return outcome

    def _untaken(self) -> int:
        return len(self._ready) + (0 if self._early is None else len(self._early))

    def _rest(self) -> Outcome:
        """What is left when nothing more will come."""
        if self._early:  # rows before these were given up when the run was stopped
            self._ready.extend(self._early.pop(number) for number in sorted(self._early))
            return self._taken()
        task, dispatch = self._task, self._dispatch
        if task is not None and not task.cancelled() and (error := task.exception()) is not None:
            raise error
        if dispatch is not None and dispatch.failure is not None:
            raise dispatch.failure
        raise StopAsyncIteration

    def _deliver(self, outcome: Outcome, row: Row, _: bytes) -> None:
        if self._early is None:
            self._ready.append(outcome)
        else:
            self._early[row.number] = outcome
            while (following := self._early.pop(self._next, None)) is not None:
                self._next += 1
                self._ready.append(following)
        if self._ready:
            self._arrived.set()


refuse_sync(Batch)
