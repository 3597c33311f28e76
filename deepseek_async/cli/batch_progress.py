"""How far a batch is: live in a terminal, a line every ten seconds elsewhere, JSON lines for machines."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Protocol

import attrs
import msgspec

from ..batch.report import BatchProgress
from .endings import remark
from .screen import is_live, stderr_console, visible

LINE_SECONDS = 10.0
# Rates are those of the last so many seconds: a run's beginning says little about its end.
_RATE_SECONDS = 15.0
# Counting lines reads the file; at a gigabyte a second, up to here it is not felt.
_COUNTED_BYTES = 2**31


def rows_in(source: str) -> int | None:
    """How many rows a file has; ``None`` for stdin, a pipe or a very large file."""
    if source == "-" or not os.path.isfile(source) or os.path.getsize(source) > _COUNTED_BYTES:  # noqa: PTH113, PTH202
        return None
    with open(source, "rb") as file:  # noqa: PTH123
        return sum(1 for line in file if not line.isspace())


@attrs.frozen(kw_only=True)
class Figures:
    """What is shown of a run's progress, derived from two or more moments of it.

    Attributes:
        total: Rows of the source; ``None`` if that is not known.
        rate: Rows ended a second.
        token_rate: Tokens of answers a second.
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


class Pace:
    """Derives `Figures` from one progress after the other.

    Args:
        total: Rows of the source, if that is known.
    """

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._past: deque[tuple[float, int, int]] = deque()

    def figures(self, progress: BatchProgress) -> Figures:
        """The figures at this moment. Call it with ascending ``seconds``."""
        ended = progress.succeeded + progress.failed
        tokens = progress.usage.completion_tokens
        self._past.append((progress.seconds, ended, tokens))
        while len(self._past) > 2 and self._past[1][0] < progress.seconds - _RATE_SECONDS:
            self._past.popleft()
        began, ended_then, tokens_then = self._past[0] if len(self._past) > 1 else (0.0, 0, 0)
        seconds = progress.seconds - began
        rate = (ended - ended_then) / seconds if seconds > 0 else 0.0
        left = None if self._total is None else max(self._total - progress.skipped - ended, 0)
        prompt = progress.usage.prompt_tokens
        return Figures(
            progress=progress,
            total=self._total,
            rate=rate,
            token_rate=(tokens - tokens_then) / seconds if seconds > 0 else 0.0,
            hit_share=(progress.usage.cached_tokens or 0) / prompt if prompt else None,
            projected=None if left is None or not ended else progress.cost * (ended + left) / ended,
            eta=None if left is None or (left and not rate) else left / rate if left else 0.0,
        )


def line_of(figures: Figures, currency: str) -> str:
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
        parts.append(f"{_duration(figures.eta)} to go")
    return " · ".join(parts)


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}" if amount >= 100 else f"{amount:.4f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Watch(Protocol):
    """Shows how far a run is."""

    def show(self, progress: BatchProgress) -> None:
        """Take note of a moment; called several times a second."""

    def say(self, text: str) -> None:
        """Tell something once."""

    def close(self) -> None:
        """Show no more. Calling it twice does nothing."""


class _Lines:
    """A line every ten seconds, and one at the end."""

    def __init__(
        self, pace: Pace, write: Callable[[Figures], None], say: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self._pace = pace
        self._write = write
        self._say = say
        self._clock = clock
        self._next = clock() + LINE_SECONDS

    def show(self, progress: BatchProgress) -> None:
        figures = self._pace.figures(progress)
        if progress.state == "ended" or self._clock() >= self._next:
            self._next = self._clock() + LINE_SECONDS
            self._write(figures)

    def say(self, text: str) -> None:
        self._say(text)

    def close(self) -> None:
        pass


class _Screen:
    """The last line of the terminal, renewed in place."""

    def __init__(self, pace: Pace, currency: str) -> None:
        from rich.live import Live

        self._pace = pace
        self._currency = currency
        self._console = stderr_console()
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        self._live.start()

    def show(self, progress: BatchProgress) -> None:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        figures = self._pace.figures(progress)
        shown = Table.grid(expand=True)
        if figures.total:
            done = progress.succeeded + progress.failed + progress.skipped
            shown.add_row(ProgressBar(total=figures.total, completed=done))
        shown.add_row(Text(line_of(figures, self._currency)))
        self._live.update(shown, refresh=True)

    def say(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text(visible(text), "dim"))

    def close(self) -> None:
        self._live.stop()


@contextmanager
def watch_for(total: int | None, *, currency: str, as_json: bool) -> Iterator[Watch]:
    """What shows a run's progress on what stderr is now."""
    console = stderr_console()
    pace = Pace(total)
    watch: Watch
    if as_json:
        watch = _Lines(pace, lambda figures: _write_json(figures.to_json()), _say_as_json, time.monotonic)
    elif is_live(console):
        watch = _Screen(pace, currency)
    else:
        watch = _Lines(pace, lambda figures: remark(line_of(figures, currency)), remark, time.monotonic)
    log, heard = logging.getLogger("deepseek_async"), _Heard(watch)
    log.addHandler(heard)
    try:
        yield watch
    finally:
        log.removeHandler(heard)
        watch.close()


class _Heard(logging.Handler):
    """What the library warns of, told where progress is: a line of its own would stand in the middle of that."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._watch.say(record.getMessage() + (f": {error}" if error is not None else ""))


def _say_as_json(text: str) -> None:
    _write_json({"event": "notice", "text": text})


def _write_json(value: dict[str, Any]) -> None:
    print(msgspec.json.encode(value).decode(), file=sys.stderr, flush=True)
