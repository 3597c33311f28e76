"""Shapes that know a server's own fields: the documented ones, and beside their fields the unknown ones.

A server's own fields are the rule: vLLM, SGLang, llama.cpp, OpenRouter and OpenAI send some in every chunk. `fields_in`
finds them in one answer, `Shapes` decodes the next ones with them at the cost of documented ones.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property, lru_cache
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

import attrs
import msgspec

from ...types import ChatCompletion, ChatCompletionChunk, ChoiceLogprobs, TextCompletion, TokenLogprob
from ...types.values import NO_EXTRA, NullFields
from . import documented
from .building import chunk_of, completion_of, logprobs_checker, logprobs_of, text_of
from .documented import Shape

S = TypeVar("S", bound=Shape)

MAX_NAME = 100
_UNSET: Any = msgspec.UNSET


@attrs.frozen
class Unknown:
    """An unknown field.

    Attributes:
        place: The documented shape of the object that holds it.
        name: Its name on the wire.
        only_null: Whether another value than null would mean something: then that is for `lenient` to read.
        is_reasoning: Whether it is another name of ``reasoning_content``.
    """

    place: type[Shape]
    name: str
    only_null: bool = False
    is_reasoning: bool = False

    @property
    def hint(self) -> Any:
        """The type of its value."""
        if self.is_reasoning:
            return str | None | msgspec.UnsetType
        return None | msgspec.UnsetType if self.only_null else Any


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

    def chunk(self, text: bytes) -> ChatCompletionChunk:
        """One event's payload → chunk."""
        return chunk_of(self._decode_chunk(text), text, self._logprobs_in_chunk)

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
        return self._decoder(documented.CompletionShape)

    @cached_property
    def _decode_text(self) -> Any:
        return self._decoder(documented.TextShape)

    @cached_property
    def _checked_logprobs(self) -> Any:
        decode_channels = msgspec.json.Decoder(self._logprobs_of(tuple[msgspec.Raw, ...])).decode
        return logprobs_checker(decode_channels, self._decoder(documented.TokenShape), self._logprobs_in)

    # What has been checked is read past everything else, and straight into values where it has no unknown fields: then
    # only a null could be in the way.

    def _logprobs_in_chunk(self, text: bytes, number: int) -> ChoiceLogprobs:
        try:
            logprobs = self._read_chunk_logprobs(text).choices[number].logprobs
        except msgspec.ValidationError:
            logprobs = self._decode_chunk(text).choices[number].logprobs
        return logprobs_of(logprobs)

    def _logprobs_in(self, text: msgspec.Raw) -> ChoiceLogprobs:
        try:
            return logprobs_of(self._read_logprobs(text))
        except msgspec.ValidationError:
            return logprobs_of(self._decoder(documented.LogprobsShape)(text))

    @cached_property
    def _read_logprobs(self) -> Any:
        return msgspec.json.Decoder(self._with_values).decode

    @cached_property
    def _read_chunk_logprobs(self) -> Any:
        choice: Any = msgspec.defstruct("LogprobsInChoice", [("logprobs", self._with_values | None, None)], gc=False)
        chunk = msgspec.defstruct("LogprobsInChunk", [("choices", list[choice])], gc=False)
        return msgspec.json.Decoder(chunk).decode

    @property
    def _with_values(self) -> Any:
        """The shape of logprobs, with values in the place of tokens' shapes if those have no unknown fields."""
        if self.of(documented.TokenShape) is not documented.TokenShape:
            return self.of(documented.LogprobsShape)
        return self._logprobs_of(tuple[TokenLogprob, ...])

    def _logprobs_of(self, tokens: Any) -> Any:
        """The shape of logprobs with something else in the place of tokens' shapes."""
        channels = dict.fromkeys(nested_in(documented.LogprobsShape), tokens | None)
        own = self._by_place.get(documented.LogprobsShape, ())
        return self._remade(documented.LogprobsShape, channels, own)

    def _decoder(self, shape: type[Shape]) -> Any:
        return msgspec.json.Decoder(self.of(shape)).decode

    def _with_unknown(self, shape: type[Shape]) -> type[Shape]:
        own = self._by_place.get(shape, [])
        types_of = {field.name: field.type for field in fields_of(shape)}
        changed = {name: hint for name, known in types_of.items() if (hint := _map_shapes(known, self.of)) is not known}
        # A text without `choices` may be an error object, which is for `lenient` to tell.
        is_root = bool(self.unknown) and shape is documented.ChunkShape
        return self._remade(shape, changed, own) if own or changed or is_root else shape

    def _remade(self, shape: type[Shape], changed: Mapping[str, Any], own: Any = ()) -> type[Shape]:
        fields: list[Any] = []
        for field in fields_of(shape):
            default: Any = field.default
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
                "extra_in": _extra_method({name: f.name for name, f in new.items() if not f.is_reasoning}),
                "aliases": tuple(attribute for attribute, field in new.items() if field.is_reasoning),
            },
            rename={attribute: field.name for attribute, field in new.items()},
            kw_only=True,
        )
        return cast(type[Shape], made)


