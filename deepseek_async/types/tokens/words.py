"""Words with the confidence that their tokens give them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import attrs

from ..values import Brief
from .token import TokenLogprob, spans_of, text_of

# Scripts that put no blanks between words: each character stands for itself.
_UNSPACED = "\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


@attrs.frozen(repr=False)
class Word(Brief):
    """A run of characters without blanks; of Chinese and Japanese, one character.

    Attributes:
        text: As it stands in the answer, punctuation included.
        start, end: Where it stands in `ChoiceLogprobs.text`, in characters, end exclusive.
        tokens: The tokens that have a part in it; the first may bring the blank before it, too.
    """

    text: str
    start: int
    end: int
    tokens: tuple[TokenLogprob, ...]

    @property
    def logprob(self) -> float | None:
        """The sum of its tokens' logprobs, <= 0; ``None`` where the server gave one of them no probability."""
        if not self.tokens or any(token.is_below_top for token in self.tokens):
            return None
        return math.fsum(token.logprob for token in self.tokens)

    @property
    def probability(self) -> float | None:
        """That of the whole word, 0 to 1: its tokens' probabilities multiplied; ``None`` as `logprob`."""
        logprob = self.logprob
        return None if logprob is None else math.exp(min(logprob, 0.0))

    @property
    def least_likely(self) -> TokenLogprob | None:
        """Its most surprising token; ``None`` for a word without tokens."""
        return min(self.tokens, key=lambda token: token.logprob, default=None)


def words_of(tokens: Sequence[TokenLogprob]) -> tuple[Word, ...]:
    """The words that tokens spell, each with those that have a part in it. Linear in their number."""
    return tuple(_words(text_of(tokens), tokens))


def _words(text: str, tokens: Sequence[TokenLogprob]) -> Iterator[Word]:
    spans = spans_of(tokens)
    first = 0
    for found in _WORD.finditer(text):
        start, end = found.span()
        while first < len(spans) and spans[first][1] <= start:
            first += 1
        last = first
        while last < len(spans) and spans[last][0] < end:
            last += 1
        parts = (tokens[place] for place in range(first, last) if spans[place][1] > start)
        yield Word(found[0], start, end, tuple(parts))
