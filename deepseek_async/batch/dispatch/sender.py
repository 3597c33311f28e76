"""One row sent once, and what follows from how that ended.

| the attempt ended with | the limiter hears | the row |
| --- | --- | --- |
| an answer | completed | has its outcome |
| 429 | refused | goes to the front; this was no attempt |
| the rest of the budget is held for what is in flight | nothing | rests a moment; this was no attempt |
| 5xx, a broken connection, an empty answer | failed | rests and is sent again, up to ``max_attempts`` |
| a timeout while the server worked | failed | has its outcome |
| what is the run's fault (see `faults`) | nothing | has no outcome, and the run ends |
| an answer that is not of the wanted type | completed | is sent again with what was wrong, up to ``max_attempts`` |
| any other refusal, an answer that cannot be read | completed | has its outcome |

An exception that nobody thought of is the row's outcome, too.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import attrs
import msgspec

from ...calls.arguments.parameters import CallOptions
from ...calls.caller import Caller
from ...calls.parsing.asking import Asking, Wanted
from ...calls.whole import ask_whole
from ...codec.requests import request_to_json
from ...errors import (
    APIConnectionError,
    APITimeoutError,
    BudgetExceededError,
    DeepSeekError,
    InvalidRequestError,
    RateLimitError,
    describe,
)
from ...policy.limiter import Permit
from ...policy.signs import GIVE_UP_SECONDS, Notice
from ...policy.spending import Budget
from ...types import ChatRequest
from ...types.structs import maker_of
from ..faults import is_of_run
from ..options import HELD_SECONDS
from ..outcomes import Failed, Outcome, Succeeded
from ..source.row import Row
from .slots import Lane

_Succeeded = maker_of(Succeeded)


class Mark(Protocol):
    """Notes that rows were pulled to be sent. Each has in ``marked`` then what is awaited before it is."""

    def __call__(self, rows: Sequence[Row], /) -> None: ...


class Check(Protocol):
    """Raises if a row is not to be sent, nor any other."""

    def __call__(self, row: Row, /) -> None: ...


class Deliver(Protocol):
    """Takes an outcome, with the JSON of the answer (``b""`` where there is none)."""

    def __call__(self, outcome: Outcome, row: Row, body: bytes, /) -> None: ...


class Answered(msgspec.Struct, frozen=True):
    """The row has its outcome. ``body``: the answer's JSON, ``b""`` where there is none."""

    outcome: Outcome
    body: bytes = b""


@attrs.frozen
class Refused:
    """The row goes to the front of the queue. ``notice``: what a person should hear."""

    error: DeepSeekError
    notice: Notice | None


@attrs.frozen
class Rest:
    """The row is sent again after ``seconds``. ``notice``: what a person should hear."""

    error: DeepSeekError
    seconds: float
    notice: Notice | None


