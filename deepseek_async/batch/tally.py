"""Sums over the rows of one run: outcomes, tokens, money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal

from ..errors import APIStatusError, DeepSeekError
from ..types import Usage
from ..types.prices import Price, checked_days, price_of
from ..types.usage import CompletionTokensDetails
from .outcomes import Outcome, Succeeded
from .report import clipped
from .source.row import Row


class Tally:
    """The sums of one run: one attribute for each.

    Args:
        currency: ``"USD"`` or ``"CNY"``.
        holidays: Chinese public holidays, which have no peak.

    Attributes:
        succeeded, failed: Rows that have their outcome.
        reasons: Failed rows by reason.
        examples: Of each reason the first row that failed so, and its error, in words.
        attempts: Requests sent by rows that have their outcome.
        cost: What the answers cost.
        unpriced: Answers whose price is not known.
        doubtful: Ids of rows that were sent again although an earlier sending may have been billed. The report names
            each of them, so this list grows with every such row; no other attribute grows.
    """

    def __init__(self, currency: str, holidays: Collection[date]) -> None:
        price_of("deepseek-flash", datetime(2026, 1, 1, tzinfo=UTC), currency=currency)  # an unknown currency, now
        self._currency = currency
        self._holidays = checked_days(holidays)
        self._prices: dict[tuple[str, int], Price | None] = {}
        self._prompt = self._completion = self._total = self._hits = self._misses = self._reasoning = 0
        self.succeeded: int = 0
        self.failed: int = 0
        self.attempts: int = 0
        self.unpriced: int = 0
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.cost: Decimal = Decimal(0)
        self.doubtful: list[str] = []

    @property
    def ended(self) -> int:
        """Rows that have their outcome."""
        return self.succeeded + self.failed

    @property
    def usage(self) -> Usage:
        """Tokens of all answers."""
        return Usage(
            prompt_tokens=self._prompt,
            completion_tokens=self._completion,
            total_tokens=self._total,
            prompt_cache_hit_tokens=self._hits,
            prompt_cache_miss_tokens=self._misses,
            completion_tokens_details=CompletionTokensDetails(self._reasoning) if self._reasoning else None,
        )

    def cost_of(self, outcome: Outcome, row: Row) -> Decimal | None:
        """What an outcome cost; ``None`` if that is not known, or nothing was answered."""
        if isinstance(outcome, Succeeded):
            usage, model = outcome.usage, outcome.completion.model
        else:
            usage, model = outcome.error.usage, getattr(outcome.error.partial, "model", "")
        if usage is None:
            return None
        price = self._price_of(model, row.sent_at)
        return None if price is None else price.cost(usage)

    def add(self, outcome: Outcome, row: Row, cost: Decimal | None) -> None:
        """Count an outcome, at what it cost."""
        self.attempts += outcome.attempts
        if row.errors and row.may_be_billed:
            self.doubtful.append(row.name)
        if isinstance(outcome, Succeeded):
            self.succeeded += 1
            self._charge(outcome.usage, cost)
        else:
            self.failed += 1
            self.reasons[reason := reason_of(outcome.error)] += 1
            if reason not in self.examples:
                self.examples[reason] = f"{row.name}: {clipped(outcome.error.message)}"
            if outcome.error.usage is not None:  # answers came, and none was of the type that was wanted
                self._charge(outcome.error.usage, cost)

    def _charge(self, usage: Usage | None, cost: Decimal | None) -> None:
        if usage is not None:
            hits = usage.cached_tokens or 0
            self._prompt += usage.prompt_tokens
            self._completion += usage.completion_tokens
            self._total += usage.total_tokens
            self._hits += hits
            self._misses += max(usage.prompt_tokens - hits, 0)
            self._reasoning += usage.reasoning_tokens or 0
        if cost is None:
            self.unpriced += 1
        else:
            self.cost += cost

    def _price_of(self, model: str, sent_at: float) -> Price | None:
        key = model, int(sent_at) // 60  # prices change on the hour
        if key not in self._prices:
            self._prices = {
                key: price_of(
                    model, datetime.fromtimestamp(sent_at, UTC), currency=self._currency, holidays=self._holidays
                )
            }
        return self._prices[key]


def reason_of(error: DeepSeekError) -> str:
    """An error's class and status, to count by."""
    name = type(error).__name__
    return f"{name} {error.status}" if isinstance(error, APIStatusError) else name
