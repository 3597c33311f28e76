"""Reads one server's answers, and learns from them: which fields it sends that nobody documents.

| an answer | is read |
| --- | --- |
| as documented, or with unknown fields that are known by now | by `learned.Shapes`: fast |
| with unknown fields that are new | by `learned.Shapes` once they are learned, at the cost of looking for them |
| anything else | by `lenient` |

All three give the same values; see `lessons` for what is learned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import attrs
import msgspec

from ....types import ChatCompletion, ChatCompletionChunk, ChoiceLogprobs, TextCompletion
from .documented import CHUNK, COMPLETION, TEXT, TEXT_CHUNK, Kind
from .late import put_off
from .learned import LONG, Shapes, shapes_with

T = TypeVar("T")

# What decoders of shapes raise at anything else.
OTHERWISE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

PLAIN_TRIES = 8
"""After so many chunks, one after the other, that were more than plain, only one in `PROBING` is tried as one."""
REPEATING = 8
"""After so many streams, one after the other, whose chunks are not like each other, none is taken to be so any more."""
MANY_LOOKS, PROBING = 65_536, 64
"""After somebody has looked at a chunk's logprobs, those of so many chunks are made at once; but for one in so many."""
MANY_SLOW = 100
"""So many slow chunks are worth telling, if they are most."""
MAX_LESSONS = 32
"""After so many answers that taught something, one more hardly helps: such a server makes its names up."""
MAX_UNKNOWN = 128
"""Unknown fields of one server's answers, all together."""


class AnswerReader:
    """Reads the answers of one server.

    Args:
        tell: Called once, when most of the chunks so far, and not only a few, took the slow way.

    Attributes:
        chunks: Chunks read, of chat and of fill in the middle.
        slow_chunks: Of those, how many took the slow way.
        reason: Why the last one of those did.
        repeating: Of so many more streams it is tried out whether their chunks are like each other; see `repetition`.
    """

    def __init__(self, tell: Callable[[AnswerReader], object] | None = None) -> None:
        self._tell = tell
        self.chunks: int = 0
        self.slow_chunks: int = 0
        self.reason: str = ""
        self.repeating: int = REPEATING
        self._shapes = shapes_with(())
        self._read_chunk = self._shapes.chunk
        self._looks = _Looks()
        self._plain_tries = [PLAIN_TRIES, PLAIN_TRIES]  # of chunks of a piece of text, and of long ones
        self._lessons = 0
        self._failed_lessons = 0

    def chunk(self, text: bytes) -> ChatCompletionChunk:
        """One event's payload → chunk.

        Raises:
            MalformedResponseError: No JSON, or a type does not fit; ``path`` names the place.
            APIStatusError: The payload is an error object.
        """
        self.chunks += 1
        try:
            is_long = len(text) >= LONG
            if (tries := self._plain_tries[is_long]) > 0:
                if (chunk := _plain_chunk(text)) is not None:
                    self._plain_tries[is_long] = PLAIN_TRIES
                    if (logprobs := chunk.choices[0].logprobs) is not None:
                        self._defer(logprobs, text)
                    return chunk
                self._plain_tries[is_long] = tries - 1 or -PROBING
            else:
                self._plain_tries[is_long] = tries + 1 or 1
            looks = self._looks
            if looks.left and looks.is_expected():
                return self._shapes.chunk_at_once(text, looks)
            if looks.tokens and is_long and looks.are_tokens_expected():
                return self._shapes.chunk_with_tokens(text, looks)
            return self._read_chunk(text, looks)
        except OTHERWISE as error:
            self._note_slow(error)
        return self._learn_or_read_slowly(text, CHUNK, lambda shapes: shapes.chunk(text, self._looks))

    def peek(self, text: bytes) -> ChatCompletionChunk:
        """The chunk, by what is known, and not counted. Raises what decoders raise at anything else."""
        return self._shapes.chunk(text)

    def note_repeated(self, chunks: int, *, is_many: bool) -> None:
        """Count chunks that were read by what they repeat; ``is_many``: it was worth it."""
        self.chunks += chunks
        if is_many:
            self.repeating = REPEATING

    def text(self, text: bytes) -> TextCompletion:
        """One event of a fill-in-the-middle answer. Raises as `chunk`."""
        self.chunks += 1
        try:
            return self._shapes.text(text)
        except OTHERWISE as error:
            self._note_slow(error)
        return self._learn_or_read_slowly(text, TEXT_CHUNK, lambda shapes: shapes.text(text))

    def completion(self, body: bytes, request_id: str | None = None) -> ChatCompletion:
        """A whole body → completion. Raises as `chunk`."""
        try:
            return self._shapes.completion(body, request_id)
        except OTHERWISE:
            pass
        read = self._learn_or_read_slowly(body, COMPLETION, lambda shapes: shapes.completion(body, request_id))
        return attrs.evolve(read, request_id=request_id)

    def whole_text(self, body: bytes) -> TextCompletion:
        """A whole fill-in-the-middle answer. Raises as `chunk`."""
        try:
            return self._shapes.text(body)
        except OTHERWISE:
            pass
        return self._learn_or_read_slowly(body, TEXT, lambda shapes: shapes.text(body))

    def _defer(self, logprobs: ChoiceLogprobs, text: bytes) -> None:
        """Forget those of a plain chunk that hardly anybody will look at: its text says them again."""
        looks = self._looks
        if not (looks.left and looks.is_expected()):
            but_token = looks.tokens > 0 and looks.are_tokens_expected()
            put_off(logprobs, text, self._shapes, looks, but_token=but_token)

    def _note_slow(self, error: Exception) -> None:
        self.slow_chunks += 1
        self.reason = str(error)
        if self._tell is not None and self.slow_chunks >= MANY_SLOW and 2 * self.slow_chunks > self.chunks:
            tell, self._tell = self._tell, None
            tell(self)

    def _learn_or_read_slowly(self, text: bytes, kind: Kind, read: Callable[[Shapes], T]) -> T:
        # Not for those whose server writes as documented.
        from .lessons import learnable, parsed_answer, read_slowly

        parsed = parsed_answer(text, kind.what, is_whole=kind.is_whole)
        if isinstance(parsed, dict) and max(self._lessons, self._failed_lessons) < MAX_LESSONS:
            known = self._shapes.unknown
            new = tuple(learnable(parsed, kind, known))
            if new and len(new) + len(known) <= MAX_UNKNOWN:
                shapes = shapes_with(known + new)
                try:
                    value = read(shapes)
                except OTHERWISE:
                    self._failed_lessons += 1
                else:
                    self._shapes, self._read_chunk = shapes, shapes.chunk
                    self._lessons += 1
                    return value
        slowly: T = read_slowly(parsed, text, kind)
        return slowly


