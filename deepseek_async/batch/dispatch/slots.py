"""The slots of one model, which all batches of a client share: a limiter says how many, a queue says who is next."""

from __future__ import annotations

import asyncio
import math
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ...calls.caller import Caller
from ...errors import APIStatusError, DeepSeekError, RateLimitError
from ...policy.limiter import AdmissionLimiter, Permit
from ...policy.signs import Notice

CEILING: Final = 2500
"""Documented requests in flight for an account, Flash (page "Rate Limit"); what ``max_concurrency=None`` grows to."""


class Lane:
    """The limiter of one model, and a queue of the batches that wait for it to give a slot.

    Every method that takes ``now`` wants the loop's time. The loop itself is not kept: lanes are found by their loop,
    which must be free to go.

    Args:
        model: What the requests ask for.

    Attributes:
        queue: The batches that wait, in the order in which they began to, each with what wakes it.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.limiter: AdmissionLimiter = AdmissionLimiter(ceiling=CEILING)
        self.queue: OrderedDict[object, Callable[[], None]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def widen(self, ceiling: int) -> None:
        """Let the limit grow to what a batch asks for, if that is more than the documented ceiling."""
        self.limiter.ceiling = max(self.limiter.ceiling, ceiling)

    def has_slot(self, who: object, wake: Callable[[], None], now: float) -> bool:
        """Whether `try_acquire` would give a permit now; if not, ``wake`` is called when it is worth asking again."""
        is_its_turn = not self.queue or next(iter(self.queue)) is who
        if is_its_turn and self.limiter.has_room(now):
            return True
        self._queue_up(who, wake)
        return False

    def try_acquire(self, who: object, wake: Callable[[], None], now: float) -> Permit | None:
        """Leave to send one request, unless there is no slot or others have waited longer.

        Args:
            who: The batch that asks.
            wake: Called when it is worth asking again, if the answer is ``None``.
        """
        is_its_turn = not self.queue or next(iter(self.queue)) is who
        permit = self.limiter.try_acquire(now) if is_its_turn else None
        if permit is None:
            self._queue_up(who, wake)
        elif self.queue:
            self.queue.popitem(last=False)
            self._wake_first()
        return permit

    def leave(self, who: object) -> None:
        """A batch does not want a slot any more."""
        if self.queue.pop(who, None) is not None:
            self._wake_first()
        if not self.queue and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def admit(self, permit: Permit, now: float) -> None:
        """The head of a 200 has come."""
        self.limiter.admit(permit, now)
        if self.queue:
            self._wake_first()

    def complete(self, permit: Permit, now: float) -> None:
        """The request was answered, be it with an error that is its own fault."""
        self.limiter.complete(permit, now)
        if self.queue:
            self._wake_first()

    def refuse(self, permit: Permit, error: RateLimitError, now: float) -> Notice | None:
        """The request was refused; see `AdmissionLimiter.refuse`."""
        notice = self.limiter.refuse(
            permit,
            now,
            error.limit,
            error.current,
            retry_after=error.retry_after,
            is_quota=error.is_exhausted,
        )
        self._wake_first()
        return notice

    def fail(self, permit: Permit, error: DeepSeekError, now: float) -> Notice | None:
        """The server or the network failed; see `AdmissionLimiter.fail`."""
        retry_after = error.retry_after if isinstance(error, APIStatusError) else None
        notice = self.limiter.fail(permit, now, retry_after=retry_after)
        self._wake_first()
        return notice

    def abandon(self, permit: Permit) -> None:
        """The request was never sent, or given up."""
        self.limiter.abandon(permit)
        self._wake_first()

    def _queue_up(self, who: object, wake: Callable[[], None]) -> None:
        self.queue.setdefault(who, wake)
        self._arm()

    def _wake_first(self) -> None:
        if self.queue:
            next(iter(self.queue.values()))()

    def _arm(self) -> None:
        """Time alone may open a slot: a probe is due, silence tells an admission."""
        when = self.limiter.wake_at(asyncio.get_running_loop().time())
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
            self._timer = None
        if when < math.inf:
            self._timer = asyncio.get_running_loop().call_at(when, self._look)

    def _look(self) -> None:
        self._timer = None
        self._wake_first()


class Lanes:
    """The lanes of one client in one event loop, by model."""

    def __init__(self) -> None:
        self._by_model: dict[str, Lane] = {}

    def of(self, model: str) -> Lane:
        """The lane of a model, made at its first use."""
        lane = self._by_model.get(model)
        if lane is None:
            lane = self._by_model[model] = Lane(model)
        return lane


_lanes: weakref.WeakKeyDictionary[Caller, weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Lanes]] = (
    weakref.WeakKeyDictionary()
)


def lanes_of(caller: Caller) -> Lanes:
    """The lanes that all batches of a client share while the running loop runs."""
    by_loop = _lanes.setdefault(caller, weakref.WeakKeyDictionary())
    loop = asyncio.get_running_loop()
    lanes = by_loop.get(loop)
    if lanes is None:
        lanes = by_loop[loop] = Lanes()
    return lanes
