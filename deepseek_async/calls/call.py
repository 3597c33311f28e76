"""One call of the caller's, with all its attempts: the only place that sleeps."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

import msgspec

from ..codec.answer import StreamedAnswer
from ..errors import APIStatusError, APITimeoutError, DeepSeekError, describe, unforeseen
from ..hooks import Hook
from ..policy.gate import HELD_ONCE_SECONDS, Gate
from ..policy.retry import RetryPolicy
from ..policy.timeouts import Timeouts
from ..transport import HTTPRequest, Transport
from ..types.secrecy import in_one_line
from .attempt import Attempt
from .deadlines import Deadlines
from .streams.estimates import prompt_tokens_in, settle_whole, with_estimate

if TYPE_CHECKING:
    from ..policy.metering import Meter
    from .watching.figures import Figures
    from .watching.watch import CallWatch

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_log = logging.getLogger("deepseek_async")


class Surroundings(msgspec.Struct, frozen=True):
    """What all calls of a client share."""

    transport: Transport
    hooks: Sequence[Hook]
    figures: Figures
    gate: Gate
    client: int = 1
    randomness: Callable[[], float] = random.random


class Call:
    """One call: makes its attempts, decides between them by the policy, tells the hooks.

    Its attributes are what its attempts share; beside the request and the policies, what hooks and errors are told.

    Args:
        request: What every attempt sends.
        model: For the hooks, and for an error of a server that does not have it.
        streamed: Whether the answer is an event stream.
        meter: What it takes from budgets; ``None``: it has none.
        elsewhere: Where else a request goes that was refused where it went; ``None``: nowhere.
    """

    __slots__ = (
        "_around",
        "_attempts_before",
        "_elsewhere",
        "_errors",
        "_has_ended",
        "_model",
        "_request",
        "_retry",
        "_streamed",
        "_timeouts",
        "attempts",
        "deadlines",
        "meter",
        "number",
        "watch",
    )

    def __init__(
        self,
        surroundings: Surroundings,
        request: HTTPRequest,
        *,
        model: str | None,
        streamed: bool,
        timeouts: Timeouts,
        retry: RetryPolicy,
        meter: Meter | None = None,
        elsewhere: Callable[[HTTPRequest, APIStatusError], HTTPRequest | None] | None = None,
    ) -> None:
        self._around = surroundings
        self.meter: Meter | None = meter
        self._elsewhere = elsewhere
        self._request = request
        self._model = model
        self._streamed = streamed
        self._timeouts = timeouts
        self._retry = retry
        try:
            self.deadlines: Deadlines = Deadlines(timeouts, streamed=streamed)
        except RuntimeError:
            raise RuntimeError("AsyncClient runs on asyncio only, under asyncio.run(…): not under trio") from None
        self._errors: tuple[DeepSeekError, ...] = ()
        self._has_ended = False
        surroundings.figures.calls += 1
        self.number: int = surroundings.figures.calls
        self.watch: CallWatch | None = None
        if surroundings.hooks or _log.isEnabledFor(logging.DEBUG):
            from .watching.watch import CallWatch  # what is told, and how: not for those who do not listen

            clock = self.deadlines.loop.time
            self.watch = CallWatch(surroundings.hooks, surroundings.client, self.number, model, clock)
        self.attempts: int = 0
        self._attempts_before = 0  # of earlier parts of a continued answer

    def go_on(self, request: HTTPRequest) -> None:
        """From here on send another request, which continues the answer and has all its attempts."""
        self._request = request
        self._attempts_before = self.attempts

    async def begin_attempt(self) -> Attempt:
        """Wait until requests may go out, then make the next attempt. It is not open yet."""
        around = self._around
        if not around.gate.is_open(self.deadlines.loop.time()):
            await self._wait_at_gate(around.gate)
        if self.meter is not None:
            self._ask_budgets(self.meter)
        self.attempts += 1
        around.figures.attempts += 1
        around.figures.retries += self.attempts > 1
        self.deadlines.keepalives = 0
        request, watch = self._request, self.watch
        if watch is not None:
            request = watch.begin_attempt(self.attempts, request)
        first_chunk = self._timeouts.first_chunk_of(streamed=self._streamed)
        return Attempt(around.transport, request, self._timeouts, first_chunk, self.deadlines, around.figures, watch)

    def prompt_tokens(self) -> int:
        """Tokens of the prompt of what the present attempt sends, estimated."""
        return prompt_tokens_in(self._request.body)

    def _ask_budgets(self, meter: Meter) -> None:
        try:
            meter.begin(datetime.now(UTC))
        except DeepSeekError as error:
            self._add_history(error)
            raise

    def _add_history(self, error: DeepSeekError) -> None:
        error.attempts = self.attempts
        error.history = describe(self._errors)
        error.billed_before = any(before.may_be_billed for before in self._errors)

    async def _wait_at_gate(self, gate: Gate) -> None:
        around = self._around
        at_most = HELD_ONCE_SECONDS if self._retry.attempts == 1 else math.inf
        spread, randomness = self._retry.wait_initial, around.randomness()
        wait = gate.wait(self.deadlines.loop.time(), spread=spread, randomness=randomness, at_most=at_most)
        around.figures.held += 1
        if self.watch is not None:
            self.watch.hold(self.attempts + 1, wait, gate.why)
        self._inform(f"attempt {self.attempts + 1} waits {wait:.3f} s: {gate.why}")
        await self._sleep(wait, gate.why)

    def may_try_again(self, error: DeepSeekError) -> bool:
        """Whether another attempt may follow an error before whose coming nothing was delivered."""
        wait = self._retry.wait_before_next(
            error,
            attempt=self.attempts - self._attempts_before,
            delivered=0,
            remaining=self.deadlines.remaining,
            randomness=0.0,
        )
        return wait is not None

    async def after(self, error: DeepSeekError, *, delivered: int = 0, has_shown: bool = False) -> None:
        """An attempt failed: wait until the next, if there is to be one.

        Args:
            error: How it failed.
            delivered: Chunks that the caller has received.
            has_shown: Whether some of them would come again with another attempt.

        Raises:
            DeepSeekError: The error itself, with the history of all attempts: no other attempt follows.
        """
        from .streams.concealment import conceal_aside, name_asked  # not for those to whom nothing happens

        around = self._around
        await conceal_aside(error, self._sent)
        if isinstance(error, APIStatusError) and self._elsewhere is not None:
            moved = self._elsewhere(self._request, error)
            if moved is not None:
                self._request, self._elsewhere = moved, None
                return
        if isinstance(error, APIStatusError):
            name_asked(error, self._request.url, self._model)
        wait = self._retry.wait_before_next(
            error,
            attempt=self.attempts - self._attempts_before,
            delivered=max(delivered, 1) if has_shown else 0,
            remaining=self.deadlines.remaining,
            randomness=around.randomness(),
        )
        around.gate.learn(error, now=self.deadlines.loop.time(), at_most=self._retry.retry_after_max, wait=wait)
        error.attempts = self.attempts
        error.delivered = delivered
        error.billed_before |= any(before.may_be_billed for before in self._errors)
        if wait is None:
            error.history = describe(self._errors)
            raise error
        # Its traceback holds the stream: one that is dropped would stay open until the cycle is collected.
        self._errors += (error.with_traceback(None),)
        if self.watch is not None:
            self.watch.schedule_retry(wait, error)
        why = f"attempt {self.attempts} had failed ({type(error).__name__}: {error.message})"
        self._inform(f"{why}; again in {wait:.3f} s")
        await self._sleep(wait, why)

    def _inform(self, text: str) -> None:
        """One line in the log, whatever a server or a handler does to it."""
        if _log.isEnabledFor(logging.INFO):
            with suppress(Exception):
                _log.info("client %d, call %d: %s", self._around.client, self.number, in_one_line(text))

    @property
    def _sent(self) -> HTTPRequest:
        """The request as it went out last, with what hooks added."""
        return self._request if self.watch is None else self.watch.request or self._request

    async def _sleep(self, seconds: float, why: str) -> None:
        self.deadlines.enter("total", None)
        try:
            await self.deadlines.wait(asyncio.sleep(seconds))
        except APITimeoutError as error:
            error.waiting = why
            error.message = f"total timeout of {error.seconds:g} s passed during a wait of {seconds:.3g} s: {why}"
            error.args = (error.message,)
            self._add_history(error)
            raise

    async def run(self, ask: Callable[[*Ts, Attempt], Awaitable[T]], *given: *Ts) -> T:
        """Make attempts until ``ask`` has one answered, for answers that come in one piece. It is given what is."""
        outcome, last_error = "cancelled", None
        request_id, result = None, None
        try:
            while True:
                attempt = await self.begin_attempt()
                try:
                    result = await ask(*given, attempt)
                    outcome = "completed"
                    request_id = attempt.request_id
                    return result
                except DeepSeekError as error:
                    error.request_id = error.request_id or attempt.request_id
                    error.billed_before |= attempt.was_resent
                    attempt.close()
                    if self.meter is not None:
                        settle_whole(self.meter, error.partial, is_billed=error.may_be_billed)
                    error.partial = with_estimate(error.partial, None, self.prompt_tokens)
                    await self.after(error)
                except Exception as error:
                    attempt.close()
                    await self.after(unforeseen(error, request_id=attempt.request_id))
                finally:
                    attempt.close()
                    if self.meter is not None:
                        settle_whole(self.meter, None, is_billed=attempt.is_sent)
        except DeepSeekError as error:
            outcome, last_error, request_id = "failed", error, error.request_id
            raise
        finally:
            self.end(outcome, request_id=request_id, error=last_error, result=result)

    def end(
        self,
        outcome: str,
        *,
        chunks: int = 0,
        request_id: str | None = None,
        error: DeepSeekError | None = None,
        result: object = None,
        streamed: StreamedAnswer[Any, Any] | None = None,
    ) -> None:
        """The call is over: take the timer down and tell those who watch. Only the first time counts.

        Args:
            result: What came of a call that is not streamed.
            streamed: Of one that is, what has arrived.
        """
        if self._has_ended:
            return
        self._has_ended = True
        self.deadlines.close()
        if self.watch is not None:
            self.watch.end(outcome, self.attempts, chunks, request_id, error, result, streamed)
