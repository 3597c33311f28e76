"""Plain data → the caller's classes: strictly, every kind of class, and errors that name every place."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import traceback
import typing
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import attrs
import msgspec
import pytest

from deepseek_async.codec.structuring import structured
from deepseek_async.errors import InvalidRequestError, MalformedResponseError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Point:
    x: int
    y: float = 1.0


@dataclasses.dataclass
class Note:
    text: str
    tags: list[str] = dataclasses.field(default_factory=list)


class Named(TypedDict):
    name: str


class Person(Named, total=False):
    age: int


class Shape(msgspec.Struct, rename="camel"):
    line_width: int
    points: list[Point]


class Pair(NamedTuple):
    left: int
    right: str


@attrs.frozen
class Upper:
    name: str = attrs.field(converter=str.upper, validator=attrs.validators.matches_re("[A-Z]+"))


@attrs.frozen
class Filled:
    name: str = attrs.field(converter=attrs.converters.default_if_none("x"))


@attrs.frozen
class Node:
    value: int
    child: Node | None = None


class Unknown:
    """A class of no fields, which no JSON says."""

    def __init__(self, one: int, other: int) -> None: ...


@attrs.frozen
class Holder:
    inside: Unknown


@attrs.frozen
class Everything:
    colour: Colour
    word: Literal["a", "b"]
    maybe: int | None
    either: int | str
    day: datetime.date
    price: decimal.Decimal
    key: uuid.UUID
    points: dict[str, Point]
    place: tuple[int, str]
    row: tuple[int, ...]
    names: set[str]
    frozen: frozenset[int]
    sequence: Sequence[int]
    mapping: Mapping[str, float]
    anything: Any
    shape: Shape


EVERYTHING = {
    "colour": "red",
    "word": "a",
    "maybe": None,
    "either": "x",
    "day": "2026-11-23",
    "price": "1.50",
    "key": "12345678-1234-5678-1234-567812345678",
    "points": {"a": {"x": 1}},
    "place": [1, "x"],
    "row": [1, 2, 3],
    "names": ["n"],
    "frozen": [1, 1],
    "sequence": [4],
    "mapping": {"k": 1},
    "anything": {"free": [1]},
    "shape": {"lineWidth": 2, "points": [{"x": 1, "y": 2}]},
}


@pytest.mark.parametrize(
    ("data", "wanted", "value"),
    [
        ({"x": 1, "y": 2}, Point, Point(1, 2.0)),
        ({"x": 1, "unknown": 2}, Point, Point(1)),
        ({"text": "t", "tags": ["a"]}, Note, Note("t", ["a"])),
        ({"name": "n"}, Person, {"name": "n"}),
        ({"lineWidth": 2, "points": []}, Shape, Shape(2, [])),
        ([1, "x"], Pair, Pair(1, "x")),
        ({"name": "abc"}, Upper, Upper("ABC")),
        ({"name": None}, Filled, Filled("x")),
        ({"name": "abc"}, Filled, Filled("abc")),
        ({"value": 1, "child": {"value": 2, "child": None}}, Node, Node(1, Node(2))),
        ([{"x": 1}], list[Point], [Point(1)]),
        ({"a": [1]}, dict[str, list[int]], {"a": [1]}),
        (5, int, 5),
        (5, float, 5.0),
        ("x", int | str, "x"),
        (None, int | None, None),
        ({"text": "t"}, Point | Note, Note("t")),
        ({"x": 1}, Note | Point | None, Point(1)),
        (None, Note | Point | None, None),
        ([{"text": "t"}, {"x": 1}], list[Point | Note], [Note("t"), Point(1)]),
        ({"x": 1, "y": 2, "value": 3}, Node | Point, Point(1, 2.0)),
        ([1, "x"], tuple[int, str], (1, "x")),
        ([1], tuple, (1,)),
        ([1, 2], list, [1, 2]),
        ({"free": 1}, dict, {"free": 1}),
        ("red", Colour, Colour.RED),
        (7, Annotated[int, msgspec.Meta(ge=1)], 7),
        ("any", Any, "any"),
    ],
)
def test_every_kind_of_type_is_made(data: Any, wanted: Any, value: Any) -> None:
    """attrs, dataclass, TypedDict, Struct, named tuple, containers, unions, enumerations: the value is of the type."""
    made = structured(data, wanted, "the answer")
    assert made == value
    assert type(made) is type(value)


def test_a_class_of_everything_is_made() -> None:
    """All of them inside one class, each with the type of its field."""
    made = structured(EVERYTHING, Everything, "the answer")
    assert made == Everything(
        colour=Colour.RED,
        word="a",
        maybe=None,
        either="x",
        day=datetime.date(2026, 11, 23),
        price=decimal.Decimal("1.50"),
        key=uuid.UUID("12345678-1234-5678-1234-567812345678"),
        points={"a": Point(1)},
        place=(1, "x"),
        row=(1, 2, 3),
        names={"n"},
        frozen=frozenset({1}),
        sequence=[4],
        mapping={"k": 1.0},
        anything={"free": [1]},
        shape=Shape(2, [Point(1, 2.0)]),
    )


@pytest.mark.parametrize(
    ("data", "wanted", "problem"),
    [
        ({"x": "1"}, Point, '$.x: expected an integer, got "1"'),
        ({"x": True}, Point, "$.x: expected an integer, got true"),
        ({"x": 1.5}, Point, "$.x: expected an integer, got 1.5"),
        ({"x": None}, Point, "$.x: expected an integer, got null"),
        ({"x": 1, "y": "2"}, Point, '$.y: expected a number, got "2"'),
        ({}, Point, "$.x: required field missing"),
        ([1], Point, "$: expected an object, got an array"),
        ("x", Point, "$: expected an object, got a string"),
        (None, Point, "$: expected an object, got null"),
        ({"text": None}, Note, "$.text: expected a string, got null"),
        ({"text": "t", "tags": "abc"}, Note, "$.tags: expected an array, got a string"),
        ({"text": "t", "tags": {"a": 1}}, Note, "$.tags: expected an array, got an object"),
        ({"text": "t", "tags": ["a", 1]}, Note, "$.tags[1]: expected a string, got an integer"),
        ({"age": 1}, Person, "$.name: required field missing"),
        ([], Person, "$: expected an object, got an array"),
        ({"lineWidth": 2, "points": [{"x": "1"}]}, Shape, '$.points[0].x: expected an integer, got "1"'),
        ({"a": {"x": 1}, "b c": {}}, dict[str, Point], "$['b c'].x: required field missing"),
        ([], dict[str, Point], "$: expected an object, got an array"),
        ("false", bool, '$: expected true or false, got "false"'),
        (0, bool, "$: expected true or false, got 0"),
        (1.5, str, "$: expected a string, got a number"),
        ("q", Colour, '$: expected one of "red", "blue", got "q"'),
        ("q", Literal["a"], '$: expected "a", got "q"'),
        ("abc", tuple[str, ...], "$: expected an array, got a string"),
        ("ab", tuple[str, str], "$: expected an array, got a string"),
        ([1], tuple[int, str], "$: expected 2 items, got 1"),
        ([1, "a", 2], tuple[int, str], "$: expected 2 items, got 3"),
        (
            [["a"], 2],
            tuple[list[int], str],
            '$[0][0]: expected an integer, got "a"; $[1]: expected a string, got an integer',
        ),
        ("abc", set[str], "$: expected an array, got a string"),
        ("abc", frozenset[str], "$: expected an array, got a string"),
        ({"a": 1}, Pair, "$: expected an array, got an object"),
        ("2026-13-01", datetime.date, '$: expected a date (YYYY-MM-DD), got "2026-13-01"'),
        (0, Annotated[int, msgspec.Meta(ge=1)], "$: expected an integer, at least 1, got 0"),
        ({"name": "123"}, Upper, "$.name: 'name' must match regex"),
        ({"value": 1, "child": {"value": "2"}}, Node, '$.child.value: expected an integer, got "2"'),
        (1, type(None), "$: expected null, got an integer"),
        (2.5, int | str, "$: expected an integer, got 2.5"),
        (
            {"text": 5},
            Point | Note,
            "$.text: expected a string, got an integer (as Note, the nearest of Point or Note)",
        ),
        ([{"x": 1}, {}], list[Point | Note], "$[1]"),
        (5, Point | Note, "$: expected Point or Note, got 5"),
        (None, Point | Note, "$: expected Point or Note, got null"),
    ],
)
def test_nothing_is_coerced(data: Any, wanted: Any, problem: str) -> None:
    """A value of another JSON type is an error that says what was expected, what came, and where."""
    with pytest.raises(MalformedResponseError) as raised:
        structured(data, wanted, "the answer")
    assert problem in raised.value.message
    assert raised.value.message.startswith("the answer: ")
    assert raised.value.path in raised.value.message


def test_every_place_is_named() -> None:
    """All that is wrong is in one message, the path of the first apart: so one more attempt can mend everything."""
    wrong = {**EVERYTHING, "colour": "green", "points": {"a": {"x": "1", "y": []}}, "shape": {"points": []}}
    with pytest.raises(MalformedResponseError) as raised:
        structured(wrong, Everything, "the answer")
    for place in ("$.colour", "$.points.a.x", "$.points.a.y", "$.shape.lineWidth"):
        assert f"{place}: " in raised.value.message
    assert raised.value.path == "$.colour"


def test_no_line_of_the_libraries_is_shown() -> None:
    """The traceback that a user sees is ours alone: neither cattrs' groups nor msgspec's errors under it."""
    for data, wanted in (({"x": "1"}, Point), ({"lineWidth": "2"}, Shape), ({}, Everything)):
        with pytest.raises(MalformedResponseError) as raised:
            structured(data, wanted, "the answer")  # type: ignore[arg-type]
        shown = "".join(traceback.format_exception(raised.value))
        assert "cattrs" not in shown
        assert "msgspec" not in shown
        assert "Traceback" in shown
        assert shown.count("Traceback") == 1


def test_a_type_that_is_none_of_json_is_the_callers_mistake() -> None:
    """A class that nothing can be structured into is named as the wrong parameter, not as a wrong answer."""

    @attrs.frozen
    class OfLocalNames:
        inside: Unreachable  # type: ignore[name-defined]  # noqa: F821

    for wanted in (Holder, OfLocalNames, complex):
        with pytest.raises(InvalidRequestError, match="response_type"):
            structured({"inside": {}}, wanted, "the answer")  # type: ignore[type-var]


def test_typing_is_followed_at_run_time() -> None:
    """Annotations as strings (as in this file) are resolved: `Node` refers to itself."""
    assert typing.get_type_hints(Node)["child"] == (Node | None)
    deep: Any = None
    for value in range(20):
        deep = {"value": value, "child": deep}
    node: Node | None = structured(deep, Node, "the answer")
    seen = []
    while node is not None:
        seen.append(node.value)
        node = node.child
    assert seen == list(range(19, -1, -1))
