"""The two consoles, and what may be written to them."""

from __future__ import annotations

import shutil
import sys

from rich.console import Console

from ..errors import visible as visible


def stdout_console() -> Console:
    """The console on what is stdout now. In a pipe or a file there are no colours and lines are never broken."""
    return wide(_fitting(Console(file=sys.stdout, highlight=False, emoji=False)))


def wide(console: Console) -> Console:
    """The console, of which no line is broken."""
    if not console.is_terminal:
        console.width = 10_000
    return console


def stderr_console() -> Console:
    """The console on what is stderr now."""
    return _fitting(Console(file=sys.stderr, highlight=False, emoji=False))


def _fitting(console: Console) -> Console:
    """The console, as wide as its terminal is; of a dumb one Rich believes that it has 80 columns."""
    if console.is_dumb_terminal:
        console.width = shutil.get_terminal_size().columns
    return console


def is_live(console: Console) -> bool:
    """Whether it is a terminal whose cursor can be moved."""
    return console.is_terminal and not console.is_dumb_terminal
