"""An answer on its way to a terminal that shows colours, and whose cursor can be moved."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.style import Style

from ..types import ChoiceLogprobs, Delta, TokenLogprob
from ..types.tokens.token import token_bytes
from .screen import visible
from .tokens import style_of
from .wrapping import WordWrap

_PLAIN = Style()
_THOUGHT = Style(dim=True, italic=True)
_NO_LOGPROBS = ChoiceLogprobs()


class TerminalWriter:
    """Reasoning dimmed, tokens in the colours of their probabilities, lines broken between words."""

    def __init__(self, console: Console) -> None:
        self._lines = WordWrap(console)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_thinking = False

    def write(self, delta: Delta) -> None:
        """Show what a delta adds."""
        logprobs = delta.logprobs or _NO_LOGPROBS
        if delta.reasoning_content:
            self._is_thinking = True
            self._show(delta.reasoning_content, logprobs.reasoning_content, _THOUGHT)
        if delta.content:
            if self._is_thinking:
                self._is_thinking = False
                self._lines.write("\n\n", _PLAIN)
            self._show(delta.content, logprobs.content, _PLAIN)

    def end(self) -> None:
        """End the last line."""
        if not self._lines.is_at_line_start:
            self._lines.write("\n", _PLAIN)

    def _show(self, text: str, tokens: Sequence[TokenLogprob] | None, style: Style) -> None:
        for piece, its_style in self._coloured(text, tokens or ()):
            self._lines.write(visible(piece), style + its_style)

    def _coloured(self, text: str, tokens: Sequence[TokenLogprob]) -> Iterator[tuple[str, Style]]:
        """The text in pieces, one a token. A character of several tokens has the colour of its last."""
        pieces = [(self._decoder.decode(token_bytes(token)), style_of(token)) for token in tokens]
        if tokens and "".join(piece for piece, _ in pieces) == text:
            return iter(pieces)
        self._decoder.reset()
        return iter([(text, style_of(tokens[-1]) if tokens else _PLAIN)])  # the text rules where the two differ
