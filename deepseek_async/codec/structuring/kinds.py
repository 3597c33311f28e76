"""The JSON types that data are of, and that a node may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .nodes import (
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

KINDS: Mapping[type, frozenset[str]] = {
    Null: frozenset({"null"}),
    Boolean: frozenset({"boolean"}),
    Integer: frozenset({"number"}),
    Number: frozenset({"number"}),
    String: frozenset({"string"}),
    Bits: frozenset({"number"}),
    Array: frozenset({"array"}),
    Places: frozenset({"array"}),
    Table: frozenset({"object"}),
    Object: frozenset({"object"}),
}
ALL_KINDS = frozenset({"null", "boolean", "number", "string", "array", "object"})


def kind_of(data: Any) -> str:
    """The JSON type of data, integers among the numbers."""
    if data is None:
        return "null"
    if isinstance(data, bool):
        return "boolean"
    if isinstance(data, (int, float)):
        return "number"
    if isinstance(data, str):
        return "string"
    return "array" if isinstance(data, list) else "object"


def kinds_of(plan: Plan, node: Node, *, is_strict: bool = False) -> frozenset[str]:
    """The JSON types that a node may take; in the form of strict tools, tuples and dicts take others."""
    node = plan.resolved(node)
    if isinstance(node, Formatted):
        return frozenset({"string", "number"}) if node.format.takes_numbers else frozenset({"string"})
    if isinstance(node, Constants):
        return frozenset(kind_of(said) for said, _ in node.entries)
    if isinstance(node, Foreign):
        return node.kinds or ALL_KINDS
    if isinstance(node, Either):
        return frozenset().union(*(kinds_of(plan, option, is_strict=is_strict) for option in node.options))
    if is_strict and isinstance(node, (Places, Table)):
        return frozenset({"object"}) if isinstance(node, Places) else frozenset({"object", "array"})
    return KINDS.get(type(node), ALL_KINDS)
