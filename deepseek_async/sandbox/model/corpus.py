"""The text the model learns from: what the standard library says about itself.

Every Python carries a few thousand docstrings, so there is something to learn from on any machine, offline, and no
text has to be shipped. The sources are read as files, never imported: a module can print, open a display or start
threads when it is imported. Only prose is kept; a doctest or a table of options would teach the model to write
neither English nor Python.
"""

from __future__ import annotations

import builtins
import re
import sysconfig
from pathlib import Path
from types import BuiltinFunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Packages with much prose. A fixed list, because a distribution may add or drop others (idlelib, test, tkinter).
_PACKAGES = (
    "asyncio",
    "collections",
    "concurrent/futures",
    "email",
    "http",
    "importlib",
    "json",
    "logging",
    "urllib",
)
# Large and monotonous: a name per pen colour, opcode or widget.
_LEFT_OUT = frozenset({"turtle.py", "pickletools.py", "_pydecimal.py", "antigravity.py", "this.py"})

# A string on the line after a colon, or the first thing in a file. `ast` would say the same and take ten times as long.
_DOCSTRING = re.compile(
    r':[ \t]*(?:\#[^\n]*)?\n\s*[rR]?"""(.*?)"""|\A\s*(?:\#[^\n]*\n\s*)*[rR]?"""(.*?)"""',
    re.DOTALL,
)
_BLANK_LINES = re.compile(r"\n\s*\n")
_NOT_PROSE = re.compile(
    r">>>|^\s*[-=+]{4,}|^\s*\w+ = |^\s*(?:def|class|import|from|@)\b|:param|', '| -- |^\s*\w+ +-- ", re.MULTILINE
)
_SYMBOLS = re.compile(r"[(){}\[\]_=<>|*\\/`\"]")
_MIN_PARAGRAPH = 20  # characters; shorter ones are headings
_MAX_SYMBOLS = 0.05  # of a paragraph's characters


def documents(stdlib: Path | None = None) -> list[str]:
    """Collect the prose of the standard library, in an order that depends on the files alone.

    Args:
        stdlib: Folder of the ``.py`` files; None for the running interpreter's. A folder without sources (a frozen or
            zipped Python) leaves the docstrings that are compiled into the interpreter.

    Returns:
        One string for each docstring that has prose in it, its paragraphs separated by an empty line. No paragraph
        occurs twice.
    """
    folder = stdlib or Path(sysconfig.get_paths()["stdlib"])
    seen: set[str] = set()
    collected = []
    for docstring in (*_from_files(folder), *_from_builtins()):
        paragraphs = [paragraph for paragraph in _prose(docstring) if paragraph not in seen]
        seen.update(paragraphs)
        if paragraphs:
            collected.append("\n\n".join(paragraphs))
    return collected


def _from_files(folder: Path) -> Iterator[str]:
    for directory in (folder, *(folder / name for name in _PACKAGES)):
        for path in sorted(directory.glob("*.py")):
            if path.name in _LEFT_OUT:
                continue
            try:
                source = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError):  # unreadable, or one of the few old sources in Latin-1
                continue
            for match in _DOCSTRING.finditer(source):
                yield match[1] or match[2]


def _from_builtins() -> Iterator[str]:
    # Nothing that a program can replace, as it can a hook in `sys` or `help`: the text must not depend on the process.
    for name, entry in sorted(vars(builtins).items()):
        if isinstance(entry, type):
            members = vars(entry)
            yield from (str(members[member].__doc__) for member in sorted(members) if callable(members[member]))
        if isinstance(entry, type | BuiltinFunctionType) and name != "_":
            yield str(entry.__doc__)


def _prose(docstring: str) -> Iterator[str]:
    if not docstring.isascii():
        return
    for block in _BLANK_LINES.split(docstring):
        if _NOT_PROSE.search(block):
            continue
        paragraph = " ".join(block.split())
        if len(paragraph) < _MIN_PARAGRAPH or not paragraph[0].isupper() or paragraph[-1] not in ".!?":
            continue
        if len(_SYMBOLS.findall(paragraph)) <= _MAX_SYMBOLS * len(paragraph):
            yield paragraph
