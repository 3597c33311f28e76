"""One token of an answer with its alternatives, and what several of them spell.

Rules of the page "Create Chat Completion": -9999.0 stands for "not among the 20 most likely" and is not a probability;
``bytes`` may be null, and one character may spread over several tokens, so text is rebuilt from bytes.
"""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from ..structs import Deferrable, as_structs
from ..values import Document, extra_field

BELOW_TOP = -9999.0
"""The ``logprob`` of a token outside the 20 most likely ones."""


@attrs.frozen(repr=False)
class TopLogprob(Document):
    """One alternative at a token's position.

    Attributes:
        token: The token as text. Where it is part of a character, the server's own stand-in for it.
        logprob: Natural logarithm of its probability, <= 0; or -9999.0, see `is_below_top`.
        bytes: Its UTF-8 bytes, each 0 to 255; ``None`` where it has none.
    """

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    extra: Mapping[str, Any] = extra_field()

    @property
    def is_below_top(self) -> bool:
        """Whether the server only said "very unlikely" instead of a probability."""
        return self.logprob <= BELOW_TOP

    @property
    def probability(self) -> float | None:
        """exp(logprob), 0 to 1; ``None`` where the server gave none."""
        return None if self.is_below_top else math.exp(min(self.logprob, 0.0))


@attrs.frozen(repr=False)
class TokenLogprob(Deferrable, TopLogprob):
    """One token of the answer.

    With 20 alternatives a token takes 4 kB: they are made when somebody looks at them.

    Attributes:
        top_logprobs: The most likely tokens at this position, likeliest first; at most 20, in rare cases fewer than
            were asked for.
    """

    _late = ("top_logprobs",)

    top_logprobs: tuple[TopLogprob, ...] = ()


if not TYPE_CHECKING:
    TopLogprob, TokenLogprob = as_structs(TopLogprob, TokenLogprob)


def token_bytes(token: TopLogprob) -> bytes:
    """The token's UTF-8 bytes; where the server sent none, or numbers that are no bytes, those of its text."""
    if token.bytes is not None:
        try:
            return bytes(token.bytes)
        except ValueError:
            pass
    return token.token.encode("utf-8", "replace")


def text_of(tokens: Iterable[TopLogprob]) -> str:
    """The text that the tokens spell, decoded over token borders.

    Bytes that are not UTF-8, as at a cut inside a character, become U+FFFD.
    """
    return b"".join(map(token_bytes, tokens)).decode("utf-8", "replace")


def spans_of(tokens: Sequence[TopLogprob]) -> tuple[tuple[int, int], ...]:
    """For each token its ``(start, end)`` in `text_of`, in characters, end exclusive.

    A token that holds only part of a character spans that whole character, so the spans of the tokens that share one
    overlap; a token of no bytes has an empty span.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    spans = []
    position = 0  # of the first character that is not yet whole
    for token in tokens:
        data = token_bytes(token)
        start = position
        position += len(decoder.decode(data))
        unfinished = bool(decoder.getstate()[0])
        spans.append((start, position + (unfinished and bool(data))))
    return tuple(spans)


def perplexity_of(tokens: Iterable[TopLogprob]) -> float | None:
    """exp of the mean negative logprob, >= 1, over the tokens whose probability the server told.

    Tokens below the top 20 are left out, since -9999.0 is no probability; ``None`` if no token is left.
    """
    known = [token.logprob for token in tokens if not token.is_below_top]
    if not known:
        return None
    try:
        return math.exp(-math.fsum(known) / len(known))
    except OverflowError:  # some servers say -1000 for what they masked
        return math.inf
