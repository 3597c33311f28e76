"""A `Meter` counts what was generated, also for an answer whose client went away before the end."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from .answer import Called, Emission, Said

__all__ = ["Meter"]


_SHOWN = 4000  # characters


@attrs.define
class Meter:
    """Counts the emissions that pass.

    Attributes:
        tokens: Generated so far.
        texts: The content of choice 0 so far, in pieces.
        calls: Its calls so far, in pieces.
    """

    tokens: int = 0
    texts: list[str] = attrs.field(factory=list)
    calls: list[str] = attrs.field(factory=list)

    @property
    def shown(self) -> str:
        """What was said so far, or its beginning: content, then calls."""
        return "".join([*self.texts, *self.calls])[:_SHOWN]

    def count(self, emissions: Iterator[tuple[int, Said]]) -> Iterator[tuple[int, Said]]:
        """Pass emissions on."""
        for entry in emissions:
            said = entry[1]
            self.tokens += said.count
            if entry[0] == 0 and isinstance(said, Emission) and said.channel == "content":
                self.texts.append(said.text)
            elif entry[0] == 0 and isinstance(said, Called):
                self.calls.append(said.arguments if said.name is None else f"\n→ {said.name} {said.arguments}")
            yield entry
