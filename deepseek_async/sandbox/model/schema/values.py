"""`draw_value` draws a JSON value that a schema allows, part by part; `spell` writes it down afterwards."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any, Final

from .formats import FORMATS
from .numbers import allowed_numbers, is_allowed
from .patterns import UnmatchedPatternError, matching_text
from .schema import (
    Schema,
    alternatives,
    distinct_values,
    integer,
    item_schemas,
    length_rule,
    properties,
    required,
    types_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .material import Material
    from .schema import Root

_ENOUGH_DEPTH: Final = 4  # levels; below, only what is required
_DEEPEST: Final = 48  # levels; a value of a schema that has none that ends is cut off here
_MENTIONED: Final = 8.0  # a value that the conversation names against one that it does not
_EXAMPLE: Final = 2.0  # a value that the schema gives as an example or default, likewise
_NULL: Final = 0.15
_OPTIONAL: Final = 0.5
_GOES_ON: Final = 0.5  # an array after each item, between its least and most
_USUAL_MOST_ITEMS: Final = 4
_OFFERED: Final = 4  # texts that are thought of, where one is to be chosen
_TRIES: Final = 16  # for a text of the right length, and for a key that is not there yet
_USUAL_LONGEST: Final = 4000
_NO_LIMIT: Final = 2**31
_FREE_KEYS: Final = ("name", "value", "note")
_ANYTHING: Final[tuple[Schema, ...]] = ({"type": "string"}, {"type": "integer"}, {"type": "boolean"})


def draw_value(
    material: Material, root: Root, schema: object, depth: int = 0, used: Collection[str] | None = None
) -> Any:
    """Draw one value.

    Args:
        material: What it is made of.
        root: The schema that references point into.
        schema: The value's own schema.
        depth: Levels of nesting around it.
        used: JSON texts of values that it must not be, as far as there are others.

    Returns:
        What `json.dumps` can write.
    """
    resolved = root.resolve(schema)
    if "const" in resolved:
        return resolved["const"]
    if isinstance(resolved.get("enum"), list) and resolved["enum"]:
        return _one_of(material, resolved["enum"], used)
    branches = alternatives(resolved)
    if branches:
        chosen = _branch(material, root, branches, depth)
        number = next((branch for branch in branches if types_of(root.resolve(branch)) == ["number"]), None)
        if number is not None and _is_any_text(root.resolve(chosen)):
            return spell(draw_value(material, root, number, depth))  # a decimal: pydantic says no more of its text
        return draw_value(material, root, chosen, depth, used)
    kinds: Sequence[str] = types_of(resolved)
    if len(kinds) != 1:
        choices = [{**resolved, "type": kind} for kind in kinds] or list(_ANYTHING)
        return draw_value(material, root, _branch(material, root, choices, depth), depth, used)
    match kinds[0]:
        case "object":
            return _object(material, root, resolved, depth)
        case "array":
            return _array(material, root, resolved, depth)
        case "string":
            return _string(material, resolved, used)
        case "integer" | "number":
            return _number(material, resolved, used, whole=kinds[0] == "integer")
        case "boolean":
            return _one_of(material, [True, False], used)
    return None


def spell(value: object, indent: int | None = None) -> str:
    """A value as JSON text.

    Args:
        indent: Spaces for each level; None writes one line.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    # A schema can hold half a surrogate pair, which only its escape can carry.
    return (
        text if not any("\ud800" <= character <= "\udfff" for character in text) else json.dumps(value, indent=indent)
    )


def _branch(material: Material, root: Root, branches: Sequence[Schema], depth: int) -> Schema:
    """Pick one of several schemas; deep inside, the one with the flattest value."""
    heights = [root.height(branch) for branch in branches]
    flattest = min(heights)
    weights = [
        0.0
        if height == math.inf or (depth >= _ENOUGH_DEPTH and height > flattest)
        else _NULL
        if types_of(root.resolve(branch)) == ["null"]
        else 1.0
        for branch, height in zip(branches, heights, strict=True)
    ]
    place = material.chance() * math.fsum(weights)
    for branch, weight in zip(branches, weights, strict=True):
        place -= weight
        if place < 0.0:
            return branch
    return branches[0]


def _is_any_text(schema: Schema) -> bool:
    says = {"pattern", "format", "enum", "const", "minLength", "maxLength", "examples", "default"}
    return types_of(schema) == ["string"] and not says & schema.keys()


def _one_of(material: Material, values: Sequence[Any], used: Collection[str] | None) -> Any:
    weights = {}
    for value in values:
        is_named = material.mentions(value if isinstance(value, str) else spell(value))
        weights[spell(value)] = _MENTIONED if is_named else 1.0
    return _offer(material, weights, used)


def _offer(material: Material, weights: dict[str, float], used: Collection[str] | None) -> Any:
    """Choose among values, given as JSON texts; of those that are not used, if there are any."""
    options = [option for option in weights.items() if option[0] not in (used or ())] or list(weights.items())
    return json.loads(material.choose(options))


def _number(material: Material, schema: Schema, used: Collection[str] | None, *, whole: bool) -> Any:
    try:
        options = dict(allowed_numbers(schema, material.mentioned_numbers, material.chance, whole=whole))
    except (TypeError, ValueError, ArithmeticError):  # bounds that are no numbers
        options = {}
    for value in _examples(schema):
        is_kind = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if is_kind and options and is_allowed(schema, value):
            options[spell(value)] = max(_EXAMPLE, options.get(spell(value), 0.0))
    return _offer(material, options or {"0": 1.0}, used)


