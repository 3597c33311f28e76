"""Twins of frozen attrs classes, whose values are quick to make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

T = TypeVar("T")


def unfrozen(cls: type[T]) -> type[T]:
    """A twin of a frozen class whose values are quick to make, and frozen once their ``__class__`` is the original.

    attrs fills a frozen value through `object.__setattr__`; plain assignments take a third of that. What doing without
    would cost, measured side by side on one machine (27 November 2026, Python 3.11), made frozen and made so: an
    `HTTPRequest` 1.7 µs and 0.2, a `Usage` 2.8 and 0.6, a `ChatCompletion` 3.6 and 1.6, a `ChatRequest` 14.5 and 4.2
    (its validators included). A twin has no validators: it is for values that are right by where they come from, or are
    checked by whoever makes them.
    """
    plain = {
        "__slots__": (),
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
        "__init__": _plain_init(cls),
    }
    return type(cls.__name__, (cls,), plain)


def _plain_init(cls: Any) -> Callable[..., None]:
    """An ``__init__`` of assignments alone, made in a quarter of the time that attrs takes for a class."""
    names: dict[str, Any] = {}
    by_place, by_name, lines = ["self"], list[str](), list[str]()
    for field in attrs.fields(cls):
        default: Any = field.default
        parameter = value = name = field.alias or field.name
        if default is not attrs.NOTHING:
            names[f"default_{field.name}"] = default
            parameter += f"=default_{field.name}"
            if hasattr(default, "factory"):  # attrs.Factory
                names[f"make_{field.name}"] = default.factory
                value = f"make_{field.name}() if {value} is default_{field.name} else {value}"
        if (converter := field.converter) is not None:
            assert not isinstance(converter, attrs.Converter)  # noqa: S101 - all are plain functions
            names[f"converted_{field.name}"] = converter
            value = f"converted_{field.name}({value})"
            if default is None:  # which no converter of ours changes
                value = f"None if {name} is None else {value}"
        (by_name if field.kw_only else by_place).append(parameter)
        lines.append(f"  self.{field.name} = {value}")
    parameters = ", ".join([*by_place, *(["*", *by_name] if by_name else [])])
    exec("\n".join([f"def __init__({parameters}):", *lines]), names)  # noqa: S102 - of our own names
    return names["__init__"]  # type: ignore[no-any-return]
