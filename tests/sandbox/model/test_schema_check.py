"""Whether a value can be written for a schema at all."""

from __future__ import annotations

import pytest

from deepseek_async.sandbox.model import UnsupportedSchemaError, check_schema

from .test_schema import TREE, ref


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {**TREE, "anyOf": [ref("node"), ref("list")]},
        {"type": "object", "properties": {"a": {"type": ["string", "null"], "pattern": "^a"}}},
        {"type": "integer", "minimum": 1, "maximum": 1},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
        {"allOf": [{"type": "string"}, {"minLength": 2}]},
    ],
)
def test_what_can_be_written_is_accepted(schema: object) -> None:
    """No error for a schema that has values."""
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "path", "why"),
    [
        (False, "$", "allows no value"),
        ([], "$", "object or a boolean"),
        ({"properties": {"a": 5}}, "$.properties.a", "object or a boolean"),
        ({"type": "text"}, "$.type", "'text' is no type; allowed: object, array"),
        ({"anyOf": [{}, {"type": ["string", "date"]}]}, "$.anyOf[1].type", "'date'"),
        ({"items": {"$ref": "#/$defs/a"}}, "$.items.$ref", "points to nothing"),
        ({"enum": []}, "$.enum", "at least one"),
        ({"enum": "a"}, "$.enum", "at least one"),
        ({"$defs": {"a": {"minLength": 3, "maxLength": 2}}}, "$.$defs.a.maxLength", "less than minLength"),
        ({"properties": {"n": {"type": "integer", "minimum": 2, "maximum": 1}}}, "$.properties.n", "no integer"),
        ({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 1}, "$", "no number"),
        ({"type": "number", "minimum": "1"}, "$", "not numbers"),
        ({"type": "string", "pattern": "("}, "$.pattern", "regular expression"),
        ({"type": "string", "pattern": "^a$", "minLength": 2}, "$.pattern", "no text"),
        ({**TREE, **ref("endless")}, "$", "contain itself"),
    ],
)
def test_what_cannot_be_written_is_named(schema: object, path: str, why: str) -> None:
    """With the place in the schema and the reason."""
    with pytest.raises(UnsupportedSchemaError, match=why) as caught:
        check_schema(schema)
    assert caught.value.path == path
    assert str(caught.value).startswith(path)
