"""What an answer says of itself besides its texts."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...types import ChatCompletion, TextCompletion, Usage


class AnswerFacts(NamedTuple):
    """The answer's id and model (``""`` if none came), its usage, and the finish reasons that it has."""

    id: str = ""
    model: str = ""
    usage: Usage | None = None
    finish_reasons: tuple[str, ...] = ()


def facts_of(answer: Any) -> AnswerFacts | None:
    """Those of a completion of either endpoint; ``None`` if it is none."""
    if not isinstance(answer, (ChatCompletion, TextCompletion)):
        return None
    reasons = tuple(choice.finish_reason for choice in answer.choices if choice.finish_reason is not None)
    return AnswerFacts(answer.id, answer.model, answer.usage, reasons)
