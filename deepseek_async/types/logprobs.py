"""Log probabilities of the answer's tokens, and what can be read off them.

Two channels, ``content`` and ``reasoning_content``; each token with its alternatives. Rules of the page "Create Chat
Completion": -9999.0 stands for "not among the 20 most likely" and is not a probability; ``bytes`` may be null, and one
character may spread over several tokens, so text is rebuilt from bytes.
"""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import InvalidRequestError
from .structs import as_structs
from .values import Deferrable, Document, extra_field

BELOW_TOP = -9999.0
"""The ``logprob`` of a token outside the 20 most likely ones."""


@attrs.frozen
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
        return None if self.is_below_top else math.exp(self.logprob)


@attrs.frozen
class TokenLogprob(TopLogprob):
    """One token of the answer.

    Attributes:
        top_logprobs: The most likely tokens at this position, likeliest first; at most 20, in rare cases fewer than
            were asked for.
    """

    top_logprobs: tuple[TopLogprob, ...] = ()


if TYPE_CHECKING:
    from .tokens.columns import LogprobColumns
else:
    TopLogprob, TokenLogprob = as_structs(TopLogprob, TokenLogprob)


@attrs.frozen
class ChoiceLogprobs(Deferrable, Document):
    """The tokens of one choice, in both channels.

    With 20 alternatives a token is 1.3 kB of JSON, and most tokens are never looked at: a server's logprobs are checked
    when they arrive, and become tokens when a field is read.

    Attributes:
        content: The tokens of ``message.content``; ``None`` where the server sent null.
        reasoning_content: The tokens of ``message.reasoning_content``; thinking mode only.
    """

    content: tuple[TokenLogprob, ...] | None = None
    reasoning_content: tuple[TokenLogprob, ...] | None = None
    extra: Mapping[str, Any] = extra_field()

    @property
    def text(self) -> str:
        """The content, rebuilt from the tokens' bytes."""
        return text_of(self.content or ())

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where each content token stands in `text`; see `spans_of`."""
        return spans_of(self.content or ())

    @property
    def perplexity(self) -> float | None:
        """Perplexity of the content; see `perplexity_of`."""
        return perplexity_of(self.content or ())

    def array(self, channel: str = "content") -> LogprobColumns:
        """The tokens of a channel as columns, numpy arrays: texts, logprobs, offsets, alternatives.

        Args:
            channel: ``"content"`` or ``"reasoning_content"``; one that is null has no rows.

        Raises:
            InvalidRequestError: There is no such channel.
            ImportError: numpy is not installed; the extra ``numpy`` brings it.
        """
        if channel not in ("content", "reasoning_content"):
            raise InvalidRequestError("channel", channel, "content or reasoning_content")
        tokens = getattr(self, channel) or ()
        from .tokens.columns import columns_of

        return columns_of(tokens, spans_of(tokens))


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
