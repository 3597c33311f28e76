"""Unions that nothing tells apart: two types that take the same data, and make different values of them."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidRequestError
from .kinds import kind_of, kinds_of
from .nodes import (
    Anything,
    Array,
    Bits,
    Constants,
    Either,
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
from .unions import name_in_words, object_of, tag_of


def check_unions(plan: Plan) -> None:
    """See that each union's types can be told apart.

    Raises:
        InvalidRequestError: Some data would be of two of them, and nothing says of which.
    """
    for node in every_node(plan):
        if isinstance(node, Either) and tag_of(plan, node) is None:
            for number, one in enumerate(node.options):
                for other in node.options[number + 1 :]:
                    if _Overlap(plan).clashes(one, other):
                        names = f"{name_in_words(plan, one)} and {name_in_words(plan, other)}"
                        advice = "give each a Literal field of its own, as kind: Literal['…'], or fields that differ"
                        raise InvalidRequestError(
                            "response_type",
                            plan.name or None,
                            f"unions whose types JSON can tell apart, not {names}; {advice}",
                        )


def every_node(plan: Plan) -> list[Node]:
    """All nodes of a plan."""
    found: list[Node] = []
    waiting: list[Node] = [plan.root, *plan.definitions.values()]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(children_of(node))
    return found


def children_of(node: Node) -> list[Node]:
    """The nodes right below a node."""
    if isinstance(node, Array):
        return [node.item]
    if isinstance(node, Places):
        return [*(place.node for place in node.places), *([node.rest] if node.rest is not None else [])]
    if isinstance(node, Table):
        return [node.key, node.value]
    if isinstance(node, Object):
        return [*(one.node for one in node.properties), *([node.rest] if node.rest is not None else [])]
    if isinstance(node, Either):
        return list(node.options)
    inside = getattr(node, "node", None)  # AsSaid, Checked, Noted
    return [inside] if inside is not None else []


class _Overlap:
    """Whether two types take the same data, and make different values of it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._within: set[tuple[Any, int, int]] = set()

    def clashes(self, one: Node, other: Node) -> bool:
        """Whether some data fit both, nothing prefers one, and the values would differ. In doubt: yes."""
        return self._guarded(one, other, self._clashes)

    def meets(self, one: Node, other: Node) -> bool:
        """Whether some data fit both. In doubt: yes."""
        return self._guarded(one, other, self._meets)

    def _guarded(self, one: Node, other: Node, decide: Any) -> bool:
        one, other = self._plan.resolved(one), self._plan.resolved(other)
        if not kinds_of(self._plan, one) & kinds_of(self._plan, other):
            return False
        key = (decide, id(one), id(other))
        if key in self._within:
            return False  # nothing but what is being decided already
        self._within.add(key)
        try:
            return bool(decide(one, other))
        finally:
            self._within.discard(key)

    def _clashes(self, one: Node, other: Node) -> bool:
        if one == other:
            return False
        if isinstance(one, Either) or isinstance(other, Either):
            return any(self.clashes(a, b) for a in _options(one) for b in _options(other))
        if isinstance(one, Anything) or isinstance(other, Anything):
            return False
        if isinstance(one, Constants) and isinstance(other, Constants):
            values = {(type(said), said): value for said, value in one.entries}
            return any(values.get((type(said), said), value) is not value for said, value in other.entries)
        if isinstance(one, Constants) or isinstance(other, Constants):
            constants, plain = (one, other) if isinstance(one, Constants) else (other, one)
            # A constant is preferred to what it is one of; but null is null's only value, which would never be read.
            is_null = isinstance(plain, Null) and isinstance(constants, Constants)
            return is_null and any(said is None and value is not None for said, value in constants.entries)
        if isinstance(one, (Integer, Number, String)) and type(one) is type(other):
            return one.make is not other.make
        if isinstance(one, Formatted) or isinstance(other, Formatted):
            return self._texts_clash(one, other)
        if isinstance(one, Array) and isinstance(other, Array) and one.make is other.make:
            return self.clashes(one.item, other.item)
        if isinstance(one, Table) and isinstance(other, Table) and one.make is other.make:
            return self.clashes(one.value, other.value) or self.clashes(one.key, other.key)
        if isinstance(one, (Integer, Number, Bits)) and isinstance(other, (Integer, Number, Bits)):
            return False
        return self.meets(one, other)

    def _texts_clash(self, one: Node, other: Node) -> bool:
        texts = [node for node in (one, other) if isinstance(node, Formatted)]
        if len(texts) == 1:
            return texts[0].format.is_any_text and isinstance(one if texts[0] is other else other, String)
        return one.format != other.format and self._meets(one, other)

    def _meets(self, one: Node, other: Node) -> bool:
        if isinstance(one, Either) or isinstance(other, Either):
            return any(self.meets(a, b) for a in _options(one) for b in _options(other))
        if isinstance(one, Constants) or isinstance(other, Constants):
            return _constants_meet(one, other)
        if isinstance(one, Formatted) and isinstance(other, Formatted):
            return one.format.is_any_text or other.format.is_any_text or _reads_another(one, other)
        if isinstance(one, (Array, Places)) and isinstance(other, (Array, Places)):
            return self._arrays_meet(one, other)
        first, second = object_of(self._plan, one), object_of(self._plan, other)
        if first is not None and second is not None:
            return self._objects_meet(first, second)
        for found, table in ((first, other), (second, one)):
            if found is not None and isinstance(table, Table):
                return all(self.meets(part.node, table.value) for part in found.properties if part.is_required)
        return True

    def _arrays_meet(self, one: Node, other: Node) -> bool:
        least = max(_sizes(one)[0], _sizes(other)[0])
        if least > min(_sizes(one)[1], _sizes(other)[1]):
            return False
        return all(self.meets(_item(one, index), _item(other, index)) for index in range(min(least, 64)))

    def _objects_meet(self, one: Object, other: Object) -> bool:
        first = {part.key: part for part in one.properties}
        second = {part.key: part for part in other.properties}
        needed = {key for fields in (first, second) for key, part in fields.items() if part.is_required}
        return needed <= first.keys() & second.keys() and all(
            self.meets(first[key].node, second[key].node) for key in needed
        )


