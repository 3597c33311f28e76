"""Containers: what each of Python's is made from, and what of it may be a key."""

from __future__ import annotations

import collections
import collections.abc
import types
import typing
from typing import Any

from ..nodes import Bits, Boolean, Constants, Either, Formatted, Integer, Node, Number, Plan, String

_ABC = collections.abc
ARRAYS: dict[Any, Any] = {
    list: list, set: set, frozenset: frozenset, collections.deque: collections.deque,
    _ABC.Sequence: list, _ABC.MutableSequence: list, _ABC.Collection: list, _ABC.Iterable: list, _ABC.Container: list,
    _ABC.Reversible: list, _ABC.Set: frozenset, _ABC.MutableSet: set,
}  # fmt: skip
TABLES: dict[Any, Any] = {
    dict: dict, _ABC.Mapping: dict, _ABC.MutableMapping: dict, collections.OrderedDict: collections.OrderedDict,
    collections.Counter: collections.Counter, types.MappingProxyType: types.MappingProxyType,
}  # fmt: skip

_KEYS = (String, Formatted, Integer, Number, Boolean, Constants, Bits)


def is_key(plan: Plan, node: Node) -> bool:
    """Whether text can say the values of a node, so that an object's keys may."""
    node = plan.resolved(node)
    if isinstance(node, Either):
        return all(is_key(plan, option) for option in node.options)
    return isinstance(node, _KEYS)


def unpacked(argument: Any) -> tuple[Any, ...] | None:
    """What stands inside ``*tuple[…]`` or ``Unpack[tuple[…]]``."""
    if getattr(argument, "__unpacked__", False):
        return typing.get_args(argument)
    if getattr(typing.get_origin(argument), "_name", None) == "Unpack" or typing.get_origin(argument) is typing.Unpack:
        return typing.get_args(typing.get_args(argument)[0])
    return None


def parameters_of(cls: Any, base: Any) -> tuple[Any, ...]:
    """What a subclass of a container says its items are."""
    for one in cls.__mro__:
        for original in one.__dict__.get("__orig_bases__", ()):
            if typing.get_origin(original) is base:
                return typing.get_args(original)
    return ()
