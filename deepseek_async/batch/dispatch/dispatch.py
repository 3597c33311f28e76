"""Decides what of a batch is sent next, and hands each outcome over exactly once.

One task decides; each row in flight is a task of its own, and no row that waits is one. A row is pulled from the source
only when there is a slot for it and room for its outcome. The oldest row goes first: before new ones those that were
refused (429), and those that have rested after a failure.

Nothing here raises for one row's sake. What dooms the run (a key that is refused, a balance that is gone, a source or a
journal that fails) stops the sending; what is in flight comes to its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from ...calls.caller import Caller
from ...policy.budget import RetryBudget
from ...policy.limiter import Permit
from ..options import RateLimiter, Rules
from ..outcomes import Failed, Succeeded
from ..source.row import Row
from ..source.rows import RowSource
from .background import Alarm, Errand, failure_of, is_cancelled
from .notices import Notices
from .queue import Waiting
from .sender import DOOMS, Check, Deliver, Ended, Mark, Rest, Sender, may_be_billed
from .slots import CEILING, Lane, lanes_of
from .warm_up import WarmUp

# Rows started in one turn of the loop. A stop is heard after four turns: 20 ms, where 64 rows a turn took 150; the cost
# of a row is the same.
_IN_ONE_TURN: Final = 16

_log = logging.getLogger("deepseek_async")


class Dispatch:
    """One batch being sent. Made in the loop that it runs in.

    Args:
        rows: Where the rows come from.
        caller: The client's.
        rules: How to send.
        deliver: Takes each outcome.
        mark: Told of each row when it is pulled.
        check: Asked before each sending.
        tell: Told what a person should hear.

    Attributes:
        in_flight: Rows sent and not yet ended.
        undelivered: Outcomes that wait to be taken; kept by whoever takes them.
        refusals: Answers with 429.
        failure: What doomed the run.
        is_callers: Whether that came from what the caller gave: the source, the rate limiter.
        stopping: Set once nothing more is sent.
        left: Rows without an outcome that may have been billed; complete when `run` has ended.
    """

    def __init__(
        self,
        rows: RowSource,
        caller: Caller,
        rules: Rules,
        *,
        deliver: Deliver,
        mark: Mark | None = None,
        check: Check | None = None,
        tell: Callable[[str], None] = _log.warning,
    ) -> None:
        self._rows = rows
        self._caller = caller
        self._rules = rules
        self._deliver = deliver
        self._notices = Notices(caller, tell)
        self._sender = Sender(caller, rules.max_attempts, check)
        self._mark = mark
        self._most = self._most_now = rules.max_concurrency or CEILING
        self._window = rules.window or self._most
        self._loop = asyncio.get_running_loop()
        warm_up = WarmUp(rules.warmup) if rules.warmup else None
        self._waiting = Waiting(lanes_of(caller), self._most, warm_up)
        self._budget = RetryBudget(self._loop.time())
        self._may_pace = rules.rate_limiter is None
        self._fetching, self._pacing, self._alarm = Errand(self._back), Errand(self._back), Alarm(self.wake)
        self._changed = asyncio.Event()
        self.in_flight = 0
        self.undelivered = 0
        self.refusals = 0
        self.stopping = asyncio.Event()
        self.failure: Exception | None = None
        self.is_callers = False
        self.left: list[Row] = []

    async def run(self) -> None:
        """Send until every row of the source has its outcome, or until stopped and nothing is in flight.

        Cancelled, it breaks off what is in flight. What doomed the run is in `failure` afterwards.
        """
        try:
            async with asyncio.TaskGroup() as self._tasks:
                try:
                    await self._feed()
                finally:
                    self._want_nothing()
        finally:
            self.left += [row for row in self._waiting if any(map(may_be_billed, row.errors))]
            await self._rows.aclose()

    def stop(self, failure: Exception | None = None, *, is_callers: bool = False) -> None:
        """Send nothing more; let what is in flight end. The first failure counts."""
        self.stopping.set()
        if self.failure is None:
            self.failure, self.is_callers = failure, is_callers
        self.wake()

    def wake(self) -> None:
        """Something has changed: look again at what can be sent."""
        self._changed.set()

    @property
    def waiting(self) -> int:
        """Rows pulled and not in flight: refused, resting after a failure, held back for a warm cache."""
        return len(self._waiting)

    @property
    def limit(self) -> int:
        """How many rows may be in flight at present."""
        return min(sum(lane.limiter.limit for lane in self._waiting.lanes), self._most_now)

    # -- deciding ----------------------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        while not self.stopping.is_set():
            self._changed.clear()
            self._turn()
            if self._rows.is_at_end and not self.in_flight and not self._waiting:
                return
            if self._changed.is_set():
                await asyncio.sleep(0)
            else:
                await self._changed.wait()

    def _turn(self) -> None:
        full: set[Lane] = set()
        now = self._loop.time()
        self._most_now = min(self._most, self._rules.most_now() or self._most)
        self._end_rests(now)
        gate_opens_in = self._caller.surroundings.gate.wait(now, spread=0.0, randomness=0.0)
        if (wait := max(self._rules.hold(), gate_opens_in)) > 0:
            self._alarm.set_in(wait)
        else:
            for lane in self._waiting.lanes:
                self._fill(lane, full)
            self._pull(full)
        for lane in self._waiting.lanes:
            if lane not in full:
                lane.leave(self)  # whoever has a turn and does not take it keeps others waiting

    def _end_rests(self, now: float) -> None:
        while (at := self._waiting.rest_ends_at) is not None:
            if at > now:
                self._alarm.set_in(at - now)
                return
            if not self._budget.take(now):
                self._alarm.set_in(self._budget.wait(now))
                return
            self._waiting.end_rest()

    def _fill(self, lane: Lane, full: set[Lane]) -> None:
        """Start rows that wait for nothing but a slot."""
        while self._waiting.has_next(lane) and self.in_flight < self._most_now and self._has_pace():
            permit = lane.try_acquire(self, self.wake)
            if permit is None:
                full.add(lane)
                return
            self._start(self._waiting.next(lane), lane, permit)

    def _pull(self, full: set[Lane]) -> None:
        for _ in range(_IN_ONE_TURN):
            if self._rows.is_at_end or self._fetching.is_running or self.stopping.is_set():
                return
            if len(self._waiting) >= self._rules.ahead and not (self._has_room() and self._has_slot(full)):
                return
            row = self._next_row()
            if row is None:
                return
            self._take_up(row, full)
        self.wake()

    def _has_room(self) -> bool:
        return (
            self.in_flight < self._most_now
            and self.in_flight + self.undelivered < self._window
            and len(self._waiting) < self._most
            and self._has_pace()
        )

    def _has_slot(self, full: set[Lane]) -> bool:
        """Whether there is a slot for the next row, as far as can be told before it is seen."""
        for lane in self._waiting.lanes:
            if lane not in full:
                if lane.has_slot(self, self.wake):
                    return True
                full.add(lane)
        return not full

    def _next_row(self) -> Row | None:
        try:
            row = self._rows.next_ready()
        except (Exception, asyncio.CancelledError) as error:  # an iterable may raise anything; nobody cancels us here
            self.stop(failure_of(error), is_callers=True)
            return None
        if row is None and not self._rows.is_at_end:
            self._fetching.start(self._rows.more, self._tasks)
        return row

    def _take_up(self, row: Row, full: set[Lane]) -> None:
        if row.error is not None:
            self._end(Ended(Failed(row.custom_id, None, row.error)), row)
            return
        try:
            row.marked = self._mark(row) if self._mark is not None else None
        except Exception as error:  # the journal cannot be written
            self.stop(error)
        else:
            if (lane := self._waiting.add(row)) is not None:
                self._fill(lane, full)

    def _has_pace(self) -> bool:
        if not self._may_pace and not self._pacing.is_running and self._rules.rate_limiter is not None:
            self._pacing.start(partial(self._pace, self._rules.rate_limiter), self._tasks)
        return self._may_pace

    async def _pace(self, rate_limiter: RateLimiter) -> None:
        async with rate_limiter:
            self._may_pace = True

    def _back(self, failure: Exception | None) -> None:
        if failure is not None:
            self.stop(failure, is_callers=True)
        self.wake()

    def _want_nothing(self) -> None:
        for beside in (self._fetching, self._pacing, self._notices, self._alarm):  # a pipe may bring nothing for hours
            beside.cancel()
        for lane in self._waiting.lanes:
            lane.leave(self)

    # -- sending -----------------------------------------------------------------------------------------------------

    def _start(self, row: Row, lane: Lane, permit: Permit) -> None:
        self.in_flight += 1
        self._may_pace = self._rules.rate_limiter is None
        self._tasks.create_task(self._send(row, lane, permit))

    async def _send(self, row: Row, lane: Lane, permit: Permit) -> None:
        try:
            ending = await self._sender.send(row, lane, permit)
            if isinstance(ending, Ended):
                self._end(ending, row)
            elif isinstance(ending, Rest):
                self._waiting.rest(row, self._loop.time() + ending.seconds)
            else:
                self.refusals += 1
                self._waiting.refused(row)
                if ending.notice is not None:
                    self._notices.start(ending.notice, ending.error, self._tasks)
        except Exception as error:  # the journal cannot be written, or a fault of ours: no further row is safe
            if any(map(may_be_billed, row.errors)):
                self.left.append(row)
            self.stop(error)
        except asyncio.CancelledError as error:
            if row.attempts:
                self.left.append(row)
            if not is_cancelled():
                self.stop(failure_of(error))
            raise
        finally:
            self.in_flight -= 1
            self.wake()

    def _end(self, ending: Ended, row: Row) -> None:
        if isinstance(outcome := ending.outcome, Succeeded):
            self._budget.succeeded()
        elif isinstance(outcome.error, DOOMS):
            if any(map(may_be_billed, row.errors)):  # by an attempt before
                self.left.append(row)
            self.stop(outcome.error)
        try:
            self._deliver(outcome, row, ending.body)
        except Exception as error:
            self.left.append(row)
            self.stop(error)
        self._waiting.ended(row)
