"""Messages in the chunks of a stream, where deltas should be or beside them: each text of theirs counts once.

| a chunk brings | and so far came | is read as |
| --- | --- | --- |
| a message in place of a delta | the beginning of its text | what the text adds to it |
| | all of it, and that was deltas, or long | what it repeats |
| | anything else, or nothing | a piece of the text |
| a message beside a delta with text | | what it repeats; the delta counts (Perplexity) |
| a message beside a delta without | nothing, or messages alone | as one in place of it |
| | text of deltas | what it repeats |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ...types import ChunkChoice
from ..reading.quirks.messages import translate_said

_SURE = 8
"""So many characters are not said again by chance: a text that repeats all that came is no second piece of it."""


class Messages:
    """The messages in the chunks of one choice."""

    def __init__(self) -> None:
        self._is_all = False  # whether all text so far came in messages beside deltas without
        self._has_agreed = (
            False  # whether the first text was that of the delta as well: the message stood for it, perhaps
        )
        self._grows = False  # whether they say all of it each time
        self._counted = {"content": (0, 0), "reasoning_content": (0, 0)}  # pieces, and the characters in them

    def settled(self, choice: ChunkChoice, before: Mapping[str, list[str]]) -> ChunkChoice:
        """The choice with what its message adds to the text, in its delta.

        Args:
            choice: Of a chunk; with a ``message`` in its ``extra``.
            before: What came before it, by the names of the texts.
        """
        message: dict[str, Any] = dict(choice.extra["message"])
        translate_said(message)
        changes: dict[str, Any] = {}
        for name, pieces in before.items():
            said, whole = getattr(choice.delta, name), message.get(name)
            if not isinstance(whole, str) or not whole or (said and said != whole):
                continue
            length = self._length(name, pieces)
            if not said and length and not self._is_all:
                continue
            if not length:
                self._is_all, self._has_agreed = self._is_all or not said, self._has_agreed or bool(said)
            is_last = choice.finish_reason is not None and not (self._is_all or self._has_agreed)
            is_sure = self._grows or is_last or length >= _SURE
            may_grow = len(whole) > length > 0 or (len(whole) == length and is_sure)
            added = whole.removeprefix("".join(pieces)) if may_grow else whole
            self._grows = self._grows or len(added) < len(whole)
            if added != said:
                changes[name] = added
        return attrs.evolve(choice, delta=attrs.evolve(choice.delta, **changes)) if changes else choice

    def _length(self, name: str, pieces: list[str]) -> int:
        """How many characters came; each piece is looked at once."""
        count, length = self._counted[name]
        length += sum(map(len, pieces[count:]))
        self._counted[name] = len(pieces), length
        return length
