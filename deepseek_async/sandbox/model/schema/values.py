"""A JSON value for a schema, written part by part."""

from __future__ import annotations

import json
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
from .writing import MIN_ROOM

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Sequence

    from ..sampling import Step
    from .schema import Root
    from .writing import JsonWriter

    Writing = Generator[Step, None, str | None]

_ENOUGH_DEPTH: Final = 4  # levels; below, only what is required
_DEEPEST: Final = 48  # levels; a value of a schema that has none that ends is cut off here
_MENTIONED: Final = 8.0  # a value that the conversation names against one that it does not
_EXAMPLE: Final = 2.0  # a value that the schema gives as an example or default, likewise
_NULL: Final = 0.15
_OPTIONAL: Final = 0.5
_GOES_ON: Final = 0.5  # an array after each item, between its least and most
_USUAL_MOST_ITEMS: Final = 4
_OFFERED: Final = 4  # texts drawn for a choice
_USUAL_LONGEST: Final = 4000
_NO_LIMIT: Final = 2**31
_FREE_KEYS: Final = ("name", "value", "note")
_ANYTHING: Final[tuple[Schema, ...]] = ({"type": "string"}, {"type": "integer"}, {"type": "boolean"})


def write_value(
    writer: JsonWriter, root: Root, schema: object, depth: int = 0, used: Collection[str] | None = None
) -> Generator[Step, None, str | None]:
    """Write one value.

    Args:
        writer: Takes the text.
        root: The schema that references point into.
        schema: The value's own schema.
        depth: Levels of nesting around it.
        used: Scalars, as JSON text, that it must not be; None if there is no such demand.

    Yields:
        The steps, except of text that still waits for what follows it.

    Returns:
        The scalar as JSON text; None for other values, and for a text of the model's own where nothing is demanded.
    """
    resolved = root.resolve(schema)
    if "const" in resolved:
        return (yield from _one_of(writer, [resolved["const"]], None))
    if isinstance(resolved.get("enum"), list) and resolved["enum"]:
        return (yield from _one_of(writer, resolved["enum"], used))
    branches = alternatives(resolved)
    if branches:
        return (yield from write_value(writer, root, _branch(writer, root, branches, depth), depth, used))
    kinds: Sequence[str] = types_of(resolved)
    if len(kinds) != 1:
        choices = [{**resolved, "type": kind} for kind in kinds] or list(_ANYTHING)
        return (yield from write_value(writer, root, _branch(writer, root, choices, depth), depth, used))
    match kinds[0]:
        case "object":
            yield from _object(writer, root, resolved, depth)
            return None
        case "array":
            yield from _array(writer, root, resolved, depth)
            return None
        case "string":
            return (yield from _string(writer, resolved, used))
        case "integer" | "number":
            return (yield from _number(writer, resolved, used, whole=kinds[0] == "integer"))
        case "boolean":
            return (yield from _one_of(writer, [True, False], used))
    return (yield from _one_of(writer, [None], None))


def _branch(writer: JsonWriter, root: Root, branches: Sequence[Schema], depth: int) -> Schema:
    """Pick one of several schemas; deep inside, the one with the flattest value."""
    heights = [root.height(branch) for branch in branches]
    flattest = min(heights)
    weights = [
        0.0
        if height == float("inf") or (depth >= _ENOUGH_DEPTH and height > flattest)
        else _NULL
        if types_of(root.resolve(branch)) == ["null"]
        else 1.0
        for branch, height in zip(branches, heights, strict=True)
    ]
    place = writer.chance() * sum(weights)
    for branch, weight in zip(branches, weights, strict=True):
        place -= weight
        if place < 0.0:
            return branch
    return branches[0]


def _one_of(writer: JsonWriter, values: Sequence[Any], used: Collection[str] | None) -> Writing:
    weights: dict[str, float] = {}
    for value in values:
        is_named = writer.mentions(value if isinstance(value, str) else _dumped(value))
        weights[_dumped(value)] = _MENTIONED if is_named else 1.0
    return (yield from _offer(writer, weights, used))


def _offer(writer: JsonWriter, weights: dict[str, float], used: Collection[str] | None) -> Writing:
    """Choose among JSON texts, of those that are not used if there are any."""
    options = [option for option in weights.items() if option[0] not in (used or ())] or list(weights.items())
    return options[(yield from writer.choose(options))][0]


def _number(writer: JsonWriter, schema: Schema, used: Collection[str] | None, *, whole: bool) -> Writing:
    try:
        options = dict(allowed_numbers(schema, writer.mentioned_numbers, writer.chance, whole=whole))
    except (TypeError, ValueError, ArithmeticError):  # bounds that are no numbers
        options = {}
    for value in _examples(schema):
        is_kind = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if is_kind and options and is_allowed(schema, value):
            options[_dumped(value)] = max(_EXAMPLE, options.get(_dumped(value), 0.0))
    return (yield from _offer(writer, options or {"0": 1.0}, used))


