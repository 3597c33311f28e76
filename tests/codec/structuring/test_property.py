"""For any type: its schema accepts exactly what is read, and a value goes to JSON and back."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import json
import re
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, Union

import attrs
import hypothesis
import jsonschema
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepseek_async.codec.structuring import plain, structuring_of
from deepseek_async.codec.structuring.schemas import strict_schema_of, value_schema_of
from deepseek_async.codec.structuring.schemas.strict import InexpressibleError
from deepseek_async.errors import InvalidRequestError

from ...examples import examples
from . import shapes

SCALARS: list[Any] = [
    int, float, str, bool, type(None), Decimal, datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
    uuid.UUID, ipaddress.IPv4Address, Any, shapes.Colour, shapes.Word, shapes.Level, shapes.Switch, shapes.Right,
    shapes.Gap, shapes.Mixed, Literal["a", "b"], Literal[1, "x"], Annotated[int, msgspec.Meta(ge=0, le=9)],
    Annotated[str, msgspec.Meta(min_length=1, max_length=3)], Annotated[str, msgspec.Meta(pattern="^[ab]+$")],
    Annotated[float, msgspec.Meta(gt=0)], shapes.Tree, shapes.Linked, shapes.Family, shapes.Pair, shapes.Circle,
    shapes.Circle | shapes.Square, shapes.Cat | shapes.Dog, shapes.Bird | shapes.Fish, shapes.Shut, shapes.Closed,
    shapes.Extra, shapes.Json, shapes.Listed, shapes.Tagged, shapes.Person, bytes,
]  # fmt: skip
KEYS: list[Any] = [str, int, datetime.date, shapes.Colour, shapes.Level, bool, Literal["a", "b"], uuid.UUID]
HASHABLE = [int, str, bool, Decimal, datetime.date, shapes.Colour, uuid.UUID]

names = st.sampled_from(["a", "b", "kind", "name"])
counter = iter(range(10**9))


def _attrs(fields: dict[str, Any]) -> Any:
    made = {
        name: attrs.field(type=hint, default=None) if default else attrs.field(type=hint)
        for name, (hint, default) in fields.items()
    }
    return attrs.make_class(f"A{next(counter)}", dict(sorted(made.items(), key=lambda one: fields[one[0]][1])))


def _dataclass(fields: dict[str, Any]) -> Any:
    made: Any = [
        (name, hint, dataclasses.field(default=None)) if default else (name, hint)
        for name, (hint, default) in fields.items()
    ]
    return dataclasses.make_dataclass(f"D{next(counter)}", made, kw_only=True)


def _typeddict(fields: dict[str, Any]) -> Any:
    return TypedDict(f"T{next(counter)}", {name: hint for name, (hint, _) in fields.items()})  # type: ignore[misc]


def _struct(fields: dict[str, Any]) -> Any:
    made: Any = [(name, hint, None) if default else (name, hint) for name, (hint, default) in fields.items()]
    return msgspec.defstruct(f"S{next(counter)}", made, kw_only=True)


def _namedtuple(fields: dict[str, Any]) -> Any:
    return NamedTuple(f"N{next(counter)}", [(name, hint) for name, (hint, _) in fields.items()])  # type: ignore[misc]


def _composite(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # A default of None is right only where None is: the schema must not promise what the class would not take back.
    field = st.tuples(inner, st.booleans()).map(_field)
    fields = st.dictionaries(names, field, min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda one: list[one]),  # type: ignore[valid-type]
        inner.map(lambda one: tuple[one, ...]),  # type: ignore[valid-type]
        st.sampled_from(HASHABLE).map(lambda one: set[one]),  # type: ignore[valid-type]
        st.lists(inner, min_size=1, max_size=3).map(lambda many: tuple[tuple(many)]),  # type: ignore[misc]
        st.tuples(st.sampled_from(KEYS), inner).map(lambda two: dict[two[0], two[1]]),  # type: ignore[name-defined]
        st.lists(inner, min_size=2, max_size=3).map(lambda many: Union[tuple(many)]),  # noqa: UP007
        *(fields.map(make) for make in (_attrs, _dataclass, _typeddict, _struct, _namedtuple)),
    )


def _field(drawn: tuple[Any, bool]) -> tuple[Any, bool]:
    hint, has_default = drawn
    has_default = has_default and hint is not Any
    return (hint | None if has_default else hint), has_default


TYPES = st.recursive(st.sampled_from(SCALARS), _composite, max_leaves=6)

FRACTIONS = st.floats(-1e6, 1e6).filter(lambda value: not value.is_integer())
TEXTS = st.sampled_from([
    "", "a", "ab", "red", "yes", "x", "1", "true", "circle", "2026-11-27", "2026-11-27T12:30:00Z", "12:30:00", "PT5M",
    "12345678-1234-4678-8234-567812345678", "192.0.2.1", "1.50", "YWJj",
])  # fmt: skip
SCALAR_DATA = st.none() | st.booleans() | st.integers(-10, 10) | FRACTIONS | TEXTS
DATA = st.recursive(
    SCALAR_DATA,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | TEXTS, inner, max_size=3),
    max_leaves=8,
)


class Drawing:
    """Draws data by a schema, right or, now and then, wrong."""

    def __init__(self, draw: Any, root: dict[str, Any]) -> None:
        self.draw = draw
        self.root = root

    def data(self, schema: dict[str, Any], depth: int = 0) -> Any:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = {**self.root["$defs"][name], **{key: part for key, part in schema.items() if key != "$ref"}}
        if depth > 6 or self.draw(st.integers(0, 30)) == 0:
            return self.draw(DATA)
        for keyword in ("anyOf", "prefixItems"):
            if keyword in schema:
                parts = schema[keyword]
                if keyword == "anyOf":
                    return self.data(self.draw(st.sampled_from(parts)), depth + 1)
                count = self.draw(st.integers(schema["minItems"], len(parts)))
                return [self.data(part, depth + 1) for part in parts[:count]]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.draw(st.sampled_from(schema["enum"]))
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self.draw(st.sampled_from(kind))
        if kind == "object":
            return self.object(schema, depth)
        if kind == "array":
            items = schema.get("items", {})
            count = self.draw(st.integers(schema.get("minItems", 0), schema.get("minItems", 0) + 2))
            return [self.data(items, depth + 1) for _ in range(count)]
        return self.scalar(kind, schema)

    def object(self, schema: dict[str, Any], depth: int) -> Any:
        made = {}
        for key, part in schema.get("properties", {}).items():
            if key in schema.get("required", []) or self.draw(st.booleans()):
                made[key] = self.data(part, depth + 1)
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict) and self.draw(st.booleans()):
            keys = {"type": "string", **schema.get("propertyNames", {})}
            for _ in range(self.draw(st.integers(0, 2))):
                key = self.data(keys, 0)
                if isinstance(key, str):
                    made[key] = self.data(rest, depth + 1)
        return made

    def scalar(self, kind: Any, schema: dict[str, Any]) -> Any:
        if kind == "string":
            known = {"^[ab]+$": "ab", "^-?(0|[1-9][0-9]*)$": "7"}
            return known.get(schema.get("pattern", ""), "") or self.draw(TEXTS)
        if kind == "integer":
            return self.draw(st.integers(-10, 10) | st.sampled_from([3.0, 0, 1, 2]))
        if kind == "number":
            return self.draw(FRACTIONS | st.integers(-5, 5))
        return self.draw({"boolean": st.booleans(), "null": st.none()}.get(kind, DATA))


CHECKER = jsonschema.FormatChecker()
_HOUR = r"\d\d:\d\d:\d\d"
for _name, _pattern in (
    ("date-time", rf"\d{{4}}-\d\d-\d\dT{_HOUR}(Z)?"),
    ("time", _HOUR),
    ("duration", r"PT\d+[SMH]"),
    ("date", r"\d{4}-\d\d-\d\d"),
):
    CHECKER.checks(_name)(
        lambda text, pattern=_pattern: not isinstance(text, str) or re.fullmatch(pattern, text) is not None
    )  # type: ignore[misc]


def _judge(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=CHECKER)


def _is_unsaid(value: Any) -> bool:
    """1.0 in place of a constant 1 is one to JSON Schema, and none to us."""
    if isinstance(value, float):
        return value.is_integer()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_is_unsaid, parts))


@settings(max_examples=examples(50), deadline=None, suppress_health_check=list(HealthCheck))
@given(TYPES, st.data())
def test_a_schema_accepts_exactly_what_is_read(wanted: Any, data: st.DataObject) -> None:
    """The plain one and the strict one; and what was read is written so that it is read again."""
    try:
        known = structuring_of(wanted)
    except InvalidRequestError:
        hypothesis.reject()  # a union that nothing tells apart
    schema = value_schema_of(known.plan)
    drawn = Drawing(data.draw, schema).data(schema)
    value, wrong = known.reader.read(drawn)
    is_valid = _judge(schema).is_valid(drawn)
    if not _is_unsaid(drawn):
        assert is_valid is not bool(wrong), (schema, drawn, [str(one) for one in wrong])
    if not wrong:
        again, problems = known.reader.read(json.loads(json.dumps(plain(value))))
        assert not problems
        assert again == value


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(TYPES, st.data())
def test_what_a_strict_schema_accepts_is_read(wanted: Any, data: st.DataObject) -> None:
    """In the form of strict tools; what has no words there is told in the description, and may be refused."""
    try:
        known = structuring_of(wanted)
        schema = strict_schema_of(known.plan)
    except (InvalidRequestError, InexpressibleError):
        hypothesis.reject()
    drawn = Drawing(data.draw, schema).data(schema)
    if _judge(schema).is_valid(drawn) and not _is_unsaid(drawn):
        value, wrong = known.answers(is_strict=True).read(json.dumps(drawn))
        assert not wrong, (schema, drawn, [str(one) for one in wrong])
        again, problems = known.reader.read(json.loads(json.dumps(plain(value))))
        assert not problems
        assert again == value


def test_the_judge_is_awake() -> None:
    """It refuses what it should."""
    assert not _judge(value_schema_of(structuring_of(datetime.date).plan)).is_valid("today")
