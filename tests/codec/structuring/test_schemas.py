"""What a model is shown: each class once, words and bounds, formats; and the same within the strict subset."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

import attrs
import msgspec
import pydantic
import pytest

from deepseek_async.codec.structuring import structuring_of
from deepseek_async.sandbox.requests.strict_schema import check_strict_schema

from . import shapes
from .table import ROWS


@attrs.frozen
class Part:
    """A part."""

    name: str


@dataclasses.dataclass
class Machine:
    """A machine.

    It has parts.

    Attributes:
        name: What it is called,
            in one word.
        parts: All of them.
    """

    name: str
    parts: list[Part]
    spare: Part | None = None
    weight: Annotated[float, "in kilograms"] = 1.0
    count: int = dataclasses.field(default=1, metadata={"description": "How many there are."})
    place: str = "here"
    """Where it stands."""


def shown(wanted: Any) -> dict[str, Any]:
    return structuring_of(wanted).schema


def test_words_of_the_program_are_shown() -> None:
    """Docstrings of classes and fields, annotations, metadata."""
    schema = shown(Machine)
    assert schema["title"] == "Machine"
    assert schema["description"] == "A machine.\n\nIt has parts."
    properties = schema["properties"]
    assert {name: part.get("description") for name, part in properties.items()} == {
        "name": "What it is called, in one word.",
        "parts": "All of them.",
        "spare": None,
        "weight": "in kilograms",
        "count": "How many there are.",
        "place": "Where it stands.",
    }
    assert schema["required"] == ["name", "parts"]
    assert properties["weight"]["default"] == 1.0
    assert schema["$defs"]["Part"]["description"] == "A part."


def test_each_class_stands_there_once() -> None:
    """The root at the root, even one that refers to itself; the others under ``$defs``."""
    assert json.dumps(shown(Machine)).count('"description": "A part."') == 1
    tree = shown(shapes.Tree)
    assert tree["properties"]["branches"]["items"] == {"$ref": "#"}
    assert "$defs" not in tree
    wrapped = shown(list[shapes.Tree])
    assert wrapped["properties"]["value"]["items"] == {"$ref": "#/$defs/Tree"}
    assert list(wrapped["$defs"]) == ["Tree"]


def test_bounds_are_shown() -> None:
    """Of msgspec, annotated_types, pydantic's Field and attrs' validators, in JSON Schema's keywords."""
    described = shown(shapes.Described)["properties"]
    assert described["count"] == {"type": "integer", "minimum": 1, "description": "How many."}
    assert described["name"] == {"type": "string", "minLength": 1, "maxLength": 5, "description": "Who."}
    assert described["price"]["exclusiveMinimum"] == 0
    tagged = shown(shapes.Tagged)["properties"]
    assert tagged["level"] == {"type": "integer", "minimum": 1, "maximum": 5, "default": 1}
    assert tagged["code"]["pattern"] == "^(?:[A-Z]{2})$"
    assert tagged["choice"]["enum"] == ["a", "b"]
    assert shown(Annotated[int, pydantic.Field(gt=3, description="d")])["properties"]["value"] == {
        "type": "integer", "exclusiveMinimum": 3, "description": "d",
    }  # fmt: skip


def test_formats_are_named() -> None:
    """Those that readers of JSON Schema know."""
    formats = {name: part["format"] for name, part in shown(shapes.Times)["properties"].items()}
    assert formats == {
        "moment": "date-time", "day": "date", "hour": "time", "length": "duration", "key": "uuid", "price": "decimal",
    }  # fmt: skip


def test_tags_are_required_though_they_have_defaults() -> None:
    """In a union, where they tell the classes apart; nowhere else."""
    union = shown(shapes.Cat | shapes.Dog)
    assert union["properties"]["value"]["anyOf"] == [
        {"$ref": "#/$defs/Cat", "required": ["kind"]},
        {"$ref": "#/$defs/Dog", "required": ["kind"]},
    ]
    assert shown(shapes.Cat)["required"] == ["name"]


def test_classes_of_one_name_stay_apart() -> None:
    """Each has a definition of its own."""

    def made() -> Any:
        @attrs.frozen
        class Part:
            size: int

        return Part

    other = made()

    class Both(TypedDict):
        one: list[Part]
        two: list[other]  # type: ignore[valid-type]

    definitions = shown(Both)["$defs"]
    assert len(definitions) == 2
    assert {tuple(one["properties"]) for one in definitions.values()} == {("name",), ("size",)}


EXPRESSIBLE = {str(row.wanted): row.wanted for row in ROWS if not structuring_of(row.wanted).inexpressible}


def test_most_types_can_be_said_strictly() -> None:
    """What cannot says why."""
    wanted = {str(row.wanted): row.wanted for row in ROWS}
    assert len(EXPRESSIBLE) > len(wanted) * 0.8
    for hint in wanted.keys() - EXPRESSIBLE.keys():
        assert "cannot say" in structuring_of(wanted[hint]).inexpressible


@pytest.mark.parametrize("hint", EXPRESSIBLE)
def test_strict_schemas_stay_in_the_subset(hint: str) -> None:
    """As the sandbox reads the page about strict mode."""
    schema = structuring_of(EXPRESSIBLE[hint]).strict_schema
    assert schema["type"] == "object"
    check_strict_schema(schema, "parameters")


class Order(pydantic.BaseModel):
    """An order."""

    number: int = pydantic.Field(ge=1)
    price: Decimal | None = None
    state: Literal["open", "sent"] = "open"
    tags: list[str] = []


def test_pydantic_is_said_strictly_and_read_back() -> None:
    """What has a default may be null, and null is the default then."""
    known = structuring_of(Order)
    assert known.inexpressible == ""
    text = '{"value": {"number": 1, "price": null, "state": null, "tags": null}}'
    value, wrong = known.answers(is_strict=True).read(text)
    assert not wrong
    assert value == Order(number=1)


class Struct(msgspec.Struct):
    pairs: dict[str, int]
    place: tuple[int, str]
    by_colour: dict[shapes.Colour, int]
    some: set[int] = set()


def test_what_is_rewritten_is_read_back() -> None:
    """Dicts, tuples, sets and defaults."""
    known = structuring_of(Struct)
    text = json.dumps(
        {
            "pairs": [{"key": "a", "value": 1}],
            "place": {"0": 1, "1": "x"},
            "by_colour": {"red": 1, "blue": None},
            "some": None,
        }
    )
    value, wrong = known.answers(is_strict=True).read(text)
    assert not wrong
    assert value == Struct({"a": 1}, (1, "x"), {shapes.Colour.RED: 1})
