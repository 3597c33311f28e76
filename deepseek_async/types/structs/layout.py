"""attrs classes whose values are kept by msgspec.

A stream has three values a chunk, and with 20 alternatives a token 21 more: a million in a long answer. As attrs makes
them they take 11 µs a token to decode, and the garbage collector goes over all of them again and again. The same values
in msgspec's own layout are made by its decoder in 5 µs, and hold nothing that the collector would have to look for.
"""

from __future__ import annotations

from types import MemberDescriptorType
from typing import Any

import attrs
import msgspec

from .deferring import Deferrable, completed_by

# What a slotted attrs class has besides that msgspec's layout does in its own way.
_OF_THE_LAYOUT = frozenset(
    ("__slots__", "__weakref__", "__dict__", "__init__", "__getstate__", "__setstate__", "__annotations__")
)
# Which of the two compares is the same; msgspec's is in C.
_DONE_IN_C = frozenset(("__eq__", "__ne__"))


def name_in_json(cls: type, field: str) -> str:
    """By which name msgspec's decoder knows a field that is not on the wire, where a key of its name is unknown."""
    return f"\x7f{field}" if issubclass(cls, msgspec.Struct) else field


def as_structs(*classes: type, ours: tuple[str, ...] = ("extra",)) -> tuple[Any, ...]:
    """The same classes in another layout: same fields, same methods, attrs classes to whoever asks.

    Their values must not be part of cycles, which the collector could not see: they hold what JSON holds. msgspec's
    decoder refuses whatever they have no field for.

    Args:
        classes: Frozen attrs classes whose fields have no validators and are all compared; bases before their
            subclasses.
        ours: Fields that are not the wire's; see `name_in_json`. ``_load`` is one of `Deferrable` classes.

    Returns:
        The new classes, in order.
    """
    made: dict[type, type] = {}
    ours += ("_load",)
    for cls in classes:
        own = [field for field in attrs.fields(cls) if not field.inherited]
        bases = tuple(made.get(base, base) for base in cls.__bases__ if base is not object)
        if not any(issubclass(base, msgspec.Struct) for base in bases):
            bases += (msgspec.Struct,)
        namespace = {
            name: item
            for name, item in vars(cls).items()
            if name not in _OF_THE_LAYOUT | _DONE_IN_C and not isinstance(item, MemberDescriptorType)
        }
        by_place, by_name = [field for field in own if not field.kw_only], [field for field in own if field.kw_only]
        is_deferrable = issubclass(cls, Deferrable)
        if by_place and (by_name or is_deferrable):  # msgspec has one kind a class
            bases = (_struct(cls, by_place, bases, {}, ours),)
            by_place = []
        new = made[cls] = _struct(
            cls, by_place or by_name, bases, namespace, ours, kw_only=not by_place, is_deferrable=is_deferrable
        )
        for name in ("__setattr__", "__delattr__"):  # attrs' own refusal, over msgspec's
            setattr(new, name, getattr(cls, name))
        if is_deferrable:
            for name, item in completed_by(new).items():
                setattr(new, name, item)
    return tuple(made.values())


def _struct(
    cls: type,
    own: list[attrs.Attribute[Any]],
    bases: tuple[type, ...],
    namespace: dict[str, Any],
    ours: tuple[str, ...],
    *,
    kw_only: bool = False,
    is_deferrable: bool = False,
) -> type:
    fields: list[Any] = [("_load", Any, None)] if is_deferrable else []
    for field in own:
        default: Any = field.default
        if default is attrs.NOTHING:
            fields.append((field.name, field.type))
        else:
            fields.append((field.name, field.type, default))
    make: Any = msgspec.defstruct
    made: type = make(
        cls.__name__,
        fields,
        bases=bases,
        namespace=namespace,
        module=cls.__module__,
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
        kw_only=kw_only,
        rename={name: name_in_json(msgspec.Struct, name) for name in ("_load", *(f.name for f in own)) if name in ours},
    )
    return made
