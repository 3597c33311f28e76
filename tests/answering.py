"""A `StreamedAnswer` as tests feed it: each call returns the chunks that it lets through."""

from __future__ import annotations

from typing import Any

from deepseek_async.codec.answer import Interrupted, State, StreamedAnswer
from deepseek_async.codec.dialects import CHAT, TEXT, Dialect
from deepseek_async.errors import DeepSeekError

__all__ = ["Fed", "State", "fed_chat", "fed_text"]


class Fed:
    """An answer with one attempt: at its end, nothing is held back."""

    def __init__(self, dialect: Dialect[Any, Any], **settings: Any) -> None:
        self.answer: StreamedAnswer[Any, Any] = StreamedAnswer(dialect, **settings)

    def receive_data(self, data: bytes) -> list[Any]:
        self.answer.receive_data(data)
        return self._chunks()

    def receive_eof(self) -> list[Any]:
        self.answer.receive_eof()
        return self._chunks()

    def receive_break(self, error: DeepSeekError) -> None:
        self.answer.receive_break(error)

    def _chunks(self) -> list[Any]:
        if self.answer.end is not None:
            self.answer.conclude()
        return list(iter(self.answer.next_chunk, None))

    @property
    def state(self) -> State:
        return self.answer.state

    @property
    def failure(self) -> DeepSeekError | None:
        end = self.answer.end
        return end.error if isinstance(end, Interrupted) else None

    @property
    def chunks(self) -> int:
        return self.answer.chunks

    @property
    def keepalives(self) -> int:
        return self.answer.keepalives


def fed_chat(**settings: Any) -> Fed:
    """A chat answer."""
    return Fed(CHAT, **settings)


def fed_text(**settings: Any) -> Fed:
    """A fill-in-the-middle answer."""
    return Fed(TEXT, **settings)
