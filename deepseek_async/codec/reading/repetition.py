"""The chunks of one stream, read by what they repeat.

From one chunk to the next nothing changes but a piece of text; all before it and all behind it comes again, byte for
byte: the id, the model, the nulls, the server's own fields. So a stream's reader keeps the bytes around the text of one
chunk, and what these said; where the next chunks have the same, only their texts are decoded. (OpenAI's chunks have one
more text that changes, which hides how long the first is: an unknown field.)

That this gives what decoding a chunk would give is tried out, once for each chunk that is kept, on other texts: what
stands between two quotation marks is one JSON string, whatever it says, and where that stands has been seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, Final, NamedTuple

from ...types import ChatCompletionChunk, TextCompletion
from ...types.values import NO_EXTRA
from .refrain import UNLIKE, Kept, Refrain, may_be_shared
from .shapes import AnswerReader
from .shapes.learned import LONG

MANY_HITS: Final = 8
"""So many chunks that were like one that was kept are worth the cost of keeping it."""
TRIES: Final = 4
"""So many chunks of a stream are looked at after fewer hits; then its chunks are taken not to be like each other."""

_SAMPLES: Final = ("\x7f another text", "\x7f one more")  # such as no server sends
_QUOTED: Final = tuple(b'"%b"' % sample.encode() for sample in _SAMPLES)
_QUOTES: Final[tuple[Callable[[str], str], ...]] = (encode_basestring, encode_basestring_ascii)
"""How servers write a string: as it is, or in ASCII."""
_SCALARS: Final = frozenset((str, int, float, bool, type(None)))


class Repetition(NamedTuple):
    """Chunks, one after the other, that say the same but for one text.

    Attributes:
        start: The number of the first.
        name: Whose text it is: ``content`` or ``reasoning_content``.
        texts: Of each.
    """

    start: int
    name: str
    texts: list[str]


class StreamReader:
    """Reads the chunks of one stream by its server's reader."""

    __slots__ = ("_is_alike", "_kept", "_last", "_noted", "_reader", "_tries")

    def __init__(self, reader: AnswerReader) -> None:
        self._reader = reader
        self._kept: Kept | None = None
        self._noted = 0  # so many chunks that were like it the reader knows of
        self._is_alike = False  # the last chunk was
        self._last: Mapping[str, Any] = NO_EXTRA  # the unknown fields of the chunk that was to be kept before
        self._tries = TRIES if reader.repeating else 0

    @property
    def _hits(self) -> int:
        """How many chunks were like the one that was kept."""
        return self._kept.hits if self._kept is not None else 0

    @property
    def slow_chunks(self) -> int:
        """How many chunks the server's reader has read slowly so far, of any of its streams."""
        return self._reader.slow_chunks

    def read_run(
        self, payloads: list[Any], start: int, chunks: list[ChatCompletionChunk], runs: list[Repetition] | None = None
    ) -> int:
        """Read payloads up to the first that is no JSON object.

        Args:
            payloads: Of events; and whatever else a stream may bring.
            start: The first to read.
            chunks: What is read is appended to these.
            runs: And to these, which of them say the same but for a text.

        Returns:
            Where it stopped.

        Raises:
            MalformedResponseError, APIStatusError: As `AnswerReader.chunk`; what was read before is in ``chunks``.
        """
        number, count = start, len(payloads)
        while number < count:
            payload = payloads[number]
            if type(payload) is not bytes or not payload.startswith(b"{"):
                break
            kept = self._kept
            if kept is not None and payload.startswith(kept.before):
                before = len(chunks)
                texts: list[str] = []
                try:
                    kept.read(payloads[number:] if number else payloads, chunks, texts)
                except UNLIKE:
                    pass
                alike = len(chunks) - before
                kept.hits += alike
                number += alike
                if alike:
                    self._is_alike = True
                    if runs is not None and alike > 1 and kept.name:
                        runs.append(Repetition(before, kept.name, texts))
                    continue
            chunks.append(self.read(payload))
            number += 1
        return number

    def refrain(
        self, data: bytes, append_to: Callable[[str, int], Callable[[str], object] | None], max_bytes: int
    ) -> Refrain | None:
        """What reads the next events by themselves, as long as they are like the last; ``None``: it was like no other.

        Args:
            data: What the last read brought.
            append_to: Gives what takes the texts of that name of the choice of that index.
            max_bytes: Cap on an event.
        """
        kept = self._kept
        if kept is None or not self._is_alike or not kept.name or not Refrain.may_be_in(data, kept):
            return None
        append = append_to(kept.name, kept.index)
        return None if append is None else Refrain(kept, append, max_bytes)

    def read(self, payload: bytes) -> ChatCompletionChunk:
        """One event's payload → chunk, as its server's reader reads it. Raises as `AnswerReader.chunk`."""
        reader, hits = self._reader, self._hits
        self._is_alike = False
        if hits > self._noted:
            reader.note_repeated(hits - self._noted, is_many=hits >= MANY_HITS)
            self._noted = hits
        slow = reader.slow_chunks
        chunk = reader.chunk(payload)
        if self._tries and len(payload) < LONG and reader.slow_chunks == slow:
            self._keep(payload, chunk)
        return chunk

    def _keep(self, payload: bytes, chunk: ChatCompletionChunk) -> None:
        """Keep the bytes around a chunk's text, if that is all that will change."""
        if (name := _name_of_text(chunk)) is None:
            return
        if self._hits < MANY_HITS:
            self._tries -= 1
            if not self._tries:
                self._reader.repeating -= 1
                self._kept = None
                return
        extra, last, self._last = chunk.extra, self._last, chunk.extra
        changing = [own for own, value in extra.items() if isinstance(value, str) and value != last.get(own, value)]
        said = [getattr(chunk.choices[0].delta, name), *(extra[own] for own in changing)]
        kept = None if len(said) > len(_SAMPLES) else self._tried(payload, chunk, name, said, "".join(changing))
        if kept is not None:
            self._kept = kept
            self._noted = 0

    def _tried(self, payload: bytes, chunk: ChatCompletionChunk, name: str, said: list[str], own: str) -> Kept | None:
        """What chunks like one have in common, if other texts in the place of what it said show that it is so."""
        pieces = next(filter(None, (_pieces_around(payload, list(map(quote, said))) for quote in _QUOTES)), None)
        if pieces is None or not set(said).isdisjoint(_SAMPLES):
            return None
        kept = Kept(chunk, name, own, pieces)
        other = b"".join(map(b"".join, zip_longest(pieces, _QUOTED[: len(said)], fillvalue=b"")))
        found: list[ChatCompletionChunk] = []
        try:
            kept.read((other, payload), found, [])
            return kept if found == [self._reader.peek(other), chunk] else None
        except UNLIKE:
            return None


