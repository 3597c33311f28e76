"""Counting what was generated, whether the answer came to its end or its client went away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .answers import Emission, Said

__all__ = ["metered"]


def metered(emissions: Iterator[tuple[int, Said]], on_end: Callable[[int, str], None]) -> Iterator[tuple[int, Said]]:
    """Pass emissions on; at the end, or when closed before it, report tokens and the text of choice 0.

    Args:
        on_end: Called once with the number of generated tokens and the content.
    """
    tokens = 0
    texts: list[str] = []
    try:
        for entry in emissions:
            said = entry[1]
            tokens += said.count
            if entry[0] == 0 and isinstance(said, Emission) and said.channel == "content":
                texts.append(said.text)
            yield entry
    finally:
        on_end(tokens, "".join(texts))
