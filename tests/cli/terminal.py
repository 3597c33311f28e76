"""A terminal, as small as the tests need one: a pseudo-terminal to write to, and a screen to paint on."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from unittest import mock

from rich.cells import cell_len

from deepseek_async.cli.app import app

from .conftest import COMMAND, environment

_PIECES = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\s\S])")
_TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Terminal:
    """A pseudo-terminal that keeps what is written to it."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        self._written = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.ours, 65_536)
            except OSError:  # how Linux says that the other end was closed
                return
            if not data:
                return
            self._written += data

    def written(self) -> str:
        """All that was written, after `theirs` was closed everywhere."""
        self._reader.join(20)
        os.close(self.ours)
        return self._written.decode()


def run_in_terminal(*arguments: str, columns: int = 80, env: Mapping[str, str] = _TERMINAL) -> tuple[int, str]:
    """Run the command in this process with a terminal of so many columns as its stdout and stderr.

    Args:
        env: Added to the environment.

    Returns:
        The exit code, and everything that was written.
    """
    terminal = Terminal()
    surroundings = environment(**{**_TERMINAL, **env, "COLUMNS": str(columns)})
    with (
        open(terminal.theirs, "w", encoding="utf-8") as file,  # noqa: PTH123 - a descriptor, no path
        mock.patch.object(sys, "stdout", file),
        mock.patch.object(sys, "stderr", file),
        mock.patch.dict(os.environ, surroundings, clear=True),
    ):
        try:
            app(list(arguments))
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return code, terminal.written()


def run_in_own_terminal(*arguments: str, typed: bytes = b"", **env: str) -> tuple[int, str]:
    """Run the command in a process of its own with a terminal as its stdin, stdout and stderr.

    Args:
        typed: What its user types, ahead of being asked.

    Returns:
        The exit code, and everything that was written.
    """
    terminal = Terminal()
    theirs = terminal.theirs
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**{**_TERMINAL, **env}),
        start_new_session=True,
    )
    os.write(terminal.ours, typed)
    os.close(theirs)
    return process.wait(20), terminal.written()


def painted(written: str, columns: int) -> list[str]:
    """The lines that stand on a screen of so many columns after that output; without colours and blanks at the end.

    Knows line ends, moving back and up, erasing, and the break that a terminal makes at its edge. A character of two
    cells leaves the second one empty.
    """
    lines: list[list[str]] = [[]]
    row = column = 0
    for number, code, char in _PIECES.findall(written):
        line = lines[row]
        if code == "D":
            column = max(0, column - int(number or 1))
        elif code == "A":
            row = max(0, row - int(number or 1))
        elif code == "K":
            del line[0 if number == "2" else column :]
        elif char == "\n":
            row, column = row + 1, 0
            lines += [[]] if row == len(lines) else []
        elif char == "\r":
            column = 0
        elif char:
            width = cell_len(char)
            if column + width > columns:
                row, column = row + 1, 0
                lines += [[]] if row == len(lines) else []
                line = lines[row]
            line.extend([" "] * (column + width - len(line)))
            line[column : column + width] = [char, *[""] * (width - 1)]
            column += width
    return ["".join(line).rstrip() for line in lines]
