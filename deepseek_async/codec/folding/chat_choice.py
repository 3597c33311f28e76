"""What the chunks of a stream say of one choice → that choice of the completion. The rules are those of `fold`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ...types import AssistantMessage, Choice, ChoiceLogprobs, ChunkChoice
from ...types.values import NO_EXTRA, NullFields
from ..endings import last_reason, reason_of
from . import channels
from .calls import Calls
from .joining import Pieces, frozen, joined
from .messages import Messages


class ChoiceFold:
    """One choice's part of the fold."""

    __slots__ = (
        "_calls",
        "_changed",
        "_content",
        "_extra",
        "_logprobs",
        "_message_extra",
        "_message_nulls",
        "_messages",
        "_nulls",
        "_reasoning",
        "_role",
        "finish_reason",
    )

    def __init__(self, changed: dict[int, ChunkChoice]) -> None:
        self._changed = changed
        self._messages: Messages | None = None
        self.finish_reason: str | None = None
        self._role = ""
        self._content: list[str] | None = None
        self._reasoning: list[str] | None = None
        self._calls: Calls | None = None
        self._logprobs: list[ChunkChoice] = []  # those of the choice's chunks that have any
        self._extra: Pieces | None = None
        self._message_extra: Pieces | None = None
        # Unknown fields that were all null: they say nothing when they come again.
        self._nulls: Mapping[str, Any] | None = None
        self._message_nulls: Mapping[str, Any] | None = None

    def add(self, choice: ChunkChoice) -> None:
        extra = choice.extra
        if extra and extra is not self._nulls:
            choice = self._with_extra(choice)
        delta = choice.delta
        if delta.content is not None:
            if self._content is None:
                self._content = []
            self._content.append(delta.content)
        if delta.reasoning_content is not None:
            if self._reasoning is None:
                self._reasoning = []
            self._reasoning.append(delta.reasoning_content)
        if delta.role and not self._role:
            self._role = delta.role
        if delta.tool_calls:
            if self._calls is None:
                self._calls = Calls()
            for fragment in delta.tool_calls:
                self._calls.add(fragment)
        if choice.logprobs is not None:
            self._logprobs.append(choice)
        if choice.finish_reason is not None:
            self.finish_reason = last_reason(self.finish_reason, reason_of(choice) or choice.finish_reason)
        extra = delta.extra
        if extra and extra is not self._message_nulls:
            if self._message_extra is None:
                self._message_extra = Pieces()
            self._message_extra.add(extra)
            if type(extra) is NullFields:
                self._message_nulls = extra

    def texts(self, name: str) -> list[str] | None:
        """The texts of that name so far, to which those of more choices may be appended that say else the same."""
        return self._content if name == "content" else self._reasoning

    def _with_extra(self, choice: ChunkChoice) -> ChunkChoice:
        """Take a choice's unknown fields; return it without what a message in it only repeats."""
        if self._extra is None:
            self._extra = Pieces(joins_texts=False)
        self._extra.add(choice.extra)
        if type(choice.extra) is NullFields:
            self._nulls = choice.extra
            return choice
        if not isinstance(choice.extra.get("message"), dict):
            return choice
        self._messages = self._messages or Messages()
        before = {"content": self._content or [], "reasoning_content": self._reasoning or []}
        settled = self._messages.settled(choice, before)
        if settled is not choice:
            self._changed[id(choice)] = settled
        return settled

    @property
    def is_blank(self) -> bool:
        parts = (self._content, self._reasoning, self._calls, self._message_extra)
        return not self._role and all(part is None for part in parts)

    def clone(self) -> ChoiceFold:
        new = ChoiceFold(self._changed)
        new._messages = copy.deepcopy(self._messages)
        new.finish_reason, new._role = self.finish_reason, self._role
        new._content = None if self._content is None else list(self._content)
        new._reasoning = None if self._reasoning is None else list(self._reasoning)
        new._calls = copy.deepcopy(self._calls)
        new._logprobs = list(self._logprobs)
        new._extra = None if self._extra is None else self._extra.clone()
        new._message_extra = None if self._message_extra is None else self._message_extra.clone()
        return new

    def drop(self, pending: int) -> None:
        del self._logprobs[len(self._logprobs) - pending :]

    def choice(self, index: int, *, done: bool) -> Choice:
        content = joined(self._content)
        message = AssistantMessage(
            content="" if content is None and done else content,
            reasoning_content=joined(self._reasoning),
            tool_calls=self._calls.tool_calls() if self._calls is not None else None,
            role=self._role or "assistant",
            extra=frozen(self._message_extra.joined()) if self._message_extra is not None else NO_EXTRA,
        )
        # Put together when somebody looks: the parts may still be deferred, and many callers read the text alone.
        logprobs = (
            ChoiceLogprobs.deferred(partial(_extended, tuple(self._logprobs), message)) if self._logprobs else None
        )
        extra = frozen(self._extra.joined()) if self._extra is not None else NO_EXTRA
        if self._messages is not None:
            extra = frozen({name: value for name, value in extra.items() if name != "message"})
        return Choice(index, message, logprobs, self.finish_reason, extra=extra)


def _extended(parts: Sequence[ChunkChoice], message: AssistantMessage) -> ChoiceLogprobs:
    """The logprobs of one choice out of those of its chunks."""
    extra = Pieces()
    for part in parts:
        if part.logprobs is not None and part.logprobs.extra:
            extra.add(part.logprobs.extra)
    content, reasoning = channels.of_stream(parts, message)
    return ChoiceLogprobs(content, reasoning, extra=frozen(extra.joined()))
