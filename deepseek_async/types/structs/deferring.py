"""Values some of whose fields are made when somebody looks.

Python asks ``__getattr__`` only for what it does not find, and a slot that nothing is in is not found. So a deferred
value costs nothing until a field of it is read, is like any other from then on, and nobody who looks, be it ``==``,
``repr``, ``hash``, `pickle` or `attrs.asdict`, can tell the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec
from msgspec.structs import force_setattr

_put: Callable[[Any, str, object], None] = force_setattr


class Deferrable:
    """A base of classes for `as_structs`, which gives them the field ``_load``."""

    __slots__ = ()

    _late: ClassVar[tuple[str, ...]] = ()
    """The fields that may be made later."""

    _empty: ClassVar[tuple[Callable[[Any], None], ...]] = ()
    """Functions that empty their slots."""

    @classmethod
    def deferred(cls, load: Callable[[], Any]) -> Self:
        """A value whose late fields will be those of what ``load`` returns: called once, by the first to read one.

        Args:
            load: Must not refer to whatever refers to the value: the collector does not see these.
        """
        return cls.partly_deferred(load)

    @classmethod
    def partly_deferred(cls, load: Callable[[], Any], *fields: Any, **named: Any) -> Self:
        """The same, with fields that are there at once."""
        value = cls(*fields, **named)
        value.defer(load)
        return value

    def defer(self, load: Callable[[], Any]) -> None:
        """Forget the late fields of a value that nobody has seen; they will be those of what ``load`` returns."""
        for empty in self._empty:
            empty(self)
        _put(self, "_load", load)

    def _complete(self) -> None:
        """Make what is still to be made."""
        load = self._load
        if load is not None:
            loaded = load()
            for name in self._late:
                _put(self, name, getattr(loaded, name))
            _put(self, "_load", None)  # last: another thread may be here, too

    if TYPE_CHECKING:
        _load: Callable[[], Any] | None

        def __init__(self, *fields: Any, **named: Any) -> None: ...
    else:  # a type checker would take the first to mean that any name is an attribute

        def __getattr__(self, name: str) -> object:
            if name in self._late:
                self._complete()
            return object.__getattribute__(self, name)


def completed_by(cls: Any) -> dict[str, Any]:
    """What a deferrable class has besides: the functions that empty its slots; and the methods that msgspec has written
    in C and that would meet an empty slot, which complete the value first."""

    def of_one(name: str) -> Callable[..., Any]:
        method = getattr(cls, name)

        def complete(self: Any, *args: Any, **named: Any) -> Any:
            self._complete()
            return method(self, *args, **named)

        return complete

    def __eq__(self: Any, other: object) -> Any:  # noqa: N807
        self._complete()
        if isinstance(other, Deferrable):
            other._complete()
        return msgspec.Struct.__eq__(self, other)

    late: Any = cls._late
    empty = tuple(getattr(cls, name).__delete__ for name in late)
    names = ("__copy__", "__reduce__", "__replace__")
    return {"_empty": empty, "__eq__": __eq__, **{name: of_one(name) for name in names if hasattr(cls, name)}}
