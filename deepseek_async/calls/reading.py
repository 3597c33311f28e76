"""What one choice of a stream's chunks holds, read one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Generic, Self, TypeVar

import attrs

from ..codec.dialects import CHAT
from ..codec.folding.channels import of_chunk
from ..errors import InvalidRequestError
from ..types import ChatCompletionChunk, ChunkChoice, Delta, TextChoice, TextCompletion

C = TypeVar("C")
R = TypeVar("R")


class Reading(Generic[C, R]):
    """An async iterator over what the chunks hold for one choice. It reads the stream: what it passes over is gone.

    Args:
        stream: Brings the chunks.
        index: Of the choice.
        take: What there is for that choice in a chunk.
        is_of_one: Whether one choice was asked for. Then all chunks are its, whatever some servers count in its index.

    Raises:
        InvalidRequestError: ``index`` is no index; of another type it would silently match nothing.
    """

    def __init__(
        self,
        stream: AsyncIterator[C],
        index: int,
        take: Callable[[C, int | None], Iterable[R]],
        *,
        is_of_one: bool = False,
    ) -> None:
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise InvalidRequestError("index", index, "the number of a choice, 0 or more")
        self._stream = stream
        self._index = None if is_of_one and index == 0 else index
        self._take = take
        self._ready: deque[R] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while not self._ready:
            self._ready.extend(self._take(await anext(self._stream), self._index))
        return self._ready.popleft()


def texts_in(piece: TextCompletion, index: int | None) -> Iterator[str]:
    """The text of one choice, if there is any."""
    for choice in piece.choices:
        if choice.text and _is_meant(choice, index, piece):
            yield choice.text


def contents_in(chunk: ChatCompletionChunk, index: int | None) -> Iterator[str]:
    """The content of one choice, if there is any."""
    for choice in chunk.choices:
        if choice.delta.content and _is_meant(choice, index, chunk):
            yield choice.delta.content


def deltas_in(chunk: ChatCompletionChunk, index: int | None) -> Iterator[Delta]:
    """The delta of one choice with its tokens, if it says anything."""
    for choice in chunk.choices:
        if (choice.logprobs or CHAT.has_text(choice)) and _is_meant(choice, index, chunk):
            yield attrs.evolve(choice.delta, logprobs=of_chunk(choice)) if choice.logprobs else choice.delta


def _is_meant(choice: ChunkChoice | TextChoice, index: int | None, chunk: ChatCompletionChunk | TextCompletion) -> bool:
    """Whether a choice is that of the index; ``None``: it is the only one, or the first of several in one chunk."""
    if index is None:
        return len(chunk.choices) == 1 or choice.index == 0
    return choice.index == index