def _extra_method(names: Mapping[str, str]) -> Callable[[Any], Mapping[str, Any]] | None:
    """A method that collects unknown fields.

    Args:
        names: Those on the wire, by those of a shape's fields.
    """
    if not names:
        return None
    on_the_wire = tuple(names.values())
    nulls = (None,) * len(names)
    all_null: Mapping[str, Any] = NullFields(dict.fromkeys(on_the_wire))
    get: Any = operator.attrgetter(*names)
    if len(names) == 1:
        (name,) = on_the_wire

        def only(shape: Any) -> Mapping[str, Any]:
            value: Any = get(shape)
            if value is None:
                return all_null
            return NO_EXTRA if value is _UNSET else {name: value}

        return only

    def all_of_them(shape: Any) -> Mapping[str, Any]:
        values = get(shape)
        if values == nulls:
            return all_null
        if _UNSET not in values:
            return dict(zip(on_the_wire, values, strict=True))
        return {name: value for name, value in zip(on_the_wire, values, strict=True) if value is not _UNSET} or NO_EXTRA

    return all_of_them


@lru_cache(64)
def shapes_with(unknown: tuple[Unknown, ...]) -> Shapes:
    """The shapes for these unknown fields: shared, since making them takes milliseconds."""
    return Shapes(unknown)


@lru_cache(256)
def fields_of(shape: type[Shape]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """A shape's own fields."""
    return msgspec.structs.fields(shape)


@attrs.frozen
class Nested:
    """A shape that another one holds, or holds a list of."""

    shape: type[Shape]
    is_list: bool


@cache
def nested_in(shape: type[Shape]) -> Mapping[str, Nested]:
    """What a shape holds, by the fields' names."""
    found: dict[str, Nested] = {}
    for field in fields_of(shape):
        inner: list[type[Shape]] = []
        _map_shapes(field.type, lambda nested, inner=inner: inner.append(nested) or nested)
        if (later := documented.LEFT_AS_JSON.get((shape, field.name))) is not None:
            inner.append(later)
        for nested in inner:
            found[field.name] = Nested(nested, is_list="[" in str(field.type))
    return found


def fields_in(parsed: Any, shape: type[Shape]) -> Iterator[tuple[type[Shape], str]]:
    """The fields in a parsed answer that its shape does not name: the shape of the object, and the field's name."""
    if isinstance(parsed, list):
        for item in parsed:
            yield from fields_in(item, shape)
    elif isinstance(parsed, dict):
        known, nested = shape.__struct_fields__, nested_in(shape)
        for name, value in parsed.items():
            if name not in known:
                yield shape, name
            elif name in nested:
                yield from fields_in(value, nested[name].shape)


def _map_shapes(hint: Any, change: Any) -> Any:
    """A type with every shape in it changed; the type itself, if none is."""
    if isinstance(hint, type) and issubclass(hint, Shape):
        return change(hint)
    arguments = get_args(hint)
    changed = tuple(_map_shapes(argument, change) for argument in arguments)
    if all(map(operator.is_, arguments, changed)):
        return hint
    origin: Any = get_origin(hint)
    if origin is Union or origin is types.UnionType:
        return functools.reduce(operator.or_, changed)
    assert origin is not Annotated  # noqa: S101 - none of ours
    return origin[changed]