class _Looks:
    """Whether tokens and alternatives are looked at. Whoever has looked will look at the next; now and then, some are
    made late again, to see whether.

    Attributes:
        left: So many of the next chunks' alternatives are expected to be looked at.
        tokens: And so many chunks' tokens.
    """

    __slots__ = ("left", "tokens")

    def __init__(self) -> None:
        self.left = self.tokens = 0

    def __call__(self) -> None:
        """Somebody has looked at alternatives."""
        self.left = MANY_LOOKS

    def at_tokens(self) -> None:
        """Somebody has looked at tokens."""
        self.tokens = MANY_LOOKS

    def is_expected(self) -> bool:
        """Whether the next chunk's alternatives are to be made at once."""
        self.left -= 1
        return self.left % PROBING > 0

    def are_tokens_expected(self) -> bool:
        """Whether the next chunk's tokens are."""
        self.tokens -= 1
        return self.tokens % PROBING > 0


# The chunk that nearly all are needs no shape: what the wire says is what the value says. Whatever else one may have in
# it, calls, usage, an end, is in most streams rare enough to be decoded twice.

_decode_plain = msgspec.json.Decoder(ChatCompletionChunk).decode


def _plain_chunk(text: bytes) -> ChatCompletionChunk | None:
    """The chunk, straight from its JSON; ``None`` if there is more to it than a piece of text and its logprobs."""
    try:
        chunk = _decode_plain(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(chunk.choices) != 1 or chunk.usage is not None:
        return None
    choice = chunk.choices[0]
    delta = choice.delta
    if choice.finish_reason is not None or delta.tool_calls is not None:
        return None
    return None if delta.role == "" else chunk
