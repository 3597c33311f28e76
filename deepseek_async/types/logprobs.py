"""Log probabilities of the answer's tokens: two channels, ``content`` and ``reasoning_content``.

What can be made of them (words, columns, a page to look at) stands in `tokens`, and is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import InvalidRequestError
from .structs import Deferrable, as_structs
from .tokens.token import TokenLogprob, perplexity_of, spans_of, text_of
from .values import Document, extra_field

if TYPE_CHECKING:
    from .tokens.columns import LogprobColumns
    from .tokens.words import Word

_BEGINNING = 8  # tokens, in a repr
_SHOWN = 1000  # tokens a channel in a notebook, which keeps what it shows in its file


def _counted(tokens: tuple[TokenLogprob, ...] | None) -> str:
    """How tokens stand in a repr: how many, and what they begin with."""
    if not tokens:
        return repr(tokens)
    text = text_of(tokens[:_BEGINNING])
    return f"<{len(tokens):,} tokens: {text[:40] + '…' * (len(tokens) > _BEGINNING)!r}>"


@attrs.frozen(repr=False)
class ChoiceLogprobs(Deferrable, Document):
    """The tokens of one choice, in both channels.

    With 20 alternatives a token is 1.3 kB of JSON, and most tokens are never looked at: a server's logprobs are checked
    when they arrive, and become tokens when a field is read.

    Attributes:
        content: The tokens of ``message.content``; ``None`` where the server sent null.
        reasoning_content: The tokens of ``message.reasoning_content``; thinking mode only.
    """

    _late = ("content", "reasoning_content", "extra")

    content: tuple[TokenLogprob, ...] | None = attrs.field(default=None, repr=_counted)
    reasoning_content: tuple[TokenLogprob, ...] | None = attrs.field(default=None, repr=_counted)
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

    def words(self, channel: str = "content") -> tuple[Word, ...]:
        """The words of a channel, each with its tokens, its place in the text and its ``probability``.

        Args:
            channel: ``"content"`` or ``"reasoning_content"``; one that is null has no words.

        Raises:
            InvalidRequestError: There is no such channel.
        """
        from .tokens.words import words_of

        return words_of(self._tokens(channel))

    def array(self, channel: str = "content") -> LogprobColumns:
        """The tokens of a channel as columns, numpy arrays: texts, logprobs, offsets, alternatives.

        Args:
            channel: ``"content"`` or ``"reasoning_content"``; one that is null has no rows.

        Raises:
            InvalidRequestError: There is no such channel.
            ImportError: numpy is not installed; the extra ``numpy`` brings it.
        """
        from .tokens.columns import columns_of

        tokens = self._tokens(channel)
        return columns_of(tokens, spans_of(tokens))

    def to_html(self, title: str = "Log probabilities") -> str:
        """A whole HTML document of both channels, to be written into a file and looked at.

        Each token is shaded and underlined by how surprising it is; its alternatives are shown on hover and keyboard
        focus. The document needs nothing from outside and runs no script; it is light or dark as its reader prefers.

        Args:
            title: Its title and heading.
        """
        from .tokens.heat_map import html_of, page_of

        return page_of(html_of(self.content, self.reasoning_content), title)

    def _repr_html_(self) -> str:
        """What a notebook shows in place of the repr: the same, of the first 1,000 tokens of each channel."""
        from .tokens.heat_map import html_of

        return html_of(self.content, self.reasoning_content, most=_SHOWN)

    def _tokens(self, channel: str) -> tuple[TokenLogprob, ...]:
        if channel not in ("content", "reasoning_content"):
            raise InvalidRequestError("channel", channel, "content or reasoning_content")
        return getattr(self, channel) or ()


if not TYPE_CHECKING:
    (ChoiceLogprobs,) = as_structs(ChoiceLogprobs)
