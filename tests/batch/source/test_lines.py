"""JSON lines, one JSON array, and what is neither: told before a row is taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_async.batch.source.lines import lines_of
from deepseek_async.batch.source.template import Template
from deepseek_async.errors import InvalidRequestError


def read(data: bytes, size: int = 2**20, template: Template | None = None) -> list[bytes]:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return [line for block in lines_of(iter(pieces), "in.json", template) for line in block]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.text(), values, max_size=4)), st.integers(1, 9), st.booleans())
def test_an_array_is_read_as_lines(rows: list[dict[str, Any]], size: int, is_indented: bool) -> None:
    """However it is written, and cut."""
    data = json.dumps(rows, ensure_ascii=is_indented, indent=2 if is_indented else None).encode()
    found = read(b" \n" + data + b"\n", size)
    assert list(map(json.loads, found)) == rows
    assert not any(b"\n" in line for line in found)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[1, 2]", "an element of its array is no object"),
        (b'["a"]', "an element of its array is no object"),
        (b"[[{}]]", "an element of its array is no object"),
        (b"[{}, 3, {}]", "an element of its array is no object"),
        (b"[{}] {}", "something follows its array"),
        (b"[{}] x", "something follows its array"),
        (b'[{"a": "x', "its array has no end"),
        (b"[{}", "its array has no end"),
        (b"[", "its array has no end"),
        (b'{\n  "rows": [\n    {"a": 1}\n  ]\n}\n', "one JSON document over many lines"),
        (b"a,b\n1,2\n", "its first lines are no JSON"),
        (b"Hello", "its first lines are no JSON"),
        (b'"a"\n"b"\n', r"are JSON, and no objects \(str\)"),
        (b"1\n2\n", r"are JSON, and no objects \(int\)"),
        (b"\x89PNG\r\n\x1a\n\0\0", "its bytes are no text"),
        (b"%PDF-1.7\n\xe2\xe3\n", "its first lines are no JSON"),
    ],
)
def test_what_has_no_rows(data: bytes, words: str) -> None:
    """One sentence, with the file's name."""
    with pytest.raises(InvalidRequestError, match=words) as caught:
        read(data)
    assert caught.value.message.startswith("in.json ")


def test_a_bad_row_among_others_is_that_rows_failure() -> None:
    """Also as the first, also where it is long."""
    assert read(b'no\n{"a": 1}\n') == [b"no", b'{"a": 1}']
    assert read(b"{}\n", 1) == [b"{}"]
    assert read(b"") == read(b"\n\n") or read(b"\n\n") == [b"", b""]


def test_a_column_that_no_row_has() -> None:
    """It is looked for in the first rows; one that has it is enough."""
    with pytest.raises(InvalidRequestError, match=r"in.json has no column 'b'; it has a"):
        read(b'{"a": 1}\n', template=Template(prompt="{b}"))
    assert len(read(b'{"a": 1, "b": 2}\n{"a": 1}\n', template=Template(prompt="{b}"))) == 2
