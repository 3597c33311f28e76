"""What the streamed answers of the two endpoints differ in, as one value each: `CHAT` and `TEXT`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs
import msgspec

from ..types import (
    ChatCompletion,
    ChatCompletionChunk,
    ChoiceLogprobs,
    Delta,
    TextCompletion,
    TokenLogprob,
    Usage,
)
from ..types.chunk import NO_DELTA
from ..types.tokens.token import token_bytes
from .folding.facts import AnswerFacts
from .folding.fold import Fold
from .folding.text_fold import TextFold
from .reading.repetition import Repetition, StreamReader, TextStreamReader
from .reading.responses import SHARED, salvage, text_completion_from_json
from .reading.shapes import AnswerReader
from .reading.whole import chunk_from_whole

C = TypeVar("C", bound=ChatCompletionChunk | TextCompletion)
W = TypeVar("W", bound=ChatCompletion | TextCompletion)
C_contra = TypeVar("C_contra", contravariant=True)
C_co = TypeVar("C_co", covariant=True)
W_co = TypeVar("W_co", covariant=True)


class AnyFold(Protocol[C_contra, W_co]):
    """Chunks → the whole."""

    request_id: str | None
    changed: Any
    extra: dict[str, Any]
    usage: Usage | None

    @property
    def finish_reasons(self) -> list[str | None]: ...
    @property
    def is_of_one(self) -> bool: ...
    @property
    def is_blank(self) -> bool: ...
    def add(self, chunk: C_contra) -> None: ...
    def add_all(self, chunks: Sequence[C_contra], runs: list[Repetition], /) -> None: ...
    def append_to(self, name: str, index: int) -> Callable[[str], object] | None: ...
    def facts(self) -> AnswerFacts: ...
    def completion(self, *, done: bool) -> W_co: ...


class AloneReader(Protocol[C_co]):
    """Reads events that come by themselves. See `Refrain`."""

    def read(self, data: bytes) -> C_co | None: ...


class PayloadReader(Protocol[C]):
    """Reads one stream: payloads → chunks. See `StreamReader`."""

    @property
    def slow_chunks(self) -> int: ...
    def read(self, payload: bytes) -> C: ...
    def refrain(
        self, data: bytes, append_to: Callable[[str, int], Callable[[str], object] | None], max_bytes: int
    ) -> AloneReader[C] | None: ...
    def read_run(
        self, payloads: list[Any], start: int, chunks: list[C], runs: list[Repetition] | None = None, /
    ) -> int: ...


class Dialect(msgspec.Struct, Generic[C, W], frozen=True):
    """What one endpoint's streamed answers are made of.

    Attributes:
        reader: Begins a stream: gives what makes chunks of its events' payloads.
        salvage: What can be read of a payload that is no chunk, if that is any text.
        read_whole: A whole body → the one chunk that folds to the same.
        fold: Begins a fold of so many choices.
        has_text: Whether a choice of a chunk brings what another attempt would bring again: text, a call.
        nothing: The fields of a choice that say something, as they are where it says nothing.
    """

    reader: Callable[[], PayloadReader[C]]
    salvage: Callable[[str], C | None]
    read_whole: Callable[..., C]
    fold: Callable[[int | None], AnyFold[C, W]]
    has_text: Callable[[Any], bool]
    nothing: Mapping[str, Any]

    def chunk_has_text(self, chunk: C) -> bool:
        """Whether any choice has."""
        return any(map(self.has_text, chunk.choices))

    def with_halves_apart(self, chunk: C) -> tuple[C, ...]:
        """A chunk of one choice; where its last tokens are the beginning of a character, these in a chunk of their own.

        Their character is not in the text, and if a continuation brings it, it brings them again.
        """
        (choice,) = chunk.choices if len(chunk.choices) == 1 else (None,)
        logprobs: Any = choice.logprobs if choice is not None else None
        if not isinstance(logprobs, ChoiceLogprobs) or not self.has_text(choice):
            return (chunk,)
        whole: dict[str, Any] = {}
        half: dict[str, Any] = {}
        for channel in ("content", "reasoning_content"):
            tokens = getattr(logprobs, channel)
            if tokens is not None:
                count = _whole_characters_in(tokens)
                whole[channel], half[channel] = tokens[:count], tokens[count:] or None
        if not any(half.values()):
            return (chunk,)
        first = self._with_choices(chunk, {"logprobs": attrs.evolve(logprobs, **whole), "finish_reason": None})
        rest = self._with_choices(chunk, {**self.nothing, "logprobs": attrs.evolve(logprobs, **half)})
        first = attrs.evolve(first, usage=None)
        return first, rest

    def with_changes(self, chunk: C, changed: Mapping[int, Any]) -> C:
        """A chunk as it was taken, where that was otherwise than it came."""
        told: Any = chunk
        made: C = attrs.evolve(told, choices=tuple(changed.get(id(choice), choice) for choice in told.choices))
        return made

    def without_end(self, chunk: C) -> C:
        """A chunk without the end in it."""
        made: C = self._with_choices(chunk, {"finish_reason": None}, usage=None)
        return made

    def end_alone(self, chunk: C) -> C:
        """A chunk without the text in it."""
        made: C = self._with_choices(chunk, self.nothing)
        return made

    def _with_choices(self, chunk: Any, changes: Mapping[str, Any], **of_chunk: Any) -> Any:
        return attrs.evolve(chunk, choices=tuple(attrs.evolve(c, **changes) for c in chunk.choices), **of_chunk)


_CONTINUING = bytes(range(0x80, 0xC0))  # in UTF-8, bytes of a character but for its first


def _whole_characters_in(tokens: tuple[TokenLogprob, ...]) -> int:
    """How many tokens there are up to the last end of a character; all of them if that cannot be told."""
    for count in range(len(tokens), max(len(tokens) - 4, 0), -1):
        raw = b"".join(map(token_bytes, tokens[:count]))
        try:
            raw.lstrip(_CONTINUING).decode()  # the first may end a character that an earlier chunk began
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                return len(tokens)
        else:
            return count
    return len(tokens)


def _says_something(choice: Any) -> bool:
    delta: Delta = choice.delta
    if delta.content or delta.reasoning_content or delta.tool_calls:
        return True
    return bool(delta.extra) and any(value is not None for value in delta.extra.values())


def _has_text(choice: Any) -> bool:
    return bool(choice.text)


def _salvaged_chunk(payload: str) -> ChatCompletionChunk | None:
    chunk = salvage(payload, ChatCompletionChunk)
    deltas = [choice.delta for choice in chunk.choices] if chunk is not None else []
    return chunk if any(delta.content or delta.reasoning_content or delta.tool_calls for delta in deltas) else None


def _salvaged_text(payload: str) -> TextCompletion | None:
    piece = salvage(payload, TextCompletion)
    return piece if piece is not None and any(choice.text for choice in piece.choices) else None


CHAT: Final = Dialect[ChatCompletionChunk, ChatCompletion](
    partial(StreamReader, SHARED),
    _salvaged_chunk,
    chunk_from_whole,
    Fold,
    _says_something,
    {"delta": NO_DELTA, "logprobs": None},
)
TEXT: Final = Dialect[TextCompletion, TextCompletion](
    partial(TextStreamReader, SHARED),
    _salvaged_text,
    text_completion_from_json,
    TextFold,
    _has_text,
    {"text": "", "logprobs": None},
)


def read_by(dialect: Dialect[C, W], reader: AnswerReader) -> Dialect[C, W]:
    """The dialect as one server's answers are read, by what was learned from those before."""
    by: Any = partial(StreamReader if dialect is CHAT else TextStreamReader, reader)
    return msgspec.structs.replace(dialect, reader=by, read_whole=partial(dialect.read_whole, reader=reader))
