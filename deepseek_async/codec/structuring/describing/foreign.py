"""What pydantic describes and checks by itself. It is a dependency of those who use it, never of ours."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

from ..kinds import ALL_KINDS, kind_of
from ..nodes import (
    Anything,
    Constants,
    Foreign,
    Object,
    Property,
)
from .hints import module_of
from .texts import DECIMAL

_KINDS = {"integer": "number"}
_BOUNDS = frozenset(("ge", "gt", "le", "lt", "multiple_of", "max_digits", "decimal_places"))


def is_foreign(hint: Any) -> bool:
    """Whether a type is a model or dataclass of pydantic's, a ``TypeAdapter``, or a type that it gave a schema."""
    if module_of("pydantic") is None:
        return False
    if is_adapter(hint):
        return True
    names = ("__pydantic_core_schema__", "__get_pydantic_core_schema__", "__pydantic_validator__")
    return isinstance(hint, type) and any(getattr(hint, name, None) is not None for name in names)


def is_adapter(hint: Any) -> bool:
    """Whether it is a ``TypeAdapter``, which has a type and is none."""
    return not isinstance(hint, type) and all(
        callable(getattr(hint, name, None)) for name in ("validate_json", "validate_python", "json_schema")
    )


def foreign(hint: Any, name: str) -> Foreign:
    """A type as pydantic sees it.

    Raises:
        TypeError: pydantic has no JSON Schema for it, or cannot resolve a name.
    """
    pydantic = module_of("pydantic")
    try:
        adapter = hint if is_adapter(hint) else pydantic.TypeAdapter(hint)
        schema = adapter.json_schema(mode="validation", schema_generator=_generator())
    except Exception as error:  # pydantic's own kinds, some of which are no errors of values
        raise TypeError(f"pydantic: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from None
    return Foreign(name, adapter, schema, _kinds_in(schema, schema, 0), _object_in(schema, name))


@functools.cache
def _generator() -> Any:
    """pydantic's own maker of schemas, but for decimals: of their text it says less than their validation demands."""
    base: Any = import_module("pydantic.json_schema").GenerateJsonSchema

    def decimal_schema(self: Any, schema: Any) -> Any:
        made = base.decimal_schema(self, schema)
        options = made.get("anyOf")
        if not options:
            return made
        bounds = _BOUNDS & schema.keys()  # a number can be held to them, a text cannot
        texts = [{**one, "pattern": DECIMAL} for one in options if one.get("type") == "string"]
        return {**made, "anyOf": [*(one for one in options if one.get("type") != "string"), *([] if bounds else texts)]}

    return type("GenerateJsonSchema", (base,), {"decimal_schema": decimal_schema})


def _followed(schema: Any, root: Any) -> Any:
    for _ in range(8):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str):
            break
        schema = root.get("$defs", {}).get(reference.rpartition("/")[2], {})
    return schema if isinstance(schema, dict) else {}


def _kinds_in(schema: Any, root: Any, depth: int) -> frozenset[str]:
    """The JSON types that a schema allows, integers among the numbers; empty: any."""
    schema = _followed(schema, root)
    if depth > 8:
        return frozenset()
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            each = [_kinds_in(option, root, depth + 1) for option in schema[keyword]]
            return frozenset().union(*each) if all(each) else frozenset()
    if "const" in schema:
        return frozenset({kind_of(schema["const"])})
    if "enum" in schema:
        return frozenset(map(kind_of, schema["enum"]))
    named = schema.get("type")
    kinds = [named] if isinstance(named, str) else named or []
    return frozenset(_KINDS.get(kind, kind) for kind in kinds) & ALL_KINDS


def _object_in(schema: Any, name: str) -> Object | None:
    """The keys that a schema of objects asks for, and which of them say what it is."""
    properties = _followed(schema, schema).get("properties")
    if not isinstance(properties, dict):
        return None
    required = _followed(schema, schema).get("required", [])
    return Object(
        name, tuple(Property(key, key, _constant_in(part), key in required) for key, part in properties.items()), dict
    )


def _constant_in(schema: Any) -> Any:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return Constants(tuple((value, value) for value in values)) if values else Anything()
