"""The repertoire holds the scripts in waiting, and finds the one for a request."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..requests.seen import SeenRequest
from .script import Script

__all__ = ["Repertoire", "WaitingScript"]


@attrs.define(eq=False)
class WaitingScript:
    """A script that was given to the server.

    Attributes:
        script: What to play.
        left: How often it is still to be played; None: for ever.
        when: The condition on a request; None: there is none.
        caller: Whose requests it is for; None: anybody's.
        optional: Whether it may stay unplayed without that being a test's failure.
        played: How often it was played.
    """

    script: Script
    left: int | None
    when: Callable[[SeenRequest], bool] | None
    caller: str | None
    optional: bool
    played: int = 0


@attrs.define
class Repertoire:
    """Scripts in waiting, played in the order they were added.

    A request takes the first one that fits it: of its caller's or anybody's, whose condition holds, and, if the script
    says something, on an endpoint where something is said.

    Attributes:
        waiting: Those that are still to be played, in this order.
    """

    waiting: list[WaitingScript] = attrs.field(factory=list)

    def add(
        self,
        script: Script,
        *,
        times: int | None = 1,
        when: Callable[[SeenRequest], bool] | None = None,
        caller: str | None = None,
        optional: bool = False,
    ) -> None:
        """Add one, to be played so many times; None: for ever.

        Raises:
            TypeError: It is no `Script`.
            ValueError: ``times`` is less than 1.
        """
        given: object = script
        if not isinstance(given, Script):
            advice = f"; write Script(say={given!r})" if isinstance(given, str) else ""
            raise TypeError(f"script() takes Script values, got {type(given).__name__}{advice}")
        if when is not None and not callable(when):
            raise TypeError(f"when must be a function of a SeenRequest, got {type(when).__name__}")
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise ValueError(f"times must be at least 1, got {times!r}")
        self.waiting.append(WaitingScript(script, times, when, caller, optional))

    def take(self, request: SeenRequest, *, speaking: bool) -> Script | None:
        """The script for a request, used up by one; None: nothing is to be played.

        Args:
            speaking: Whether the endpoint is one where a model answers.
        """
        for entry in self.waiting:
            if entry.script.speaks and not speaking:
                continue
            if entry.caller is not None and not request.is_from(entry.caller):
                continue
            if entry.when is not None and not entry.when(request):
                continue
            entry.played += 1
            if entry.left is not None:
                entry.left -= 1
                if not entry.left:
                    self.waiting.remove(entry)
            return entry.script
        return None

    @property
    def unplayed(self) -> list[WaitingScript]:
        """Those that were never played and are not optional."""
        return [entry for entry in self.waiting if not entry.played and not entry.optional]

    def clear(self, caller: str | None = None) -> None:
        """Forget all of them, or those of one caller."""
        self.waiting = [entry for entry in self.waiting if caller is not None and entry.caller != caller]

    def __len__(self) -> int:
        return len(self.waiting)
