"""Bounds in JSON Schema's keywords, and in words where it has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..nodes import Bounds, Formatted
from ..writing import plain

Schema = dict[str, Any]

_NUMBERS: Final = (
    ("ge", "minimum"),
    ("gt", "exclusiveMinimum"),
    ("le", "maximum"),
    ("lt", "exclusiveMaximum"),
    ("multiple_of", "multipleOf"),
)


def moved(schema: Any, renamed: Mapping[str, str]) -> Any:
    """A schema whose references point to definitions under other names."""
    if isinstance(schema, list):
        return [moved(part, renamed) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: moved(part, renamed) for key, part in schema.items()}
    reference = parts.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        name = reference.rpartition("/")[2]
        parts["$ref"] = f"#/$defs/{renamed.get(name, name)}"
    if isinstance(mapping := schema.get("discriminator"), dict):  # OpenAPI's word, which also refers
        parts["discriminator"] = {key: part for key, part in mapping.items() if key != "mapping"}
    return parts


def numeric(bounds: Bounds) -> Schema:
    """The bounds of a number."""
    return {word: _number(getattr(bounds, name)) for name, word in _NUMBERS if getattr(bounds, name) is not None}


def _number(limit: Any) -> Any:
    """A bound as JSON says it: a Decimal as the nearest number."""
    if isinstance(limit, (int, float)):
        return limit
    return int(limit) if limit == int(limit) else float(limit)


def sized(bounds: Bounds, what: str) -> Schema:
    """How many characters, items or properties: ``what`` is the end of the keyword."""
    sizes = ((bounds.min_length, f"min{what}"), (bounds.max_length, f"max{what}"))
    return {word: size for size, word in sizes if size is not None}


def patterns_of(patterns: tuple[str, ...]) -> Schema:
    """Patterns, all of which must be found."""
    if not patterns:
        return {}
    first, *others = patterns
    return {"pattern": first, **({"allOf": [{"pattern": one} for one in others]} if others else {})}


def bounds_in_words(node: Formatted) -> str:
    """Bounds that JSON Schema has no keyword for: of a date, say."""
    words = []
    if not node.format.takes_numbers and node.format.cls not in (bytes, bytearray):
        pairs = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
        for name, text in pairs:
            if (limit := getattr(node.bounds, name)) is not None:
                words.append(f"{text} {plain(limit)}")
    if node.bounds.aware is not None:
        words.append("with its offset from UTC" if node.bounds.aware else "without an offset from UTC")
    return ", ".join(words)
