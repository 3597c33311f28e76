"""Pairs of a type and a JSON text: the value that it must become, or the place that must be named."""

from __future__ import annotations

import collections
import datetime
import enum
import ipaddress
import pathlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Optional, Union

import annotated_types
import attrs
import msgspec
import pydantic

from . import shapes as s

UTC = datetime.UTC


@attrs.frozen
class Row:
    """``value``: what the JSON becomes; or ``wrong``: what the message holds, a place and a problem."""

    wanted: Any
    json: str
    value: Any = None
    wrong: str = ""

    @property
    def name(self) -> str:
        return f"{getattr(self.wanted, '__name__', str(self.wanted))}<{self.json}>"


def _right(wanted: Any, *pairs: tuple[str, Any]) -> Iterator[Row]:
    for json, value in pairs:
        yield Row(wanted, json, value)


def _wrong(wanted: Any, *pairs: tuple[str, str]) -> Iterator[Row]:
    for json, wrong in pairs:
        yield Row(wanted, json, wrong=wrong)


def _rows() -> Iterator[Row]:
    # Scalars
    yield from _right(int, ("5", 5), ("3.0", 3), ("-0", 0), ("12345678901234567890123", 12345678901234567890123))
    yield from _right(int, ("12345678901234567890.0", 12345678901234567890), ("1e3", 1000))
    yield from _wrong(int, ("true", "$: "), ("1.5", "$: "), ('"5"', "$: "), ("null", "$: "), ("NaN", "$: "))
    yield from _wrong(int, ("1e400", "$: "), ("[1]", "$: "), ("Infinity", "$: "))
    yield from _right(float, ("5", 5.0), ("1.5", 1.5), ("-1e-3", -0.001))
    yield from _wrong(
        float, ("NaN", "$: "), ("Infinity", "$: "), ("-Infinity", "$: "), ("1e400", "$: "), ("true", "$: ")
    )
    yield from _wrong(float, (f"1{'0' * 400}", "$: "))
    yield from _right(str, ('"x"', "x"), ('""', ""))
    yield from _wrong(str, ("5", "$: "), ("null", "$: "), ("[]", "$: "))
    yield from _right(bool, ("true", True))
    yield from _wrong(bool, ("1", "$: "), ("0", "$: "), ('"true"', "$: "), ("1.0", "$: "))
    yield from _right(type(None), ("null", None))
    yield from _right(Any, ('{"a": [1.5, null]}', {"a": [1.5, None]}))
    yield from _right(object, ("[1]", [1]))
    yield from _right(s.UserId, ("7", 7))
    yield from _right(s.Label, ('"x"', s.Label("x")))

    # Texts of a format
    yield from _right(Decimal, ("1.10", Decimal("1.10")), ('"1.10"', Decimal("1.10")), ("5", Decimal(5)))
    yield from _right(Decimal, ("0.1000000000000000055511151231257827021181583404541015625",
                                Decimal("0.1000000000000000055511151231257827021181583404541015625")))  # fmt: skip
    yield from _right(Decimal, ("123456789012345678901234567890.12", Decimal("123456789012345678901234567890.12")))
    yield from _wrong(Decimal, ("NaN", "$: "), ("Infinity", "$: "), ("1e400", "$: "), ('"NaN"', "$: "), ("true", "$: "))
    yield from _wrong(Decimal, ('"Infinity"', "$: "), ('"1_000"', "$: "), ('""', "$: "), ('"one"', "$: "))
    yield from _right(datetime.date, ('"2026-11-27"', datetime.date(2026, 11, 27)))
    yield from _wrong(datetime.date, ('"2026-13-01"', "a date"), ("20261127", "a date"), ('"27.11.2026"', "a date"))
    moment = datetime.datetime(2026, 11, 27, 12, 30, tzinfo=UTC)
    yield from _right(datetime.datetime, ('"2026-11-27T12:30:00Z"', moment), ('"2026-11-27T12:30:00+00:00"', moment))
    yield from _right(datetime.datetime, ('"2026-11-27T12:30:00"', moment.replace(tzinfo=None)))
    yield from _wrong(datetime.datetime, ('"tomorrow"', "a date and time"), ("1764246600", "a date and time"))
    yield from _right(datetime.time, ('"12:30:00"', datetime.time(12, 30)))
    yield from _right(datetime.timedelta, ('"PT90S"', datetime.timedelta(seconds=90)), ('"P1D"', datetime.timedelta(1)))
    yield from _wrong(datetime.timedelta, ('"1h"', "a duration"), ("90", "a duration"))
    key = "12345678-1234-5678-1234-567812345678"
    yield from _right(uuid.UUID, (f'"{key}"', uuid.UUID(key)))
    yield from _wrong(uuid.UUID, ('"1234"', "a UUID"), (f'"{{{key}}}"', "a UUID"))
    yield from _right(pathlib.Path, ('"a/b"', pathlib.Path("a/b")))
    yield from _right(pathlib.PurePosixPath, ('"a/b"', pathlib.PurePosixPath("a/b")))
    yield from _right(ipaddress.IPv4Address, ('"192.0.2.1"', ipaddress.IPv4Address("192.0.2.1")))
    yield from _right(ipaddress.IPv6Network, ('"2001:db8::/32"', ipaddress.IPv6Network("2001:db8::/32")))
    yield from _wrong(ipaddress.IPv4Address, ('"192.0.2"', "an IPv4 address"), ("3221225985", "an IPv4 address"))
    yield from _right(Fraction, ('"3/4"', Fraction(3, 4)), ("0.25", Fraction(1, 4)), ('"2"', Fraction(2)))
    yield from _wrong(Fraction, ('"1/0"', "a fraction"), ('"a"', "a fraction"))
    yield from _right(bytes, ('"YWJj"', b"abc"), ('""', b""))
    yield from _wrong(bytes, ('"abc"', "base64"), ('"####"', "base64"))

    # Constants
    yield from _right(s.Colour, ('"red"', s.Colour.RED))
    yield from _wrong(s.Colour, ('"zzz"', '"red"'), ("99", "$: "), ("null", "$: "), ("[]", "$: "))
    yield from _right(s.Word, ('"yes"', s.Word.YES))
    yield from _wrong(s.Word, ('"zzz"', "$: "), ("99", "$: "))
    yield from _right(s.Old, ('"a"', s.Old.A))
    yield from _wrong(s.Old, ('"zzz"', "$: "), ("99", "$: "))
    yield from _right(s.Level, ("2", s.Level.HIGH))
    yield from _wrong(s.Level, ("99", "$: "), ("true", "$: "), ("1.0", "$: "), ('"1"', "$: "), ('"LOW"', "$: "))
    yield from _right(s.Ratio, ("0.5", s.Ratio.HALF), ("1.0", s.Ratio.WHOLE), ("1", s.Ratio.WHOLE))
    yield from _wrong(s.Ratio, ("true", "$: "))
    yield from _right(s.Switch, ("true", s.Switch.ON), ("false", s.Switch.OFF))
    yield from _wrong(s.Switch, ("1", "$: "), ("0", "$: "))
    yield from _right(s.Mixed, ("1", s.Mixed.ONE), ('"yes"', s.Mixed.YES), ("null", s.Mixed.NOTHING))
    yield from _wrong(s.Mixed, ("true", "$: "), ("1.0", "$: "))
    yield from _right(s.Right, ("5", s.Right.READ | s.Right.RUN), ("0", s.Right(0)))
    yield from _wrong(s.Right, ("true", "$: "), ("8", "$: "), ("-1", "$: "), ("1.0", "$: "), ('"READ"', "$: "))
    yield from _right(s.Gap, ("5", s.Gap.A | s.Gap.B), ("4", s.Gap.B))
    yield from _wrong(s.Gap, ("2", "$: "), ("true", "$: "))
    yield from _right(
        Literal["a", 1] | None,
        (
            '"a"',
            "a",
        ),
        ("1", 1),
        ("null", None),
    )
    yield from _wrong(Literal[1], ("true", "$: "), ("1.0", "$: "), ('"1"', "$: "), ("2", "$: "))
    yield from _wrong(Literal[True], ("1", "$: "), ("1.0", "$: "))
    yield from _right(Literal[s.Colour.RED], ('"red"', s.Colour.RED))
    yield from _wrong(Literal[s.Colour.RED], ('"blue"', "$: "))

    # Containers
    yield from _right(list[int], ("[1, 2.0]", [1, 2]), ("[]", []))
    yield from _wrong(list[int], ('[1, "a", true]', "$[1]"), ("{}", "$: "), ('"ab"', "$: "))
    yield from _right(list, ("[1, null]", [1, None]))
    yield from _right(set[str], ('["a", "a"]', {"a"}))
    yield from _right(frozenset[int], ("[1]", frozenset({1})))
    yield from _right(tuple[int, ...], ("[1, 2]", (1, 2)))
    yield from _right(tuple[int, str], ('[1, "a"]', (1, "a")))
    yield from _right(tuple[()], ("[]", ()))
    yield from _right(tuple[int, *tuple[str, ...]], ('[1, "a", "b"]', (1, "a", "b")), ("[1]", (1,)))
    yield from _wrong(tuple[int, str], ("[1]", "2 items"), ('["a", 1]', "$[0]"), ("{}", "$: "))
    yield from _wrong(tuple[()], ("[1]", "0 items"))
    yield from _right(collections.deque[int], ("[1]", collections.deque([1])))
    yield from _right(s.Names, ('["a"]', s.Names(["a"])))
    yield from _right(Sequence[int], ("[1]", [1]))
    yield from _wrong(s.Names, ("[1]", "$[0]"))
    yield from _right(dict[str, int], ('{"a": 1}', {"a": 1}))
    yield from _right(dict, ('{"a": [1]}', {"a": [1]}))
    yield from _right(Mapping[str, float], ('{"a": 1}', {"a": 1.0}))
    yield from _right(dict[int, str], ('{"1": "a", "-2": "b"}', {1: "a", -2: "b"}))
    yield from _wrong(dict[int, str], ('{"a": "b"}', "$.a"), ('{"1.5": "b"}', "1.5"), ('{"01": "b"}', "01"))
    yield from _right(dict[float, str], ('{"1.5": "a"}', {1.5: "a"}))
    yield from _right(dict[datetime.date, int], ('{"2026-11-27": 1}', {datetime.date(2026, 11, 27): 1}))
    yield from _wrong(dict[datetime.date, int], ('{"today": 1}', "$.today"))
    yield from _right(dict[s.Colour, int], ('{"red": 1}', {s.Colour.RED: 1}))
    yield from _right(dict[s.Level, int], ('{"1": 1}', {s.Level.LOW: 1}))
    yield from _wrong(dict[s.Colour, int], ('{"zzz": 1}', "$.zzz"))
    yield from _right(dict[bool, int], ('{"true": 1}', {True: 1}))
    yield from _right(dict[Literal["a", "b"], int], ('{"a": 1}', {"a": 1}))
    yield from _right(dict[uuid.UUID, int], (f'{{"{key}": 1}}', {uuid.UUID(key): 1}))
    yield from _right(collections.OrderedDict[str, int], ('{"a": 1}', collections.OrderedDict(a=1)))
    yield from _right(collections.Counter[str], ('{"a": 1}', collections.Counter(a=1)))
    yield from _right(
        collections.defaultdict[str, list[int]], ('{"a": [1]}', collections.defaultdict(list, {"a": [1]}))
    )

    # Classes
    yield from _right(s.Point, ('{"x": 1}', s.Point(1)), ('{"x": 1.0, "y": 2, "z": 3}', s.Point(1, 2.0)))
    yield from _wrong(
        s.Point, ("{}", "$.x: required"), ('{"x": true}', "$.x"), ("[]", "$: "), ('{"x": 1, "y": NaN}', "$.y")
    )
    yield from _right(s.Tree, ('{"name": "a", "branches": [{"name": "b"}]}', s.Tree("a", [s.Tree("b")])))
    yield from _wrong(s.Tree, ('{"name": "a", "branches": [{"name": 1}]}', "$.branches[0].name"))
    yield from _right(s.Linked, ('{"value": 1, "next": {"value": 2, "next": null}}', s.Linked(1, s.Linked(2))))
    yield from _right(s.Family, ('{"name": "a", "children": []}', {"name": "a", "children": []}))
    yield from _right(s.Person, ('{"name": "n", "age": 1}', {"name": "n", "age": 1}))
    yield from _wrong(s.Person, ('{"name": "n"}', "$.age: required"), ('{"age": 1}', "$.name: required"))
    yield from _right(s.Partly, ('{"name": "n"}', {"name": "n"}))
    yield from _wrong(s.Partly, ('{"name": "n", "nick": null}', "$.nick"))
    yield from _right(s.Closed, ('{"name": "n"}', {"name": "n"}))
    yield from _wrong(s.Closed, ('{"name": "n", "x": 1}', "$.x"))
    yield from _right(s.Extra, ('{"name": "n", "x": 1}', {"name": "n", "x": 1}))
    yield from _wrong(s.Extra, ('{"name": "n", "x": "1"}', "$.x"))
    yield from _right(s.GenericDict[int], ('{"value": 1}', {"value": 1}))
    yield from _wrong(s.GenericDict[int], ('{"value": "1"}', "$.value"))
    yield from _right(s.Pair, ('[1, "a"]', s.Pair(1, "a")), ("[1]", s.Pair(1)))
    yield from _wrong(s.Pair, ('["1", "a"]', "$[0]"), ("[]", "1 to 2 items"))
    yield from _right(s.GenericPair[int], ("[1, [2]]", s.GenericPair(1, [2])))
    yield from _wrong(s.GenericPair[int], ('[1, ["2"]]', "$[1][0]"))
    yield from _right(s.Box[int], ('{"item": 1}', s.Box(1)))
    yield from _wrong(s.Box[int], ('{"item": "1"}', "$.item"))
    yield from _right(s.Box[list[s.Point]], ('{"item": [{"x": 1}]}', s.Box([s.Point(1)])))
    yield from _right(s.IntBox, ('{"item": 1, "more": "m"}', s.IntBox(1, "m")))
    yield from _wrong(s.IntBox, ('{"item": "1"}', "$.item"))
    yield from _right(s.Shape, ('{"lineWidth": 2, "points": [{"x": 1}]}', s.Shape(2, [s.Point(1)])))
    yield from _wrong(s.Shape, ('{"lineWidth": 2, "points": [{"x": "1"}]}', "$.points[0].x"))
    yield from _wrong(s.Shape, ('{"lineWidth": "2", "points": [{"x": "1"}]}', "$.points[0].x"))
    yield from _right(s.Listed, ('[1, "a"]', s.Listed(1, "a")), ("[1]", s.Listed(1)))
    yield from _right(s.Shut, ('{"x": 1}', s.Shut(1)))
    yield from _wrong(s.Shut, ('{"x": 1, "y": 2}', "$.y: unknown"))
    yield from _right(s.Maybe, ('{"x": 1}', s.Maybe(1)), ('{"x": 1, "y": 2}', s.Maybe(1, 2)))
    yield from _right(s.GenericStruct[int], ('{"item": 1}', s.GenericStruct(1)))
    yield from _wrong(s.GenericStruct[int], ('{"item": "1"}', "$.item"))
    yield from _right(s.Converted, ('{"length": "2h", "name": "a"}', s.Converted("2h", "a")))
    yield from _right(s.Converted, ('{"length": "2h", "secret": 5, "made": 9}', s.Converted("2h", secret=5)))
    yield from _wrong(s.Converted, ('{"length": 2}', "$.length"), ('{"length": "x"}', "$.length"))
    yield from _right(s.Tagged, ('{"tags": ["a"], "level": 5}', s.Tagged(["a"], 5)))
    yield from _wrong(s.Tagged, ('{"tags": [], "level": 6}', "$.level"), ('{"tags": [], "code": "abc"}', "$.code"))
    yield from _wrong(s.Tagged, ('{"tags": "ab"}', "$.tags"), ('{"tags": [], "choice": "c"}', "$.choice"))
    yield from _right(s.Started, ('{"first": 1, "second": 2}', s.Started(1, 2)))
    yield from _wrong(s.Started, ('{"first": 1}', "$.second: required"))
    yield from _right(s.Ordered, ('{"low": 1, "high": 2}', s.Ordered(1, 2)))
    yield from _wrong(s.Ordered, ('{"low": 3, "high": 2}', "$: low must not be above high"))
    yield from _right(s.Described, ('{"count": 1, "name": "n"}', s.Described(1, "n")))
    yield from _wrong(
        s.Described, ('{"count": 0, "name": ""}', "$.count"), ('{"count": 1, "name": "abcdef"}', "$.name")
    )
    yield from _wrong(s.Described, ('{"count": 1, "name": "n", "price": "-1"}', "$.price"))

    # Annotated
    positive = Annotated[int, annotated_types.Interval(gt=0, le=10)]
    yield from _right(positive, ("10", 10))
    yield from _wrong(positive, ("0", "more than 0"), ("11", "at most 10"))
    yield from _right(Annotated[list[int], annotated_types.MinLen(1)], ("[1]", [1]))
    yield from _wrong(Annotated[list[int], annotated_types.MinLen(1)], ("[]", "at least 1 items"))
    yield from _wrong(Annotated[str, msgspec.Meta(pattern="^a")], ('"b"', "^a"))
    yield from _right(Annotated[str, msgspec.Meta(pattern="^a")], ('"ab"', "ab"))
    yield from _right(Annotated[s.Point, msgspec.Meta(description="where")], ('{"x": 1}', s.Point(1)))
    yield from _wrong(Annotated[float, annotated_types.MultipleOf(0.5)], ("0.7", "a multiple of 0.5"))
    yield from _right(Annotated[float, annotated_types.MultipleOf(0.5)], ("1.5", 1.5))
    yield from _wrong(annotated_types.LowerCase[str], ('"A"', "islower"))
    yield from _right(annotated_types.LowerCase[str], ('"a"', "a"))
    yield from _right(Annotated[int, pydantic.Field(gt=0)], ("1", 1))
    yield from _wrong(Annotated[int, pydantic.Field(gt=0)], ("0", "more than 0"))
    late = Annotated[datetime.date, annotated_types.Ge(datetime.date(2026, 1, 1))]
    yield from _right(late, ('"2026-01-01"', datetime.date(2026, 1, 1)))
    yield from _wrong(late, ('"2025-12-31"', "at least 2026-01-01"))
    yield from _wrong(Annotated[datetime.datetime, msgspec.Meta(tz=True)], ('"2026-01-01T00:00:00"', "offset"))

    # Unions
    yield from _right(int | None, ("null", None), ("1", 1), ("2.0", 2))
    yield from _wrong(int | None, ("true", "$: "), ('"1"', "$: "))
    yield from _right(Optional[s.Point], ("null", None), ('{"x": 1}', s.Point(1)))  # noqa: UP045
    yield from _right(Union[int, str], ("1", 1), ('"1"', "1"))  # noqa: UP007
    yield from _wrong(int | str, ("true", "$: "), ("1.5", "$: "), ("null", "$: "))
    yield from _right(int | float, ("1", 1), ("1.0", 1.0), ("1.5", 1.5))
    yield from _right(bool | int, ("true", True), ("1", 1))
    yield from _right(datetime.date | str, ('"2026-11-27"', datetime.date(2026, 11, 27)), ('"soon"', "soon"))
    yield from _right(s.Colour | str, ('"red"', s.Colour.RED), ('"green"', "green"))
    yield from _right(float | Decimal, ("1.5", 1.5), ('"1.5"', Decimal("1.5")))
    yield from _right(datetime.date | datetime.datetime, ('"2026-11-27"', datetime.date(2026, 11, 27)), ('"2026-11-27T12:30:00Z"', moment))  # fmt: skip
    yield from _right(list[s.Point] | s.Point, ('[{"x": 1}]', [s.Point(1)]), ('{"x": 1}', s.Point(1)))
    yield from _right(list[int] | list[str], ("[1]", [1]), ('["a"]', ["a"]), ("[]", []))
    circle, square = s.Circle("circle", 1.0), s.Square("square", 2.0)
    figures = ('{"kind": "circle", "radius": 1}', circle), ('{"kind": "square", "side": 2}', square)
    yield from _right(s.Circle | s.Square, *figures)
    yield from _right(s.Figure, *figures)
    yield from _wrong(s.Circle | s.Square, ('{"kind": "circle", "side": 2}', "$.radius: required"), ("{}", "$.kind"))
    yield from _wrong(
        s.Circle | s.Square, ('{"kind": "line"}', '$.kind: expected one of "circle", "square"'), ("5", "$: ")
    )
    yield from _right(list[s.Circle | s.Square], (f"[{figures[0][0]}, {figures[1][0]}]", [circle, square]))
    yield from _right(dict[str, s.Figure], (f'{{"a": {figures[0][0]}}}', {"a": circle}))
    yield from _right(s.Cat | s.Dog | None, ('{"kind": "dog", "name": "d"}', s.Dog("d")), ("null", None))
    yield from _wrong(s.Cat | s.Dog, ('{"name": "d"}', "$.kind: required"))
    yield from _right(s.Bird | s.Fish, ('{"type": "fish", "fins": 2}', s.Fish(2)))
    yield from _wrong(s.Bird | s.Fish, ('{"type": "cow"}', "$.type"), ('{"fins": 2}', "$.type: required"))
    yield from _right(s.Bird, ('{"type": "bird", "wings": 2}', s.Bird(2)), ('{"wings": 2}', s.Bird(2)))
    yield from _wrong(s.Bird, ('{"type": "fish", "wings": 2}', "$.type"))
    yield from _right(s.Tree | s.Point, ('{"x": 1}', s.Point(1)), ('{"name": "a"}', s.Tree("a")))
    yield from _wrong(s.Tree | s.Point, ('{"z": 1}', "$"))
    yield from _right(s.Json, ('{"a": [1, "x", null, {"b": true}]}', {"a": [1, "x", None, {"b": True}]}), ("1.5", 1.5))
    yield from _right(s.Many[int], ("[1]", [1]))
    yield from _wrong(s.Many[int], ('["1"]', "$[0]"))
    yield from _right(s.Point | int | str | None, ('"a"', "a"), ("3.0", 3), ("null", None))

    # pydantic's own
    model = s.Model(name="n", day=datetime.date(2026, 11, 27))
    yield from _right(s.Model, ('{"name": "n", "day": "2026-11-27"}', model))
    exact = '{"name": "n", "day": "2026-11-27", "price": 1.10}'
    yield from _right(s.Model, (exact, model.model_copy(update={"price": Decimal("1.10")})))
    yield from _wrong(s.Model, ('{"name": "n"}', "$.day: required"), ('{"name": "n", "day": "x"}', "$.day"))
    yield from _wrong(s.Model, ('{"name": "n", "day": "2026-11-27", "Size": 0}', "$.Size"))
    yield from _right(list[s.Model], ('[{"name": "n", "day": "2026-11-27"}]', [model]))
    yield from _wrong(list[s.Model], ('[{"name": 5, "day": "2026-11-27"}]', "$[0].name"))
    yield from _right(s.Holding, ('{"model": {"name": "n", "day": "2026-11-27"}}', s.Holding(model)))
    yield from _wrong(s.Holding, ('{"model": {"name": "n"}}', "$.model.day"))
    yield from _right(s.ModelCat | s.ModelDog, ('{"kind": "dog", "tricks": []}', s.ModelDog(kind="dog", tricks=[])))
    yield from _wrong(s.ModelCat | s.ModelDog, ('{"kind": "dog", "tricks": [1]}', "$.tricks[0]"))
    either = Annotated[s.ModelCat | s.ModelDog, pydantic.Field(discriminator="kind")]
    yield from _right(either, ('{"kind": "cat", "lives": 9}', s.ModelCat(kind="cat", lives=9)))
    yield from _wrong(either, ('{"kind": "cat", "lives": "x"}', "$.lives"))
    three = s.ModelCat | s.ModelDog | s.Circle
    yield from _right(three, (figures[0][0], circle), ('{"kind": "cat", "lives": 9}', s.ModelCat(kind="cat", lives=9)))
    yield from _wrong(three, ('{"kind": "dog", "tricks": [1]}', "$.tricks[0]"), ('{"kind": "cow"}', "$.kind"))
    yield from _right(dict[s.Right, int], ('{"5": 1}', {s.Right.READ | s.Right.RUN: 1}))
    yield from _right(s.ModelCat | s.Point, ('{"x": 1}', s.Point(1)))
    yield from _right(s.ModelTree, ('{"name": "a", "branches": [{"name": "b"}]}', s.ModelTree(name="a", branches=[s.ModelTree(name="b")])))  # fmt: skip
    yield from _right(s.ModelData, ('{"x": 1, "y": [{"x": 2}]}', s.ModelData(1, [s.Point2(2)])))
    yield from _right(pydantic.TypeAdapter(list[int]), ("[1]", [1]))
    yield from _wrong(pydantic.TypeAdapter(list[int]), ('[1, "x"]', "$[1]"))
    yield from _right(
        pydantic.TypeAdapter(s.ModelCat), ('{"kind": "cat", "lives": 9}', s.ModelCat(kind="cat", lives=9))
    )