def _string(writer: JsonWriter, schema: Schema, used: Collection[str] | None) -> Writing:
    is_right = length_rule(schema)
    texts: list[str] = []
    pattern, format_ = schema.get("pattern"), schema.get("format")
    if isinstance(pattern, str):
        try:
            texts = [matching_text(pattern, writer.chance, is_right) for _ in range(_OFFERED)]
        except UnmatchedPatternError:
            texts = []
    elif isinstance(format_, str) and format_ in FORMATS:
        drawn = [FORMATS[format_](writer.chance) for _ in range(_OFFERED)]
        texts = [text for text in drawn if is_right(text)] or drawn
    weights = {_dumped(text): 1.0 for text in texts}
    if not pattern:
        examples = [text for text in _examples(schema) if isinstance(text, str) and is_right(text)]
        weights |= dict.fromkeys(map(_dumped, examples), _EXAMPLE)
    if not texts:
        least, most = max(0, is_right.least), min(is_right.most, max(_USUAL_LONGEST, is_right.least + MIN_ROOM))
        if most - least >= MIN_ROOM and used is None and not weights:
            yield from writer.string(least, most)
            return None
        texts = [writer.phrase(least, most) for _ in range(_OFFERED)]
        if used and all(_dumped(text) in used for text in texts):
            texts = [texts[0][: most - len(str(len(used)))] + str(len(used))]
        weights = dict.fromkeys(map(_dumped, texts), 1.0) | weights
    return (yield from _offer(writer, weights, used))


def _examples(schema: Schema) -> list[Any]:
    examples = schema.get("examples")
    return [*(examples if isinstance(examples, list) else ()), *([schema["default"]] if "default" in schema else ())]


def _object(writer: JsonWriter, root: Root, schema: Schema, depth: int) -> Generator[Step, None, None]:
    described = properties(schema)
    needed = set(required(schema))
    least, most = integer(schema, "minProperties", 0), integer(schema, "maxProperties", _NO_LIMIT)
    extra = schema.get("additionalProperties", True)
    if extra is not False and len(described) < (least if "properties" in schema else max(least, 1)):
        for key in _free_keys(min(max(least, 1), most) - len(described), described):
            described[key] = extra
            needed.add(key)
    offered = {
        name: part
        for name, part in described.items()
        if name in needed or (depth < _ENOUGH_DEPTH and root.height(part) != float("inf"))
    }
    if depth >= _DEEPEST:
        offered = {}
    writer.fixed("{")
    written, between = 0, writer.line_break(depth + 1)
    names = list(offered)
    while names:
        optional_allowed = written + sum(name in needed for name in names) < most
        spare = written + len(names) - least  # that can still be left out
        options, skipped = [], 1.0
        for n, name in enumerate(names):
            is_needed = name in needed or n >= spare
            if not is_needed and not optional_allowed:
                continue
            share = 1.0 if is_needed else _OPTIONAL
            options.append((n, skipped * share))
            skipped *= 1.0 - share
            if is_needed:
                break
        texts = [(f"{between}{_dumped(names[n])}: ", weight) for n, weight in options]
        closing = f"{writer.line_break(depth) if written else ''}}}"
        if skipped:
            texts.append((closing, skipped))
        chosen = yield from writer.choose(texts)
        if chosen == len(options):
            return
        n = options[chosen][0]
        yield from write_value(writer, root, offered[names[n]], depth + 1)
        del names[: n + 1]
        written += 1
        between = "," + writer.line_break(depth + 1, " ")
    writer.fixed(f"{writer.line_break(depth) if written else ''}}}")


def _free_keys(count: int, taken: dict[str, object]) -> list[str]:
    names = [name for name in _FREE_KEYS if name not in taken]
    number = 0
    while len(names) < count:
        number += 1
        if f"key{number}" not in taken:
            names.append(f"key{number}")
    return names[:count]


def _array(writer: JsonWriter, root: Root, schema: Schema, depth: int) -> Generator[Step, None, None]:
    least = max(0, integer(schema, "minItems", 0))
    fixed = schema.get("prefixItems")
    usual = max(least, len(fixed) if isinstance(fixed, list) else _USUAL_MOST_ITEMS)
    if schema.get("items") is False:
        usual = min(usual, len(fixed) if isinstance(fixed, list) else 0)
    most = min(integer(schema, "maxItems", usual), max(usual, least))
    if schema.get("uniqueItems"):
        most = int(min(most, distinct_values(root.resolve(schema.get("items")))))
    if depth >= _ENOUGH_DEPTH:
        most = least
    if depth >= _DEEPEST or any(root.height(item) == float("inf") for item in item_schemas(schema, max(least, 1))):
        most = 0
    used: set[str] = set()
    writer.fixed("[")
    for n, item in enumerate(item_schemas(schema, most)):
        opening = ("," + writer.line_break(depth + 1, " ")) if n else writer.line_break(depth + 1)
        closing = f"{writer.line_break(depth) if n else ''}]"
        if n < max(least, 1):
            writer.fixed(opening)
        elif (yield from writer.choose([(opening, _GOES_ON), (closing, 1.0 - _GOES_ON)])):
            return
        written = yield from write_value(writer, root, item, depth + 1, used if schema.get("uniqueItems") else None)
        if written is not None:
            used.add(written)
    writer.fixed(f"{writer.line_break(depth) if most else ''}]")


def _dumped(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # A schema can hold half a surrogate pair, which only its escape can carry.
    return text if text.isascii() or _is_encodable(text) else json.dumps(value)


def _is_encodable(text: str) -> bool:
    """Whether UTF-8 can carry the text: it has no lone surrogate."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
