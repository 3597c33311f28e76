"""The subset of JSON Schema that strict tools may use.

Source: https://api-docs.deepseek.com/guides/tool_calls, strict mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import refusals

__all__ = ["check_strict_schema"]

_ANNOTATIONS = {"title", "description", "$defs", "$def", "definitions", "$schema", "$id", "default", "examples"}
_KEYWORDS: dict[str, set[str]] = {
    "object": {"properties", "required", "additionalProperties"},
    "string": {"pattern", "format"},
    "number": {"const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "integer": {"const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "boolean": {"const"},
    "array": {"items"},
    "null": set(),  # not on the page; the API names it among the types when it refuses another
}
_SCALARS = ("string", "number", "integer", "boolean", "null")
_FORMATS = {"email", "hostname", "ipv4", "ipv6", "uuid"}
_MAX_DEPTH = 64


def check_strict_schema(schema: Mapping[str, Any], where: str) -> None:
    """See that the schema of a function's parameters stays within the subset.

    Args:
        where: The path that an error names.

    Raises:
        Refusal: 400, naming the place and the keyword.
    """
    _check(schema, where, 0)
    root, seen = schema, 0
    while isinstance(root.get("$ref"), str) and seen < _MAX_DEPTH:
        root, seen = _looked_up(schema, root["$ref"]), seen + 1
    if root.get("type") != "object":
        raise _invalid(where, "the parameters of a function must be of type object")


def _looked_up(schema: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    found: Any = schema
    for name in reference.removeprefix("#").split("/")[1:]:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _check(schema: Any, where: str, depth: int) -> None:
    if not isinstance(schema, Mapping):
        raise _invalid(where, "a schema must be an object")
    if depth > _MAX_DEPTH:
        raise _invalid(where, f"nested deeper than {_MAX_DEPTH} levels")
    for group in ("$defs", "$def", "definitions"):
        definitions = schema.get(group)
        if isinstance(definitions, Mapping):
            for name, definition in definitions.items():
                _check(definition, f"{where}.{group}.{name}", depth + 1)
    if "$ref" in schema:
        _check_keywords(schema, {"$ref"}, where)
    elif "anyOf" in schema:
        _check_keywords(schema, {"anyOf", "type"}, where)
        if not isinstance(schema["anyOf"], list) or not schema["anyOf"]:
            raise _invalid(where, "anyOf must be a list of schemas")
        for number, option in enumerate(schema["anyOf"]):
            _check(option, f"{where}.anyOf[{number}]", depth + 1)
    elif "enum" in schema:
        _check_keywords(schema, {"enum", "type"}, where)
    else:
        _check_typed(schema, where, depth)


def _check_typed(schema: Mapping[str, Any], where: str, depth: int) -> None:
    kind = schema.get("type")
    if isinstance(kind, list):
        _check_union(schema, kind, where)
        return
    keywords = _KEYWORDS.get(kind) if isinstance(kind, str) else None
    if keywords is None:
        raise _invalid(where, f"type must be one of {', '.join(_KEYWORDS)}")
    _check_keywords(schema, keywords | {"type"}, where)
    if kind == "object":
        _check_object(schema, where, depth)
    elif kind == "array" and "items" in schema:
        _check(schema["items"], f"{where}.items", depth + 1)
    elif kind == "string" and schema.get("format", "email") not in _FORMATS:
        raise _invalid(where, f"format must be one of {', '.join(sorted(_FORMATS))}")


def _check_union(schema: Mapping[str, Any], kinds: list[Any], where: str) -> None:
    """A list of types: of scalars only, which is what the API's parser takes."""
    for kind in kinds:
        if kind not in _SCALARS:
            expected = ", ".join(f"`{scalar}`" for scalar in _SCALARS)
            raise _invalid(where, f"field `type`: unknown variant `{kind}`, expected one of {expected}")
    _check_keywords(schema, {"type"}.union(*(_KEYWORDS[kind] for kind in kinds)), where)


def _check_object(schema: Mapping[str, Any], where: str, depth: int) -> None:
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        raise _invalid(where, "properties must be an object")
    required = schema.get("required", [])
    missing = [name for name in properties if not isinstance(required, list) or name not in required]
    if missing:
        raise _invalid(where, f"all properties must be required, missing: {', '.join(missing)}")
    if schema.get("additionalProperties") is not False:
        raise _invalid(where, "additionalProperties must be false")
    for name, value in properties.items():
        _check(value, f"{where}.properties.{name}", depth + 1)


def _check_keywords(schema: Mapping[str, Any], allowed: set[str], where: str) -> None:
    unknown = sorted(set(schema) - allowed - _ANNOTATIONS)
    if unknown:
        raise _invalid(where, f"keyword not supported in strict mode: {', '.join(unknown)}")


def _invalid(where: str, why: str) -> refusals.Refusal:
    # The beginning is the API's (seen in May 2026, for a list of types with an object in it); the place is ours.
    return refusals.bad_request(f"Invalid tool parameters schema : {why} ({where})")
