"""`lay_out` makes of a conversation the one run of tokens that the model reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .tokenizer import ASSISTANT, BOS, BYTES, EOS, FIRST_PIECE, SYSTEM, THINK, TOOL, USER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .tokenizer import Tokenizer

_ROLES: Final = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT, "tool": TOOL}


def lay_out(tokenizer: Tokenizer, turns: Iterable[tuple[str, str]], *, thinking: bool) -> list[int]:
    """Put the messages one after the other, each behind the token of its role.

    Args:
        tokenizer: Splits the texts.
        turns: Role and text of each message; a role that has no token of its own is laid out as the user's.
        thinking: End with the token that opens the reasoning instead of the one that opens the answer.
    """
    tokens = [BOS]
    for role, text in turns:
        tokens.append(_ROLES.get(role, USER))
        tokens += tokenizer.encode(text)
        if role == "assistant":
            tokens.append(EOS)
    tokens.append(ASSISTANT)
    if thinking:
        tokens.append(THINK)
    return tokens


def last_user_turn(context: Sequence[int]) -> tuple[int, ...]:
    """The text of the last user message in a rendered conversation; without one, all that is text."""
    end = len(context)
    for place in range(len(context) - 1, -1, -1):
        if BYTES <= context[place] < FIRST_PIECE:
            if context[place] == USER:
                return tuple(context[place + 1 : end])
            end = place
    return tuple(token for token in context if not BYTES <= token < FIRST_PIECE)
