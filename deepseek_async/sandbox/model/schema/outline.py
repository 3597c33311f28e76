"""`outlined` finds the schema that a prompt describes in its own words, for ``response_format: json_object``."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from .schema import Root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MAX_EXAMPLES: Final = 16  # opening braces that are tried
_MAX_LEVELS: Final = 16  # of references and unions, down to an object
_MAX_KEYS: Final = 8
_MAX_TOPICS: Final = 4

_QUOTED = re.compile(r"[\"'`“]([A-Za-z_][\w -]{0,30})[\"'`”]")
_LISTED = re.compile(
    r"\b(?:keys?|fields?|properties|attributes)\b[:\s]+((?:(?:named|called|are|with|the|and)\s+)*"
    r"[A-Za-z_]\w*(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s+or\s+)[A-Za-z_]\w*)*)"
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_FILLERS: Final = frozenset({"named", "called", "are", "with", "the", "and", "or"})
_ANYTHING: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "string"},
        {"type": "string"},
        {"type": "integer"},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}},
    ]
}
_COUNTED = re.compile(
    r"(?:^|_)(?:count|number|amount|age|year|id|index|total|size|rank|quantity|days|hours)$", re.IGNORECASE
)
_MEASURED = re.compile(r"(?:^|_)(?:price|score|rate|ratio|temperature|confidence|probability|weight)$", re.IGNORECASE)
_ASKED = re.compile(r"^(?:is|has|can|should)_|(?:^|_)(?:valid|enabled|success|ok)$", re.IGNORECASE)


def outlined(text: str, topics: Sequence[str]) -> dict[str, Any]:
    """A schema for the object that a text asks for.

    Args:
        text: The conversation.
        topics: Words it is about.

    Returns:
        The first JSON object in the text that is a schema itself; else the shape of the first one, as the guides advise
        to show one; else an object with the keys that the text names; else one about its topics. Always of objects.
    """
    examples = list(_examples(text))
    if examples:
        return next(filter(_is_schema, examples), None) or shape_of(examples[0])
    keys = _named_keys(text)
    if not keys:
        keys = [topic.lower() for topic in topics if topic.lower() != "json"][:_MAX_TOPICS] or ["answer"]
    return {"type": "object", "properties": {key: _guessed(key) for key in keys}, "required": keys}


def shape_of(value: object) -> dict[str, Any]:
    """The schema of values like this one."""
    match value:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case float():
            return {"type": "number"}
        case None:
            return _ANYTHING
        case list():
            return {"type": "array", "items": shape_of(value[0]) if value else _ANYTHING}
        case dict():
            return {
                "type": "object",
                "properties": {key: shape_of(part) for key, part in value.items()},
                "required": list(value),
            }
    return {"type": "string"}


def _examples(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, those inside others left out."""
    decoder = json.JSONDecoder()
    place = 0
    for _ in range(_MAX_EXAMPLES):
        place = text.find("{", place)
        if place < 0:
            return
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            if value and isinstance(value, dict):
                yield value
        place = end


def _is_schema(value: dict[str, Any]) -> bool:
    """Whether an object is a JSON Schema of objects rather than one of them."""
    return _describes_objects(Root(value), value, 0)


def _describes_objects(root: Root, value: object, depth: int) -> bool:
    if not isinstance(value, dict) or depth > _MAX_LEVELS:
        return False
    if isinstance(value.get("$ref"), str):
        return _describes_objects(root, root.lookup(value["$ref"]), depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf"):
        if isinstance(value.get(keyword), list) and value[keyword]:
            return all(_describes_objects(root, option, depth + 1) for option in value[keyword])
    has_parts = isinstance(value.get("properties"), dict) or isinstance(value.get("additionalProperties"), dict)
    return value.get("type") == "object" and has_parts


def _named_keys(text: str) -> list[str]:
    listed = _LISTED.search(text)
    names: Iterable[str] = _QUOTED.findall(text) or (
        _without_fillers(_NAME.findall(listed[1])) if listed is not None else ()
    )
    return list(dict.fromkeys(names))[:_MAX_KEYS]


def _without_fillers(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if name not in _FILLERS)


def _guessed(key: str) -> dict[str, Any]:
    """What a value of that name usually is."""
    if _ASKED.search(key):
        return {"type": "boolean"}
    if _COUNTED.search(key):
        return {"type": "integer", "minimum": 0}
    if _MEASURED.search(key):
        return {"type": "number", "minimum": 0}
    if key.endswith("s") and not key.endswith("ss"):
        return {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 4}
    return {"type": "string"}
