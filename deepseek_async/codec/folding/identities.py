"""Whose chunks they are: where a stream goes on with the chunks of another answer, and whether that begins anew.

A gateway whose server fails may go on with another one within the same stream. Then the chunks have another ``id`` from
there on. By itself that says nothing: the other server may have been asked to continue (LiteLLM does so), and the text
is whole. But if what follows begins as the answer began, two answers are told as one.

Many servers have an ``id`` of its own in each chunk, a gateway another one in the first, and some in the last, which
brings the usage; so an id counts only if it has stood for a few chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from ...types import ChatCompletion, ChatCompletionChunk
from ..reading.repetition import Repetition

_FEW: Final = 3
_ENOUGH: Final = 16
_LEAST: Final = 8


@attrs.frozen
class Change:
    """Where the chunks of another answer begin: characters of each channel before it, and the ids."""

    position: int
    reasoning_position: int
    before: str
    after: str


class Identities:
    """Follows the ids of one stream's chunks.

    Attributes:
        id: The present one; ``None``: chunks have ids of their own, and nothing is followed.
        changes: Where it became another one.
    """

    __slots__ = ("_since", "changes", "id")

    def __init__(self) -> None:
        self.id: str | None = ""
        self.changes: list[Change] = []
        self._since = 0

    def differs_in(self, chunks: Sequence[Any], runs: Sequence[Repetition]) -> bool:
        """Whether any of the next chunks has another id than the present one.

        Args:
            runs: Which of them differ in a text alone: one of each is looked at.
        """
        present = self.id
        if chunks[-1].id != present:
            return True
        at = 0
        for start, _, texts in runs:
            if any(chunk.id != present for chunk in chunks[at : start + 1]):
                return True
            at = start + len(texts)
        return any(chunk.id != present for chunk in chunks[at:-1])

    def take(self, chunks: Sequence[ChatCompletionChunk], first: int, lengths: Callable[[], tuple[int, int]]) -> None:
        """Take chunks of which some have another id than the present one.

        Args:
            first: How many came before them.
            lengths: Tells how many characters of content and of reasoning came before them.
        """
        content = reasoning = 0
        for number, chunk in enumerate(chunks, first):
            if chunk.id and chunk.id != self.id:
                held = number - self._since
                if not self.id or (held == 1 and not self.changes and self._since == 0):
                    pass  # the first one, or that of the second chunk
                elif held < _FEW:
                    self.id, self.changes = None, []
                    return
                else:
                    before, reasoning_before = lengths()
                    self.changes.append(Change(before + content, reasoning_before + reasoning, self.id, chunk.id))
                self.id, self._since = chunk.id, number
            for choice in chunk.choices:
                content += len(choice.delta.content or "")
                reasoning += len(choice.delta.reasoning_content or "")


def begins_anew(change: Change, content: str, reasoning: str) -> bool:
    """Whether what follows a change begins as the answer began, with words that stood nowhere else before."""
    channels = ((content, change.position), (reasoning, change.reasoning_position))
    return any(_begins_as(text[:position], text[position:]) for text, position in channels)


def _begins_as(said: str, text: str) -> bool:
    count = min(len(said), len(text), _ENOUGH)
    return count >= _LEAST and said.startswith(text[:count]) and said.find(text[:_LEAST], 1) < 0


def parts_of(whole: ChatCompletion, change: Change) -> tuple[ChatCompletion, ChatCompletion]:
    """The two answers that a stream was, each with its texts."""
    (choice, *_), message = whole.choices, whole.message
    content, reasoning = message.content or "", message.reasoning_content
    first = attrs.evolve(
        message,
        content=content[: change.position],
        reasoning_content=reasoning and reasoning[: change.reasoning_position],
        tool_calls=None,
    )
    second = attrs.evolve(
        message,
        content=content[change.position :],
        reasoning_content=reasoning and reasoning[change.reasoning_position :],
    )
    of_first = attrs.evolve(choice, message=first, finish_reason=None, logprobs=None)
    of_second = attrs.evolve(choice, message=second, logprobs=None)
    return (
        attrs.evolve(whole, choices=(of_first,), usage=None, complete=False),
        attrs.evolve(whole, id=change.after, choices=(of_second,)),
    )
