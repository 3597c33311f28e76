"""What a source would cost, before anything is sent.

Tokens are estimated from characters as the page "Token & Token Usage" does: an English character is about 0.3 token,
a Chinese one about 0.6. The answer of each row counts as long as its ``max_tokens`` lets it be; without one its length
is not known, and neither is its cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, Final

import attrs

from ..codec.requests import body_of
from ..types import ChatRequest
from ..types.prices import PRICE_LISTS, Price, price_of
from .journal.known_rows import Done
from .source.row import Row
from .source.rows import RowSource, Source
from .source.shards import Shard

_PER_ASCII: Final = 0.3
_PER_OTHER: Final = 0.6
_SHOWN: Final = 5


@attrs.define(kw_only=True)
class Estimate:
    """What the rows of a source would cost if all prompts missed the cache.

    Attributes:
        rows: Rows that would be sent.
        skipped: Rows that are done.
        bad: Rows that cannot be sent; they would fail.
        problems: What is wrong with the first few of them.
        models: Rows by model.
        unpriced: Rows of models whose price is not known.
        unbounded: Rows without ``max_tokens``; their answers are not in ``output_tokens``.
        prompt_tokens, output_tokens: Estimated, and at most.
        prompt_cost, output_cost: The same in money, off-peak; twice that in peak hours.
    """

    rows: int = 0
    skipped: int = 0
    bad: int = 0
    problems: list[str] = attrs.field(factory=list)
    models: Counter[str] = attrs.field(factory=Counter)
    unpriced: int = 0
    unbounded: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    prompt_cost: Decimal = Decimal(0)
    output_cost: Decimal = Decimal(0)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values = attrs.asdict(self, recurse=False)
        costs = {"prompt_cost": str(self.prompt_cost), "output_cost": str(self.output_cost)}
        return {**values, "models": dict(self.models), **costs}


async def estimate_of(
    source: Source, *, done: Done | None = None, shard: Shard | None = None, currency: str = "USD"
) -> Estimate:
    """Read a source to its end and price it.

    Args:
        source: As for a batch.
        done: What an output holds; rows that are done would not be sent.
        shard: Only this part.
        currency: ``"USD"`` or ``"CNY"``.

    Raises:
        InvalidRequestError: The source cannot be read, a currency that is not known.
    """
    estimate = Estimate()
    rows = RowSource(source, shard=shard, known=None if done is None else _Before(done))
    try:
        while True:
            while (row := rows.next_ready()) is not None:
                _add(estimate, row, currency)
            if rows.is_at_end:
                break
            await rows.more()
    finally:
        await rows.aclose()
    estimate.skipped = rows.skipped
    return estimate


class _Before:
    """As `Done`, but no row is taken: nothing is sent."""

    def __init__(self, done: Done) -> None:
        self.has_line = done.has_line
        self.has = done.was_before


def _add(estimate: Estimate, row: Row, currency: str) -> None:
    if row.request is None:
        estimate.bad += 1
        if len(estimate.problems) < _SHOWN and row.error is not None:
            estimate.problems.append(row.error.message)
        return
    estimate.rows += 1
    estimate.models[row.request.model] += 1
    prompt = prompt_tokens_of(row.request)
    answer = row.request.max_tokens
    estimate.prompt_tokens += prompt
    estimate.output_tokens += answer or 0
    estimate.unbounded += answer is None
    price = _price(row.request.model, currency)
    if price is None:
        estimate.unpriced += 1
        return
    estimate.prompt_cost += price.cache_miss * prompt / 1_000_000
    estimate.output_cost += price.output * (answer or 0) / 1_000_000


def _price(model: str, currency: str) -> Price | None:
    # The newest list's first midnight: off-peak, in any list.
    return price_of(model, datetime.combine(PRICE_LISTS[-1].since, time(0), UTC), currency=currency)


def prompt_tokens_of(request: ChatRequest) -> int:
    """About how many tokens a request's prompt has, tools included."""
    body: Mapping[str, Any] = body_of(request)
    return round(sum(map(_tokens_in, _texts_in([body["messages"], body.get("tools")]))))


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name not in ("role", "type"):
                yield from _texts_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts_in(item)


def _tokens_in(text: str) -> float:
    if text.isascii():
        return len(text) * _PER_ASCII
    others = sum(character > "\u2e7f" for character in text)  # from here on: Chinese, Japanese, Korean
    return others * _PER_OTHER + (len(text) - others) * _PER_ASCII