def _options(node: Node) -> tuple[Node, ...]:
    return node.options if isinstance(node, Either) else (node,)


def _constants_meet(one: Node, other: Node) -> bool:
    if isinstance(one, Constants) and isinstance(other, Constants):
        return bool({(type(a), a) for a, _ in one.entries} & {(type(b), b) for b, _ in other.entries})
    constants, wide = (one, other) if isinstance(one, Constants) else (other, one)
    for value, _ in constants.entries:
        if isinstance(wide, Formatted) and isinstance(value, str):
            if _reads(wide, value):
                return True
        elif kind_of(value) in _kinds_alone(wide):
            return True
    return False


def _kinds_alone(node: Node) -> frozenset[str]:
    return kinds_of(Plan(node, {}), node)


def _reads(node: Formatted, text: str) -> bool:
    try:
        node.format.read(text)
    except Exception as error:  # each class refuses in its own way
        del error
        return False
    return True


def _reads_another(one: Formatted, other: Formatted) -> bool:
    both_take_numbers = one.format.takes_numbers and other.format.takes_numbers
    return both_take_numbers or _reads(one, other.format.example) or _reads(other, one.format.example)


def _sizes(node: Node) -> tuple[int, float]:
    if isinstance(node, Places):
        return node.required, float("inf") if node.rest is not None else len(node.places)
    return node.bounds.min_length or 0, float("inf") if node.bounds.max_length is None else node.bounds.max_length


def _item(node: Node, index: int) -> Node:
    if isinstance(node, Array):
        return node.item
    return node.places[index].node if index < len(node.places) else node.rest
