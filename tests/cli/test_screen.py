"""What may be written to a terminal."""

from __future__ import annotations

import pytest

from deepseek_async.cli.endings import line_of
from deepseek_async.cli.screen import visible
from deepseek_async.errors import BadRequestError


@pytest.mark.parametrize(
    "mark",
    ["\u202e", "\u202d", "\u202a", "\u202b", "\u202c", "\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u061c"],
)
def test_no_mark_of_direction_passes(mark: str) -> None:
    """A line that a server wrote reads as it is, and does not turn what follows around."""
    assert line_of(BadRequestError(f"HTTP 400: no {mark}txt.exe", status=400)) == "HTTP 400: no \ufffdtxt.exe"
    assert visible(f"no {mark}txt.exe") == "no \ufffdtxt.exe"


@pytest.mark.parametrize("text", ["שלום", "مرحبا", "a\tb\nc", "naïve 🙂", "日本語"])
def test_words_of_any_direction_do(text: str) -> None:
    """Scripts that run from right to left need no marks to do so."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("given", "shown"), [("\x1b[2J", "␛[2J"), ("\x00", "␀"), ("\x9b1m", "\ufffd1m"), ("\x7f", "␡")]
)
def test_control_characters_are_pictures(given: str, shown: str) -> None:
    """Nothing steers the terminal."""
    assert visible(given) == shown
