"""Reads one server's answers, and learns from them: which fields it sends that nobody documents.

| an answer | is read |
| --- | --- |
| as documented, or with unknown fields that are known by now | by `learned.Shapes`: fast |
| with unknown fields that are new | by `learned.Shapes` once they are learned, at the cost of looking for them |
| anything else | by `lenient` |

All three give the same values. A field is learned only if `lenient` keeps whatever it holds in ``extra``: so it is
asked, once for each field, with one value of every kind. A field that it translates, or takes for an error, is never
learned but as null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

import attrs
import msgspec

from ....errors import APIStatusError, MalformedResponseError
from ....types import ChatCompletion, ChatCompletionChunk, TextCompletion
from ...failures.in_band import in_band_failure
from ..lenient import MAX_SHOWN_BODY, parse_json, value_from
from ..quirks.messages import REASONING_NAMES
from . import documented
from .documented import Shape
from .learned import LONG, Shapes, shapes_with
from .unknown import MAX_NAME, Nested, Unknown, fields_in, fields_of, nested_in

T = TypeVar("T")

# What decoders of shapes raise at anything else.
OTHERWISE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

ENVELOPES: Final = ("data", "result", "response", "output", "body")
"""Where a gateway puts the answer in an object of its own, ``{"code": 0, "data": …}`` for instance."""
PLAIN_TRIES = 8
"""After so many chunks, one after the other, that were more than plain, none is taken to be plain any more."""
MANY_LOOKS, PROBING = 65_536, 64
"""After somebody has looked at a chunk's logprobs, those of so many chunks are made at once; but for one in so many."""
MANY_SLOW = 100
"""So many slow chunks are worth telling, if they are most."""
MAX_LESSONS = 32
"""After so many answers that taught something, one more hardly helps: such a server makes its names up."""
MAX_UNKNOWN = 128
"""Unknown fields of one server's answers, all together."""


@attrs.frozen
class Kind:
    """A kind of answer."""

    shape: type[Shape]
    value_class: type
    what: str
    is_whole: bool = False


CHUNK: Final = Kind(documented.ChunkShape, ChatCompletionChunk, "the chunk")
COMPLETION: Final = Kind(documented.CompletionShape, ChatCompletion, "the completion", is_whole=True)
TEXT_CHUNK: Final = Kind(documented.TextShape, TextCompletion, "the chunk")
TEXT: Final = Kind(documented.TextShape, TextCompletion, "the completion", is_whole=True)
_KINDS: Final = (CHUNK, COMPLETION, TEXT_CHUNK, TEXT)


class AnswerReader:
    """Reads the answers of one server.

    Args:
        tell: Called once, when most of the chunks so far, and not only a few, took the slow way.

    Attributes:
        chunks: Chunks read, of chat and of fill in the middle.
        slow_chunks: Of those, how many took the slow way.
        reason: Why the last one of those did.
    """

    def __init__(self, tell: Callable[[AnswerReader], object] | None = None) -> None:
        self._tell = tell
        self.chunks = 0
        self.slow_chunks = 0
        self.reason = ""
        self._shapes = shapes_with(())
        self._read_chunk = self._shapes.chunk
        self._at_once = 0  # so many of the next chunks' logprobs are expected to be looked at
        self._plain_tries = PLAIN_TRIES
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
            if self._plain_tries and len(text) < LONG:
                if (chunk := _plain_chunk(text)) is not None:
                    self._plain_tries = PLAIN_TRIES
                    return chunk
                self._plain_tries -= 1
            if self._at_once:
                return self._chunk_at_once(text)
            return self._read_chunk(text, self._expect_looks)
        except OTHERWISE as error:
            self._note_slow(error)
        return self._learn_or_read_slowly(text, CHUNK, lambda shapes: shapes.chunk(text, self._expect_looks))

    # Whoever has looked at logprobs will look at the next. Now and then some are made late again, to see whether.

    def _expect_looks(self) -> None:
        self._at_once = MANY_LOOKS

    def _chunk_at_once(self, text: bytes) -> ChatCompletionChunk:
        self._at_once -= 1
        if self._at_once % PROBING:
            return self._shapes.chunk_at_once(text, self._expect_looks)
        return self._shapes.chunk(text, self._expect_looks)

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

    def _note_slow(self, error: Exception) -> None:
        self.slow_chunks += 1
        self.reason = str(error)
        if self._tell is not None and self.slow_chunks >= MANY_SLOW and 2 * self.slow_chunks > self.chunks:
            tell, self._tell = self._tell, None
            tell(self)

    def _learn_or_read_slowly(self, text: bytes, kind: Kind, read: Callable[[Shapes], T]) -> T:
        parsed = parsed_answer(text, kind.what, is_whole=kind.is_whole)
        if isinstance(parsed, dict) and max(self._lessons, self._failed_lessons) < MAX_LESSONS:
            known = self._shapes.unknown
            new = tuple(_learnable(parsed, kind, known))
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


# The chunk that nearly all are needs no shape: what the wire says is what the value says. Whatever else one may have in
# it, logprobs, calls, usage, an end, is in most streams rare enough to be decoded twice.

_decode_plain = msgspec.json.Decoder(ChatCompletionChunk).decode


