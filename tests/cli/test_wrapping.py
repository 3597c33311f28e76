"""Lines that break between words, although the words come in pieces."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.style import Style

from deepseek_async.cli.wrapping import WordWrap

from .terminal import painted


def _lines(pieces: list[str], columns: int) -> list[str]:
    file = io.StringIO()
    wrap = WordWrap(Console(file=file, width=columns, force_terminal=True, color_system=None, _environ={}))
    for piece in pieces:
        wrap.write(piece, Style())
    return painted(file.getvalue(), columns)


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["one two ", "three"], ["one two", "three"]),
        (["one two th", "ree"], ["one two", "three"]),
        (["one two", "three four"], ["one", "twothree", "four"]),
        (["12345678", "9"], ["123456789"]),
        (["1234567890", "1234"], ["1234567890", "1234"]),
        (["a 1234567890", "1234 b"], ["a 12345678", "901234 b"]),
        (["one\n\ntwo"], ["one", "", "two"]),
        (["abcdefgh", "      ", "i"], ["abcdefgh", "i"]),
        (["天地玄黄宇宙洪荒"], ["天地玄黄", "宇宙洪荒"]),
        (["ab\tcd"], ["ab    cd"]),
    ],
)
def test_words_stay_whole(pieces: list[str], lines: list[str]) -> None:
    """In ten columns, of which the last is left free."""
    assert _lines(pieces, 10) == lines


_TEXT = st.text(st.sampled_from("abc  \n雨🙂"), max_size=120)


@given(_TEXT, st.lists(st.integers(0, 120)), st.integers(6, 30))
def test_the_cut_into_pieces_does_not_show(text: str, cuts: list[int], columns: int) -> None:
    """However it comes, the screen looks the same, and no character but blanks at line ends is lost."""
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(borders)]
    shown = _lines(pieces, columns)
    assert "".join("".join(shown).split()) == "".join(text.split())
    if all(len(word) * 2 < columns for word in text.split()):
        assert shown == _lines([text], columns)
