"""Reading a JSON Schema: references, unions, how deep the smallest value is, and what cannot be met.

What a function's ``parameters`` hold in practice: types, properties, items, enumerations, unions, references, bounds,
patterns, formats. A keyword outside that is passed over, as a model would: it writes what it was shown, not what a
validator would demand of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from ..sampling import even_draws
from .numbers import allowed_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]

_LONGEST_CHAIN: Final = 64  # of references that lead to references
_LARGEST: Final = (min, ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"))
_SMALLEST: Final = (max, ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"))


class Root:
    """A whole schema, which its parts may refer to.

    Args:
        schema: The schema; True, None or anything that is not a mapping allows every value.
    """

    __slots__ = ("_heights", "schema")

    def __init__(self, schema: object) -> None:
        self.schema: object = schema
        self._heights: dict[str, float] = {}

    def resolve(self, schema: object) -> Schema:
        """A schema with its references followed and its ``allOf`` merged; a reference to nothing allows every value."""
        merged: Schema = dict(schema) if isinstance(schema, dict) else {}
        for _ in range(_LONGEST_CHAIN):
            reference = merged.pop("$ref", None)
            if reference is not None:
                _merge(merged, self.lookup(reference))
                continue
            parts = merged.pop("allOf", None)
            if not isinstance(parts, list):
                return merged
            for part in parts:
                _merge(merged, part)
        return {}

    def lookup(self, reference: object) -> object:
        """What a local reference (``#``, ``#/$defs/…``; RFC 6901) points to; None if to nothing."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        found = self.schema
        for part in unquote(reference[1:]).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                return None
        return found

    def height(self, schema: object, within: frozenset[str] = frozenset()) -> float:
        """How many levels of nesting the smallest value has; infinite if there is none (endless recursion)."""
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if reference is not None:
            if reference in within:
                return math.inf
            if reference not in self._heights:
                height = self._height(self.resolve(schema), within | {reference})
                if within and height == math.inf:  # perhaps only because of where we came from
                    return height
                self._heights[reference] = height
            return self._heights[reference]
        return self._height(self.resolve(schema), within)

    def _height(self, schema: Schema, within: frozenset[str]) -> float:
        if "enum" in schema or "const" in schema:
            return 0.0
        branches = alternatives(schema)
        if branches:
            return min(self.height(branch, within) for branch in branches)
        kinds = types_of(schema)
        if not kinds or set(kinds) - {"object", "array"}:
            return 0.0
        heights = []
        if "object" in kinds:
            needed = required(schema)
            heights.append(
                1.0
                + max(
                    (self.height(part, within) for name, part in properties(schema).items() if name in needed),
                    default=0.0,
                )
            )
        if "array" in kinds:
            items = item_schemas(schema, max(0, integer(schema, "minItems", 0)))
            heights.append(1.0 + max((self.height(item, within) for item in items), default=0.0))
        return min(heights)


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """The types a schema names; where it names none, those its keywords speak of; empty where anything goes."""
    named = schema.get("type")
    if isinstance(named, str):
        return [named]
    if isinstance(named, list) and named:
        return [str(name) for name in named]
    if schema.keys() & {"properties", "required", "additionalProperties", "minProperties"}:
        return ["object"]
    if schema.keys() & {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"}:
        return ["array"]
    if schema.keys() & {"pattern", "format", "minLength", "maxLength"}:
        return ["string"]
    if schema.keys() & {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}:
        return ["number"]
    return []


def alternatives(schema: Mapping[str, Any]) -> list[Schema]:
    """The branches of ``anyOf`` or ``oneOf``, each with what stands beside it; empty if there are none."""
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list) and branches:
            beside = {key: value for key, value in schema.items() if key != keyword}
            return [_merged(beside, branch) for branch in branches if branch is not False]
    return []


def properties(schema: Mapping[str, Any]) -> dict[str, object]:
    """The named properties, and those that are required without being described."""
    named = schema.get("properties")
    described = dict(named) if isinstance(named, dict) else {}
    for name in required(schema):
        described.setdefault(name, schema.get("additionalProperties", True))
    return described


def required(schema: Mapping[str, Any]) -> list[str]:
    """The names of required properties."""
    names = schema.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def item_schemas(schema: Mapping[str, Any], count: int) -> list[object]:
    """The schemas of an array's first items."""
    fixed = schema.get("prefixItems")
    leading = list(fixed[:count]) if isinstance(fixed, list) else []
    return leading + [schema.get("items", True)] * (count - len(leading))


def distinct_values(schema: Mapping[str, Any]) -> float:
    """How many different values a schema surely allows: few where it counts them up, else without end."""
    if "const" in schema:
        return 1
    if isinstance(schema.get("enum"), list):
        return len(schema["enum"])
    kinds = types_of(schema)
    if kinds in (["boolean"], ["null"]):
        return 2 if kinds == ["boolean"] else 1
    if kinds == ["integer"]:
        return len(allowed_numbers(schema, (), even_draws(), whole=True))
    return math.inf


def integer(schema: Mapping[str, Any], keyword: str, default: int) -> int:
    """A keyword that counts something."""
    value = schema.get(keyword)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def length_rule(schema: Mapping[str, Any]) -> _LengthRule:
    """What ``minLength`` and ``maxLength`` say of a text."""
    return _LengthRule(integer(schema, "minLength", 0), integer(schema, "maxLength", 2**31))


class _LengthRule:
    __slots__ = ("least", "most")

    def __init__(self, least: int, most: int) -> None:
        self.least: int = least
        self.most: int = most

    def __call__(self, text: str) -> bool:
        return self.least <= len(text) <= self.most


def _merged(first: Schema, second: object) -> Schema:
    merged = dict(first)
    _merge(merged, second)
    return merged


def _merge(schema: Schema, other: object) -> None:
    """Make a schema also demand what another does, as far as one set of keywords can say it."""
    if not isinstance(other, dict):
        return
    for key, value in other.items():
        if key not in schema:
            schema[key] = value
        elif key == "properties" and isinstance(value, dict) and isinstance(schema[key], dict):
            schema[key] = {**schema[key], **value}
        elif key == "required" and isinstance(value, list) and isinstance(schema[key], list):
            schema[key] = [*schema[key], *value]
        elif key in _LARGEST[1] or key in _SMALLEST[1]:
            schema[key] = (_LARGEST if key in _LARGEST[1] else _SMALLEST)[0](schema[key], value)
        elif key == "enum" and isinstance(value, list) and isinstance(schema[key], list):
            schema[key] = [entry for entry in schema[key] if entry in value]
