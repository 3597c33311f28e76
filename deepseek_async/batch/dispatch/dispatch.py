"""Decides what of a batch is sent next, and hands each outcome over exactly once.

One task decides. Each row in flight has a task to itself, and a row that waits has none. A row is pulled from the
source only when there is a slot for it and room for its outcome. The oldest row goes first.

Nothing here raises for one row's sake. What dooms the run (a key that is refused, a balance that is gone, a server that
is not the API, a source or a journal that fails) stops the sending; what is in flight comes to its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from ...calls.caller import Caller
from ...errors import RateLimitError
from ...policy.budget import RetryBudget
from ...policy.limiter import Permit
from ..faults import is_of_run
from ..options import SendingRules
from ..outcomes import Failed, Succeeded
from ..source.row import Row
from ..source.rows import RowSource
from .background import Crew, Errand, Pacing, Timer, failure_of, is_cancelled
from .notices import Notices, given_up
from .queue import Waiting
from .sender import Answered, Check, Deliver, Mark, Refused, Rest, Sender
from .slots import CEILING, Lane, lanes_of
from .warm_up import WarmUp

# Rows started in one turn of the loop. A stop is heard after four turns, some 30 ms. Requests that are sent one right
# after the other cost a fifth less than those of four turns: the server, and the network beneath, are still awake.
_IN_ONE_TURN: Final = 64

_log = logging.getLogger("deepseek_async")


class Dispatch:
    """One batch being sent. Made in the loop that it runs in.

    Its attributes are many because it stands between all others.

    Args:
        rows: Where the rows come from.
        caller: The client's.
        rules: How to send.
        deliver: Takes each outcome.
        mark: Told of the rows that were pulled, before they are sent.
        check: Asked before each sending.
        tell: Told what a person should hear.
        untaken: Says how many outcomes were delivered and wait to be taken; ``None``: none ever does.

    Attributes:
        in_flight: Rows sent and not yet ended.
        waiting: Rows pulled and not in flight, by what they wait for.
        refusals: Answers with 429.
        failure: What doomed the run, once it has.
        is_callers: Whether that came from what the caller gave: the source, the rate limiter.
        stopping: Set once nothing more is sent.
        left: Rows without an outcome that may have been billed; complete when `run` has ended.
    """

    def __init__(
        self,
        rows: RowSource,
        caller: Caller,
        rules: SendingRules,
        *,
        deliver: Deliver,
        mark: Mark | None = None,
        check: Check | None = None,
        tell: Callable[[str], None] = _log.warning,
        untaken: Callable[[], int] | None = None,
    ) -> None:
        self._rows = rows
        self._gate = caller.surroundings.gate
        self._rules, self._deliver = rules, deliver
        self._notices = Notices(caller, tell)
        self._sender = Sender(caller, rules.max_attempts, check, rules.wanted, rules.budget)
        self._mark = mark
        self._unmarked: list[Row] = []
        self._untaken = untaken
        self._most = self._most_now = rules.max_concurrency or CEILING
        self._window = rules.window or self._most
        self._loop = asyncio.get_running_loop()
        self._budget = RetryBudget(self._loop.time())
        warm_up = WarmUp(rules.warmup) if rules.warmup else None
        self.waiting: Waiting = Waiting(lanes_of(caller), self._most, warm_up, self._budget)
        self._fetching, self._pace = Errand(self._back), Pacing(rules.rate_limiter, self._back)
        self._changed = asyncio.Event()
        self.wake: Callable[[], None] = self._changed.set  # something has changed: look again at what can be sent
        self._timer, self._crew = Timer(self.wake), Crew(self._send, self._take_back)
        self.in_flight: int = 0
        self.refusals: int = 0
        self.stopping: asyncio.Event = asyncio.Event()
        self.failure: Exception | None = None
        self.is_callers: bool = False
        self.left: list[Row] = []

    async def run(self) -> None:
        """Send until every row of the source has its outcome, or until stopped and nothing is in flight.

        Cancelled, it breaks off what is in flight.
        """
        try:
            async with asyncio.TaskGroup() as self._tasks:
                try:
                    await self._feed()
                finally:
                    self._want_nothing()
        finally:
            self.left += [row for row in self.waiting if row.may_be_billed]
            await self._rows.aclose()

    def stop(self, failure: Exception | None = None, *, is_callers: bool = False) -> None:
        """Send nothing more; let what is in flight end. The first failure counts."""
        self.stopping.set()
        if self.failure is None:
            self.failure, self.is_callers = failure, is_callers
        self._changed.set()

    @property
    def limit(self) -> int:
        """How many rows may be in flight at present."""
        return min(sum(lane.limiter.limit for lane in self.waiting.lanes), self._most_now)

    # -- deciding ----------------------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        while not self.stopping.is_set():
            self._changed.clear()
            self._turn()
            if self._rows.is_at_end and not self.in_flight and not self.waiting.count:
                return
            await (asyncio.sleep(0) if self._changed.is_set() else self._changed.wait())

    def _turn(self) -> None:
        full: set[Lane] = set()
        now = self._loop.time()
        rules, waiting = self._rules, self.waiting
        if rules.most_now is not None:
            self._most_now = min(self._most, rules.most_now())
        if waiting.has_resting and (seconds := waiting.end_rests(now)) is not None:
            self._timer.set_in(seconds)
        wait = rules.hold() if rules.hold is not None else 0.0
        if not self._gate.is_open(now):
            wait = max(wait, self._gate.wait(now, spread=0.0, randomness=0.0))
        if wait > 0:
            self._timer.set_in(wait)
        else:
            for lane, rows in waiting.lanes.items():
                if rows:
                    self._fill(lane, full, now)
            self._pull(full, now)
        if self._mark is not None and self._unmarked:  # before the tasks that send them have had a turn of the loop
            self._mark(self._unmarked)
            self._unmarked = []
        for lane in waiting.lanes:
            if lane.queue and lane not in full:
                lane.leave(self)  # whoever has a turn and does not take it keeps others waiting

    def _fill(self, lane: Lane, full: set[Lane], now: float) -> None:
        """Start rows that wait for nothing but a slot."""
        rows = self.waiting.lanes[lane]
        while rows and self.in_flight < self._most_now and (self._pace.may_go or self._pace.ask(self._tasks)):
            permit = lane.try_acquire(self, self.wake, now)
            if permit is None:
                full.add(lane)
                return
            self._start(self.waiting.next(lane), lane, permit)

    def _pull(self, full: set[Lane], now: float) -> None:
        for _ in range(_IN_ONE_TURN):
            if self._rows.is_at_end or self._fetching.is_running or self.stopping.is_set():
                return
            if self.waiting.count >= self._rules.ahead and not self._has_room(full, now):
                return
            row = self._next_row()
            if row is None:
                return
            self._take_up(row, full, now)
        self._changed.set()

    def _has_room(self, full: set[Lane], now: float) -> bool:
        """Whether the next row can be sent at once and its outcome be kept, as far as can be told before it is seen."""
        taken = self.in_flight if self._untaken is None else self.in_flight + self._untaken()
        if self.in_flight >= self._most_now or taken >= self._window or self.waiting.count >= self._most:
            return False
        if not (self._pace.may_go or self._pace.ask(self._tasks)):
            return False
        for lane in self.waiting.lanes:
            if lane not in full:
                if lane.has_slot(self, self.wake, now):
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

    def _take_up(self, row: Row, full: set[Lane], now: float) -> None:
        if row.error is not None:
            self._end(Answered(Failed(row.custom_id, None, row.error)), row)
            return
        if self._mark is not None:
            self._unmarked.append(row)
        model = row.request.model if row.request is not None and not self._rules.warmup else None
        lane = self.waiting.by_model.get(model)
        is_free = lane is not None and lane not in full and not self.waiting.lanes[lane]  # for others it queues up
        if lane is not None and is_free and self.in_flight < self._most_now and self._pace.may_go:
            permit = lane.try_acquire(self, self.wake, now)
            if permit is not None:
                self._start(row, lane, permit)
                return
            full.add(lane)
        if (lane := self.waiting.add(row)) is not None and lane not in full:
            self._fill(lane, full, now)

    def _back(self, failure: Exception | None) -> None:
        if failure is not None:
            self.stop(failure, is_callers=True)
        self._changed.set()

    def _want_nothing(self) -> None:
        for beside in (self._fetching, self._pace, self._notices, self._timer, self._crew):
            beside.cancel()
        for lane in self.waiting.lanes:
            lane.leave(self)

    # -- sending -----------------------------------------------------------------------------------------------------

    def _start(self, row: Row, lane: Lane, permit: Permit) -> None:
        self.in_flight += 1
        self._pace.may_go = self._pace.is_free
        self._crew.start((row, lane, permit), self._tasks)

    async def _send(self, taken: tuple[Row, Lane, Permit]) -> None:
        row, lane, permit = taken
        try:
            ending = await self._sender.send(row, lane, permit)
            if isinstance(ending, Answered):
                self._end(ending, row)
            else:
                self._send_again(ending, row)
        except Exception as error:  # the journal cannot be written, or a fault of ours: no further row is safe
            if row.may_be_billed:
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
            self._changed.set()

    def _take_back(self, taken: tuple[Row, Lane, Permit]) -> None:
        """A task was cancelled before it had begun to send a row."""
        row, lane, permit = taken
        lane.abandon(permit)
        self.waiting.put(row)
        self.in_flight -= 1
        self._changed.set()

    def _send_again(self, ending: Refused | Rest, row: Row) -> None:
        if isinstance(ending, Rest):
            self.waiting.rest(row, self._loop.time() + ending.seconds)
        else:
            self.refusals += isinstance(ending.error, RateLimitError)
            self.waiting.put(row)
        if ending.notice == "given_up":
            self.stop(given_up(ending.error))
        elif ending.notice is not None:
            self._notices.start(ending.notice, ending.error)

    def _end(self, ending: Answered, row: Row) -> None:
        if isinstance(outcome := ending.outcome, Succeeded):
            self._budget.successes += 1
        elif is_of_run(outcome.error):
            if row.may_be_billed or outcome.error.may_be_billed:
                self.left.append(row)
            self.stop(outcome.error)
        try:
            self._deliver(outcome, row, ending.body)
        except Exception as error:
            self.left.append(row)
            self.stop(error)
        if self._rules.warmup:
            self.waiting.ended(row)
