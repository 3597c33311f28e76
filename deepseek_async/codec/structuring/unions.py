"""Which of a union's types some data are of: told by a tag, or by what fits; and unions that nothing tells apart.

A tag is a key that stands in every object of the union with constants of its own in each: a Literal field, or a
Struct's tag. Without one every type is tried that takes the data's JSON type; of those that fit, the more specific
wins: a constant before a date, a date before any text, a whole number before a fraction, the class that leaves fewer
keys unread. Two types between which this decides nothing cannot stand in one union.
"""

from __future__ import annotations

from typing import Any

from .kinds import kind_of, kinds_of
from .nodes import (
    Anything,
    Array,
    Bits,
    Boolean,
    Constants,
    Either,
    Foreign,
    Formatted,
    Integer,
    Node,
    Null,
    Number,
    Object,
    Places,
    Plan,
    String,
    Table,
)
from .problems import choice_of

_NAMES = {
    Null: "null", Boolean: "true or false", Integer: "an integer", Number: "a number", String: "a string",
    Array: "an array", Places: "an array", Table: "an object", Bits: "an integer", Anything: "anything",
}  # fmt: skip


def name_in_words(plan: Plan, node: Node) -> str:
    """A node in a word or two: a class by its name."""
    node = plan.resolved(node)
    if isinstance(node, (Object, Foreign)) and node.name:
        return node.name
    if isinstance(node, Formatted):
        return node.format.name
    if isinstance(node, Constants):
        return choice_of(said for said, _ in node.entries)
    if isinstance(node, Either):
        return " or ".join(name_in_words(plan, option) for option in node.options)
    return _NAMES.get(type(node), "an object")


def object_of(plan: Plan, node: Node) -> Object | None:
    """A node as an object with keys of its own, if it is one."""
    node = plan.resolved(node)
    return node.object if isinstance(node, Foreign) else node if isinstance(node, Object) else None


def constants_of(plan: Plan, found: Object, key: str) -> frozenset[Any] | None:
    """The constants that an object's key may have; ``None``: it has others, or is no key of it."""
    for one in found.properties:
        node = plan.resolved(one.node)
        if one.key == key and isinstance(node, Constants):
            return frozenset((type(said), said) for said, _ in node.entries)
    return None


def tag_of(plan: Plan, either: Either) -> str | None:
    """The key that tells the objects of a union apart; ``None``: there is none, or but one object."""
    objects = [one for one in (object_of(plan, option) for option in either.options) if one is not None]
    others = [option for option in either.options if object_of(plan, option) is None]
    if len(objects) < 2 or any("object" in kinds_of(plan, option) for option in others):
        return None
    for one in objects[0].properties:
        constants = [constants_of(plan, found, one.key) for found in objects]
        sets = [found for found in constants if found is not None]
        if len(sets) == len(objects) and sum(map(len, sets)) == len(frozenset().union(*sets)):
            return one.key
    return None


class Choosing:
    """Chooses among the types of one union."""

    def __init__(self, plan: Plan, either: Either, *, is_strict: bool) -> None:
        self._options = [plan.resolved(option) for option in either.options]
        self._kinds = [kinds_of(plan, option, is_strict=is_strict) for option in either.options]
        self._has_other_objects = is_strict and any(isinstance(one, (Places, Table)) for one in self._options)
        self.names: list[str] = [name_in_words(plan, option) for option in either.options]
        self.expected: str = " or ".join(dict.fromkeys(self.names))
        self.tag: str | None = tag_of(plan, either)
        self._by_tag: dict[Any, int] = {}
        if self.tag is not None:
            for index, option in enumerate(either.options):
                found = object_of(plan, option)
                for constant in (constants_of(plan, found, self.tag) or ()) if found is not None else ():
                    self._by_tag[constant] = index
        self._keys: list[frozenset[str]] = []
        for option in either.options:
            found = object_of(plan, option)
            self._keys.append(frozenset(one.key for one in found.properties) if found is not None else frozenset())

    def named_by_tag(self, data: Any) -> int | str | None:
        """The option that the data's tag names; words if it names none; ``None``: a tag says nothing here."""
        if self.tag is None or not isinstance(data, dict):
            return None
        if self.tag not in data:
            return None if self._has_other_objects else "required field missing"
        value = data[self.tag]
        key = (type(value), value) if isinstance(value, (str, int, bool)) else None
        if key in self._by_tag:
            return self._by_tag[key]
        return f"expected {choice_of(value for _, value in self._by_tag)}"

    def possible(self, data: Any) -> list[int]:
        """The options that take data of this JSON type."""
        kind = kind_of(data)
        return [index for index, kinds in enumerate(self._kinds) if kind in kinds]

    def distance(self, index: int, data: Any) -> tuple[int, int]:
        """How far an option is from the data, though they fit: by how specific it is, then by the keys it leaves."""
        unread = len(data.keys() - self._keys[index]) if isinstance(data, dict) and self._keys[index] else 0
        return rank(self._options[index], data), unread


def rank(node: Node, data: Any) -> int:
    """How specific a type is for data of this JSON type; 0 is the most."""
    if isinstance(node, (Constants, Null, Boolean, Bits)):
        return 0
    if isinstance(node, Integer):
        return 3 if isinstance(data, float) else 1
    if isinstance(node, Number):
        return 2
    if isinstance(node, Formatted):
        if not isinstance(data, str):
            return 4
        return 5 if node.format.is_any_text else 1
    if isinstance(node, String):
        return 5
    return 9 if isinstance(node, Anything) else 6
