"""What models write around their JSON is read by one rule, and never guessed at."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from deepseek_async.codec.structuring import WRONG, structuring_of

from .shapes import Circle, Point, Square


@attrs.frozen
class City:
    name: str
    people: int = 0


@attrs.frozen
class Loose:
    name: str = ""


@attrs.frozen
class Holder:
    value: int


ZURICH = '{"name": "Zürich", "people": 5}'
OTHER = '{"name": "Bern"}'
VALUE = City("Zürich", 5)


def read(wanted: Any, text: str, reasoning: str = "") -> tuple[Any, list[str]]:
    value, wrong = structuring_of(wanted).answers(is_strict=False).read(text, reasoning)
    return value, [str(one) for one in wrong]


@pytest.mark.parametrize(
    "text",
    [
        ZURICH,
        f"\n  {ZURICH}\n\n",
        f"\ufeff{ZURICH}",
        f"```json\n{ZURICH}\n```",
        f"```JSON\n{ZURICH}\n```",
        f"```\n{ZURICH}\n```",
        f"```{ZURICH}```",
        f"Here you are:\n\n```json\n{ZURICH}\n```\n\nIs there anything else?",
        f"Here you are: {ZURICH}",
        f"{ZURICH}\nI hope that helps!",
        f"<think>A city {OTHER}, or not?</think>{ZURICH}",
        f"<think>\nIt has [5] people.\n</think>\n\n```json\n{ZURICH}\n```",
        f"It began before.</think>{ZURICH}",
        f"<think>{ZURICH}</think>",
        f"{ZURICH}\n{ZURICH}",
        f"```json\n{ZURICH}\n```\nOr, again:\n```json\n{ZURICH}\n```",
        '"{\\"name\\": \\"Zürich\\", \\"people\\": 5}"',
        f'{{"City": {ZURICH}}}',
        f'{{"city": {ZURICH}}}',
        f'{{"result": {ZURICH}}}',
        '{"City": "{\\"name\\": \\"Zürich\\", \\"people\\": 5}"}',
        f"You asked about {OTHER}; here it is:\n```json\n{ZURICH}\n```",
        f"In {{braces}} and [1]: {ZURICH}",
        f'{{"name": 3}} was wrong, so {ZURICH}',
    ],
)
def test_json_is_found_in_what_stands_around_it(text: str) -> None:
    """Fences, words, thoughts, repetitions, strings and wrappers are taken off where that is unambiguous."""
    assert read(City, text) == (VALUE, [])


def test_reasoning_is_read_where_nothing_else_was_said() -> None:
    """Some servers put the whole answer there; but what was said counts first."""
    assert read(City, "", f"So it is:\n{ZURICH}") == (VALUE, [])
    assert read(City, " \n", ZURICH) == (VALUE, [])
    assert read(City, OTHER, ZURICH) == (City("Bern"), [])


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [
        (f"{ZURICH}\n{OTHER}", ""),
        (f"Either {ZURICH} or {OTHER}", ""),
        (f"```json\n{ZURICH}\n```\n```json\n{OTHER}\n```", ""),
        ("", f"First {OTHER}, no: {ZURICH}"),
    ],
)
def test_two_values_that_differ_are_not_chosen_from(text: str, reasoning: str) -> None:
    """The model is asked which it meant."""
    value, wrong = read(City, text, reasoning)
    assert value is WRONG
    assert wrong == ["$: expected one value, and 2 that differ stand there"]


@pytest.mark.parametrize("text", ["", "  \n", "no JSON at all", "{braces}", "[1, 2", '{"name": "cut', "```json\n```"])
def test_no_json_is_no_problem_of_the_type(text: str) -> None:
    """Then there is nothing to say about places."""
    value, wrong = read(City, text)
    assert value is WRONG
    assert wrong == []


@pytest.mark.parametrize(
    ("wanted", "text", "value"),
    [
        (int, "5", 5),
        (int, '{"value": 5}', 5),
        (int, 'It is {"value": 5}.', 5),
        (list[City], f'{{"value": [{ZURICH}]}}', [VALUE]),
        (list[City], f"[{ZURICH}]", [VALUE]),
        (str, '{"value": "a"}', "a"),
        (str, '"{}"', "{}"),
        (Holder, '{"value": 1}', Holder(1)),
        (Holder, '{"Holder": {"value": 1}}', Holder(1)),
        (Holder | None, '{"value": {"value": 1}}', Holder(1)),
        (Holder | None, '{"value": 1}', Holder(1)),
        (Holder | None, '{"value": null}', None),
        (dict[str, int], '{"value": 1}', {"value": 1}),
        (dict[str, int], '{"scores": 1}', {"scores": 1}),
        (Any, '{"value": {"value": 1}}', {"value": 1}),
        (Loose, '{"Loose": {"name": "a"}}', Loose("a")),
        (Loose, '{"other": 1}', Loose()),
        (Loose, '{"name": "a"}', Loose("a")),
        (Circle | Square, '{"value": {"kind": "circle", "radius": 1}}', Circle("circle", 1.0)),
        (Circle | Square, 'So:\n{"kind": "circle", "radius": 1}', Circle("circle", 1.0)),
        (list[int], "See [1, 2].", [1, 2]),
    ],
)  # fmt: skip
def test_what_is_no_object_comes_inside_one(wanted: Any, text: str, value: Any) -> None:
    """Under ``value``, as it was asked for, or bare."""
    assert read(wanted, text) == (value, [])


def test_the_problem_is_that_of_the_nearest_json() -> None:
    """Not that of a wrapper around it, nor of a list that stands somewhere in the words."""
    _, wrong = read(City, 'As [1] says: {"City": {"name": "a", "people": "many"}}')
    assert wrong == ['$.people: expected an integer, got "many"']
    _, wrong = read(City, '"{\\"name\\": 1}"')
    assert wrong == ["$.name: expected a string, got an integer"]


def test_the_middle_of_long_words_is_searched_in_time() -> None:
    """A text of nothing but openings is no burden."""
    assert read(Point, "{[" * 20_000)[0] is WRONG
    assert read(Point, "[" * 100_000)[0] is WRONG
    assert read(Point, '{"x": ' * 5_000)[0] is WRONG
