"""Admission refuses requests over a ceiling of requests in flight, which the client cannot see.

The API limits concurrency for each account and model, the limit shrinks with the balance, and only the text of the 429
tells it. Here the ceiling can be a number, a number for each model, or a schedule; it can be moved while requests run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs

from ..requests import refusals

__all__ = ["Admission", "Ceiling", "Schedule"]


def _to_steps(steps: Iterable[tuple[float, int]]) -> tuple[tuple[float, int], ...]:
    return tuple((float(seconds), int(limit)) for seconds, limit in steps)


@attrs.frozen
class Schedule:
    """A ceiling that moves with time.

    Attributes:
        steps: (seconds since the server's start, ceiling), in ascending order; before the first step its ceiling
            holds too.
    """

    steps: Sequence[tuple[float, int]] = attrs.field(converter=_to_steps)

    @steps.validator
    def _check(self, _: object, steps: Sequence[tuple[float, int]]) -> None:
        if not steps:
            raise ValueError("steps must hold at least one (seconds, ceiling)")
        if list(steps) != sorted(steps, key=lambda step: step[0]):
            raise ValueError("steps must be in ascending order of seconds")

    def at(self, elapsed: float) -> int:
        """The ceiling after so many seconds."""
        limit = self.steps[0][1]
        for seconds, ceiling in self.steps:
            if seconds <= elapsed:
                limit = ceiling
        return limit


Ceiling = int | Mapping[str, int] | Schedule | None


@attrs.define
class Admission:
    """Counts requests in flight, by model, and refuses those over the ceiling.

    A request counts from its admission until its answer is complete or its client gone.

    Attributes:
        ceiling: None: no limit. May be set at any time; requests in flight stay.
        elapsed: Seconds since the server's start.
        in_flight, peak: By model.
        admitted, refused: Totals.
    """

    ceiling: Ceiling
    elapsed: Callable[[], float]
    in_flight: Counter[str] = attrs.field(factory=Counter)
    peak: Counter[str] = attrs.field(factory=Counter)
    admitted: int = 0
    refused: int = 0

    def limit(self, model: str) -> int | None:
        """The ceiling of a model at this moment."""
        match self.ceiling:
            case Schedule() as schedule:
                return schedule.at(self.elapsed())
            case Mapping() as limits:
                return limits.get(model)
            case limit:
                return limit

    @contextmanager
    def admit(self, model: str) -> Iterator[None]:
        """Hold a place for the length of the block.

        Raises:
            Refusal: 429, with the real text.
        """
        limit = self.limit(model)
        current = self.in_flight[model] + 1
        if limit is not None and current > limit:
            self.refused += 1
            raise refusals.too_many_requests(current, limit)
        self.admitted += 1
        self.in_flight[model] = current
        self.peak[model] = max(self.peak[model], current)
        try:
            yield
        finally:
            self.in_flight[model] -= 1
