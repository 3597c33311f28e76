"""Every kind of type with answers that fit and answers that do not: the right value, or the right place."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import pytest

from deepseek_async.codec.structuring import WRONG, plain, schema, structured, structuring_of
from deepseek_async.errors import InvalidRequestError, MalformedResponseError

from .table import REFUSED, ROWS, Row

RIGHT = [row for row in ROWS if not row.wrong]
WRONG_ROWS = [row for row in ROWS if row.wrong]


def read(row: Row) -> tuple[Any, str]:
    """The value of a row's text, or what is said against it."""
    answers = structuring_of(row.wanted).answers(is_strict=False)
    value, wrong = answers.read(row.json)
    return value, "; ".join(map(str, wrong))


def test_the_table_is_long() -> None:
    """It has as many pairs as it was asked to have, and more."""
    assert len(ROWS) >= 150


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.name)
def test_what_fits_becomes_the_value(row: Row) -> None:
    """Equal to the one that the class itself makes, and of its type."""
    value, wrong = read(row)
    assert not wrong
    assert value == row.value
    assert type(value) is type(row.value)


@pytest.mark.parametrize("row", WRONG_ROWS, ids=lambda row: row.name)
def test_what_does_not_fit_names_the_place(row: Row) -> None:
    """And what was expected there, in words of JSON."""
    value, wrong = read(row)
    assert value is WRONG, value
    assert row.wrong in wrong
    assert "Traceback" not in wrong


def _judge(wanted: Any) -> jsonschema.Draft202012Validator:
    made = schema(wanted)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made, format_checker=jsonschema.FormatChecker())


def _is_json(data: Any) -> bool:
    if isinstance(data, float):
        return math.isfinite(data)
    if isinstance(data, (list, dict)):
        return all(map(_is_json, data.values() if isinstance(data, dict) else data))
    return True


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.name)
def test_the_schema_accepts_what_fits(row: Row) -> None:
    """By an independent judge of JSON Schema."""
    if row.wanted is not float and _is_json(data := json.loads(row.json)):
        _judge(row.wanted).validate(data)


# What a schema cannot say: 1.0 is 1 to it, bounds of dates, validators that are functions, formats without a judge.
UNSAID = (
    "1.0", "0" * 400, "tomorrow", '"1h"', "P", "low", "islower", "at least 2026", "offset", '{"length": "x"}',
    '"price": "-1"', "T00",
)  # fmt: skip


@pytest.mark.parametrize("row", WRONG_ROWS, ids=lambda row: row.name)
def test_the_schema_refuses_what_does_not_fit(row: Row) -> None:
    """So that nothing is asked for that would be refused when it comes."""
    data = json.loads(row.json)
    if not _is_json(data) or any(word in row.json or word in row.wrong for word in UNSAID):
        return
    assert not _judge(row.wanted).is_valid(data)


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.name)
def test_a_value_goes_to_json_and_back(row: Row) -> None:
    """What is read is written so that it is read again, equal."""
    name = getattr(row.wanted, "__name__", "")
    if name in ("Converted", "Started"):
        return  # what their fields were made from is gone
    data = json.loads(json.dumps(plain(row.value)))
    again = structured(data, row.wanted, "the value")
    assert again == row.value


@pytest.mark.parametrize(("wanted", "words"), REFUSED, ids=lambda one: str(one)[:40])
def test_what_cannot_work_is_refused_with_the_reason(wanted: Any, words: str) -> None:
    """Before anything could be sent, and in words that help."""
    with pytest.raises(InvalidRequestError) as raised:
        structuring_of(wanted)
    assert raised.value.parameter == "response_type"
    assert words in raised.value.message


def test_all_that_is_wrong_is_said_at_once() -> None:
    """In one error, the place of the first apart."""
    from .shapes import Described

    with pytest.raises(MalformedResponseError) as raised:
        structured({"count": 0, "name": "", "price": "x"}, Described, "the answer")
    for place in ("$.count: ", "$.name: ", "$.price: "):
        assert place in raised.value.message
    assert raised.value.path == "$.count"
