"""A turn of a conversation: a question, and all that follows from it up to the model's last words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs

from ...types import AssistantMessage, Usage


@attrs.frozen
class Turn:
    """A question and what came of it.

    Attributes:
        messages: From the question to the model's last words, with all calls and their results between them.
        usage: Token counts of all its requests together; ``None`` where the server told none.
        cost: In US dollars; of a half answer an estimate; ``None`` where it is not known.
        finish_reason: Of the last answer; see `FinishReason`.
        complete: False for a half answer that was kept (``partial="keep"``).
    """

    messages: tuple[Any, ...]
    usage: Usage | None = None
    cost: Decimal | None = None
    finish_reason: str | None = None
    complete: bool = True


def sendable(messages: list[Any]) -> list[Any]:
    """The messages up to the last that a server takes: no call without its result, no half call."""
    taken: list[Any] = []
    for number, message in enumerate(messages):
        if isinstance(message, AssistantMessage) and message.tool_calls:
            wanted = {call.id for call in message.tool_calls}
            results = messages[number + 1 : number + 1 + len(wanted)]
            if {getattr(result, "tool_call_id", None) for result in results} != wanted:
                if message.content:
                    taken.append(attrs.evolve(message, tool_calls=None))
                break
        taken.append(message)
    return taken


def is_worth_keeping(messages: Sequence[Any]) -> bool:
    """Whether a turn that broke off has something in it that the model said or called."""
    return any(
        isinstance(message, AssistantMessage) and (message.content or message.tool_calls) for message in messages
    )
