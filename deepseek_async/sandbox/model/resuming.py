"""Where in an answer a text ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .sampling import Step
    from .tokenizer import Tokenizer


def find_place(tokenizer: Tokenizer, steps: Iterator[Step], prefix: str) -> tuple[list[int], str] | None:
    """Read steps up to the place where a text ends, and no further.

    Returns:
        The tokens up to there, and the part of the last one that is not in the text; None if the text is another one.
    """
    wanted = prefix.encode("utf-8")
    written: list[int] = []
    place = 0
    for step in steps:
        data = tokenizer.token_bytes(step.token)
        if data is None:
            return None
        written.append(step.token)
        left = wanted[place : place + len(data)]
        if not data.startswith(left):
            return None
        place += len(data)
        if place >= len(wanted):
            return written, data[len(left) :].decode("utf-8")
    return None
