"""The rules that end a run before its source does (money, failures), and the one that delays it (peak hours)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs

from ..errors import InvalidRequestError
from ..policy.spending import Budget
from ..types.prices import next_off_peak
from ..types.requests.numbers import integer_in, number_in
from .options import HELD_SECONDS, SendingRules
from .report import WORDS, Stopped
from .tally import Tally

# Of fewer rows than this, the share that has failed says nothing.
LEAST_FOR_RATE: Final = 100
# So many rows may be in flight before the first answer has told what a row costs, where there is a max_cost.
FIRST_ROWS: Final = 8
# So much of an off-peak window is left unused at both of its ends, because clocks differ.
MARGIN: Final = timedelta(minutes=5)
# Of a wait of hours no more than this is waited at once; then the clock is read again. Clocks are set, machines sleep.
_LONGEST_WAIT: Final = 60.0


class StopRun(Exception):  # noqa: N818 - not an error, an instruction
    """The run is to send nothing more. ``stopped`` says why."""

    def __init__(self, stopped: Stopped, details: str = "") -> None:
        super().__init__(f"{WORDS[stopped]}: {details}" if details else WORDS[stopped])
        self.stopped: Stopped = stopped


def _to_decimal(value: Any) -> Any:
    if value is None or isinstance(value, Decimal):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value  # refused below, where the limits have a repr


@attrs.frozen(kw_only=True)
class Limits:
    """How much a run may spend, and how much of it may fail.

    Attributes:
        max_cost: Stop before more than this is spent, in the run's currency.
        max_errors: Stop when more rows than this have failed.
        max_error_rate: Stop when a larger share has failed, 0 to 1; looked at from the hundredth row on.

    Raises:
        InvalidRequestError: A value is out of range.
    """

    max_cost: Decimal | None = attrs.field(default=None, converter=_to_decimal)
    max_errors: int | None = None
    max_error_rate: float | None = None

    def __attrs_post_init__(self) -> None:
        cost, errors, rate = self.max_cost, self.max_errors, self.max_error_rate
        if cost is not None and not (isinstance(cost, Decimal) and cost.is_finite() and cost > 0):
            raise InvalidRequestError("max_cost", str(cost), "an amount of money above 0, or None")
        if errors is not None and ((count := integer_in(errors)) is None or count < 0):
            raise InvalidRequestError("max_errors", errors, "an integer of at least 0, or None")
        if rate is not None and ((share := number_in(rate)) is None or not 0 <= share <= 1):
            raise InvalidRequestError("max_error_rate", rate, "a share from 0 to 1, or None")

    def most_in_flight(self, tally: Tally) -> int:
        """How many rows may be in flight where there is a ``max_cost``.

        A row in flight is taken to cost what a row has cost so far. Of few answers that says little, so not many more
        rows may be in flight than have been answered.
        """
        return most_for(tally.succeeded)

    def before_sending(self, tally: Tally, in_flight: int) -> StopRun | None:
        """Whether a row is to be left unsent, and the run to stop.

        Args:
            tally: What the rows have come to.
            in_flight: Rows that will still cost something, this one included; each as much as the others did.
        """
        if self.max_cost is None:
            return None
        if tally.unpriced:
            return StopRun("max_cost", "the price of a model is not known, so max_cost cannot be kept")
        if tally.cost * (tally.succeeded + in_flight) > self.max_cost * tally.succeeded:
            return StopRun("max_cost", f"{tally.cost:f} of {self.max_cost}, and {in_flight - 1} rows are in flight")
        return None

    def after_ending(self, tally: Tally) -> StopRun | None:
        """Whether the run is to stop, now that a row has its outcome."""
        if self.max_errors is not None and tally.failed > self.max_errors:
            return StopRun("max_errors", f"{tally.failed}, and max_errors is {self.max_errors}")
        if self.max_error_rate is not None and tally.ended >= LEAST_FOR_RATE:
            rate = tally.failed / tally.ended
            if rate > self.max_error_rate:
                return StopRun("max_error_rate", f"{rate:.1%}, and max_error_rate is {self.max_error_rate:.1%}")
        return None


def most_for(answers: int) -> int:
    """How many rows may be in flight where money counts, after so many answers."""
    return max(FIRST_ROWS, 2 * answers)


def within(rules: SendingRules, *budgets: Budget | None) -> SendingRules:
    """The rules, with no more rows in flight than budgets' answers so far allow, and none sent while these are held."""
    limiting = [budget for budget in (rules.budget, *budgets) if budget is not None]
    if not limiting:
        return rules
    before, earlier = rules.most_now, min(budget.answers for budget in limiting)

    def most_now() -> int:
        most = most_for(min(budget.answers for budget in limiting) - earlier)
        return most if before is None else min(most, before())

    def hold() -> float:
        seconds = rules.hold() if rules.hold is not None else 0.0
        return max(seconds, HELD_SECONDS) if any(budget.is_held for budget in limiting) else seconds

    return attrs.evolve(rules, most_now=most_now, hold=hold)


class OffPeak:
    """Holds a run while prices are high. Called, it says how many seconds to wait; 0 for none.

    Args:
        holidays: Chinese public holidays, as dates: they have no peak.
        clock: Unix time, seconds.
    """

    def __init__(self, holidays: Collection[date], clock: Callable[[], float]) -> None:
        self._holidays = holidays
        self._clock = clock
        self._looked_at = self._opens = self._ends = -math.inf

    def __call__(self) -> float:
        now = self._clock()
        if not self._looked_at <= now < self._ends:  # a clock that was set back is in another window
            self._looked_at = now
            opens, ends = next_off_peak(datetime.fromtimestamp(now, UTC), margin=MARGIN, holidays=self._holidays)
            self._opens = opens.timestamp()
            self._ends = math.inf if ends is None else ends.timestamp()
        return min(max(self._opens - now, 0.0), _LONGEST_WAIT)
