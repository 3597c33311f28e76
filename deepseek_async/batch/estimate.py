"""What a source would cost, before anything is sent.

Tokens of prompts are estimated from their characters (see `types.tokens.estimate`), schemas of tools included. Where
the output has answers already, their ``usage`` tells how far such estimates are off, and the rest is corrected by that.
The answer of each row counts as long as its ``max_tokens`` lets it be; without one its length is not known, and neither
is its cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

import attrs

from ..codec.requests import body_of
from ..types.prices import PRICE_LISTS, Price, price_of
from ..types.tokens.estimate import prompt_tokens_of
from ..types.values import Brief
from .journal.known_rows import Done
from .journal.lines import line_decoder
from .journal.scan import lines_in
from .journal.standing import usage_of
from .source.row import Row, name_and_hash, row_of, written
from .source.rows import RowSource, Source
from .source.shards import Shard
from .source.template import Template

_SHOWN: Final = 5


@attrs.define(kw_only=True, repr=False)
class Estimate(Brief):
    """What the rows of a source would cost if all prompts missed the cache.

    Attributes:
        rows: Rows that would be sent.
        skipped: Rows that are done.
        bad: Rows that cannot be sent; they would fail.
        problems: What is wrong with the first few of them.
        models: Rows by model.
        unpriced: Rows of models whose price is not known.
        unbounded: Rows without ``max_tokens``; their answers are not in ``output_tokens``.
        correction: The factor by which the estimates of prompts were corrected. It comes from the answers that the
            output holds already: tokens that the server counted, over those that were estimated. 1 if it holds none.
        prompt_tokens: Estimated for all prompts together.
        output_tokens: What all answers together have at most, by their ``max_tokens``.
        prompt_cost, output_cost: The same in money, off-peak; twice that in peak hours.
    """

    rows: int = 0
    skipped: int = 0
    bad: int = 0
    problems: list[str] = attrs.field(factory=list)
    models: Counter[str] = attrs.field(factory=Counter)
    unpriced: int = 0
    unbounded: int = 0
    correction: float = 1.0
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
    source: Source,
    *,
    done: Done | None = None,
    told: Mapping[str, int] | None = None,
    shard: Shard | None = None,
    currency: str = "USD",
    template: Template | None = None,
    kind: str | None = None,
) -> Estimate:
    """Read a source to its end and price it.

    Args:
        source: As for a batch.
        done: What an output holds; rows that are done would not be sent.
        told: Tokens of the prompts of some of these, by id, as their answers tell; see `prompts_told_by`.
        shard: Only this part.
        currency: ``"USD"`` or ``"CNY"``.
        template, kind: See `RowSource`.

    Raises:
        InvalidRequestError: The source cannot be read, a currency that is not known.
    """
    estimate = Estimate()
    before = None if done is None else _Before(done, told or {})
    rows = RowSource(source, shard=shard, known=before, template=template, kind=kind)
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
    if before is not None and before.estimated:
        estimate.correction = before.told / before.estimated
        estimate.prompt_tokens = round(estimate.prompt_tokens * estimate.correction)
        estimate.prompt_cost *= Decimal(estimate.correction)
    return estimate


class _Before:
    """As `Done`, but no row is taken: nothing is sent.

    Attributes:
        told: Tokens of the prompts of rows that are done, as their answers tell.
        estimated: Tokens of the same prompts, estimated.
    """

    def __init__(self, done: Done, told: Mapping[str, int]) -> None:
        self._done = done
        self._told = told
        self.told = self.estimated = 0

    def has_line(self, line: bytes, number: int) -> bool:
        is_done = self._done.has_line(line, number)
        if is_done and self._told and written(name_and_hash(line, number)[0]) in self._told:
            self._compare(row_of(line, number, ""))
        return is_done

    def has(self, row: Row) -> bool:
        is_done = self._done.was_before(row)
        if is_done:
            self._compare(row)
        return is_done

    def _compare(self, row: Row) -> None:
        if row.request is not None and (told := self._told.get(row.name)):
            self.told += told
            self.estimated += prompt_tokens_of(body_of(row.request))


def prompts_told_by(output: Path, most: int = 1000) -> dict[str, int]:
    """Tokens of prompts by the ids of their rows, as the first answers in an output tell. None if it is missing."""
    lines = (line for line in lines_in(output, line_decoder) if line.error is None)
    usages = ((line.custom_id, usage_of(line)) for line in islice(lines, most))
    return {name: usage.prompt_tokens for name, usage in usages if usage is not None and usage.prompt_tokens}


def _add(estimate: Estimate, row: Row, currency: str) -> None:
    if row.request is None:
        estimate.bad += 1
        if len(estimate.problems) < _SHOWN and row.error is not None:
            estimate.problems.append(row.error.message)
        return
    estimate.rows += 1
    estimate.models[row.request.model] += 1
    prompt = prompt_tokens_of(body_of(row.request))
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
