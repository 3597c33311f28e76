"""Unknown fields: where they are found in an answer, and how a shape hands them out."""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from ....types.values import NO_EXTRA, NullFields
from . import documented
from .documented import Shape

MAX_NAME = 100
_UNSET: Any = msgspec.UNSET


class Unknown(msgspec.Struct, frozen=True):
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


@lru_cache(256)
def fields_of(shape: type[Shape]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """A shape's own fields."""
    return msgspec.structs.fields(shape)


class Nested(msgspec.Struct, frozen=True):
    """A shape that another one holds, or holds a list of."""

    shape: type[Shape]
    is_list: bool


@cache
def nested_in(shape: type[Shape]) -> Mapping[str, Nested]:
    """What a shape holds, by the fields' names."""
    found: dict[str, Nested] = {}
    for field in fields_of(shape):
        inner: list[type[Shape]] = []
        map_shapes(field.type, lambda nested, inner=inner: inner.append(nested) or nested)
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


def map_shapes(hint: Any, change: Any) -> Any:
    """A type with every shape in it changed; the type itself, if none is."""
    if isinstance(hint, type) and issubclass(hint, Shape):
        return change(hint)
    arguments = get_args(hint)
    changed = tuple(map_shapes(argument, change) for argument in arguments)
    if all(map(operator.is_, arguments, changed)):
        return hint
    origin: Any = get_origin(hint)
    if origin is Union or origin is types.UnionType:
        return functools.reduce(operator.or_, changed)
    assert origin is not Annotated  # noqa: S101 - none of ours
    return origin[changed]


def extra_method(names: Mapping[str, str]) -> Callable[[Any], Mapping[str, Any]] | None:
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
            # Written out, two take a fifth of the time; a strict zip takes half as long again as one that is not.
            if len(values) == 2:
                return {on_the_wire[0]: values[0], on_the_wire[1]: values[1]}
            return dict(zip(on_the_wire, values))  # noqa: B905 - as many as there are names
        return {name: value for name, value in zip(on_the_wire, values, strict=True) if value is not _UNSET} or NO_EXTRA

    return all_of_them
