"""Constructors that answer what they do not take with what they take."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import StructMeta

from ...errors import meant_by

T = TypeVar("T")


def knows_its_names(cls: type[T]) -> type[T]:
    """A class whose constructor answers what it does not take with what it takes: a name that it has not, with the one
    that is near; values without a name, where they need one."""
    told: Any = cls
    make: Any = told.__init__
    code = make.__code__
    count, names = code.co_argcount, code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    known = frozenset(names)

    @functools.wraps(make)
    def __init__(self: Any, *values: Any, **named: Any) -> None:  # noqa: N807
        if len(values) >= count or not known.issuperset(named):
            raise TypeError(cls.__name__ + _wrong_names(values, named, names, count - 1))
        make(self, *values, **named)

    told.__init__ = __init__
    return cls


def _wrong_names(values: tuple[Any, ...], named: Mapping[str, Any], names: Sequence[str], by_place: int) -> str:
    """What is told, behind the class's name, of values that a constructor does not take.

    Args:
        values, named: As they were given.
        names: All that it takes; those that are taken by their places first.
        by_place: How many those are.
    """
    shown = [name for name in names if not name.startswith("_")]
    first, rest = ", ".join(shown[:by_place]), ", ".join(shown[by_place:])
    if len(values) <= by_place:
        wrong = min(named.keys() - set(names))
        return f" has no {wrong!r}{meant_by(wrong, shown)}; it has {', '.join(shown)}"
    if not rest:
        return f" takes at most {by_place} values: {first}"
    return f" takes {first or 'nothing'} without a name; by name: {rest}"


class KnowsItsNames(StructMeta):
    """Of structs whose constructors answer a name that they have not with those that they have."""

    if not TYPE_CHECKING:  # a type checker would know no parameter any more

        def __call__(self, *values: Any, **named: Any) -> Any:
            names, by_place = self.__struct_fields__, len(self.__match_args__)
            if len(values) > by_place or not named.keys() <= set(names):
                raise TypeError(self.__name__ + _wrong_names(values, named, names, by_place))
            return super().__call__(*values, **named)
