"""Values → plain data, as the reader of their type takes it back."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Collection, Mapping
from typing import Any

import attrs
import msgspec

from .describing.texts import format_of
from .reading.keys import key_text

_SCALARS = (bool, str, int, float)


def plain(value: Any) -> Any:
    """A value as JSON says it: a class by its fields, a date as text, a set as an array.

    Raises:
        TypeError: JSON cannot say it.
    """
    if value is None or type(value) in _SCALARS:
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    for scalar in _SCALARS:
        if isinstance(value, scalar):
            return scalar(value)
    for cls in type(value).__mro__[:-1]:
        if (found := format_of(cls)) is not None:
            return found.write(value)
    if isinstance(value, msgspec.Struct):
        return _of_struct(value)
    if attrs.has(type(value)):
        fields = attrs.fields(type(value))
        return {field.alias: plain(getattr(value, field.name)) for field in fields if field.init}
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json", by_alias=True)
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
    if callable(numbers := getattr(value, "tolist", None)):  # numpy's arrays and scalars
        return plain(numbers())
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, Collection) and not isinstance(value, memoryview):
        return [plain(item) for item in value]
    raise TypeError(f"JSON cannot say a {type(value).__name__}")


def _key(key: Any) -> str:
    said = plain(key)
    return said if isinstance(said, str) else key_text(said)


def _of_struct(value: msgspec.Struct) -> Any:
    config = value.__struct_config__
    pairs = [
        (key, getattr(value, name))
        for name, key in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
    ]
    if config.array_like:
        return [*([config.tag] if config.tag is not None else []), *(plain(item) for _, item in pairs)]
    said = {key: plain(item) for key, item in pairs if item is not msgspec.UNSET}
    return {config.tag_field: config.tag, **said} if config.tag is not None else said
