"""Reading a JSON Schema."""

from __future__ import annotations

import math
from typing import Any

import pytest

from deepseek_async.sandbox.model.schema.schema import Root, alternatives, distinct_values, types_of

TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"left": {"$ref": "#/$defs/node"}, "value": {"type": "integer"}},
            "required": ["value"],
        },
        "endless": {"type": "object", "properties": {"next": {"$ref": "#/$defs/endless"}}, "required": ["next"]},
        "list": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/$defs/list"}, "minItems": 1}]},
        "a/b~c d": {"const": 1},
    }
}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def test_references_are_followed() -> None:
    """Through chains, with escapes and percent signs, to the root itself; beside other keywords."""
    root = Root({**TREE, "type": "object", "definitions": {"again": ref("a~1b~0c%20d")}})
    assert root.resolve({"$ref": "#/definitions/again", "description": "x"}) == {"const": 1, "description": "x"}
    assert root.resolve({"$ref": "#"})["type"] == "object"
    assert root.lookup("#/$defs/node/properties/value") == {"type": "integer"}


@pytest.mark.parametrize("target", ["#/nowhere", "other.json", 5, "#/$defs/node/required/7", "#/$defs/node/type/x"])
def test_a_reference_to_nothing_allows_everything(target: object) -> None:
    """When a value is drawn."""
    assert Root(TREE).resolve({"$ref": target}) == {}


def test_a_circle_of_references_ends() -> None:
    """A reference that only leads to itself says nothing."""
    root = Root({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}})
    assert root.resolve({"$ref": "#/$defs/a"}) == {}


def test_all_of_is_merged() -> None:
    """Properties and requirements join, of bounds the stricter holds."""
    merged = Root({}).resolve(
        {
            "minimum": 1,
            "required": ["a"],
            "allOf": [
                {"properties": {"a": {}}, "minimum": 3, "maximum": 9},
                {"properties": {"b": {}}, "required": ["b"], "maximum": 5, "allOf": [{"enum": [1, 2]}]},
                {"enum": [2, 3]},
            ],
        }
    )
    assert merged == {
        "minimum": 3,
        "maximum": 5,
        "required": ["a", "b"],
        "properties": {"a": {}, "b": {}},
        "enum": [2],
    }


def test_branches_keep_what_stands_beside_them() -> None:
    """A description of properties outside `anyOf` holds in each branch."""
    schema = {"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}, False]}
    assert alternatives(schema) == [
        {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {}}, "required": ["b"]},
    ]
    assert alternatives({"type": "object"}) == []


@pytest.mark.parametrize(
    ("schema", "height"),
    [
        ({"type": "string"}, 0),
        ({"type": "object"}, 1),
        ({"type": "array", "items": {"type": "array"}}, 1),
        ({"type": "array", "items": {"type": "array"}, "minItems": 1}, 2),
        (ref("node"), 1),
        (ref("endless"), math.inf),
        (ref("list"), 0),
        ({"anyOf": [ref("endless"), ref("node")]}, 1),
        ({"type": "object", "properties": {"a": ref("endless")}, "required": ["a"]}, math.inf),
        ({"type": "object", "properties": {"a": ref("endless")}}, 1),
        ({"enum": [{}]}, 0),
    ],
)
def test_how_deep_the_smallest_value_is(schema: dict[str, Any], height: float) -> None:
    """Infinite where a value would have to contain itself."""
    root = Root({**TREE, **schema})
    assert root.height(schema) == height
    assert root.height(schema) == height


def test_mutual_recursion_with_a_way_out() -> None:
    """A reference that has no end on one way may have one on another; where it was first met does not matter."""
    definitions = {
        "a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}}, "required": ["b"]},
        "b": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]},
    }
    for order in (("a", "b"), ("b", "a")):
        root = Root({"$defs": definitions})
        assert {name: root.height(ref(name)) for name in order} == {"a": 1, "b": 0}


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        ({"type": "string"}, ["string"]),
        ({"type": ["string", "null"]}, ["string", "null"]),
        ({"properties": {}}, ["object"]),
        ({"items": {}}, ["array"]),
        ({"pattern": "a"}, ["string"]),
        ({"minimum": 1}, ["number"]),
        ({}, []),
    ],
)
def test_the_types_that_a_schema_speaks_of(schema: dict[str, Any], kinds: list[str]) -> None:
    """Named, or by the keywords."""
    assert types_of(schema) == kinds


@pytest.mark.parametrize(
    ("schema", "count"),
    [
        ({"enum": [1, 2, 3]}, 3),
        ({"const": 1}, 1),
        ({"type": "boolean"}, 2),
        ({"type": "null"}, 1),
        ({"type": "integer", "minimum": 1, "maximum": 4}, 4),
        ({"type": "string"}, math.inf),
    ],
)
def test_how_many_different_values_there_are(schema: dict[str, Any], count: float) -> None:
    """So that a set is not asked for more."""
    assert distinct_values(schema) == count
