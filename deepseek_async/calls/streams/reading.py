"""What one choice of a stream's chunks holds, read one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Generic, Self, TypeVar

import attrs

from ...codec.dialects import CHAT
from ...codec.folding.channels import of_chunk
from ...errors import InvalidRequestError, refuse_sync
from ...types import ChatCompletionChunk, ChunkChoice, Delta, TextChoice, TextCompletion
from ...types.requests.numbers import integer_in

C = TypeVar("C")
R = TypeVar("R")


class Reading(Generic[C, R]):
    """An async iterator over what the chunks hold for one choice. It reads the stream: what it passes over is gone.

    Args:
        stream: Brings the chunks.
        index: Of the choice.
        take: What there is for that choice in a chunk.
        is_of_one: Whether there is one choice only. Then all chunks are its, whatever some servers count in its index.

    Raises:
        InvalidRequestError: ``index`` is no index; of another type it would silently match nothing.
    """

    def __init__(
        self,
        stream: AsyncIterator[C],
        index: int,
        take: Callable[[C, int | None], Iterable[R]],
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
        while not self._ready:
            chunk = await anext(self._stream)
            self._ready.extend(self._take(chunk, None if self._index == 0 and self._is_of_one() else self._index))
        return self._ready.popleft()


def texts_in(piece: TextCompletion, index: int | None) -> Iterator[str]:
    """The text of one choice, if there is any; ``None``: of any."""
    for choice in piece.choices:
        if choice.text and _is_meant(choice, index):
            yield choice.text


def contents_in(chunk: ChatCompletionChunk, index: int | None) -> Iterator[str]:
    """The content of one choice, if there is any."""
    for choice in chunk.choices:
        if choice.delta.content and _is_meant(choice, index):
            yield choice.delta.content


def deltas_in(chunk: ChatCompletionChunk, index: int | None) -> Iterator[Delta]:
    """The delta of one choice with its tokens, if it says anything."""
    for choice in chunk.choices:
        if (choice.logprobs or CHAT.has_text(choice)) and _is_meant(choice, index):
            yield attrs.evolve(choice.delta, logprobs=of_chunk(choice)) if choice.logprobs else choice.delta


def _is_meant(choice: ChunkChoice | TextChoice, index: int | None) -> bool:
    return index is None or choice.index == index


refuse_sync(Reading)
