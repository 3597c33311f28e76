"""Chunks that are like one before them: what they have in common, and where they differ; see `repetition`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from ...types import ChatCompletionChunk, ChunkChoice, Delta
from ...types.values import NO_EXTRA, NullFields, SharedFields
from .shapes.reader import OTHERWISE

_decode_text: Callable[[bytes], str] = msgspec.json.Decoder(str).decode

UNLIKE: Final = (AttributeError, *OTHERWISE)  # the first, if it is no bytes


class Kept:
    """What chunks like one have in common. Chunks are made of one tuple, so that few pieces of memory are touched.

    Args:
        chunk: The one.
        name: That of the text in which they differ.
        own: That of an unknown field whose text changes, too; ``""``: there is none.
        pieces: The bytes around what changes.

    Attributes:
        before, after: The bytes before what changes, and behind it.
        name: That of the text in which alone they differ; ``""``: they differ in more.
        index: Of their choice.
        hits: How many chunks were like it.
    """

    __slots__ = ("_is_content", "_own", "_said", "_seam", "after", "before", "hits", "index", "name")

    def __init__(self, chunk: ChatCompletionChunk, name: str, own: str, pieces: list[bytes]) -> None:
        (choice,), delta, extra = chunk.choices, chunk.choices[0].delta, chunk.extra
        self._is_content = name == "content"
        self._own = own
        self._said = (
            *(chunk.id, chunk.object, chunk.created, chunk.model, chunk.system_fingerprint, choice.index, delta.role),
            delta.reasoning_content if self._is_content else delta.content,
            *(delta.tool_calls, delta.extra, choice.extra),
            extra if own or may_be_shared(extra) else SharedFields(extra),
        )
        before, *between, after = pieces
        self.before: bytes = before
        self.after: bytes = after
        self._seam = b"".join(between)
        self.name: str = "" if own else name
        self.index: int = choice.index
        self.hits: int = 0

    def read(self, payloads: Iterable[Any], chunks: list[ChatCompletionChunk], texts: list[str]) -> None:
        """Read payloads that are like the one that was kept.

        Args:
            chunks: The chunk of each is appended to these.
            texts: And the text to these, if there is no more in which they differ.

        Raises:
            One of `UNLIKE`: The next payload is not like it.
        """
        id_, object_, created, model, fingerprint, index, role, other, calls, of_delta, of_choice, extra = self._said
        before, after = self.before, self.after
        around = len(before) + len(after)
        append, append_text = chunks.append, texts.append
        # Written out, since a call for each chunk would cost a third of all the rest. What lacks the bytes around its
        # text may be a JSON string all the same: one alone, or an object that is cut behind its text.
        if self._own:
            for payload in payloads:
                inside = payload.removeprefix(before).removesuffix(after)
                if len(payload) - len(inside) != around:
                    raise msgspec.DecodeError
                said, _, value = inside.partition(self._seam)
                text, own = _decode_text(said), {**extra, self._own: _decode_text(value)}
                first, second = (text, other) if self._is_content else (other, text)
                choices = (ChunkChoice(index, Delta(role, first, second, calls, extra=of_delta), extra=of_choice),)
                append(ChatCompletionChunk(id_, object_, created, model, fingerprint, choices, extra=own))
        elif self._is_content:
            for payload in payloads:
                inside = payload.removeprefix(before).removesuffix(after)
                if len(payload) - len(inside) != around:
                    raise msgspec.DecodeError
                text = _decode_text(inside)
                choices = (ChunkChoice(index, Delta(role, text, other, calls, extra=of_delta), extra=of_choice),)
                append(ChatCompletionChunk(id_, object_, created, model, fingerprint, choices, extra=extra))
                append_text(text)
        else:
            for payload in payloads:
                inside = payload.removeprefix(before).removesuffix(after)
                if len(payload) - len(inside) != around:
                    raise msgspec.DecodeError
                text = _decode_text(inside)
                choices = (ChunkChoice(index, Delta(role, other, text, calls, extra=of_delta), extra=of_choice),)
                append(ChatCompletionChunk(id_, object_, created, model, fingerprint, choices, extra=extra))
                append_text(text)

    def with_text(self, text: str) -> ChatCompletionChunk:
        """The chunk that says so."""
        id_, object_, created, model, fingerprint, index, role, other, calls, of_delta, of_choice, extra = self._said
        first, second = (text, other) if self._is_content else (other, text)
        choices = (ChunkChoice(index, Delta(role, first, second, calls, extra=of_delta), extra=of_choice),)
        return ChatCompletionChunk(id_, object_, created, model, fingerprint, choices, extra=extra)


class Refrain:
    """Reads an event by itself that is like the one before, straight from its bytes; see `StreamReader.refrain`.

    Args:
        kept: What the one before had.
        append: Takes the text of each.
        max_bytes: Cap on an event.
    """

    __slots__ = ("_append", "_head", "_kept", "_max_bytes", "_start", "_stop", "_tail")

    def __init__(self, kept: Kept, append: Callable[[str], object], max_bytes: int) -> None:
        self._kept = kept
        self._append = append
        self._head = b'data: %b"' % kept.before
        self._tail = b'"%b\n\n' % kept.after
        self._start, self._stop = len(self._head) - 1, 1 - len(self._tail)
        self._max_bytes = max_bytes

    @staticmethod
    def may_be_in(data: bytes, kept: Kept) -> bool:
        """Whether what one read brought looks like such an event."""
        return data.startswith(b"data: ") and data.startswith(kept.before, 6) and data.endswith(b"\n\n")

    def read(self, data: bytes) -> ChatCompletionChunk | None:
        """The chunk that one read brings; ``None``: it brings anything else than one such event."""
        size = len(data)
        # The only line ends are those at the end: all before them is one line, and nothing but the text is new in it.
        if not (data.startswith(self._head) and data.endswith(self._tail) and data.find(b"\n") == size - 2):
            return None
        if size > self._max_bytes:
            return None
        try:
            text = _decode_text(data[self._start : self._stop])
        except UNLIKE:
            return None
        kept = self._kept
        kept.hits += 1
        self._append(text)
        return kept.with_text(text)


def may_be_shared(extra: Any) -> bool:
    """Whether chunks may have these unknown fields together: nobody can change them."""
    return extra is NO_EXTRA or type(extra) is NullFields
