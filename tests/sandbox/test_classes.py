"""Answers fit the classes that people ask for: dates, decimals, enums, unions, recursion."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import ipaddress
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import attrs
import msgspec
import pydantic
import pytest

from deepseek_async import AsyncClient
from deepseek_async.codec.structuring import WRONG, structuring_of
from deepseek_async.sandbox import SandboxServer
from deepseek_async.sandbox.model import LanguageModel, Sampling


class Currency(enum.StrEnum):
    """Money of a kind."""

    EUR = "EUR"
    USD = "USD"


class Priority(enum.IntEnum):
    """How soon."""

    LOW = 1
    HIGH = 3


@attrs.frozen
class Item:
    """A line of an invoice."""

    name: str
    price: Decimal
    count: int = attrs.field(validator=attrs.validators.ge(1))


@attrs.frozen
class Invoice:
    """Dates, decimals, an enum, a list of classes."""

    number: uuid.UUID
    issued: datetime.date
    due: datetime.datetime | None
    currency: Currency
    items: list[Item]


@dataclasses.dataclass
class Meeting:
    """Times and durations."""

    title: str
    day: datetime.date
    start: datetime.time
    length: datetime.timedelta
    priority: Priority = Priority.LOW
    tags: set[str] = dataclasses.field(default_factory=set)


@attrs.frozen
class Tree:
    """A class of itself."""

    label: str
    children: list[Tree]


class Circle(msgspec.Struct, tag="circle"):
    """A tagged shape."""

    radius: Annotated[float, msgspec.Meta(gt=0)]


class Box(msgspec.Struct, tag="box"):
    """Another one."""

    width: float
    height: float


class Drawing(msgspec.Struct):
    """A union in a list."""

    shapes: Annotated[list[Circle | Box], msgspec.Meta(min_length=1)]
    at: datetime.datetime


class Point(NamedTuple):
    """A tuple with names."""

    x: float
    y: float


class Route(TypedDict):
    """A dict with types."""

    points: list[Point]
    by: Literal["foot", "bike", 2]
    weights: dict[str, Decimal]


class Host(pydantic.BaseModel):
    """A pydantic model with formats and bounds."""

    address: ipaddress.IPv4Address
    name: Annotated[str, pydantic.Field(pattern=r"^[a-z]{3,8}$")]
    seen: datetime.datetime
    load: Annotated[Decimal, pydantic.Field(ge=0, le=100)]
    parent: Host | None = None


@attrs.frozen
class Expression:
    """Recursion through a union."""

    operator: Literal["+", "*"]
    left: Expression | int
    right: Expression | int


@attrs.frozen
class Person:
    """Nested optionals, in a dict by date."""

    name: Annotated[str, msgspec.Meta(min_length=2, max_length=40)]
    born: datetime.date | None
    visits: dict[datetime.date, int]


CLASSES: list[Any] = [
    Invoice,
    Meeting,
    Tree,
    Drawing,
    Route,
    Host,
    Expression,
    Person,
    list[Item],
    dict[str, Currency | Decimal],
]


@pytest.mark.parametrize("wanted", CLASSES, ids=str)
def test_fifty_of_fifty_fit(model: LanguageModel, wanted: Any) -> None:
    """By the schema that a client asks with, in both modes; every value is taken by the class."""
    structuring = structuring_of(wanted)
    context = model.render([("user", "Tell me about invoice 17 of 2026-11-27 over 12.50 EUR, in JSON.")])
    for is_strict in (False, True):
        schema = structuring.strict_schema if is_strict else structuring.schema
        reader = structuring.answers(is_strict=is_strict)
        for seed in range(50 if schema else 0):
            steps = model.generate_json(context, Sampling(seed=seed), schema, logprobs=False)
            text = model.tokenizer.decode(step.token for step in steps)
            value, problems = reader.read(text)
            assert value is not WRONG, (text, problems)


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["json", "tool"])
@pytest.mark.parametrize("wanted", CLASSES, ids=str)
async def test_a_client_gets_them_at_the_first_attempt(wanted: Any, mode: Literal["json", "tool"]) -> None:
    """Over HTTP, as `parse` asks, for some seeds."""
    async with SandboxServer() as server, AsyncClient(base_url=server.base_url + "/beta") as client:
        for seed in range(3):
            parsed = await client.chat.completions.parse(
                model="deepseek-chat",
                messages=[{"role": "user", "content": "Tell me about invoice 17."}],
                response_type=wanted,
                mode=mode,
                attempts=1,
                extra_body={"seed": seed},
            )
            assert parsed.attempts == 1
