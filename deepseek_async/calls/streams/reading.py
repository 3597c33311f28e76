"""What one choice of a stream's chunks holds, read one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, Self, TypeVar

import attrs

from ...codec.dialects import CHAT
from ...codec.folding.channels import of_chunk
from ...errors import InvalidRequestError, refuse_sync
from ...types import ChatCompletionChunk, ChunkChoice, Delta, TextChoice, TextCompletion
from ...types.requests.numbers import integer_in

C = TypeVar("C", bound=ChatCompletionChunk | TextCompletion)
R = TypeVar("R")


class Reading(Generic[C, R]):
    """An async iterator over what the chunks hold for one choice. It reads the stream: what it passes over is gone.

    Args:
        stream: Brings the chunks.
        index: Of the choice.
        take: What there is in a choice of a chunk, if there is anything.
        is_of_one: Whether there is one choice only. Then all chunks are its, whatever some servers count in its index.

    Raises:
        InvalidRequestError: ``index`` is no index; of another type it would silently match nothing.
    """

    def __init__(
        self,
        stream: AsyncIterator[C],
        index: int,
        take: Callable[[Any], R | None],
        *,
        is_of_one: Callable[[], bool],
    ) -> None:
        number = integer_in(index)
        if number is None or number < 0:
            raise InvalidRequestError("index", index, "the number of a choice, 0 or more")
        self._stream = stream
        self._index = number
        self._is_of_one = is_of_one
        self._take = take
        self._ready: deque[R] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        ready, index, take = self._ready, self._index, self._take
        while not ready:
            chunk = await self._stream.__anext__()
            for choice in chunk.choices:
                if choice.index == index or (index == 0 and self._is_of_one()):
                    said = take(choice)
                    if said is not None:
                        if len(chunk.choices) == 1:
                            return said
                        ready.append(said)
        return ready.popleft()


def text_in(choice: TextChoice) -> str | None:
    """The text of a choice, if there is any."""
    return choice.text or None


def content_in(choice: ChunkChoice) -> str | None:
    """The content of a choice, if there is any."""
    return choice.delta.content or None


def delta_in(choice: ChunkChoice) -> Delta | None:
    """The delta of a choice with its tokens, if it says anything."""
    if choice.logprobs or CHAT.has_text(choice):
        return attrs.evolve(choice.delta, logprobs=of_chunk(choice)) if choice.logprobs else choice.delta
    return None


refuse_sync(Reading)
