"""pydantic's schemas within the subset for strict tools."""

from __future__ import annotations

from typing import Any, Final

from ..describing.texts import SHAPES
from ..kinds import kind_of
from .keywords import Schema

STRICT_FORMATS: Final = frozenset(("email", "hostname", "ipv4", "ipv6", "uuid"))
_NUMERIC: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SIZES: Final = ("minLength", "maxLength", "minItems", "maxItems")


class InexpressibleError(Exception):
    """The strict subset has no words for a part of the type."""


def strict_schema(schema: Schema) -> Schema:
    """One of pydantic's schemas in the subset; its references stay.

    Raises:
        InexpressibleError: It says what the subset has no words for.
    """
    if "$ref" in schema:
        return _with_words({"$ref": schema["$ref"]}, schema)
    if len(whole := schema.get("allOf", ())) == 1:
        return _with_words(strict_schema(whole[0]), schema)
    if (options := schema.get("anyOf") or schema.get("oneOf")) is not None:
        return _with_words({"anyOf": [strict_schema(option) for option in options]}, schema)
    if "const" in schema or "enum" in schema:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        return _with_words(constants(values), schema)
    return _with_words(_of_type(schema), schema)


def constants(values: list[Any]) -> Schema:
    """Constants, each with its type beside it."""
    by_type: dict[str, list[Any]] = {}
    for value in values:
        kind = kind_of(value)
        name = ("integer" if isinstance(value, int) else "number") if kind == "number" else kind
        by_type.setdefault(name, []).append(value)
    options: list[Schema] = [
        {"type": "null"} if kind == "null" else {"type": kind, "enum": found} for kind, found in by_type.items()
    ]
    return options[0] if len(options) == 1 else {"anyOf": options}


def _of_type(schema: Schema) -> Schema:
    match schema.get("type"):
        case "object" if schema.get("properties") and not schema.get("additionalProperties"):
            required = schema.get("required", ())
            properties = {
                key: strict_schema(part) if key in required else nullable(strict_schema(part))
                for key, part in schema["properties"].items()
            }
            return closed(properties)
        case "array" if "items" in schema and "prefixItems" not in schema:
            return {"type": "array", "items": strict_schema(schema["items"])}
        case "string":
            kept = {"type": "string"} | {key: schema[key] for key in ("pattern",) if key in schema}
            if (name := schema.get("format")) in STRICT_FORMATS:
                kept["format"] = name
            elif name in SHAPES:
                kept["pattern"] = SHAPES[name]
            return kept
        case "integer" | "number" as kind:
            return {"type": kind, **{key: schema[key] for key in _NUMERIC if key in schema}}
        case "boolean" | "null" as kind:
            return {"type": kind}
    raise InexpressibleError(f"{schema.get('title') or schema.get('type') or 'Any'} of a pydantic type")


def _with_words(made: Schema, schema: Schema) -> Schema:
    words = [text] if isinstance(text := schema.get("description"), str) else []
    name = schema.get("format")
    words += [f"format {name}"] if name and name not in STRICT_FORMATS else []
    words += [f"{key} {schema[key]}" for key in _SIZES if key in schema]
    return {**made, "description": ", ".join(words)} if words else made


def closed(properties: dict[str, Schema]) -> Schema:
    """An object with these properties and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def nullable(schema: Schema) -> Schema:
    """A schema, or null."""
    words = {key: part for key, part in schema.items() if key in ("title", "description")}
    bare = {key: part for key, part in schema.items() if key not in words}
    options = bare["anyOf"] if bare.keys() == {"anyOf"} else [bare]
    if {"type": "null"} in options:
        return schema
    return {"anyOf": [*options, {"type": "null"}], **words}