class Sender:
    """Sends rows of one batch, each once a call. Made in the loop that it is used in.

    Args:
        caller: The client's.
        max_attempts: How often a row is sent at most.
        check: Asked before each sending.
        wanted: What every answer is to be; ``None``: as it comes.
        budget: What pays for them; besides the client's, if that has one.
    """

    def __init__(
        self,
        caller: Caller,
        max_attempts: int,
        check: Check | None,
        wanted: Wanted[Any] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._wanted = wanted
        self._caller = caller
        self._clock = asyncio.get_running_loop().time
        self._retry = attrs.evolve(caller.retry, attempts=max_attempts, retry_after_max=GIVE_UP_SECONDS)
        self._once: CallOptions = {
            "retry": attrs.evolve(caller.retry, attempts=1),
            "via": caller.via or "auto",
            "budget": budget,
        }
        self._check = check

    async def send(self, row: Row, lane: Lane, permit: Permit) -> Answered | Refused | Rest:
        """Send a row once, and give its permit back to the lane.

        Raises:
            BudgetExceededError: The client's budget is used up. The row was not sent.
            Exception: The row's mark could not be written to the journal, or ``check`` raised. The row was not sent.
        """
        request = row.request
        assert request is not None  # noqa: S101 - rows without one are not sent
        asked, body = request, row.body
        try:
            if self._wanted is not None:
                asked = self._asked_for(row, self._wanted)
                body = request_to_json(asked)
            if self._caller.rules is not None:
                self._caller.rules.check(asked)
        except InvalidRequestError as error:  # it has tools of its own, say
            lane.abandon(permit)
            return Answered(Failed(row.custom_id, request, error, row.attempts))
        is_open = True
        try:
            if row.marked is not None:
                await row.marked
                row.marked = None
            if self._check is not None:
                self._check(row)
            row.sent_at = time.time()
            started = self._clock()
            row.attempts += 1
            try:
                completion, answer = await ask_whole(
                    self._caller,
                    self._caller.chat_url(asked),
                    body,
                    self._once,
                    model=request.model,
                    witness=_Seen(row, lane, permit, self._clock),
                )
            except DeepSeekError:
                raise
            except Exception as error:
                raise _unexpected(error) from error
            ended = self._clock()
            parsed, usage = None, completion.usage
            if row.asking is not None:
                taken = row.asking.take(completion)
                if taken is None:
                    is_open = False
                    lane.complete(permit, ended)
                    return self._corrected(row, row.asking)
                parsed, usage = taken.parsed, taken.usage
            is_open = False
            lane.complete(permit, ended)
            made = _Succeeded(row.custom_id, request, completion, row.attempts, ended - started, parsed, usage=usage)
            return Answered(made, answer)
        except BudgetExceededError as error:
            row.attempts -= 1
            if error.is_held:
                return Rest(error, HELD_SECONDS, None)
            raise
        except RateLimitError as error:
            is_open = False
            row.attempts -= 1
            return Refused(error, lane.refuse(permit, error, self._clock()))
        except DeepSeekError as error:
            is_open = False
            if row.asking is not None and row.asking.falls_back(error):
                row.attempts -= 1
                lane.complete(permit, self._clock())
                return Rest(error, 0.0, None)
            return self._after(error, row, lane, permit)
        finally:
            if is_open:  # cancelled, or not sent
                lane.abandon(permit)

    def _asked_for(self, row: Row, wanted: Wanted[Any]) -> ChatRequest:
        """What is sent to have a value. Raises `InvalidRequestError`."""
        assert row.request is not None  # noqa: S101 - rows without one are not sent
        if row.asking is None:
            row.asking = Asking(wanted, row.request, self._caller.strict_refusals)
        return row.asking.request

    def _corrected(self, row: Row, asking: Asking[Any]) -> Answered | Rest:
        """The row is sent again with what was wrong, unless this was its last attempt."""
        problem = asking.problem
        assert problem is not None  # noqa: S101 - or there were a value
        if row.attempts < self._retry.attempts:
            return Rest(problem, 0.0, None)
        error = asking.completed(problem)
        error.attempts, error.history = row.attempts, describe(row.errors)
        return Answered(Failed(row.custom_id, row.request, error, row.attempts))

    def _after(self, error: DeepSeekError, row: Row, lane: Lane, permit: Permit) -> Answered | Refused | Rest:
        if is_of_run(error):
            lane.abandon(permit)
        elif error.retryable:
            notice = lane.fail(permit, error, self._clock())
            if notice == "given_up":
                row.errors += (error,)
                return Refused(error, notice)
            wait = self._retry.wait_before_next(
                error,
                attempt=row.attempts,
                delivered=0,
                remaining=None,
                randomness=self._caller.surroundings.randomness(),
            )
            if wait is not None:
                row.errors += (error,)
                return Rest(error, wait, notice)
        elif isinstance(error, APITimeoutError):
            lane.fail(permit, error, self._clock())
        else:
            lane.complete(permit, self._clock())
        if row.asking is not None:
            row.asking.completed(error)
        error.attempts = row.attempts
        error.history = describe(row.errors)
        # What nobody thought of is a plain DeepSeekError: how far the request had come is not known.
        is_unforeseen = type(error) is DeepSeekError
        error.billed_before |= is_unforeseen or any(before.may_be_billed for before in row.errors)
        return Answered(Failed(row.custom_id, row.request, error, row.attempts))


class _Seen(msgspec.Struct, gc=False):
    """What is seen of a row that is under way."""

    row: Row
    lane: Lane
    permit: Permit
    clock: Callable[[], float]

    def admitted(self) -> None:
        self.lane.admit(self.permit, self.clock())

    def resent(self) -> None:
        """An error stands for the first sending, which nobody answered."""
        words = "a kept-alive connection broke at once; the request was sent again on a new one"
        self.row.errors += (APIConnectionError(words),)


def _unexpected(error: Exception) -> DeepSeekError:
    """The error of a row for an exception whose text nobody has looked through for prompts and keys."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return DeepSeekError(f"unexpected {type(error).__name__} in {place} while the row was sent")
