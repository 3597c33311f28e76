"""Types of every kind that people ask for, in a file whose annotations are strings."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import ipaddress
import pathlib
import typing
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar

import annotated_types
import attrs
import msgspec
import pydantic
import typing_extensions

T = TypeVar("T")
K = TypeVar("K")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Word(enum.StrEnum):
    YES = "yes"
    NO = "no"


class Old(str, enum.Enum):  # noqa: UP042 - as it was written before there was StrEnum
    A = "a"
    B = "b"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Ratio(enum.Enum):
    HALF = 0.5
    WHOLE = 1.0


class Switch(enum.Enum):
    ON = True
    OFF = False


class Mixed(enum.Enum):
    ONE = 1
    YES = "yes"
    NOTHING = None


class Right(enum.Flag):
    READ = 4
    WRITE = 2
    RUN = 1


class Gap(enum.IntFlag):
    A = 1
    B = 4


@attrs.frozen
class Point:
    x: int
    y: float = 1.0


@attrs.frozen
class Circle:
    """A circle.

    Attributes:
        radius: In metres.
    """

    kind: Literal["circle"]
    radius: float


@attrs.frozen
class Square:
    kind: Literal["square"]
    side: float
    """The length of one side."""


@dataclasses.dataclass
class Cat:
    name: str
    kind: Literal["cat"] = "cat"


@dataclasses.dataclass
class Dog:
    name: str
    kind: Literal["dog"] = "dog"


@attrs.frozen
class Tree:
    name: str
    branches: list[Tree] = attrs.field(factory=list)


@dataclasses.dataclass
class Linked:
    value: int
    next: Linked | None = None


class Family(TypedDict):
    name: str
    children: list[Family]


class Base(TypedDict):
    name: str


class Person(Base, total=False):
    age: typing.Required[int]
    nick: str


class Partly(TypedDict):
    name: str
    nick: typing.NotRequired[str]


class Closed(typing_extensions.TypedDict, closed=True):  # type: ignore[call-arg]
    name: str


class Extra(typing_extensions.TypedDict, extra_items=int):  # type: ignore[call-arg]
    name: str


class GenericDict(TypedDict, Generic[T]):
    value: T


class Pair(NamedTuple):
    left: int
    right: str = "r"


class GenericPair(NamedTuple, Generic[T]):
    left: T
    right: list[T]


@attrs.frozen
class Box(Generic[T]):
    item: T


@dataclasses.dataclass
class Twins(Box[T], Generic[T, K]):
    other: K

    def __init__(self, item: T, other: K) -> None:
        object.__setattr__(self, "item", item)
        object.__setattr__(self, "other", other)


@attrs.frozen
class IntBox(Box[int]):
    more: str = ""


class Shape(msgspec.Struct, rename="camel"):
    line_width: int
    points: list[Point] = []


class Bird(msgspec.Struct, tag="bird"):
    wings: int


class Fish(msgspec.Struct, tag="fish"):
    fins: int


class Listed(msgspec.Struct, array_like=True):
    first: int
    second: str = "s"


class Shut(msgspec.Struct, forbid_unknown_fields=True):
    x: int


class Maybe(msgspec.Struct):
    x: int
    y: int | msgspec.UnsetType = msgspec.UNSET


class GenericStruct(msgspec.Struct, Generic[T]):
    item: T


def _hours(text: str) -> datetime.timedelta:
    return datetime.timedelta(hours=int(text.removesuffix("h")))


@attrs.frozen
class Converted:
    length: datetime.timedelta = attrs.field(converter=_hours)
    name: str = attrs.field(default="", converter=str.upper)
    _secret: int = attrs.field(default=0, alias="secret")
    made: int = attrs.field(init=False, default=7)


@attrs.frozen
class Tagged:
    tags: tuple[str, ...] = attrs.field(converter=tuple)
    level: int = attrs.field(default=1, validator=[attrs.validators.ge(1), attrs.validators.le(5)])
    code: str = attrs.field(default="AB", validator=attrs.validators.matches_re("[A-Z]{2}"))
    choice: str = attrs.field(default="a", validator=attrs.validators.in_(["a", "b"]))


@dataclasses.dataclass
class Started:
    first: int
    second: dataclasses.InitVar[int]
    total: int = dataclasses.field(init=False, default=0)

    def __post_init__(self, second: int) -> None:
        self.total = self.first + second


@dataclasses.dataclass
class Ordered:
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low must not be above high")


@attrs.frozen
class Described:
    count: Annotated[int, msgspec.Meta(ge=1, description="How many.")]
    name: Annotated[str, annotated_types.Len(1, 5), typing_extensions.Doc("Who.")]
    price: Annotated[Decimal, annotated_types.Gt(0)] = Decimal(1)
    note: str = attrs.field(default="", metadata={"description": "Anything else."})


@attrs.frozen
class Times:
    moment: datetime.datetime
    day: datetime.date
    hour: datetime.time
    length: datetime.timedelta
    key: uuid.UUID
    price: Decimal


@attrs.frozen
class Places:
    path: pathlib.Path
    address: ipaddress.IPv4Address
    share: Fraction
    queue: collections.deque[int]
    groups: collections.defaultdict[str, list[int]]
    raw: bytes


class Model(pydantic.BaseModel):
    name: str
    day: datetime.date
    price: Decimal = Decimal("0.5")
    size: int = pydantic.Field(default=1, ge=1, alias="Size")


class ModelCat(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int


class ModelDog(pydantic.BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class ModelTree(pydantic.BaseModel):
    name: str
    branches: list[ModelTree] = []


@pydantic.dataclasses.dataclass
class ModelData:
    x: int
    y: list[Point2] = dataclasses.field(default_factory=list)


@pydantic.dataclasses.dataclass
class Point2:
    x: int


@attrs.frozen
class Holding:
    model: Model
    maybe: Model | None = None


@attrs.frozen
class Everything:
    colour: Colour
    word: Literal["a", "b"]
    maybe: int | None
    either: int | str
    day: datetime.date
    price: Decimal
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
    figure: Circle | Square


UserId = NewType("UserId", int)
Figure = typing_extensions.TypeAliasType("Figure", "Circle | Square")  # type: ignore[misc]
Json = typing_extensions.TypeAliasType("Json", "dict[str, Json] | list[Json] | str | int | float | bool | None")  # type: ignore[misc]
Many = typing_extensions.TypeAliasType("Many", "list[T]", type_params=(T,))  # type: ignore[misc]


class Names(list[str]):
    pass


class Money(Decimal):
    pass


class Label(str):
    pass
