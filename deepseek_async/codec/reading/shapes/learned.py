"""Shapes that know a server's own fields: the documented ones, and beside their fields the unknown ones.

A server's own fields are the rule: vLLM, SGLang, llama.cpp, OpenRouter and OpenAI send some in every chunk. `fields_in`
finds them in one answer, `Shapes` decodes the next ones with them at the cost of documented ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from itertools import chain
from typing import Any, TypeVar, cast

import msgspec

from ....types import ChatCompletion, ChatCompletionChunk, ChoiceLogprobs, TextCompletion, TokenLogprob, TopLogprob
from . import documented
from .building import chunk_of, completion_of, text_of
from .documented import Shape
from .late import LaterLogprobs, LaterTops, LaterTopsOfOne, Looked, later_tops
from .tokens import logprobs_checker, logprobs_of
from .unknown import Unknown, extra_method, fields_of, map_shapes, nested_in

S = TypeVar("S", bound=Shape)

LONG = 512
"""Bytes: a chunk of more has logprobs in it, or much text at once."""
_UNSET: Any = msgspec.UNSET
_NO_DEFAULTS: Mapping[str, Any] = {}
_NO_TOPS = msgspec.Raw(b"[]")


class Shapes:
    """The decoders of one server's answers, with the unknown fields that they know; see `shapes_with`.

    What they raise says that the answer has another shape than they know.
    """

    def __init__(self, unknown: tuple[Unknown, ...] = ()) -> None:
        self.unknown = unknown
        by_place: dict[type[Shape], list[Unknown]] = {}
        for field in unknown:
            by_place.setdefault(field.place, []).append(field)
        self._by_place = by_place
        self._learned: dict[type[Shape], type[Shape]] = {}

    def chunk(self, text: bytes, looked: Looked | None = None) -> ChatCompletionChunk:
        """One event's payload → chunk, whose logprobs are made when somebody looks at them.

        Args:
            text: The payload.
            looked: Called when somebody looks at the alternatives.
        """
        return chunk_of(self._decode_chunk(text), partial(LaterLogprobs, self, text, looked))

    def chunk_at_once(self, text: bytes, looked: Looked | None = None) -> ChatCompletionChunk:
        """The same with its logprobs made at once: half the cost, if somebody looks."""
        if len(text) >= LONG:
            try:
                shape = self._decode_chunk_at_once(text)
            except msgspec.ValidationError:
                pass  # a null, perhaps
            else:
                return chunk_of(shape)
        return self.chunk(text, looked)

    def chunk_with_tokens(self, text: bytes, looked: Looked | None = None) -> ChatCompletionChunk:
        """The same with its one token made at once, and its alternatives when somebody looks at them."""
        late = partial(LaterLogprobs, self, text, looked)
        return chunk_of(self._decode_chunk(text), late, partial(LaterTopsOfOne, self, text, looked))

    def completion(self, body: bytes, request_id: str | None) -> ChatCompletion:
        """A whole body → completion."""
        return completion_of(self._decode_completion(body), request_id, self._checked_logprobs)

    def text(self, text: bytes) -> TextCompletion:
        """A fill-in-the-middle answer, whole or one event of it."""
        return text_of(self._decode_text(text))

    def of(self, shape: type[S]) -> type[S]:
        """A documented shape with the unknown fields in it and in whatever it holds."""
        learned = self._learned.get(shape)
        if learned is None:
            learned = self._learned[shape] = self._with_unknown(shape)
        return learned  # type: ignore[return-value]

    @cached_property
    def _decode_chunk(self) -> Any:
        return self._decoder(documented.ChunkShape)

    @cached_property
    def _decode_completion(self) -> Any:
        """Into the shape of a completion in which each token of the logprobs is still JSON."""
        logprobs = self._logprobs_of(tuple[msgspec.Raw, ...]) | None
        choice: Any = self._changed(documented.ChoiceShape, {"logprobs": logprobs}, {"logprobs": None})
        return msgspec.json.Decoder(self._changed(documented.CompletionShape, {"choices": list[choice]})).decode

    @cached_property
    def _decode_text(self) -> Any:
        return self._decoder(documented.TextShape)

    @cached_property
    def _checked_logprobs(self) -> Any:
        return logprobs_checker(self._decoder(documented.TokenShape), self._checked_logprobs_of)

    # What has been checked is read past everything else, a token at first without its alternatives, and these straight
    # into values where they have no unknown fields: then only a null could be in the way.

    def logprobs_in_chunk(self, text: bytes, looked: Looked | None, number: int) -> ChoiceLogprobs:
        """The logprobs of a choice, by its place in the chunk."""
        return logprobs_of(self._read_chunk_logprobs(text).choices[number].logprobs, partial(LaterTops, self, looked))

    def _checked_logprobs_of(self, shape: Any) -> ChoiceLogprobs:
        texts = chain(shape.content or (), shape.reasoning_content or ())
        return logprobs_of(shape, later_tops(self, sum(map(len, texts))), self._read_token)

    @cached_property
    def _read_token(self) -> Any:
        return msgspec.json.Decoder(self._chosen_token).decode

    @cached_property
    def _read_chunk_logprobs(self) -> Any:
        logprobs = self._logprobs_of(tuple[self._chosen_token, ...]) | None  # type: ignore[name-defined]
        choice: Any = msgspec.defstruct("LogprobsInChoice", [("logprobs", logprobs, None)], gc=False)
        chunk = msgspec.defstruct("LogprobsInChunk", [("choices", list[choice])], gc=False)
        return msgspec.json.Decoder(chunk).decode

    @property
    def _chosen_token(self) -> Any:
        """The shape of a token whose alternatives are left as JSON."""
        return self._changed(documented.TokenShape, {"top_logprobs": msgspec.Raw}, {"top_logprobs": _NO_TOPS})

    @cached_property
    def read_tops(self) -> Any:
        """From their JSON to a token's alternatives, as shapes or values."""
        top: Any = self.of(documented.TopShape)
        if top is documented.TopShape:
            top = TopLogprob
        return msgspec.json.Decoder(tuple[top, ...] | None).decode

    @cached_property
    def _decode_chunk_at_once(self) -> Any:
        """Into the shape of a chunk, with values in the place of tokens' shapes where that can be."""
        choice: Any = self._changed(documented.ChunkChoiceShape, {"logprobs": self._with_values | None})
        return msgspec.json.Decoder(self._changed(documented.ChunkShape, {"choices": list[choice]})).decode

    @property
    def _with_values(self) -> Any:
        """The shape of logprobs, with values in the place of tokens' shapes if those have no unknown fields."""
        if self.of(documented.TokenShape) is not documented.TokenShape:
            return self.of(documented.LogprobsShape)
        return self._logprobs_of(tuple[TokenLogprob, ...])

    def _logprobs_of(self, tokens: Any) -> Any:
        """The shape of logprobs with something else in the place of tokens' shapes."""
        return self._changed(
            documented.LogprobsShape, dict.fromkeys(nested_in(documented.LogprobsShape), tokens | None)
        )

    def _decoder(self, shape: type[Shape]) -> Any:
        return msgspec.json.Decoder(self.of(shape)).decode

    def _with_unknown(self, shape: type[Shape]) -> type[Shape]:
        own = self._by_place.get(shape, [])
        changed = self._changes(shape)
        # A text without `choices` may be an error object, which is for `lenient` to tell.
        is_root = bool(self.unknown) and shape is documented.ChunkShape
        return self._remade(shape, changed, own) if own or changed or is_root else shape

    def _changes(self, shape: type[Shape]) -> dict[str, Any]:
        """The types of a shape's fields in which there are unknown fields, with those."""
        types_of = {field.name: field.type for field in fields_of(shape)}
        return {name: hint for name, known in types_of.items() if (hint := map_shapes(known, self.of)) is not known}

    def _changed(
        self, shape: type[Shape], changes: Mapping[str, Any], defaults: Mapping[str, Any] = _NO_DEFAULTS
    ) -> type[Shape]:
        """The shape with the unknown fields in it, and with some fields' types changed, and defaults with them."""
        return self._remade(shape, {**self._changes(shape), **changes}, self._by_place.get(shape, ()), defaults)

    def _remade(
        self,
        shape: type[Shape],
        changed: Mapping[str, Any],
        own: Any = (),
        defaults: Mapping[str, Any] = _NO_DEFAULTS,
    ) -> type[Shape]:
        fields: list[Any] = []
        for field in fields_of(shape):
            default: Any = defaults.get(field.name, field.default)
            if field.default_factory is not msgspec.NODEFAULT:
                default = msgspec.field(default_factory=field.default_factory)
            hint = changed.get(field.name, field.type)
            is_required = default is msgspec.NODEFAULT or field.name == "choices"
            fields.append((field.name, hint) if is_required else (field.name, hint, default))
        new = {f"unknown_{number}": field for number, field in enumerate(own)}
        fields += [(attribute, field.hint, _UNSET) for attribute, field in new.items()]
        made: Any = msgspec.defstruct(
            shape.__name__,
            fields,
            bases=(Shape,),
            namespace={
                "extra_in": extra_method({name: f.name for name, f in new.items() if not f.is_reasoning}),
                "aliases": tuple(attribute for attribute, field in new.items() if field.is_reasoning),
            },
            rename={attribute: field.name for attribute, field in new.items()},
            kw_only=True,
        )
        return cast(type[Shape], made)


@lru_cache(64)
def shapes_with(unknown: tuple[Unknown, ...]) -> Shapes:
    """The shapes for these unknown fields: shared, since making them takes milliseconds."""
    return Shapes(unknown)
