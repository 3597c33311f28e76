"""Typed functions as tools: what the model is told of them, and what they are called with."""

from __future__ import annotations

import dataclasses
import enum
import functools
import sys
from datetime import date
from typing import Annotated, Any, Literal

import attrs
import msgspec
import pytest

from deepseek_async import FunctionTool, InvalidRequestError, MalformedResponseError, tool
from deepseek_async.calls.tools.docstrings import described


class Unit(enum.StrEnum):
    METRE = "m"
    FOOT = "ft"


@attrs.frozen
class Place:
    name: str
    depth: float | None = None


def google(place: Place, unit: Unit = Unit.METRE, days: list[date] | None = None) -> str:
    """The depth of the water.

    At low tide, unless it is asked for otherwise.

    Args:
        place: Where; a harbour
            or a bay.
        unit: Of the result.

    Returns:
        Text.
    """
    return f"{place.name} {unit!r} {days}"


def numpy_style(place: str, *, unit: Literal["m", "ft"] = "m") -> str:
    """The depth of the water.

    Parameters
    ----------
    place : str
        Where.
    unit
        Of the result.
    """
    return place + unit


def sphinx_style(place: str) -> str:
    """The depth of the water.

    :param place: Where.
    """
    return place


def parameters_of(made: FunctionTool) -> Any:
    assert made.definition.parameters is not None
    return made.definition.parameters


def test_annotations_and_docstring_become_the_definition() -> None:
    """Name, description without its sections, a property for each parameter, required those without default."""
    made = tool(google)
    assert made.name == "google"
    assert made.definition.description == "The depth of the water.\n\nAt low tide, unless it is asked for otherwise."
    parameters = parameters_of(made)
    assert parameters["type"] == "object"
    assert list(parameters["properties"]) == ["place", "unit", "days"]
    assert parameters["required"] == ["place"]
    assert parameters["properties"]["place"]["description"] == "Where; a harbour\nor a bay."
    assert parameters["properties"]["unit"]["description"] == "Of the result."
    assert made.tool.function == made.definition


@pytest.mark.parametrize("function", [numpy_style, sphinx_style])
def test_other_styles_of_docstrings(function: Any) -> None:
    """NumPy's sections and Sphinx's fields describe arguments, too."""
    made = tool(function)
    assert made.definition.description == "The depth of the water."
    assert parameters_of(made)["properties"]["place"]["description"] == "Where."


def test_without_the_library_the_first_paragraph_is_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is for descriptions of arguments; a tool works without."""
    monkeypatch.setitem(sys.modules, "docstring_parser", None)
    made = tool(google)
    assert made.definition.description == "The depth of the water."
    assert "description" not in parameters_of(made)["properties"]["unit"]
    assert described("") == described("  ")


def test_arguments_become_values_of_the_annotated_types() -> None:
    """Classes, enums, dates; what the model left out is the function's own default."""
    made = tool(google)
    given = made.arguments_in('{"place": {"name": "Sund"}, "unit": "ft", "days": ["2026-11-27"]}')
    assert given == {"place": Place("Sund"), "unit": Unit.FOOT, "days": [date(2026, 11, 27)]}
    assert made.arguments_in('{"place": {"name": "Sund"}}') == {"place": Place("Sund")}
    assert made(**given) == "Sund <Unit.FOOT: 'ft'> [datetime.date(2026, 11, 27)]"
    assert tool(lambda: 1, name="nothing").arguments_in("") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ('{"place": {}}', "$.place.name"),
        ('{"place": {"name": 3}}', "expected a string"),
        ('{"place": {"name": "Sund"}, "days": ["yesterday"]}', "$.days[0]"),
        ('{"place": {"name": "Sund"}, "unit": "yard"}', "$.unit"),
        ("[]", "expected an object"),
    ],
)
def test_arguments_that_do_not_fit_name_the_place(text: str, told: str) -> None:
    """The message is for the model: what is wrong, and where."""
    with pytest.raises(MalformedResponseError) as caught:
        tool(google).arguments_in(text)
    assert told in caught.value.message


def test_a_decorator_with_and_without_arguments() -> None:
    """The decorated function is still called like a function."""

    @tool
    def plain(number: int) -> int:
        return number + 1

    @tool(name="increment", description="Adds one.", timeout=2.5)
    def named(number: int) -> int:
        return number + 1

    assert (plain(1), named(1)) == (2, 2)
    assert (plain.name, plain.definition.description, plain.timeout) == ("plain", None, None)
    assert (named.name, named.definition.description, named.timeout) == ("increment", "Adds one.", 2.5)


def test_methods_partials_and_callable_objects() -> None:
    """``self`` and what a partial has bound are no parameters; what has no name is given one."""

    class Harbour:
        def depth(self, place: str) -> str:
            return place

        async def __call__(self, place: str) -> str:
            return place

    harbour = Harbour()
    assert list(parameters_of(tool(harbour.depth))["properties"]) == ["place"]
    assert list(parameters_of(tool(harbour, name="harbour"))["properties"]) == ["place"]
    for inner in (numpy_style, functools.partial(numpy_style)):
        bound = tool(functools.partial(inner, unit="ft"), name="feet")
        assert parameters_of(bound)["required"] == ["place"]
    assert list(parameters_of(tool(functools.partial(harbour.depth), name="depth"))["properties"]) == ["place"]
    assert list(parameters_of(tool(functools.partial(harbour), name="harbour"))["properties"]) == ["place"]


def test_annotated_parameters_keep_their_bounds() -> None:
    """What ``Annotated`` says is in the schema, and is checked."""

    def deep(metres: Annotated[int, msgspec.Meta(ge=0, description="Below the surface.")]) -> int:
        """Depth.

        Args:
            metres: Not this.
        """
        return metres

    made = tool(deep)
    assert parameters_of(made)["properties"]["metres"]["description"] == "Below the surface."
    with pytest.raises(MalformedResponseError):
        made.arguments_in('{"metres": -1}')


@dataclasses.dataclass
class Nested:
    items: list[int]


def test_defaults_that_can_be_changed_are_taken() -> None:
    """A dataclass would refuse them; a function does not."""

    def listed(items: list[int] = [1], nested: Nested = Nested([2])) -> int:  # noqa: B006, B008
        return len(items) + len(nested.items)

    assert tool(listed).arguments_in("{}") == {}


def _generator() -> Any:
    yield 1


def _untyped(a) -> None:  # type: ignore[no-untyped-def]
    pass


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (_untyped, "parameter 'a'"),
        (lambda *args: args, "'<lambda>'"),
        (_generator, "not a generator"),
        (functools.partial(google), "name="),
        (3, "a function, not int"),
    ],
)
def test_functions_that_cannot_be_tools_are_refused(function: Any, told: str) -> None:
    """With the reason, before anything is sent."""
    with pytest.raises(InvalidRequestError) as caught:
        tool(function)
    assert told in str(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, True, "3"])
def test_a_timeout_is_seconds(timeout: Any) -> None:
    """More than none."""
    with pytest.raises(InvalidRequestError, match="timeout"):
        tool(numpy_style, timeout=timeout)
