"""How far a batch is: live in a terminal, a line every ten seconds elsewhere, JSON lines for machines."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import msgspec

from ..batch.report import BatchProgress
from .batch_figures import RunFigures, Throughput, line_of
from .encoding import print_json
from .endings import complain, remark
from .screen import is_live, stderr_console, visible

LINE_SECONDS = 10.0


class Watch(Protocol):
    """Shows how far a run is."""

    def show(self, progress: BatchProgress) -> None:
        """Take note of a moment; called several times a second."""

    def say(self, text: str) -> None:
        """Tell something once."""

    def fail(self, text: str) -> None:
        """Tell what went wrong; nothing is shown after it."""

    def close(self) -> None:
        """Show no more. Calling it twice does nothing."""


class _Lines:
    """A line every ten seconds, and one at the end."""

    def __init__(
        self,
        throughput: Throughput,
        write: Callable[[RunFigures], None],
        say: Callable[[str], None],
        fail: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._pace = throughput
        self._write = write
        self._say = say
        self._fail = fail
        self._clock = clock
        self._next = clock() + LINE_SECONDS

    def show(self, progress: BatchProgress) -> None:
        figures = self._pace.figures(progress)
        if progress.state == "ended" or self._clock() >= self._next:
            self._next = self._clock() + LINE_SECONDS
            self._write(figures)

    def say(self, text: str) -> None:
        self._say(text)

    def fail(self, text: str) -> None:
        self._fail(text)

    def close(self) -> None:
        pass


class _Screen:
    """The last line of the terminal, renewed in place."""

    def __init__(self, throughput: Throughput, currency: str) -> None:
        from rich.live import Live

        self._pace = throughput
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

    def fail(self, text: str) -> None:
        self.close()
        complain(text)

    def close(self) -> None:
        self._live.stop()


@contextmanager
def watch_for(throughput: Throughput, *, currency: str, as_json: bool) -> Iterator[Watch]:
    """What shows a run's progress on what stderr is now."""
    console = stderr_console()
    watch: Watch
    if as_json:
        watch = _Lines(throughput, lambda figures: _write_json(figures.to_json()), _notice, _error, time.monotonic)
    elif is_live(console):
        watch = _Screen(throughput, currency)
    else:
        watch = _Lines(throughput, lambda figures: remark(line_of(figures, currency)), remark, complain, time.monotonic)
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
        with suppress(OSError):  # nobody reads stderr: that is no reason to break a run off
            self._watch.say(record.getMessage() + (f": {error}" if error is not None else ""))


def _notice(text: str) -> None:
    _write_json({"event": "notice", "text": text})


def _error(text: str) -> None:
    _write_json({"event": "error", "text": text})


def _write_json(value: dict[str, Any]) -> None:
    print_json(msgspec.json.encode(value).decode(), sys.stderr)