class TextStreamReader:
    """The same for fill in the middle, whose chunks are few: each is read by itself."""

    __slots__ = ("_reader", "read")

    def __init__(self, reader: AnswerReader) -> None:
        self._reader = reader
        self.read: Callable[[bytes], TextCompletion] = reader.text

    @property
    def slow_chunks(self) -> int:
        """As `StreamReader.slow_chunks`."""
        return self._reader.slow_chunks

    def refrain(self, data: bytes, append_to: object, max_bytes: int) -> None:  # noqa: ARG002
        """As `StreamReader.refrain`; there is none."""
        return

    def read_run(self, payloads: list[Any], start: int, chunks: list[TextCompletion], _: object = None, /) -> int:
        """As `StreamReader.read_run`; it finds no repetition."""
        for number in range(start, len(payloads)):
            payload = payloads[number]
            if type(payload) is not bytes or not payload.startswith(b"{"):
                return number
            chunks.append(self.read(payload))
        return len(payloads)


def _pieces_around(payload: bytes, quoted: list[str]) -> list[bytes] | None:
    """The bytes around some strings in the order in which they stand; ``None`` if not all do."""
    pieces = []
    for one in quoted:
        before, found, payload = payload.partition(one.encode("utf-8", "replace"))
        if not found:
            return None
        pieces.append(before)
    return [*pieces, payload]


def _name_of_text(chunk: ChatCompletionChunk) -> str | None:
    """Where a chunk has its text; ``None`` if it has more than that, or what must not be shared with others."""
    if len(chunk.choices) != 1:
        return None
    choice = chunk.choices[0]
    delta = choice.delta
    if choice.finish_reason is not None or choice.logprobs is not None or delta.tool_calls or chunk.usage is not None:
        return None
    if not (may_be_shared(choice.extra) and may_be_shared(delta.extra)):
        return None
    if not may_be_shared(chunk.extra) and not all(type(value) in _SCALARS for value in chunk.extra.values()):
        return None
    if delta.content:
        return None if delta.reasoning_content else "content"
    return "reasoning_content" if delta.reasoning_content else None