def _string(material: Material, schema: Schema, used: Collection[str] | None) -> Any:
    is_fitting = length_rule(schema)
    least, most = is_fitting.least, max(is_fitting.least, min(is_fitting.most, _USUAL_LONGEST))
    texts = _special_texts(material, schema, is_fitting)
    if texts is None:
        texts = [material.phrase(least, most) for _ in range(1 if used is None else _OFFERED)]
        if used and all(spell(text) in used for text in texts):
            number = str(len(used))
            texts = [texts[0][: max(0, most - len(number))] + number]
    weights = dict.fromkeys(map(spell, texts), 1.0)
    for value in _examples(schema):
        if isinstance(value, str) and is_fitting(value) and "pattern" not in schema:
            weights[spell(value)] = _EXAMPLE
    return _offer(material, weights, used)


def _special_texts(material: Material, schema: Schema, is_fitting: Any) -> list[str] | None:
    """Texts by ``pattern``, ``format`` or ``contentEncoding``; None where none of them says anything."""
    pattern, named = schema.get("pattern"), FORMATS.get(str(schema.get("format")))
    try:
        if isinstance(pattern, str):
            return [matching_text(pattern, material.chance, is_fitting) for _ in range(_OFFERED)]
    except UnmatchedPatternError:
        return None
    if named is not None:
        texts = [text for text in (named(material.chance) for _ in range(_TRIES)) if is_fitting(text)]
        return texts[:_OFFERED] or None
    if schema.get("contentEncoding") in ("base64", "base64url"):
        texts = [base64.urlsafe_b64encode(material.phrase(0, 40).encode()).decode() for _ in range(_OFFERED)]
        return [text for text in texts if is_fitting(text)] or None
    return None


def _examples(schema: Schema) -> list[Any]:
    examples = schema.get("examples")
    return [*(examples if isinstance(examples, list) else ()), *([schema["default"]] if "default" in schema else ())]


def _object(material: Material, root: Root, schema: Schema, depth: int) -> dict[str, Any]:
    described = properties(schema)
    needed = set(required(schema))
    least, most = integer(schema, "minProperties", 0), integer(schema, "maxProperties", _NO_LIMIT)
    extra = _schema_of_more(schema)
    if extra is not False and len(described) < (least if "properties" in schema else max(least, 1)):
        for key in _free_keys(material, root, schema, min(max(least, 1), most) - len(described), described):
            described[key] = extra
            needed.add(key)
    if depth >= _DEEPEST:
        return {}
    offered = {
        name: part
        for name, part in described.items()
        if name in needed or (depth < _ENOUGH_DEPTH and root.height(part) != math.inf)
    }
    value: dict[str, Any] = {}
    names = list(offered)
    for place, name in enumerate(names):
        is_needed = name in needed or len(value) + len(names) - place <= least
        others_needed = sum(other in needed for other in names[place + 1 :])
        if is_needed or (len(value) + others_needed < most and material.chance() < _OPTIONAL):
            value[name] = draw_value(material, root, offered[name], depth + 1)
    return value


def _schema_of_more(schema: Schema) -> object:
    """What properties without a description are to be."""
    patterns = schema.get("patternProperties")
    if isinstance(patterns, dict) and patterns:
        return next(iter(patterns.values()))
    return schema.get("additionalProperties", True)


def _free_keys(material: Material, root: Root, schema: Schema, count: int, taken: Collection[str]) -> list[str]:
    """Names for properties that the schema does not name: by its ``propertyNames`` or ``patternProperties``."""
    rule = schema.get("propertyNames")
    patterns = schema.get("patternProperties")
    if not isinstance(rule, dict) and isinstance(patterns, dict) and patterns:
        rule = {"type": "string", "pattern": next(iter(patterns))}
    names: list[str] = []
    if isinstance(rule, dict):
        for _ in range(count + _TRIES):
            if len(names) < count:
                drawn = draw_value(material, root, {"type": "string", **root.resolve(rule)}, _ENOUGH_DEPTH)
                name = drawn if isinstance(drawn, str) else spell(drawn)
                if name not in taken and name not in names:
                    names.append(name)
        return names
    names = [name for name in _FREE_KEYS if name not in taken]
    names += [f"key{number}" for number in range(1, max(0, count) + 1) if f"key{number}" not in taken]
    return names[: max(0, count)]


def _array(material: Material, root: Root, schema: Schema, depth: int) -> list[Any]:
    least = max(0, integer(schema, "minItems", 0))
    fixed = schema.get("prefixItems")
    usual = max(least, len(fixed) if isinstance(fixed, list) else _USUAL_MOST_ITEMS)
    if schema.get("items") is False:
        usual = min(usual, len(fixed) if isinstance(fixed, list) else 0)
    most = min(integer(schema, "maxItems", usual), max(usual, least))
    is_set = bool(schema.get("uniqueItems"))
    if is_set:
        most = int(min(most, distinct_values(root.resolve(schema.get("items")))))
    if depth >= _ENOUGH_DEPTH:
        most = least
    if depth >= _DEEPEST or any(root.height(item) == math.inf for item in item_schemas(schema, max(least, 1))):
        most = 0
    value: list[Any] = []
    used: set[str] = set()
    for number, item in enumerate(item_schemas(schema, most)):
        if number >= max(least, 1) and material.chance() >= _GOES_ON:
            break
        drawn = draw_value(material, root, item, depth + 1, used if is_set else None)
        if is_set and spell(drawn) in used and number >= least:
            break
        used.add(spell(drawn))
        value.append(drawn)
    return value
