"""Rows become requests by a template: columns in braces, what rows do not say themselves, and ids that are numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.batch.source.row import name_and_hash, row_of
from deepseek_async.batch.source.template import Template
from deepseek_async.errors import InvalidRequestError


def asked(prompt: str, **row: Any) -> str:
    (message,) = Template(prompt=prompt).filled(row)["messages"]
    return str(message["content"])


def test_columns_in_braces() -> None:
    """Each is the row's value; doubled braces are braces."""
    assert asked("{{{a}}}: {b}, {a}", a="x", b="y") == "{x}: y, x"
    assert asked('{{"n": {n}}}', n=3) == '{"n": 3}'
    assert asked("nothing") == "nothing"


@pytest.mark.parametrize("name", ["first name", "a.b", "a:b", "a!r", "a[0]", "名", "0", "a/b"])
def test_any_name(name: str) -> None:
    """A column's name is taken as it stands."""
    assert asked(f"<{{{name}}}>", **{name: "x"}) == "<x>"


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (5.0, "5"), (2.5, "2.5"), (True, "true"), (["a", {"b": 1}], '["a",{"b":1}]'), (Decimal("1.10"), "1.10")],
)
def test_values_as_text(value: Any, text: str) -> None:
    """What is no text is written as people, or JSON, write it."""
    assert asked("{v}", v=value) == text


def test_dates() -> None:
    assert asked("{v}", v=date(2026, 1, 31)) == "2026-01-31"


@pytest.mark.parametrize("prompt", ["{", "}", "a {} b", "{ }", '{"a": 1}', "{a", "a}", "{{a}", "{{{a}}", "{a\nb}"])
def test_braces_that_are_no_column(prompt: str) -> None:
    """A lone brace is told, with its place and with what to write."""
    with pytest.raises(InvalidRequestError, match=r"at character \d+ is no column; write .*\{\{ and \}\}"):
        Template(prompt=prompt)


@given(st.text(alphabet="{}a", max_size=8))
def test_doubled_braces_are_always_literal(text: str) -> None:
    """Whatever the text, it can be written."""
    assert asked(text.replace("{", "{{").replace("}", "}}")) == text


@pytest.mark.parametrize("value", ["", " ", "\n\t", None, float("nan")])
def test_an_empty_cell(value: object) -> None:
    """A row without a value fails; it is not asked about nothing."""
    row = row_of({"id": "a", "text": value}, 1, "in.csv:2", Template(prompt="Translate: {text}"))
    assert row.error is not None
    assert row.error.message == "in.csv:2: the row has no value for 'text', which the prompt asks for"
    assert row.custom_id == "a"


def test_data_is_data() -> None:
    """With a prompt, a column that is called like a parameter changes no request."""
    template = Template(prompt="{text}", system="Be {brief}.", model="m", parameters={"max_tokens": 3})
    row = row_of({"id": 7, "text": "x", "model": "T", "temperature": 99, "stop": 1}, 1, "row 1", template)
    assert row.error is None
    assert row.request is not None
    assert row.custom_id == "7"
    assert (row.request.model, row.request.max_tokens, row.request.temperature) == ("m", 3, None)
    assert b'"content":"Be {brief}."' in row.body


def test_what_a_row_says_itself_holds() -> None:
    """Without a prompt, a template fills in what is missing."""
    template = Template(system="S", model="m", parameters={"max_tokens": 3})
    own = row_of(
        {"messages": [{"role": "system", "content": "own"}], "model": "n", "max_tokens": 9}, 1, "row 1", template
    )
    bare = row_of({"prompt": "x"}, 1, "row 1", template)
    line = row_of({"custom_id": "a", "body": {"messages": [{"role": "user", "content": "x"}]}}, 1, "row 1", template)
    assert own.request is not None
    assert (own.request.model, own.request.max_tokens, len(own.request.messages)) == ("n", 9, 1)
    for row in (bare, line):
        assert row.request is not None
        assert (row.request.model, row.request.max_tokens, len(row.request.messages)) == ("m", 3, 2)


@pytest.mark.parametrize(("given", "name"), [(17, "17"), (17.0, "17"), (1.5, "1.5"), ("007", "007"), (-3, "-3")])
def test_numbers_as_ids(given: object, name: str) -> None:
    """They are taken as text, also by the cheap look at a line."""
    assert row_of({"custom_id": given, "prompt": "x"}, 1, "row 1").custom_id == name
    written = f'{{"custom_id": {given!r}, "prompt": "x"}}'.replace("'", '"').encode()
    assert name_and_hash(written, 1)[0] == name
    assert row_of(written, 1, "in:1").line_hash == name_and_hash(written, 1)[1]


@pytest.mark.parametrize("given", [True, [], {}, ""])
def test_what_is_no_id(given: object) -> None:
    row = row_of({"custom_id": given, "prompt": "x"}, 4, "row 4")
    assert row.error is not None
    assert "custom_id" in row.error.message
    assert row.custom_id == "row-4"


def test_a_column_that_is_not_there() -> None:
    """It is told with those that are."""
    with pytest.raises(InvalidRequestError, match=r"in.csv has no column 'titel'; it has title, text"):
        Template(prompt="{titel}").check(["title", "text"], "in.csv")
    with pytest.raises(InvalidRequestError, match=r"has no column 'key'"):
        Template(id_column="key").check(["title", "text"], "in.csv")


def test_another_column_names_rows() -> None:
    template = Template(prompt="{text}", id_column="key")
    assert row_of({"key": 5, "id": "no", "text": "x"}, 1, "row 1", template).custom_id == "5"
    assert row_of({"key": 5, "prompt": "x"}, 1, "row 1", Template(id_column="key")).custom_id == "5"


def test_a_line_is_not_known_by_its_words_alone() -> None:
    """The same line may ask something else another time: it has no hash of its own then."""
    line = b'{"id": "a", "text": "x"}'
    one, other = (row_of(line, 1, "in:1", Template(prompt=prompt)) for prompt in ("{text}", "Say {text}"))
    assert one.line_hash is other.line_hash is None
    assert one.body_hash != other.body_hash
