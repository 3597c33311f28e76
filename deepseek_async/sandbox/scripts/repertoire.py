"""Which script is played for which request."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..requests.seen import SeenRequest
from .script import Script

__all__ = ["Repertoire"]


@attrs.define
class _Entry:
    script: Script
    left: int | None
    when: Callable[[SeenRequest], bool] | None


@attrs.define
class Repertoire:
    """Scripts in waiting, played in the order they were added.

    A request takes the first one that fits it: whose condition holds, and, if the script says something, on an endpoint
    where something is said.
    """

    _entries: list[_Entry] = attrs.field(factory=list)

    def add(self, script: Script, *, times: int | None, when: Callable[[SeenRequest], bool] | None) -> None:
        """Add one, to be played so many times; None: for ever."""
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1, got {times}")
        self._entries.append(_Entry(script, times, when))

    def take(self, request: SeenRequest, *, speaking: bool) -> Script | None:
        """The script for a request, used up by one; None: nothing is to be played.

        Args:
            speaking: Whether the endpoint is one where a model answers.
        """
        for entry in self._entries:
            if entry.script.speaks and not speaking:
                continue
            if entry.when is not None and not entry.when(request):
                continue
            if entry.left is not None:
                entry.left -= 1
                if not entry.left:
                    self._entries.remove(entry)
            return entry.script
        return None

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)
