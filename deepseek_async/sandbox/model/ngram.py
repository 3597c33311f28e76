"""The counts that the model is made of: which token followed which one, and which two, and how often.

Kept in flat arrays, sorted by context: two bytes for a token, found by bisection. A dict of dicts would hold the same
in ten times the memory and take most of the start-up time to build.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from .tokenizer import BOS, FIRST_OPEN, RARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .tokenizer import Tokenizer

_MAX_SUCCESSORS = 32  # of a context: bounds the cost of a step; what is cut off goes to the back-off
_MAX_COUNT = 0xFFFF


@attrs.frozen(eq=False)
class Successors:
    """Contexts in ascending order and, for each, its most frequent successors.

    Attributes:
        contexts: The contexts' keys, ascending. ``"I"``
        starts: Where each context's successors begin; one more entry than contexts. ``"I"``
        totals: How often each context occurred, successors that were cut off included. ``"I"``
        tokens: The successors, most frequent first. ``"H"``
        counts: How often each followed. ``"H"``
    """

    contexts: array[int]
    starts: array[int]
    totals: array[int]
    tokens: array[int]
    counts: array[int]

    def after(self, context: int) -> tuple[array[int], array[int], int] | None:
        """The tokens seen after a context, their counts, and how often the context occurred; None if never."""
        index = bisect_left(self.contexts, context)
        if index == len(self.contexts) or self.contexts[index] != context:
            return None
        span = slice(self.starts[index], self.starts[index + 1])
        return self.tokens[span], self.counts[span], self.totals[index]


@attrs.frozen(eq=False)
class Ngrams:
    """The counts of a text.

    Attributes:
        singles: How often each token occurred, by id. ``"I"``
        pairs: What followed one token; the key is its id.
        triples: What followed two tokens; the key is ``first << 16 | second``.
    """

    singles: array[int]
    pairs: Successors
    triples: Successors


def count_ngrams(tokenizer: Tokenizer, documents: Iterable[str]) -> Ngrams:
    """Read the documents once and count.

    Each begins after two `BOS`. Words that are no pieces count as `RARE`: what follows those, taken together, is what
    may follow a word that the text never had.
    """
    encode = tokenizer.encode
    stream: list[int] = []
    after_rare: Counter[int] = Counter()
    for document in documents:
        tokens = encode(document)
        stream += (BOS, BOS, *tokens)
        for here, following in pairwise(tokens):
            if here >= FIRST_OPEN and tokenizer.token_text(here)[-1].isalpha() and _ends_word(tokenizer, following):
                after_rare[following] += 1
    singles = array("I", bytes(4 * len(tokenizer)))
    for token, count in Counter(stream).items():
        if token < FIRST_OPEN:
            singles[token] = count
    singles[BOS] = 0
    pairs = Counter(pairwise(stream))
    for following, count in after_rare.items():
        pairs[RARE, following] = count
    triples = Counter(zip(stream, stream[1:], stream[2:], strict=False))
    return Ngrams(
        singles,
        _pack((first, token, count) for (first, token), count in pairs.items() if _is_known(first, token)),
        _pack(
            (first << 16 | second, token, count)
            for (first, second, token), count in triples.items()
            if _is_known(first, second, token)
        ),
    )


def _is_known(*tokens: int) -> bool:
    """Whether a succession can be kept: of tokens in the inventory, the last of which can be drawn."""
    return tokens[-1] != BOS and all(token < FIRST_OPEN for token in tokens)


def _ends_word(tokenizer: Tokenizer, following: int) -> bool:
    text = tokenizer.token_text(following)
    return following < FIRST_OPEN and not text[0].isalnum()


def _pack(counted: Iterable[tuple[int, int, int]]) -> Successors:
    # One integer for each, so that a single sort of integers orders by context, then count (falling), then token.
    ordered = sorted(
        context << 32 | (_MAX_COUNT - min(count, _MAX_COUNT)) << 16 | token for context, token, count in counted
    )
    contexts, starts, totals = array("I"), array("I"), array("I")
    tokens, counts = array("H"), array("H")
    current, kept, total = -1, 0, 0
    for entry in ordered:
        context = entry >> 32
        count = _MAX_COUNT - (entry >> 16 & 0xFFFF)
        if context != current:
            if current >= 0:
                totals.append(total)
            contexts.append(context)
            starts.append(len(tokens))
            current, kept, total = context, 0, 0
        total += count
        if kept < _MAX_SUCCESSORS:
            tokens.append(entry & 0xFFFF)
            counts.append(count)
            kept += 1
    if current >= 0:
        totals.append(total)
    starts.append(len(tokens))
    return Successors(contexts, starts, totals, tokens, counts)


def ranked(singles: Sequence[int]) -> list[int]:
    """Tokens that occurred, most frequent first, ties by id."""
    return sorted((token for token, count in enumerate(singles) if count), key=lambda token: (-singles[token], token))
