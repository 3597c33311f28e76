"""Going on with an answer whose beginning comes back as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deepseek_async.sandbox.model.continuation import find_place, resume
from deepseek_async.sandbox.model.sampling import forced
from deepseek_async.sandbox.model.tokenizer import EOS, FIRST_PIECE, Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deepseek_async.sandbox.model import Step

TOKENIZER = Tokenizer([" name", " is"])
NAME, IS = FIRST_PIECE, FIRST_PIECE + 1
MY = TOKENIZER.encode("My")
ANSWER = [NAME, IS, *" é".encode(), EOS]


@pytest.mark.parametrize(
    ("prefix", "place"),
    [
        ("", ([NAME], " name")),
        (" na", ([NAME], "me")),
        (" name", ([NAME], "")),
        (" name i", ([NAME, IS], "s")),
        (" name is é", (ANSWER[:-1], "")),
        (" nail", None),
        ("x", None),
        (" name is é!", None),
        (" name is è", None),
    ],
)
def test_the_place_and_the_rest_of_the_token(prefix: str, place: tuple[list[int], str] | None) -> None:
    """Tokens up to the end of the text, what the last one has more; None for a text of another answer."""
    steps = map(forced, ANSWER)
    found = find_place(TOKENIZER, steps, prefix)
    assert found == place
    if found is not None:
        assert [step.token for step in steps] == ANSWER[len(found[0]) :]


@pytest.mark.parametrize(
    ("prefix", "tokens", "rest"),
    [
        (" na", [NAME], "me"),
        (" name", [NAME], ""),
        ("My name", [*MY, NAME], ""),
        ("My n", [*MY, NAME], "ame"),
        ("My", MY, ""),
        ("My name was", [*MY, NAME, *TOKENIZER.encode(" was")], ""),
        ("x" * 300 + " na", TOKENIZER.encode("x" * 300 + " na"), ""),
    ],
)
def test_the_model_goes_on_from_the_earliest_place_that_it_agrees_with(
    prefix: str, tokens: list[int], rest: str
) -> None:
    """Its own text from the start, the continuation of another's from where that ends, else the end of the text."""

    def steps_after(before: Sequence[int]) -> Iterator[Step]:
        return map(forced, [IS, EOS] if NAME in before else [NAME, IS, EOS])

    assert resume(TOKENIZER, steps_after, prefix) == (tokens, rest)
