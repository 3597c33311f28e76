"""The text that the model learns from: original prose of this project, under the package's own licence (MIT).

It ships with the package, so that one seed gives one text on every machine and every Python. ``prose.txt`` is ASCII; a
line with nothing but ``%`` stands between two documents, and an empty line between two paragraphs.
"""

from __future__ import annotations

from importlib.resources import files

__all__ = ["documents"]

_BETWEEN = "\n%\n"


def documents() -> list[str]:
    """The documents, in the order of the file."""
    text = (files(__package__) / "prose.txt").read_text("ascii")
    return text.replace("\r\n", "\n").rstrip("\n").split(_BETWEEN)
