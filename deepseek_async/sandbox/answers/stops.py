"""A `StopGate` ends a text before its first stop sequence, and lets no part of one into a stream.

A sequence may span tokens, so text that could be the beginning of one is held back until it is decided.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["StopGate"]


class StopGate:
    """Lets text through up to the first stop sequence.

    Args:
        stops: The sequences; empty ones are ignored, since they would match everywhere.
    """

    __slots__ = ("_held", "_longest", "_stops", "stopped")

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._longest = max(map(len, self._stops), default=0)
        self._held: str = ""
        self.stopped: bool = False

    def receive_text(self, text: str) -> str:
        """Take more text; return what may be shown. After a match `stopped` is true and nothing more comes."""
        if self.stopped:
            return ""
        if not self._stops:
            return text
        text = self._held + text
        # The one that is complete first, as if text came character by character.
        found = min(((at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0), default=None)
        if found is not None:
            self.stopped, self._held = True, ""
            return text[: found[1]]
        keep = self._undecided(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def receive_end(self) -> str:
        """The text is over: what was held back was no stop sequence after all."""
        held, self._held = self._held, ""
        return held

    def _undecided(self, text: str) -> int:
        """How many characters at the end could still become a stop sequence."""
        for size in range(min(len(text), self._longest - 1), 0, -1):
            tail = text[-size:]
            if any(stop.startswith(tail) for stop in self._stops if len(stop) > size):
                return size
        return 0
