"""Consoles that do not know every character: JSON stays JSON, our own signs become plain ones, nothing is lost."""

from __future__ import annotations

import codecs
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.cli import encoding as module
from deepseek_async.cli.encoding import HANDLER, argument, knows, print_json

from .conftest import Spawn


def written(text: str, encoding: str) -> bytes:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding=encoding, errors="strict", newline="\n")
    print_json(text, stream)
    return data.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "gbk", "utf-16-le"])
@given(value=st.recursive(st.text(st.characters(exclude_categories=["Cs"])), lambda inner: st.lists(inner, max_size=3)))
def test_json_is_ascii_where_utf_8_is_not(encoding: str, value: Any) -> None:
    """And means the same."""
    data = written(json.dumps(value, ensure_ascii=False), encoding)
    text = data.decode(encoding)
    assert text.isascii()
    assert json.loads(text) == value


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf_8"])
def test_json_on_utf_8_is_as_it_was(encoding: str) -> None:
    assert written('"ä雨🌧"', encoding) == '"ä雨🌧"\n'.encode()


@pytest.mark.parametrize(
    ("text", "encoding", "data"),
    [
        ("a · b … ≥", "ascii", b"a | b ... >="),
        ("a · b", "latin-1", b"a \xb7 b"),
        ("雨", "ascii", rb"\u96e8"),
        ("🌧ä", "latin-1", b"\\U0001f327\xe4"),
        ("■━╸", "cp1252", b"#=-"),
    ],
)
def test_signs(text: str, encoding: str, data: bytes) -> None:
    """Ours become plain ones, an answer's characters their numbers."""
    codecs.register_error(HANDLER, module._replaced)
    assert text.encode(encoding, HANDLER) == data


def test_what_a_stream_knows() -> None:
    assert knows(io.TextIOWrapper(io.BytesIO(), encoding="latin-1"), "»")
    assert not knows(io.TextIOWrapper(io.BytesIO(), encoding="ascii"), "»")


def test_arguments() -> None:
    """As they were written; what cannot be mended stays."""
    assert argument("plain ä 雨") == "plain ä 雨"
    assert argument("ä".encode().decode("ascii", "surrogateescape")) == "ä"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_the_command(spawn: Spawn, encoding: str) -> None:
    """JSON that a program reads, an answer that a person does, and a question in another locale's bytes."""
    env = {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    process = spawn("chat", "--sandbox", "--json", "--no-thinking", "Say: ä雨🌧 “x”", env=env)
    out, told = process.communicate(timeout=20)
    assert process.returncode == 0, told
    assert json.loads(out.decode("ascii"))["choices"][0]["message"]["content"] == "ä雨🌧 “x”"
