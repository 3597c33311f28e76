"""`resume` finds the place from which an answer goes on, when its beginning comes back as text.

The text may end inside a token, and it may begin with words that the model did not write: a prefix of the caller's,
of unknown length, then the model's own continuation of it. One rule covers all of this: find the earliest place in the
text from which on the model, given what stands before, writes what stands there. An answer's own beginning is found at
place 0; the continuation of a prefix where the prefix ends; and if the model agrees with no part of the text, it goes
on at its end. So a text and the same text with more of its continuation lead to the same place and the same whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .sampling import Step
    from .tokenizer import Tokenizer


_LONGEST_OWN: Final = 256  # characters of a caller's own prefix: each is tried as the place where it ends


def resume(
    tokenizer: Tokenizer, steps_after: Callable[[Sequence[int]], Iterator[Step]], prefix: str
) -> tuple[list[int], str]:
    """Find the tokens from which an answer goes on after a text.

    Args:
        tokenizer: The model's.
        steps_after: Draws the answer after given tokens.
        prefix: The text so far.

    Returns:
        The answer's tokens so far, and what the last one has more than the text.
    """
    for place in range(min(len(prefix), _LONGEST_OWN)):
        before = tokenizer.encode(prefix[:place])
        found = find_place(tokenizer, steps_after(before), prefix[place:])
        if found is not None:
            return before + found[0], found[1]
    return tokenizer.encode(prefix), ""


def find_place(tokenizer: Tokenizer, steps: Iterator[Step], prefix: str) -> tuple[list[int], str] | None:
    """Read steps up to the place where a text ends, and no further.

    Returns:
        The tokens up to there, and the part of the last one that is not in the text; None if the text is another one.
    """
    wanted = prefix.encode("utf-8")
    written: list[int] = []
    place = 0
    for step in steps:
        data = tokenizer.token_bytes(step.token)
        if data is None:
            return None
        written.append(step.token)
        left = wanted[place : place + len(data)]
        if not data.startswith(left):
            return None
        place += len(data)
        if place >= len(wanted):
            return written, data[len(left) :].decode("utf-8")
    return None
