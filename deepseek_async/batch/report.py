"""What a run came to, and how far it is: frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from ..types import Usage
from ..types.values import Brief

Stopped = Literal[
    "requested",
    "authentication",
    "balance",
    "refused",
    "connection",
    "disk",
    "moved",
    "max_cost",
    "budget",
    "max_errors",
    "max_error_rate",
    "source",
    "fault",
]
State = Literal["running", "holding", "draining", "ended"]

WORDS: Final[Mapping[Stopped, str]] = {
    "requested": "it was asked to stop",
    "authentication": "the key was refused",
    "balance": "the account's balance is gone",
    "refused": "the server refuses every request",
    "connection": "the API cannot be reached as it should be",
    "disk": "the output cannot be written",
    "moved": "the output was moved or changed by somebody else",
    "max_cost": "it has spent what it may",
    "budget": "the budget is used up",
    "max_errors": "too many rows failed",
    "max_error_rate": "too large a share of the rows failed",
    "source": "the source failed",
    "fault": "a fault of this program",
}


SHOWN_IDS: Final = 5
"""How many of a list of ids stand in the report's words."""

_SHOWN_OF_ERRORS: Final = 200


def clipped(message: str) -> str:
    """An error's words as one line that a summary has room for."""
    line = " ".join(message.split())
    return line if len(line) <= _SHOWN_OF_ERRORS else line[: _SHOWN_OF_ERRORS - 1] + "…"


@attrs.frozen(kw_only=True, repr=False)
class BatchProgress(Brief):
    """How far a run is: one attribute for each figure that a person may want to see.

    Attributes:
        succeeded, failed: Rows that have their outcome.
        skipped: Rows passed over because an earlier run has finished them.
        in_flight: Rows sent and not ended.
        waiting: Rows pulled and not in flight: read ahead, refused, resting after a failure, held for a warm cache.
        limit: How many may be in flight at present.
        refusals: Answers with 429.
        usage: Tokens of the answers, summed.
        cost: What they cost, in the run's currency.
        seconds: Since the run's start.
        total: Rows of the source, if it has a length (a list has, a file has none) and is sent whole; else ``None``.
        fraction: How much of the source has been read, 0 to 1; ``None`` if that cannot be known.
        state: ``"running"``; ``"holding"`` until prices are low, or the budget knows what is left;
            ``"draining"``: nothing more is sent.
        notice: What a person should know, such as a balance that runs out.
    """

    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    in_flight: int = 0
    waiting: int = 0
    limit: int = 0
    refusals: int = 0
    usage: Usage = Usage()
    cost: Decimal = Decimal(0)
    seconds: float = 0.0
    total: int | None = None
    fraction: float | None = None
    state: State = "running"
    notice: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class BatchReport(Brief):
    """What a run came to: one attribute for each figure. All are of this run alone; ``skipped`` counts the rows that
    earlier runs on the output have finished.

    Attributes:
        output: The output file.
        run: Which run on it this was, from 1.
        succeeded, failed: Rows that got their outcome.
        reasons: Failed rows by the class and status of their error.
        examples: For each of these the first row that failed so, and its error: ``"q-7: temperature is 3; …"``.
        skipped: Rows passed over because an earlier run has finished them.
        skipped_failed: Of the skipped: rows that have failed for good. ``retry_permanent`` sends them again.
        unfinished: Ids of rows without an outcome that may have been billed: the run was stopped while they were in
            flight, or their answer could not be written.
        possibly_billed_twice: Ids of rows that were sent again although a server may have read and billed an earlier
            sending: the run was killed before the answer was here, the connection broke, a gateway gave up (502, 504,
            524). Every such row is here. With ``durability="power"`` up to 128 others may be here as well, which a
            killed run had marked and not sent.
        usage: Tokens of the answers, summed, with cache hits and misses.
        cost: What the answers cost in ``currency``: each by its own model, tokens and time.
        unpriced: Answers of models whose price is not known; not in ``cost``.
        attempts: Requests sent, refusals not counted.
        refusals: Answers with 429.
        seconds: Wall time.
        stopped: Why the run ended before the source did; ``None``: it did not.
        error: What stopped it, in words.
    """

    output: Path
    run: int = 1
    succeeded: int = 0
    failed: int = 0
    reasons: Mapping[str, int] = attrs.field(factory=dict)
    examples: Mapping[str, str] = attrs.field(factory=dict)
    skipped: int = 0
    skipped_failed: int = 0
    unfinished: tuple[str, ...] = ()
    possibly_billed_twice: tuple[str, ...] = ()
    usage: Usage = Usage()
    cost: Decimal = Decimal(0)
    currency: str = "USD"
    unpriced: int = 0
    attempts: int = 0
    refusals: int = 0
    seconds: float = 0.0
    stopped: Stopped | None = None
    error: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every row of the source has its outcome; failures count as such."""
        return self.stopped is None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values = attrs.asdict(self, recurse=False)
        usage = attrs.asdict(self.usage, filter=lambda field, value: field.name != "extra" and value is not None)
        return {
            **values,
            "output": str(self.output),
            "usage": usage,
            "cost": str(self.cost),
            "reasons": dict(self.reasons),
            "examples": dict(self.examples),
        }

    def __str__(self) -> str:
        why = "; ".join(
            f"{reason}, such as {self.examples[reason]}" for reason in self.reasons if reason in self.examples
        )
        failed = f"{self.failed:,} failed" + (f" ({why})" if why else "")
        parts = [f"{self.succeeded:,} succeeded", failed, f"{self.skipped:,} done before"]
        if self.stopped is not None:
            parts.append(f"stopped: {WORDS[self.stopped]}")
        if self.unfinished:
            parts.append(f"sent and not finished: {_named(self.unfinished)}")
        if self.possibly_billed_twice:
            parts.append(f"possibly billed twice: {_named(self.possibly_billed_twice)}")
        return ", ".join(parts)


def _named(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:SHOWN_IDS])
    return f"{len(ids):,} ({shown}{', …' if len(ids) > SHOWN_IDS else ''})"