ROWS = list(_rows())


class Unfit:
    """A class of no fields, which no JSON says."""

    def __init__(self, one: int) -> None: ...


class Tupled(enum.Enum):
    EARTH = (1, 2)


@attrs.frozen
class SameA:
    x: int


@attrs.frozen
class SameB:
    x: int
    y: int = 0


@attrs.frozen
class Endless:
    inside: Endless


@attrs.frozen
class NeedsTuple:
    items: Sequence[int] = attrs.field(validator=attrs.validators.instance_of(tuple))


@attrs.frozen
class OfUnfit:
    inside: list[Unfit]


class ModelOfUnfit(pydantic.BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    inside: Unfit


REFUSED: list[tuple[Any, str]] = [
    (complex, "complex"),
    (Unfit, "Unfit"),
    (list[Unfit], "Unfit"),
    (OfUnfit, "Unfit"),
    (ModelOfUnfit, "pydantic"),
    (5, "5"),
    ("City", "string"),
    (Tupled, "EARTH"),
    (SameA | SameB, "SameA and SameB"),
    (list[SameA | SameB | None], "SameA and SameB"),
    (list[int] | set[int], "an array"),
    (bytes | str, "base64"),
    (pathlib.Path | str, "a path"),
    (dict[tuple[int, int], str], "key"),
    (dict[SameA, str], "key"),
    (dict[Unfit, str], "Unfit"),
    (Endless, "needs itself"),
    (NeedsTuple, "NeedsTuple"),
    (Annotated[int, annotated_types.Interval(gt=5, lt=6)], "between"),
    (Annotated[int, annotated_types.MinLen(1)], "min_length"),
    (collections.abc.Callable, "Callable"),
    (type, "type"),
    (Literal[b"x"], "constant"),
]
