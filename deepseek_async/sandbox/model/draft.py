"""A `Draft` is the part of an answer that is written already, as far as the next token depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .tokenizer import BOS, BYTES, FIRST_PIECE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LOOK_BACK: Final = 12  # tokens: enough for three characters of four bytes


class Draft:
    """A growing answer. Its state is a function of the context and the tokens pushed, of nothing else.

    Args:
        context: What stands before it. A special token at the end opens a new text.
        written: Tokens of the answer that are there already.
        recited: Tokens that the prompt asks for, word for word.

    Attributes:
        unit: The last token, or all bytes so far of the last character outside ASCII.
        before: The last token before the unit.
        third: The last token before that.
        length: Tokens pushed.
        counts: How often each token was pushed.
        is_reciting: Whether it is a beginning of what the prompt asks to recite.
    """

    __slots__ = ("_followers", "before", "counts", "is_reciting", "length", "recited", "third", "unit")

    def __init__(self, context: Sequence[int] = (), written: Iterable[int] = (), recited: tuple[int, ...] = ()) -> None:
        self.before: int = BOS
        self.third: int = BOS
        self.unit: tuple[int, ...] = (BOS,)
        self.length: int = 0
        self.counts: dict[int, int] = {}
        self._followers: dict[tuple[int, int, int], tuple[int, ...]] = {}
        self.recited: tuple[int, ...] = recited
        self.is_reciting: bool = bool(recited)
        for token in context[-_LOOK_BACK:]:
            if BYTES <= token < FIRST_PIECE:
                self.before = self.third = BOS
                self.unit = (BOS,)
            else:
                self._move(token)
        for token in written:
            self.push(token)

    def followers(self) -> tuple[int, ...]:
        """What followed the last three tokens earlier in the answer: it goes in circles if that comes again."""
        return self._followers.get((self.third, self.before, self.unit[-1]), ())

    @property
    def has_recited(self) -> bool:
        """Whether it is what the prompt asks to recite, all of it and nothing else."""
        return self.is_reciting and self.length == len(self.recited)

    def push(self, token: int) -> None:
        """Write one more token."""
        if self.is_reciting:
            self.is_reciting = self.length < len(self.recited) and self.recited[self.length] == token
        self.length += 1
        self.counts[token] = self.counts.get(token, 0) + 1
        context = (self.third, self.before, self.unit[-1])
        self._followers[context] = (*self._followers.get(context, ()), token)
        self._move(token)

    def _move(self, token: int) -> None:
        if 0x80 <= token < 0xC0 and self.unit[0] < BYTES:
            self.unit += (token,)
        else:
            self.third = self.before
            self.before = self.unit[-1]
            self.unit = (token,)
