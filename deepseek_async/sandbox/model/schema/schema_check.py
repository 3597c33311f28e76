"""Whether a value can be written for a schema at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..sampling import even_draws
from .numbers import allowed_numbers
from .patterns import UnmatchedPatternError, matching_text
from .schema import TYPES, Root, Schema, integer, length_rule, types_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class UnsupportedSchemaError(ValueError):
    """No value can be written that fits the schema.

    Attributes:
        path: The place in the schema, as ``$.properties.city.pattern``.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path


def check_schema(schema: object) -> None:
    """Make sure that values for a schema can be written.

    Raises:
        UnsupportedSchemaError: A reference leads nowhere, a type is unknown, bounds exclude each other, a pattern is
            malformed or matches nothing that could be found, or every value would be infinitely deep.
    """
    root = Root(schema)
    _check(root, schema, "$", set())
    if root.height(schema) == math.inf:
        raise UnsupportedSchemaError("$", "every value would have to contain itself")


def _check(root: Root, schema: object, path: str, seen: set[int]) -> None:
    if isinstance(schema, bool):
        if not schema:
            raise UnsupportedSchemaError(path, "false allows no value")
        return
    if not isinstance(schema, dict):
        raise UnsupportedSchemaError(path, "a schema is an object or a boolean")
    if id(schema) in seen:
        return
    seen.add(id(schema))
    if "$ref" in schema and root.lookup(schema["$ref"]) is None:
        raise UnsupportedSchemaError(f"{path}.$ref", "points to nothing within this schema")
    for type_ in types_of(schema):
        if type_ not in TYPES:
            raise UnsupportedSchemaError(f"{path}.type", f"{type_!r} is no type; allowed: {', '.join(TYPES)}")
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        raise UnsupportedSchemaError(f"{path}.enum", "must be a list of at least one value")
    _check_bounds(root.resolve(schema), path)
    for name, part in _parts(schema):
        _check(root, part, f"{path}.{name}", seen)


def _check_bounds(schema: Schema, path: str) -> None:
    for least, most in (("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")):
        if integer(schema, least, 0) > integer(schema, most, 2**31):
            raise UnsupportedSchemaError(f"{path}.{most}", f"is less than {least}")
    for kind in ("integer", "number"):
        if types_of(schema) == [kind] and not {"enum", "const"} & schema.keys():
            try:
                numbers = allowed_numbers(schema, (), even_draws(), whole=kind == "integer")
            except (TypeError, ValueError, ArithmeticError):
                raise UnsupportedSchemaError(path, "the numeric bounds are not numbers") from None
            if not numbers:
                raise UnsupportedSchemaError(path, f"no {kind} is within the numeric bounds")
    if isinstance(schema.get("pattern"), str):
        try:
            matching_text(schema["pattern"], even_draws(), length_rule(schema))
        except UnmatchedPatternError as error:
            raise UnsupportedSchemaError(f"{path}.pattern", str(error)) from None


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for keyword in ("properties", "$defs", "$def", "definitions"):
        if isinstance(schema.get(keyword), dict):
            for name, part in schema[keyword].items():
                yield f"{keyword}.{name}", part
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(schema.get(keyword), list):
            for n, part in enumerate(schema[keyword]):
                yield f"{keyword}[{n}]", part
    if "items" in schema and not isinstance(schema["items"], bool):
        yield "items", schema["items"]
