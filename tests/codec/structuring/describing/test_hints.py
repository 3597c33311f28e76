"""Names in annotations are found, in any file: this one does not postpone its annotations."""

import dataclasses
import subprocess
import sys
from typing import Annotated, NamedTuple, Optional, TypedDict

import attrs
import msgspec
import pytest
import typing_extensions

from deepseek_async.codec.structuring import structured
from deepseek_async.errors import InvalidRequestError


@attrs.frozen
class Early:
    later: "Later"
    many: list["Later"] = attrs.field(factory=list)
    maybe: Optional["Later"] = None


@dataclasses.dataclass
class Later:
    name: str
    back: "Early | None" = None


class Chain(msgspec.Struct):
    value: int
    next: Optional["Chain"] = None


class Step(NamedTuple):
    name: str
    steps: list["Step"] = []  # noqa: RUF012 - no class attribute, but a default


class Form(TypedDict):
    name: typing_extensions.Required["str"]
    more: "typing_extensions.NotRequired[Form]"


def test_classes_that_are_defined_later_are_found() -> None:
    """In attrs classes and dataclasses that need each other."""
    value = structured({"later": {"name": "a"}, "many": [{"name": "b"}], "maybe": None}, Early, "it")
    assert value == Early(Later("a"), [Later("b")])
    with_back = structured({"name": "a", "back": {"later": {"name": "b"}}}, Later, "it")
    assert with_back == Later("a", Early(Later("b")))


def test_classes_may_need_themselves() -> None:
    """Structs, named tuples, TypedDicts; and a string in a container."""
    assert structured({"value": 1, "next": {"value": 2}}, Chain, "it") == Chain(1, Chain(2))
    assert structured(["a", [["b"]]], Step, "it") == Step("a", [Step("b", [])])
    assert structured({"name": "a", "more": {"name": "b"}}, Form, "it") == {"name": "a", "more": {"name": "b"}}
    assert structured([{"value": 1}], list["Chain"], "it") == [Chain(1)]


def test_classes_inside_functions_are_found() -> None:
    """Of every kind, also those that need each other."""

    class Inner(TypedDict):
        size: int

    @attrs.frozen
    class Outer:
        inner: "Inner"
        others: "list[Outer]" = attrs.field(factory=list)

    class Around(msgspec.Struct):
        outer: Annotated["Outer", msgspec.Meta(description="One.")]

    value = structured({"outer": {"inner": {"size": 1}, "others": [{"inner": {"size": 2}}]}}, Around, "it")
    assert value == Around(Outer({"size": 1}, [Outer({"size": 2})]))


def test_what_is_found_nowhere_is_named() -> None:
    """With what to do about it."""

    @attrs.frozen
    class Lost:
        inner: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(InvalidRequestError, match="'Nowhere' is not defined where the type is"):
        structured({}, Lost, "it")


def test_pydantic_is_not_brought_in() -> None:
    """It is a dependency of those who use it, never of ours."""
    code = (
        "import sys, attrs\n"
        "from deepseek_async.codec.structuring import structured\n"
        "assert structured([1], list[int], 'it') == [1]\n"
        "print('pydantic' in sys.modules, 'annotated_types' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


def test_an_alias_of_nothing_is_the_callers_mistake() -> None:
    """As any other name that is not there."""
    alias = typing_extensions.TypeAliasType("alias", "list[Nowhere]")  # type: ignore[name-defined]  # noqa: F821
    with pytest.raises(InvalidRequestError, match="'Nowhere' is not defined"):
        structured([], alias, "it")
