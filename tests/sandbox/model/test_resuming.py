"""Where in an answer a text ends."""

from __future__ import annotations

import pytest

from deepseek_async.sandbox.model.resuming import find_place
from deepseek_async.sandbox.model.sampling import forced
from deepseek_async.sandbox.model.tokenizer import EOS, FIRST_PIECE, Tokenizer

TOKENIZER = Tokenizer([" name", " is"])
NAME, IS = FIRST_PIECE, FIRST_PIECE + 1
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
