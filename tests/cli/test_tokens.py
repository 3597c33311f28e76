"""Tokens to look at."""

from __future__ import annotations

import io
import math

import pytest
from rich.cells import cell_len
from rich.console import Console

from deepseek_async.cli.tokens import label_of, percent_of, print_tables, style_of
from deepseek_async.types import (
    BELOW_TOP,
    AssistantMessage,
    ChatCompletion,
    Choice,
    ChoiceLogprobs,
    TokenLogprob,
    TopLogprob,
)


def _token(text: str, probability: float = 0.5, *others: tuple[str, float]) -> TokenLogprob:
    tops = tuple(TopLogprob(other, math.log(p), tuple(other.encode())) for other, p in others)
    return TokenLogprob(text, math.log(probability), tuple(text.encode()), top_logprobs=tops)


@pytest.mark.parametrize(
    ("token", "label"),
    [
        (_token(" sky"), '" sky"'),
        (_token('\n\t"\\'), r'"\n\t\"\\"'),
        (_token("雨"), '"雨"'),
        (_token("\x1b[2J"), '"␛[2J"'),
        (TokenLogprob("bytes:\\xe9", -1.0, (0xE9, 0x9B)), "<e9 9b>"),
        (TokenLogprob("end", -1.0, None), '"end"'),
    ],
)
def test_a_label_shows_what_cannot_be_seen(token: TokenLogprob, label: str) -> None:
    """Blanks, line ends, control characters, and bytes that are only part of a character."""
    assert label_of(token) == label


@pytest.mark.parametrize(
    ("logprob", "shown"),
    [
        (0.0, "100.0 %"),
        (math.log(0.5), "50.0 %"),
        (math.log(0.001), "0.1 %"),
        (math.log(0.00002), "0.002 %"),
        (-60.0, "< 0.0001 %"),
        (BELOW_TOP, "< top 20"),
    ],
)
def test_a_probability_is_never_shown_as_zero(logprob: float, shown: str) -> None:
    """Small ones keep a digit, and -9999.0 is told apart from a probability."""
    assert percent_of(TopLogprob("x", logprob)) == shown


def test_colours_are_ordered() -> None:
    """More probable tokens never get a more surprising colour, and the ends of the scale differ."""
    styles = [style_of(_token("x", p)) for p in (0.001, 0.02, 0.1, 0.3, 0.6, 0.9)]
    assert len(set(map(str, styles))) == 6
    assert style_of(TopLogprob("x", BELOW_TOP)) == styles[0]
    assert style_of(_token("x", 1.0)) == styles[-1]


def _printed(completion: ChatCompletion, width: int, *, terminal: bool) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None, highlight=False)
    print_tables(console, completion)
    return file.getvalue().splitlines()


def _completion(*tokens: TokenLogprob) -> ChatCompletion:
    return ChatCompletion(choices=(Choice(0, AssistantMessage("…"), ChoiceLogprobs(tokens), "stop"),))


@pytest.mark.parametrize("width", [30, 60, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Long tokens and many alternatives are shortened; wide characters count twice."""
    long = _token("雨" * 30, 0.3, *((f" alternative {n}", 0.01) for n in range(20)))
    lines = _printed(_completion(long, *[_token("a")] * 120), width, terminal=True)
    assert max(map(cell_len, lines)) <= width


def test_in_a_pipe_nothing_is_shortened() -> None:
    """Every alternative is there, the chosen token itself not among them."""
    others = [(f" alternative {n}", 0.01) for n in range(20)]
    lines = _printed(_completion(_token("雨" * 30, 0.3, ("雨" * 30, 0.3), *others)), 10_000, terminal=False)
    assert lines[2].count("alternative") == 20
    assert lines[2].count("雨" * 30) == 1


def test_an_answer_without_logprobs_says_so() -> None:
    """A server may ignore the parameter."""
    completion = ChatCompletion(choices=(Choice(0, AssistantMessage("Hi"), None, "stop"),))
    assert _printed(completion, 80, terminal=False) == ["the server sent no logprobs"]
