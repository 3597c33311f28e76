"""An answer on its way to the reader: to a terminal with all it can show, to a pipe as nothing but the text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from rich.console import Console

from ..types import Delta
from .screen import is_live, visible


class Writer(Protocol):
    """Shows deltas as they come."""

    def write(self, delta: Delta) -> None:
        """Show what a delta adds."""

    def end(self) -> None:
        """The last delta has come: end the line."""


def writer_on(console: Console) -> Writer:
    """The writer that fits what stdout is."""
    if not is_live(console):
        return PlainWriter(visible if console.is_terminal else str)
    from .colouring import TerminalWriter  # draws, and loads what is needed for that

    return TerminalWriter(console)


class PlainWriter:
    """The content goes to stdout at once; the reasoning, which is no part of the answer, to stderr.

    Args:
        shown: What becomes of a text; in a pipe nothing.
    """

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        self._shown = shown
        self._last = {sys.stdout: "", sys.stderr: ""}

    def write(self, delta: Delta) -> None:
        """Write what a delta adds."""
        for text, file in ((delta.reasoning_content, sys.stderr), (delta.content, sys.stdout)):
            if text:
                file.write(self._shown(text))
                file.flush()
                self._last[file] = text[-1]

    def end(self) -> None:
        """End the last line."""
        for file, last in self._last.items():
            if last not in ("", "\n"):
                file.write("\n")
                file.flush()
