"""CSV and TSV as rows: whatever the cut, the quotes, the separators; what is no table is told in a sentence."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_async.batch.source.records import Record, records_of, typed
from deepseek_async.batch.source.template import Template
from deepseek_async.errors import InvalidRequestError

ANY = Template(prompt="x")


def read(data: bytes, template: Template = ANY, *, size: int = 2**20, separator: str | None = None) -> list[Record]:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return [record for block in records_of(iter(pieces), "in.csv", template, separator=separator) for record in block]


def values(data: bytes, **options: Any) -> list[dict[str, Any]]:
    return [dict(record.values) for record in read(data, **options)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_every_cut(size: int) -> None:
    """Quotes, line ends inside of them, characters of several bytes, cut anywhere."""
    data = 'a,b\r\n1,"x, ""y"""\r\n\r\n2,"two\r\nlines"\n3,雨🌧\r'.encode()
    assert values(data, size=size) == [
        {"a": "1", "b": 'x, "y"'},
        {"a": "2", "b": "two\nlines"},
        {"a": "3", "b": "雨🌧"},
    ]


cells = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")), min_size=2, max_size=2)


@settings(max_examples=40)
@given(st.lists(cells, max_size=5), st.integers(1, 9), st.sampled_from(",;\t"))
def test_what_pythons_writer_writes(rows: list[list[str]], size: int, separator: str) -> None:
    """It is read back; an empty cell has no value, and a record of nothing is a blank line."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerows([["a", "b"], *rows])
    expected = [{name: cell for name, cell in zip("ab", row, strict=True) if cell} for row in rows]
    assert values(text.getvalue().encode(), size=size) == expected


@pytest.mark.parametrize("head", [b"a;b\n1;2,5\n", b'"a;";b\n1;2,5\n'.replace(b"a;", b"a"), b"a\tb\n1\t2,5\n"])
def test_separators_are_seen(head: bytes) -> None:
    """Spreadsheets of many languages write semicolons."""
    assert values(head) == [{"a": "1", "b": "2,5"}]


def test_commas_before_all() -> None:
    assert values(b"a,b;c\n1,2\n") == [{"a": "1", "b;c": "2"}]
    assert values(b"a,b\tc\n1,2\t3\n", separator="\t") == [{"a,b": "1,2", "c": "3"}]


def test_one_column_and_none() -> None:
    assert values(b"text\nx\ny\n") == [{"text": "x"}, {"text": "y"}]
    assert values(b"text\n") == []
    assert values(b"") == []
    assert values(b"\n\n") == []


def test_a_column_without_a_name_is_left_out() -> None:
    """pandas writes its index so."""
    assert values(b",text\n0,x\n1,y\n") == [{"text": "x"}, {"text": "y"}]


def test_bad_records_are_rows_that_fail() -> None:
    """The others go on, and the place is the record's."""
    records = read(b'a,b\n1,2,3\n1\n"x"y,2\n1,2\n')
    assert [record.line for record in records] == [2, 3, 4, 5]
    assert [record.problem is None for record in records] == [False, False, False, True]
    assert "3 cells, and the first line names 2 columns" in str(records[0].problem)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a,a\n1,2\n", "two columns that are called 'a'"),
        (b",\n1,2\n", "its first line names no columns"),
        (b'a,b\n1,"x\n2,y\n', "in.csv:2: a quote is opened in this record and never closed"),
        (b'a,"b\n1,2\n', "names no columns"),
        (b"a,b\n1,caf\xe9\n", "in.csv:2 is no UTF-8; write the file as such: iconv"),
        (b"\xe9,b\n1,2\n", "in.csv:1 is no UTF-8"),
        (b"a\0b,c\n1,2\n", "its first line names no columns"),
    ],
)
def test_what_is_no_table(data: bytes, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        read(data)


def test_columns_are_looked_for() -> None:
    """Those that the prompt names; without a prompt one that asks."""
    with pytest.raises(InvalidRequestError, match=r"in.csv has no column 'c'; it has a, b"):
        read(b"a,b\n1,2\n", Template(prompt="{c}"))
    with pytest.raises(
        InvalidRequestError, match=r'none of them prompt or messages: say what to ask, --prompt "… \{a\}'
    ):
        read(b"a,b\n1,2\n", Template())
    assert values(b"prompt\nx\n", template=Template()) == [{"prompt": "x"}]


def test_a_long_cell() -> None:
    """Longer than what the csv module takes by default, which stays as it was."""
    before = csv.field_size_limit()
    (row,) = values(b'a\n"' + b"x" * 200_000 + b'"\n')
    assert len(row["a"]) == 200_000
    assert csv.field_size_limit() == before


def test_cells_as_parameters() -> None:
    """Numbers, truth as spreadsheets write it, JSON; what is text by nature stays text."""
    cells = {
        "custom_id": "007",
        "prompt": "5",
        "model": "1",
        "max_tokens": "20",
        "temperature": "0.5",
        "logprobs": "TRUE",
        "messages": '[{"role": "user", "content": "x"}]',
        "stop": "3",
        "top_p": "much",
    }
    assert typed(cells) == {
        "custom_id": "007",
        "prompt": "5",
        "model": "1",
        "max_tokens": 20,
        "temperature": 0.5,
        "logprobs": True,
        "messages": [{"role": "user", "content": "x"}],
        "stop": "3",
        "top_p": "much",
    }
    assert typed({"stop": '["a", "b"]'}) == {"stop": ["a", "b"]}


def _pieces(rows: int) -> Iterator[bytes]:
    yield b"a\n"
    for number in range(rows):
        yield b"%d\n" % number


def test_nothing_is_read_ahead() -> None:
    """A block is some hundreds of records, however long the file."""
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for piece in _pieces(10_000):
            taken += 1
            yield piece

    blocks = records_of(counted(), "in.csv", ANY)
    assert len(next(blocks)) == 500
    assert taken < 510
