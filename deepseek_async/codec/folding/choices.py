"""Which choice of an answer a chunk's choice belongs to.

Usually its ``index`` says it. But where one choice was asked for, some servers count chunks or blocks in it (Foundry
Local, gateways): then all of them are one choice. So long as nothing speaks against it, a choice of a new index goes on
with the one before it; what speaks against it is that a chunk brings several choices, that an index comes back, or that
the choice before had its end. (An index may come back to say the end of all.) Then they were several all the time, and
each is what came under its index.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, Self, TypeVar


class Folding(Protocol):
    """What folds one choice."""

    finish_reason: str | None

    def add(self, choice: Any) -> None: ...
    def clone(self) -> Self: ...


F = TypeVar("F", bound=Folding)


class Choices(Generic[F]):
    """The choices of one answer.

    Args:
        make: Begins the fold of a choice.
        is_of_one: Whether one choice was asked for.

    Attributes:
        index: That of the choice that the latest chunk belonged to; ``None``: `turn_to` has to be asked.
        current: That choice.
    """

    __slots__ = ("_by_index", "_first", "_is_of_one", "_make", "_merged", "_moved", "_seen", "current", "index")

    current: F

    def __init__(self, make: Callable[[], F], *, is_of_one: bool) -> None:
        self._make = make
        self._is_of_one = is_of_one
        self.index: int | None = None
        self._by_index: dict[int, F] = {}
        self._first = 0
        self._merged: F | None = None  # all of them as one, once the index has moved
        self._moved: list[Any] = []  # what came since
        self._seen: list[int] = []

    @property
    def is_of_one(self) -> bool:
        """Whether all that has come is one choice, because one was asked for."""
        return self._is_of_one

    def turn_to(self, choice: Any, at_once: int) -> F:
        """The fold of a choice that is not the current one.

        Args:
            choice: A chunk's.
            at_once: How many the chunk brings.
        """
        index = choice.index
        if self._is_of_one and at_once == 1 and self._by_index:
            if (folding := self._one(choice)) is not None:
                self._moved.append(choice)
                return folding
            self._tell_apart()
        elif at_once > 1 and self._is_of_one:
            self._tell_apart()
        folding = self._by_index.get(index)
        if folding is None:
            folding = self._by_index[index] = self._make()
            if len(self._by_index) == 1:
                self._first, self._seen = index, [index]
        self.index, self.current = index, folding
        return folding

    def _one(self, choice: Any) -> F | None:
        """All choices as one, if this one can go on with it."""
        so_far, index = self._merged or self._by_index[self._first], choice.index
        if choice.finish_reason is None and choice.logprobs is None and _says_no_text(choice):
            return so_far  # beside a usage, or to keep the connection alive
        if index != self._seen[-1]:
            if so_far.finish_reason is not None or (index in self._seen and not _only_ends(choice)):
                return None
            if index not in self._seen:
                self._seen.append(index)
        if self._merged is None:
            self._merged = so_far.clone()
            self.index = None
        return self._merged

    def _tell_apart(self) -> None:
        self._is_of_one, self._merged = False, None
        moved, self._moved = self._moved, []
        for choice in moved:
            if choice.index not in self._by_index:
                self._by_index[choice.index] = self._make()
            self._by_index[choice.index].add(choice)

    def settle(self) -> None:
        """What has come is one: nothing will speak against it any more."""
        if self._merged is not None:
            self._by_index = {self._first: self._merged}
            self._merged, self._moved, self._seen = None, [], [self._first]

    def all(self) -> list[tuple[int, F]]:
        """Each with its index, in order of arrival."""
        return list(self._by_index.items()) if self._merged is None else [(self._first, self._merged)]

    def sorted(self) -> list[tuple[int, F]]:
        """Each with its index, by that."""
        return sorted(self.all(), key=lambda entry: entry[0])


def _only_ends(choice: Any) -> bool:
    """Whether a choice says how it ended, and nothing else."""
    return choice.finish_reason is not None and _says_no_text(choice)


def _says_no_text(choice: Any) -> bool:
    if (delta := getattr(choice, "delta", None)) is None:
        return not choice.text
    return not (delta.content or delta.reasoning_content or delta.tool_calls)
