"""The schema that a prompt describes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deepseek_async.sandbox.model.schema.outline import outlined, shape_of


@pytest.mark.parametrize(
    ("prompt", "keys"),
    [
        ('Answer in JSON like {"question": "Why?", "score": 1.5} please', ["question", "score"]),
        ('Broken {"a": } then right: {"b": 1}', ["b"]),
        ('JSON with "name" and "age"', ["name", "age"]),
        ("JSON with `city` and `days`", ["city", "days"]),
        ("A JSON object with the keys city, days and is_open", ["city", "days", "is_open"]),
        ("json with fields: a, b", ["a", "b"]),
        ("A JSON about networks", ["networks", "cables"]),
        ("{} and {1} and {", ["networks", "cables"]),
    ],
)
def test_keys_come_from_an_example_or_from_names_or_from_the_topic(prompt: str, keys: list[str]) -> None:
    """In this order; the object has all of them and nothing else is invented."""
    schema = outlined(prompt, ["networks", "JSON", "Cables"])
    assert schema["type"] == "object"
    assert list(schema["properties"]) == schema["required"] == keys


def test_without_any_hint_there_is_one_key() -> None:
    """An object is never empty for want of ideas."""
    assert outlined("json", [])["required"] == ["answer"]


@pytest.mark.parametrize(
    ("key", "type_"),
    [
        ("is_valid", "boolean"),
        ("user_id", "integer"),
        ("price", "number"),
        ("cities", "array"),
        ("address", "string"),
        ("city", "string"),
    ],
)
def test_a_key_suggests_its_type(key: str, type_: str) -> None:
    """As names usually do."""
    assert outlined(f'JSON with "{key}"', [])["properties"][key]["type"] == type_


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (True, {"type": "boolean"}),
        (1, {"type": "integer"}),
        (1.5, {"type": "number"}),
        ("a", {"type": "string"}),
        ([1], {"type": "array", "items": {"type": "integer"}}),
        ({"a": "b"}, {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
    ],
)
def test_the_shape_of_an_example(value: object, schema: dict[str, Any]) -> None:
    """Its types, all of its keys."""
    assert shape_of(value) == schema


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {}}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"a": {}}}}},
        {
            "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
            "$defs": {"A": {"type": "object", "properties": {}}, "B": {"allOf": [{"$ref": "#/$defs/A"}]}},
        },
        {"type": "object", "additionalProperties": {"type": "integer"}},
    ],
)
def test_a_schema_in_the_prompt_is_the_schema(schema: dict[str, Any]) -> None:
    """Also by reference, as a union, and after other objects; what only looks like one is an example."""
    text = json.dumps(schema)
    assert outlined(f"By this JSON schema: {text} please", []) == schema
    assert outlined(f'About {{"a": 1}}, by this schema:\n{text}', []) == schema


@pytest.mark.parametrize(
    "example",
    [{"type": "object"}, {"type": "fruit", "properties": {}}, {"anyOf": []}, {"$ref": "#"}, {"$ref": "#/nowhere"}],
)
def test_what_is_no_schema_is_an_example(example: dict[str, Any]) -> None:
    """The answer then looks like it."""
    assert list(outlined(f"JSON like {json.dumps(example)}", [])["properties"]) == list(example)
