"""One run while it runs: hands what the dispatch delivers to the journal and the sums, and stops it at the limits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from ..calls.caller import Client, caller_of
from ..errors import AuthenticationError, BudgetExceededError, DeepSeekError, InsufficientBalanceError
from .dispatch.dispatch import Dispatch
from .faults import is_of_run
from .journal.append import MovedError
from .journal.journal import Journal
from .options import SendingRules
from .outcomes import Failed, Outcome
from .report import BatchProgress, BatchReport, Stopped
from .source.row import Row
from .source.rows import RowSource
from .stop_rules import Limits, StopRun
from .tally import Tally

PROGRESS_SECONDS: Final = 0.25
NOTE_SECONDS: Final = 0.1
"""Between two notes in the journal of how the run goes, at first; later they are so rare that a day has 2,000."""
_NOTES: Final = 200

_log = logging.getLogger("deepseek_async")

Progress = Callable[[BatchProgress], object]


class Run:
    """One run on an output. Made in the loop that it runs in.

    Args:
        client: Whose account it is.
        rows: What is to be sent.
        journal: Where outcomes go.
        rules: How to send.
        limits: When to stop.
        tally: The run's sums.
        total: Rows of the source; ``None`` if that is not known.
    """

    def __init__(
        self,
        client: Client,
        rows: RowSource,
        journal: Journal,
        rules: SendingRules,
        limits: Limits,
        tally: Tally,
        total: int | None,
    ) -> None:
        self._rows = rows
        self._total = total
        self._journal = journal
        self._rules = rules
        self._limits = limits
        self._is_counting = limits.max_errors is not None or limits.max_error_rate is not None
        self._tally = tally
        self._notice: str | None = None
        self._began = time.monotonic()
        self._dispatch = Dispatch(
            rows,
            caller_of(client),
            rules,
            deliver=self._deliver,
            mark=journal.mark_all,
            check=None if limits.max_cost is None else self._check,
            tell=self._hear,
        )

    async def complete(
        self, stop: asyncio.Event | None, drain_timeout: float | None, progress: Progress | None
    ) -> None:
        """Run to the end; raises what is to be raised."""
        dispatch = self._dispatch
        if stop is not None and stop.is_set():
            dispatch.stop(StopRun("requested"))
        sending = asyncio.create_task(dispatch.run())
        watching = [asyncio.create_task(self._drain(sending, drain_timeout)), asyncio.create_task(self._note_often())]
        if stop is not None:
            watching.append(asyncio.create_task(self._heed(stop)))
        if progress is not None:
            watching.append(asyncio.create_task(self._show(progress)))
        try:
            await asyncio.wait((sending,))
        except asyncio.CancelledError:
            dispatch.stop(StopRun("requested"))
            raise
        finally:
            for task in (sending, *watching):
                task.cancel()
            await asyncio.wait((sending, *watching))
            self._note()
            if progress is not None:
                _call(progress, self._progress("ended"))
        if not sending.cancelled() and (error := sending.exception()) is not None:
            raise error
        if dispatch.failure is not None and self._stopped in ("source", "fault"):
            raise dispatch.failure

    async def _heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._dispatch.stop(StopRun("requested"))

    async def _note_often(self) -> None:
        while True:
            await asyncio.sleep(max(NOTE_SECONDS, (time.monotonic() - self._began) / _NOTES))
            self._note()

    def _note(self) -> None:
        dispatch = self._dispatch
        self._journal.note(limit=dispatch.limit, in_flight=dispatch.in_flight, refusals=dispatch.refusals)

    async def _drain(self, sending: asyncio.Task[None], timeout: float | None) -> None:
        await self._dispatch.stopping.wait()
        if timeout is not None:
            await asyncio.sleep(timeout)
            sending.cancel()

    # -- rows --------------------------------------------------------------------------------------------------------

    def _check(self, _: Row) -> None:
        if (reached := self._limits.before_sending(self._tally, self._dispatch.in_flight)) is not None:
            raise reached

    def _deliver(self, outcome: Outcome, row: Row, body: bytes) -> None:
        if isinstance(outcome, Failed) and is_of_run(outcome.error):
            return  # it is the run's end and not the row's: a resumed run sends it again
        cost = self._tally.cost_of(outcome, row)
        self._journal.record(outcome, row, body, cost=cost)
        self._tally.add(outcome, row, cost)  # not before: what is not in the output is not done
        if self._journal.moved is not None:
            self._dispatch.stop(self._journal.moved)
        if self._is_counting and (reached := self._limits.after_ending(self._tally)) is not None:
            self._dispatch.stop(reached)

    def _hear(self, words: str) -> None:
        self._notice = words
        _log.warning("%s", words)

    # -- what is told ------------------------------------------------------------------------------------------------

    async def _show(self, progress: Progress) -> None:
        while True:
            _call(progress, self._progress())
            await asyncio.sleep(PROGRESS_SECONDS)

    def _progress(self, state: Literal["ended"] | None = None) -> BatchProgress:
        dispatch, tally = self._dispatch, self._tally
        is_holding = self._rules.hold is not None and self._rules.hold() > 0
        return BatchProgress(
            succeeded=tally.succeeded,
            failed=tally.failed,
            skipped=self._rows.skipped,
            in_flight=dispatch.in_flight,
            waiting=dispatch.waiting.count,
            limit=dispatch.limit,
            refusals=dispatch.refusals,
            usage=tally.usage,
            cost=tally.cost,
            seconds=time.monotonic() - self._began,
            total=self._total,
            fraction=self._fraction,
            state=state or ("draining" if dispatch.stopping.is_set() else "holding" if is_holding else "running"),
            notice=self._notice,
        )

    @property
    def _fraction(self) -> float | None:
        if not self._total:
            return self._rows.fraction
        read = self._tally.ended + self._rows.skipped + self._dispatch.in_flight + self._dispatch.waiting.count
        return min(read / self._total, 1.0)  # what has a length may have grown

    @property
    def _stopped(self) -> Stopped | None:
        match self._dispatch.failure:
            case None:
                return None
            case _ if self._dispatch.is_callers:
                return "source"
            case StopRun() as reached:
                return reached.stopped
            case AuthenticationError():
                return "authentication"
            case InsufficientBalanceError():
                return "balance"
            case BudgetExceededError():
                return "budget"
            case DeepSeekError() as error:
                return "connection" if is_of_run(error) else "refused"
            case MovedError():
                return "moved"
            case OSError():
                return "disk"
            case _:
                return "fault"

    def make_report(self, seconds: float, currency: str) -> BatchReport:
        """What the run came to."""
        tally, failure = self._tally, self._dispatch.failure
        return BatchReport(
            output=self._journal.output,
            run=self._journal.run,
            succeeded=tally.succeeded,
            failed=tally.failed,
            reasons=dict(tally.reasons),
            examples=dict(tally.examples),
            skipped=self._rows.skipped,
            skipped_failed=self._journal.given_up_seen,
            unfinished=tuple(row.name for row in sorted(self._dispatch.left, key=lambda row: row.number)),
            possibly_billed_twice=tuple(dict.fromkeys((*self._journal.sent_again, *tally.doubtful))),
            usage=tally.usage,
            cost=tally.cost,
            currency=currency,
            unpriced=tally.unpriced,
            attempts=tally.attempts,
            refusals=self._dispatch.refusals,
            seconds=seconds,
            stopped=self._stopped,
            error=None if failure is None else str(failure),
        )


def _call(progress: Progress, record: BatchProgress) -> None:
    """Show a record. Neither what shows it nor what is told of its failure can end the run."""
    try:
        progress(record)
    except (Exception, asyncio.CancelledError):  # a call that does not wait is not what anybody cancels
        with suppress(Exception):
            _log.exception("progress failed")
