"""The two consoles, and what may be written to them."""

from __future__ import annotations

import shutil
import sys

from rich.console import Console

# What a model or a server sends must not steer the terminal: control characters are shown as their pictures. Marks of
# direction (U+202E and its kin) must not make a line read otherwise than it is: they are shown as unknown characters.
_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: 0x2421}
_DIRECTION_MARKS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_PICTURES |= dict.fromkeys((*range(0x80, 0xA0), *_DIRECTION_MARKS), 0xFFFD)


def visible(text: str) -> str:
    """The text with marks of direction, and control characters but line feed and tab, replaced by visible ones."""
    return text.translate(_PICTURES)


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