def _plain_chunk(text: bytes) -> ChatCompletionChunk | None:
    """The chunk, straight from its JSON; ``None`` if there is more to it than a piece of text."""
    try:
        chunk = _decode_plain(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(chunk.choices) != 1 or chunk.usage is not None:
        return None
    choice = chunk.choices[0]
    delta = choice.delta
    if choice.finish_reason is not None or choice.logprobs is not None or delta.tool_calls is not None:
        return None
    return None if delta.role == "" else chunk


def read_slowly(parsed: Any, text: bytes, kind: Kind) -> Any:
    """What a parsed answer stands for, read leniently. Raises as `AnswerReader.chunk`."""
    if (failure := in_band_failure(parsed, is_whole=kind.is_whole)) is not None:
        raise failure
    if kind.is_whole and isinstance(parsed, dict) and "choices" not in parsed:
        body = text.decode("utf-8", "replace")[:MAX_SHOWN_BODY]
        raise MalformedResponseError(f"{kind.what}: no field `choices` at $", body=body)
    return value_from(parsed, kind.value_class, kind.what)


def parsed_answer(text: bytes, what: str, *, is_whole: bool) -> Any:
    """The JSON of an answer, without what some gateways put around it.

    Raises:
        MalformedResponseError: It is no JSON.
    """
    if is_whole and (body := text.rstrip()).endswith(b"[DONE]"):  # of a gateway that ends everything so
        text = body.removesuffix(b"[DONE]").rstrip().removesuffix(b"data:")
    parsed = parse_json(text, what)
    if isinstance(parsed, dict) and not parsed.get("choices"):
        for name in ENVELOPES:
            inner = parsed.get(name)
            if isinstance(inner, dict) and inner.get("choices"):
                return inner
    return parsed


def _learnable(parsed: Any, kind: Kind, known: tuple[Unknown, ...]) -> Iterator[Unknown]:
    seen = {(field.place, field.name) for field in known}
    for place, name in fields_in(parsed, kind.shape):
        if (place, name) not in seen:
            seen.add((place, name))
            if (unknown := _as_unknown(place, name)) is not None:
                yield unknown


# One value of every kind; those that might mean something in the place of a text, of a list of calls, of an error.
_SAMPLES: Final[tuple[Any, ...]] = (
    "x", "", "error", "stop", 1, 0, 500, -0.5, True, False, [], ["x"], [1], [{}], [{"type": "text", "text": "x"}], {},
    {"x": 1}, {"usage": {"total_tokens": 1}}, {"message": "x", "code": 500, "type": "x"},
    {"content": "x", "text": "x", "summary": "x"},
    [{"index": 0, "id": "x", "function": {"name": "x", "arguments": "{}"}, "token": "x", "logprob": -1.0}],
)  # fmt: skip


_NEEDED: Final[Mapping[Any, Any]] = {str: "x", float: -1.0, int: 1}


@lru_cache(1024)
def _as_unknown(place: type[Shape], name: str) -> Unknown | None:
    """The field, if `lenient` keeps it as it is wherever that shape may stand; ``None`` if it cannot be learned."""
    if len(name) > MAX_NAME or not name.isprintable() or any(character in name for character in '\\"'):
        return None
    if name in REASONING_NAMES and place in (documented.DeltaShape, documented.MessageShape):
        return Unknown(place, name, is_reasoning=True)
    paths = [(kind, path) for kind in _KINDS for path in _paths(kind.shape, place)]
    if not all(_is_kept(kind, path, name, None) for kind, path in paths):
        return None
    is_inert = all(_is_kept(kind, path, name, sample) for kind, path in paths for sample in _SAMPLES)
    return Unknown(place, name, only_null=not is_inert)


def _paths(root: type[Shape], place: type[Shape]) -> Iterator[tuple[tuple[str, Nested], ...]]:
    """The ways from a shape to another that it holds."""
    if root is place:
        yield ()
    for name, nested in nested_in(root).items():
        for path in _paths(nested.shape, place):
            yield ((name, nested), *path)


def _is_kept(kind: Kind, path: tuple[tuple[str, Nested], ...], name: str, value: Any) -> bool:
    """Whether `lenient` puts the field into ``extra`` and changes nothing else for it."""
    try:
        without = attrs.asdict(read_slowly(_sample(kind.shape, path, {}), b"", kind))
        found = attrs.asdict(read_slowly(_sample(kind.shape, path, {name: value}), b"", kind))
    except (MalformedResponseError, APIStatusError):
        return False
    place = found
    for step, nested in path:
        inner = place[step]
        place = inner[0] if nested.is_list and inner else inner
    if not place or place["extra"] != {name: value}:
        return False
    place["extra"] = {}
    return found == without


def _sample(shape: type[Shape], path: tuple[tuple[str, Nested], ...], fields: dict[str, Any]) -> dict[str, Any]:
    """A small answer with these fields at the end of a path."""
    needed = {field.name: _NEEDED[field.type] for field in fields_of(shape) if field.required and field.type in _NEEDED}
    if "choices" in shape.__struct_fields__:
        needed["choices"] = []
    if not path:
        return {**needed, **fields}
    (step, nested), *rest = path
    inner = _sample(nested.shape, tuple(rest), fields)
    return {**needed, step: [inner] if nested.is_list else inner}
