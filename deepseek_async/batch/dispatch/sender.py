"""One row sent once, and what follows from how that ended.

| the attempt ended with | the limiter hears | the row |
| --- | --- | --- |
| an answer | completed | has its outcome |
| 429 | refused | goes to the front; this was no attempt |
| 401, 402 | nothing | has its outcome, and the run is doomed |
| 5xx, a broken caller, an empty answer | failed | rests and is sent again, up to ``max_attempts`` |
| a timeout while the server worked | failed | has its outcome |
| any other refusal, an answer that cannot be read | completed | has its outcome |
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from functools import partial
from typing import Final, Protocol

import attrs

from ...calls.caller import Caller
from ...calls.parameters import CallOptions
from ...calls.whole import ask_whole
from ...errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    DeepSeekError,
    InsufficientBalanceError,
    InvalidRequestError,
    RateLimitError,
    describe,
)
from ...policy.limiter import Permit
from ...policy.retry import is_worth_another_attempt
from ...policy.signs import Notice
from ..outcomes import Failed, Outcome, Succeeded
from ..source.row import Row
from .slots import Lane

DOOMS: Final = (AuthenticationError, InsufficientBalanceError)
"""Errors that every further row would end with, too."""


class Mark(Protocol):
    """Notes that a row was pulled to be sent; what it returns is awaited before it is."""

    def __call__(self, row: Row, /) -> Awaitable[None] | None: ...


class Check(Protocol):
    """Raises if a row is not to be sent, nor any other."""

    def __call__(self, row: Row, /) -> None: ...


class Deliver(Protocol):
    """Takes an outcome, with the JSON of the answer (``b""`` where there is none)."""

    def __call__(self, outcome: Outcome, row: Row, body: bytes, /) -> None: ...


@attrs.frozen
class Ended:
    """The row has its outcome. ``body``: the answer's JSON, ``b""`` where there is none."""

    outcome: Outcome
    body: bytes = b""


@attrs.frozen
class Refused:
    """The row goes to the front of the queue."""

    error: RateLimitError
    notice: Notice | None


@attrs.frozen
class Rest:
    """The row is sent again after ``seconds``."""

    seconds: float


class Sender:
    """Sends rows of one batch, each once a call.

    Args:
        caller: The client's.
        max_attempts: How often a row is sent at most.
        check: Asked before each sending.
    """

    def __init__(self, caller: Caller, max_attempts: int, check: Check | None) -> None:
        self._caller = caller
        self._retry = attrs.evolve(caller.retry, attempts=max_attempts)
        self._once: CallOptions = {"retry": attrs.evolve(caller.retry, attempts=1)}
        self._check = check

    async def send(self, row: Row, lane: Lane, permit: Permit) -> Ended | Refused | Rest:
        """Send a row once, and give the permit back.

        Raises:
            Exception: The row's mark could not be kept, or the check says no; it was not sent.
        """
        request = row.request
        assert request is not None  # noqa: S101 - rows without one are not sent
        clock = asyncio.get_running_loop().time
        is_open = True
        try:
            if row.marked is not None:
                await row.marked
                row.marked = None
            if self._check is not None:
                self._check(row)
            row.sent_at = time.time()
            started = clock()
            row.attempts += 1
            completion, body = await ask_whole(
                self._caller,
                self._caller.chat_url(request),
                row.body,
                self._once,
                model=request.model,
                admitted=partial(lane.admit, permit),
            )
            is_open = False
            lane.complete(permit)
            return Ended(Succeeded(row.custom_id, request, completion, row.attempts, clock() - started), body)
        except RateLimitError as error:
            is_open = False
            row.attempts -= 1
            return Refused(error, lane.refuse(permit, error))
        except DeepSeekError as error:
            is_open = False
            return self._after(error, row, lane, permit)
        finally:
            if is_open:  # cancelled, or not sent
                lane.abandon(permit)

    def _after(self, error: DeepSeekError, row: Row, lane: Lane, permit: Permit) -> Ended | Rest:
        if isinstance(error, DOOMS):
            lane.abandon(permit)
        elif is_worth_another_attempt(error):
            lane.fail(permit)
            wait = self._retry.wait_before_next(
                error,
                attempt=row.attempts,
                delivered=0,
                remaining=None,
                randomness=self._caller.surroundings.randomness(),
            )
            if wait is not None:
                row.errors.append(error)
                return Rest(wait)
        elif isinstance(error, APITimeoutError):
            lane.fail(permit)
        else:
            lane.complete(permit)
        error.attempts = row.attempts
        error.history = describe(row.errors)
        return Ended(Failed(row.custom_id, row.request, error, row.attempts))


def may_be_billed(error: DeepSeekError) -> bool:
    """Whether the server may have answered an attempt that ended so: the request had gone out, and no refusal came."""
    if isinstance(error, APIConnectionError):
        return error.during == "request"
    if isinstance(error, APITimeoutError):
        return error.phase != "connect"
    return not isinstance(error, (APIStatusError, InvalidRequestError))
