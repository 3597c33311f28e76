"""What of a streamed answer may be shown, and what is held back.

As long as no text was shown, another attempt may follow a failed one; so chunks without text
(the role, at first) are held back until some comes. If the answer may be continued, its end is held back, too, and so
are tokens without text: the continuation would bring them again. A chunk that says something new in fields of its own
(how far the prompt is read, say) is shown at once.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

from ..types import ChatCompletionChunk, TextCompletion
from .dialects import Dialect

C = TypeVar("C", bound=ChatCompletionChunk | TextCompletion)


class Outlet(Generic[C]):
    """Holds chunks back as long as it must, and no longer. It has an attribute for each reason to do so.

    Args:
        dialect: Which endpoint's answer it is.
        is_continuable: Whether a continuation may follow the answer's end.

    Attributes:
        ready: May be shown.
        held: Chunks without text, held back until some comes.
        closing: The end of a part, held back until it is the answer's end.
        pending: Chunks with tokens whose text has not come, since the last text.
        delivered: Chunks that were taken.
        has_text: Whether the present attempt has brought any text.
        is_open: Whether nothing more is to be held back in this attempt.
        is_drained: Whether nothing is shown any more.
    """

    __slots__ = (
        "_dialect",
        "_is_again",
        "_is_continuable",
        "_news",
        "_told",
        "closing",
        "delivered",
        "has_text",
        "held",
        "is_drained",
        "is_open",
        "pending",
        "ready",
    )

    def __init__(self, dialect: Dialect[C, Any], *, is_continuable: bool) -> None:
        self._dialect = dialect
        self._is_continuable = is_continuable
        self.ready: deque[C] = deque()
        self.held: list[C] = []
        self.closing: list[C] = []
        self.delivered: int = 0
        self.is_drained: bool = False
        self._told = 0  # chunks without text that were shown in advance of it
        self._news: object = None
        self.begin(is_again=False)

    @property
    def has_shown(self) -> bool:
        """Whether any text was taken."""
        return self.delivered > self._told

    def begin(self, *, is_again: bool) -> None:
        """Another attempt. ``is_again``: what a first chunk without text says has been shown."""
        self.clear()
        self.pending: int = 0
        self.has_text: bool = False
        self.is_open: bool = False
        self._is_again = is_again

    def clear(self) -> None:
        """Forget what was not shown."""
        self.ready.clear()
        self.held.clear()
        self.closing.clear()

    def release(self) -> None:
        """Show all that is held back."""
        self.ready += self.held
        self.ready += self.closing
        self.held.clear()
        self.closing.clear()

    def sort(self, chunks: list[C]) -> None:
        """Take chunks while something may have to be held back."""
        for chunk in chunks:
            self._sort(chunk)
        if self.is_drained:
            self.clear()

    def _sort(self, chunk: C) -> None:
        has_text = self._dialect.chunk_has_text(chunk)
        if self._is_continuable and (self.closing or _ends(chunk)):
            if has_text:
                self._show(self._dialect.without_end(chunk))
                chunk = self._dialect.end_alone(chunk)
            elif _has_tokens(chunk):
                self.pending += 1
            self.closing.append(chunk)
        elif has_text:
            self._show(chunk)
        elif self._is_continuable and _has_tokens(chunk):
            self.pending += 1
            self.held.append(chunk)
        elif self.has_text and not self.held:
            self.ready.append(chunk)
        elif (news := _news_in(chunk)) and news != self._news:
            self._news = news
            if not (self._is_continuable and any(map(_has_tokens, self.held))):
                shown = [*self.held, chunk]  # in the order in which they came
                self.held.clear()
            else:
                shown = [chunk]
            self._told += 0 if self.is_drained else len(shown)
            self.ready += shown
        elif not self._is_again:
            self.held.append(chunk)

    def _show(self, chunk: C) -> None:
        self.has_text = True
        self.is_open = not self._is_continuable
        self.ready += self.held
        self.held.clear()
        self.pending = 0
        self.ready.append(chunk)


def _ends(chunk: ChatCompletionChunk | TextCompletion) -> bool:
    return any(choice.finish_reason is not None for choice in chunk.choices)


def _has_tokens(chunk: ChatCompletionChunk | TextCompletion) -> bool:
    return any(choice.logprobs is not None for choice in chunk.choices)


def _news_in(chunk: ChatCompletionChunk | TextCompletion) -> dict[str, Any]:
    """What a chunk says in fields of its own."""
    news = {name: value for name, value in chunk.extra.items() if value is not None}
    for choice in chunk.choices:
        news |= {name: value for name, value in choice.extra.items() if value is not None}
    return news


def _is_a_first_word(text: str) -> bool:
    """Whether a text is a capitalised word and nothing else: what goes on amid a word has no capital."""
    return len(text) > 2 and text.isalpha() and text.istitle()


class Probation(Generic[C]):
    """Keeps what a continuation brings to itself until it is clear that it does not begin the answer anew.

    A server that does not know how to continue answers again from the beginning (vLLM with ``prefix``, for one). Nearly
    always the first characters tell. What was said already may be said again by a true continuation, too, if it is a
    list or a refrain; so a beginning counts only if it stands nowhere else in what was said.

    Args:
        content, reasoning: What was said before the seam.
    """

    ENOUGH = 16
    """So many characters are no accident."""
    LEAST = 8
    """What is shorter may be one."""

    def __init__(self, content: str, reasoning: str) -> None:
        self._said = {"content": content, "reasoning_content": reasoning}
        self.kept: list[C] = []
        self.is_over: bool = False
        """Whether some text has passed. ``kept``: what has not."""

    def take(self, chunks: list[C], *, at_end: bool = False) -> list[C] | None:
        """Take chunks; return those that may pass, which is all or none. ``None``: the answer begins anew."""
        self.kept += chunks
        for channel, said in self._said.items():
            text = self.text(channel)
            self.is_over = self.is_over or bool(text)
            count = min(len(text), len(said), self.ENOUGH)
            beginning = text[:count]
            if not beginning or not said.startswith(beginning):
                continue
            is_word = count == len(said) and _is_a_first_word(said)
            if not at_end and (count < min(len(said), self.ENOUGH) or (is_word and len(text) == count)):
                self.is_over = False
                return []
            if is_word and not text[count : count + 1].isalnum():
                return None  # "The" cut behind, and "The sea" to go on with: no sentence doubles its first word
            if count >= self.LEAST and said.find(beginning[: self.LEAST], 1) < 0:
                return None
        passed, self.kept = self.kept, []
        return passed

    def text(self, channel: str = "content") -> str:
        """What has been kept of the first choice."""
        choices: list[Any] = [choice for chunk in self.kept for choice in chunk.choices]
        return "".join(getattr(choice.delta, channel) or "" for choice in choices)
