"""A conversation as JSON: its history and parameters. Tools, budget and client are not in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from ...codec.documents import message_of
from ...codec.reading.bodies import parse_json
from ...errors import InvalidRequestError
from ...types import SystemMessage, Usage
from .turn import Turn

_VERSION = 1


@attrs.frozen
class SavedConversation:
    """What is written down of a conversation."""

    model: str
    system: SystemMessage | Mapping[str, Any] | None
    partial: Any
    parameters: Mapping[str, Any]
    turns: Sequence[Turn]

    def to_json(self) -> str:
        """As JSON text. Raises `InvalidRequestError` where a parameter is nothing that JSON can say."""
        document = {
            "version": _VERSION,
            "model": self.model,
            "system": None if self.system is None else _document_of(self.system),
            "partial": self.partial,
            "parameters": dict(self.parameters),
            "turns": [
                {
                    "messages": [_document_of(message) for message in turn.messages],
                    "usage": None if turn.usage is None else turn.usage.to_dict(),
                    "cost": None if turn.cost is None else str(turn.cost),
                    "finish_reason": turn.finish_reason,
                    "complete": turn.complete,
                }
                for turn in self.turns
            ],
        }
        try:
            return json.dumps(document, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise InvalidRequestError("parameters", None, f"what JSON can say ({error})") from None


def saved_from_json(text: str | bytes) -> SavedConversation:
    """What `SavedConversation.to_json` wrote.

    Raises:
        MalformedResponseError: No JSON.
        InvalidRequestError: JSON, but no conversation.
    """
    document = parse_json(text.encode() if isinstance(text, str) else text, "the conversation")
    if not isinstance(document, Mapping) or document.get("version") != _VERSION:
        raise InvalidRequestError("text", None, f"a conversation that to_json wrote (version {_VERSION})")
    try:
        turns = [
            Turn(
                tuple(map(message_of, turn["messages"])),
                None if turn["usage"] is None else Usage.from_dict(turn["usage"]),
                None if turn["cost"] is None else Decimal(turn["cost"]),
                turn["finish_reason"],
                turn["complete"],
            )
            for turn in document["turns"]
        ]
        system = None if document["system"] is None else message_of(document["system"])
        return SavedConversation(document["model"], system, document["partial"], dict(document["parameters"]), turns)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequestError("text", None, f"a conversation that to_json wrote ({error!r})") from None


def _document_of(message: Any) -> Any:
    return dict(message) if isinstance(message, Mapping) else message.to_dict()
