"""What is told of a batch's progress: rates, shares, money, and the time to go."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from ..batch.report import BatchProgress

# Rates are those of the last so many seconds: a run's beginning says little about its end.
_RATE_SECONDS = 15.0


def failures_line(count: int, reason: str, examples: Mapping[str, str]) -> str:
    """How many rows failed for a reason, and the first of them with its error."""
    from .screen import visible

    example = f", such as {visible(examples[reason])}" if reason in examples else ""
    return f"  failed: {count:,} × {reason}{example}"


@attrs.frozen(kw_only=True)
class RunFigures:
    """What is shown of a run's progress, derived from two or more moments of it.

    Attributes:
        total: Rows of the source; ``None`` if that is not known.
        rate: Rows ended a second, of late; at the end of the whole run.
        token_rate: Tokens of answers a second, likewise.
        hit_share: Share of prompt tokens that the cache had, 0 to 1; ``None`` before the first answer.
        projected: What the run will have cost; ``None`` if that cannot be told.
        eta: Seconds to go; ``None`` if that cannot be told.
    """

    progress: BatchProgress
    total: int | None
    rate: float
    token_rate: float
    hit_share: float | None
    projected: Decimal | None
    eta: float | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        progress = self.progress
        return {
            "event": "progress",
            "state": progress.state,
            "succeeded": progress.succeeded,
            "failed": progress.failed,
            "skipped": progress.skipped,
            "total": self.total,
            "in_flight": progress.in_flight,
            "waiting": progress.waiting,
            "limit": progress.limit,
            "refusals": progress.refusals,
            "rows_per_second": round(self.rate, 3),
            "tokens_per_second": round(self.token_rate, 3),
            "cache_hit_share": None if self.hit_share is None else round(self.hit_share, 4),
            "cost": str(progress.cost),
            "projected_cost": None if self.projected is None else str(self.projected),
            "eta_seconds": None if self.eta is None else round(self.eta, 1),
            "seconds": round(progress.seconds, 3),
            "notice": progress.notice,
        }


class Throughput:
    """Derives `RunFigures` from one progress after the other.

    Attributes:
        total: Rows of the source; ``None`` as long as that is not known.
    """

    def __init__(self, total: int | None = None) -> None:
        self.total = total
        self._past: deque[tuple[float, int, int]] = deque()

    def figures(self, progress: BatchProgress) -> RunFigures:
        """The figures at this moment. Call it with ascending ``seconds``."""
        ended = progress.succeeded + progress.failed
        tokens = progress.usage.completion_tokens
        self._past.append((progress.seconds, ended, tokens))
        while len(self._past) > 2 and self._past[1][0] < progress.seconds - _RATE_SECONDS:
            self._past.popleft()
        is_begun = len(self._past) > 1 and progress.state != "ended"  # at its end a run is looked back on as a whole
        began, ended_then, tokens_then = self._past[0] if is_begun else (0.0, 0, 0)
        seconds = progress.seconds - began
        rate = (ended - ended_then) / seconds if seconds > 0 else 0.0
        left = None if self.total is None else max(self.total - progress.skipped - ended, 0)
        prompt = progress.usage.prompt_tokens
        return RunFigures(
            progress=progress,
            total=self.total,
            rate=rate,
            token_rate=(tokens - tokens_then) / seconds if seconds > 0 else 0.0,
            hit_share=(progress.usage.cached_tokens or 0) / prompt if prompt else None,
            projected=None if left is None or not ended else progress.cost * (ended + left) / ended,
            eta=None if left is None or (left and not rate) else left / rate if left else 0.0,
        )


def line_of(figures: RunFigures, currency: str) -> str:
    """The figures on one line."""
    progress = figures.progress
    ended = progress.succeeded + progress.failed + progress.skipped
    of = "" if figures.total is None else f"/{figures.total:,}"
    parts = [
        f"{ended:,}{of} rows" + (f" ({progress.failed:,} failed)" if progress.failed else ""),
        f"{figures.rate:,.1f}/s",
        f"{figures.token_rate:,.0f} tokens/s",
        f"{progress.in_flight:,}/{progress.limit:,} in flight",
        f"{progress.refusals:,} refused",
    ]
    if figures.hit_share is not None:
        parts.append(f"cache {figures.hit_share:.0%}")
    money = _money(progress.cost)
    if figures.projected is not None and progress.state != "ended":
        money += f" of about {_money(figures.projected)}"
    parts.append(f"{money} {currency}")
    if progress.state != "running":
        words = {"holding": "waiting for low prices", "draining": "stopping", "ended": f"{progress.seconds:,.1f} s"}
        parts.append(words[progress.state])
    elif figures.eta is not None:
        parts.append(f"{duration(figures.eta)} to go")
    return " · ".join(parts)


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}" if amount >= 100 else f"{amount:.4f}"


def duration(seconds: float) -> str:
    """Minutes and seconds, ``2:05``, or hours before them."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
