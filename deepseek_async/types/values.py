"""What every value class here shares: how it is made, and where unknown fields go.

Fields stand in the wire's order and all but the indispensable have defaults. Both matter: msgspec looks a key up
from where the last one was found (in order, one chunk decodes in half the time), and servers leave fields out.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NoReturn, Self, TypeVar

import attrs

T = TypeVar("T")


class _EmptyMapping(dict[str, Any]):
    """An empty mapping that stays empty, because every value without unknown fields shares it."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this mapping is shared and frozen; use attrs.evolve(value, extra={...})")

    __setitem__ = __delitem__ = setdefault = update = pop = popitem = clear = __ior__ = _refuse

    def __reduce__(self) -> str:
        return "NO_EXTRA"  # pickled and copied by name: it stays one object


NO_EXTRA: Mapping[str, Any] = _EmptyMapping()


class NullFields(_EmptyMapping):
    """Unknown fields that are all null, as some servers write them into every chunk: shared by all of these."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        return dict, (dict(self),)  # elsewhere there is nobody to share it with


def unfrozen(cls: type[T]) -> type[T]:
    """A twin of a frozen class whose values are quick to make, and frozen once their ``__class__`` is the original.

    attrs fills a frozen value through `object.__setattr__`; plain assignments take a third of that. What doing without
    would cost, measured side by side on one machine (27 November 2026, Python 3.11), made frozen and made so: an
    `HTTPRequest` 1.7 µs and 0.2, a `Usage` 2.8 and 0.6, a `ChatCompletion` 3.6 and 1.6, a `ChatRequest` 14.5 and 4.2
    (its validators included). A twin has no validators: it is for values that are right by where they come from, or are
    checked by whoever makes them.
    """
    plain = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    twin = type(cls.__name__, (cls,), plain)
    return attrs.define(twin, eq=False, repr=False, getstate_setstate=False, field_transformer=_unchecked)


def _unchecked(_: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    return [field.evolve(validator=None) for field in fields]


def extra_field() -> Any:
    """``extra``: fields the server sent and this version does not know, by name. Compared, but not hashed."""
    return attrs.field(default=NO_EXTRA, hash=False, kw_only=True, repr=_show_extra)


def _show_extra(extra: Mapping[str, Any]) -> str:
    return "{}" if not extra else "{" + ", ".join(f"{name!r}: …" for name in extra) + "}"


def hidden(value: object) -> str:
    """How a prompt stands in a repr: by its size, never by its text."""
    match value:
        case None:
            return "None"
        case str():
            return f"<{len(value)} characters>"
        case tuple() | list():
            return f"<{len(value)} parts>"
        case _:
            return f"<{type(value).__name__}>"


class Document:
    """A base of values that can be written as JSON in the wire's own shape, and read back.

    The work is done by `deepseek_async.codec.documents`, a floor above: it is asked for by name when a method is
    called, so that a value costs no more to import than it did.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data: ``None`` is left out, and fields that this version does not know are where they were."""
        return _documents().dict_of(self)  # type: ignore[no-any-return]

    def to_json(self) -> str:
        """As JSON text on one line. ``from_json`` of it is an equal value.

        Raises:
            InvalidRequestError: It holds what JSON cannot say.
        """
        return _documents().json_of(self)  # type: ignore[no-any-return]

    def model_dump(self) -> dict[str, Any]:
        """The same as `to_dict`, by the name that users of pydantic know."""
        return self.to_dict()

    def model_dump_json(self) -> str:
        """The same as `to_json`, by the name that users of pydantic know."""
        return self.to_json()

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The value that plain data stands for, from `to_dict` or from a server.

        Raises:
            MalformedResponseError: A type does not fit; ``path`` names the place.
            InvalidRequestError: A request or a message that is not allowed; no mapping at all.
        """
        return _documents().value_of_dict(document, cls)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The value that JSON text stands for. Raises as `from_dict`; `MalformedResponseError` for what is no JSON."""
        return _documents().value_of_json(text, cls)  # type: ignore[no-any-return]


def _documents() -> Any:
    return import_module("deepseek_async.codec.documents")
