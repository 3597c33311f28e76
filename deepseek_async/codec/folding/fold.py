"""Chunks → completion, field by field and in linear time.

Merging dictionaries by type doubles ids and roles, loses logprobs and costs the square of the length. Here every
field has its own rule:

| field | rule |
| --- | --- |
| id, created, model, system_fingerprint | the first that is not empty (some first chunks are blank) |
| role | set once; an empty one never counts |
| content, reasoning_content | appended, joined once at the end |
| tool calls | fragment by fragment, see `folding.calls` |
| logprobs | extended per choice and per channel; which channel, see `folding.channels` |
| finish_reason | the last that is not null, wherever it arrives, but one by which the server broke off stays |
| usage | the last, see `folding.usages` for those that say little or nothing |
| unknown fields | those of a chunk: the last that is not null, but for `PROGRESS`; others as `folding.joining` says |

A field that never came stays ``None``; one that came empty stays ``""``: so the fold equals the answer in one piece.
Only the content of an answer that was finished is ``""`` where none came: so say servers in one piece, and a message
without content would be refused when it goes back.

Which choice a chunk's belongs to its ``index`` says, but for servers that count chunks in it: see `folding.choices`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ...types import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    Usage,
)
from ...types.values import NO_EXTRA, NullFields
from ..endings import interruption_in, last_reason
from . import channels
from .calls import Calls
from .choices import Choices
from .facts import AnswerFacts
from .joining import PROGRESS, Pieces, frozen, joined, keep
from .messages import Messages
from .usages import later


def fold(chunks: Iterable[ChatCompletionChunk]) -> ChatCompletion:
    """The completion that the chunks add up to; pure, and linear in their number.

    Returns:
        ``complete`` is True if every choice has a ``finish_reason`` other than an interruption's.
    """
    folding = Fold()
    for chunk in chunks:
        folding.add(chunk)
    return folding.completion(done=folding.is_finished)


class Fold:
    """A fold in progress: `add` each chunk, ask for the `completion` at any time.

    Args:
        choices: How many choices were asked for; ``None``: nobody knows.
    """

    def __init__(self, choices: int | None = None) -> None:
        self._id = ""
        self._created = 0
        self._model = ""
        self._has_head = False
        self._system_fingerprint: str | None = None
        self.usage: Usage | None = None
        """What the server last said of its counts."""
        self._usage_before: Usage | None = None
        self.changed: dict[int, ChunkChoice] = {}
        """Choices that were taken otherwise than they came, by the `id` of what came: see `folding.messages`."""
        self._choices = Choices(partial(ChoiceFold, self.changed), is_of_one=choices == 1)
        self.extra: dict[str, Any] = {}
        self._last_extra: Mapping[str, Any] = NO_EXTRA
        self.request_id: str | None = None

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Take the next chunk."""
        # The head repeats in every chunk: looked at until it is whole.
        if not self._has_head:
            self._id = self._id or chunk.id
            self._created = self._created or chunk.created
            self._model = self._model or chunk.model
            self._has_head = bool(self._id and self._created and self._model)
        if chunk.system_fingerprint is not None and not self._system_fingerprint:
            self._system_fingerprint = chunk.system_fingerprint
        if chunk.usage is not None:
            self.usage = later(self.usage, chunk.usage)
        if (extra := chunk.extra) and extra is not self._last_extra:
            keep(self.extra, extra)
            self._last_extra = extra
        choices = self._choices
        for choice in chunk.choices:
            if choice.index == choices.index:
                choices.current.add(choice)
            else:
                choices.turn_to(choice, len(chunk.choices)).add(choice)

    def reopen(self, pending: int = 0) -> None:
        """Take the end back: what comes now continues the same answer. Its usage is added to what was used before."""
        self._usage_before, self.usage = self._usage_of_all(), None
        self.drop(pending)

    def drop(self, pending: int) -> None:
        """Forget the end, and the tokens of the last chunks that brought any: their text will come again."""
        self.usage = None
        self._choices.settle()
        for _, choice in self._choices.all():
            choice.finish_reason = None
            choice.drop(pending)

    def _usage_of_all(self) -> Usage | None:
        if self._usage_before is None or self.usage is None:
            return self.usage or self._usage_before
        return self._usage_before + self.usage

    @property
    def finish_reasons(self) -> list[str | None]:
        """Of each choice, in order of arrival."""
        return [choice.finish_reason for _, choice in self._choices.all()]

    @property
    def is_of_one(self) -> bool:
        """Whether one choice was asked for, and nothing that came speaks against it."""
        return self._choices.is_of_one

    @property
    def is_finished(self) -> bool:
        """Whether there is a choice and every one has its ``finish_reason``."""
        return bool(self._choices.all()) and None not in self.finish_reasons

    @property
    def is_blank(self) -> bool:
        """Whether no choice has brought a message, not even one that says nothing."""
        return all(choice.is_blank for _, choice in self._choices.all())

    def facts(self) -> AnswerFacts:
        """What has come so far besides the texts; costs nothing."""
        reasons = tuple(reason for reason in self.finish_reasons if reason is not None)
        return AnswerFacts(self._id, self._model, self._usage_of_all(), reasons)

    def completion(self, *, done: bool) -> ChatCompletion:
        """What has come so far, as a value.

        Args:
            done: Whether the server has ended the answer.
        """
        complete = done and interruption_in(self.finish_reasons) is None
        choices = tuple(folding.choice(index, done=complete) for index, folding in self._choices.sorted())
        return ChatCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=self._usage_of_all(),
            system_fingerprint=self._system_fingerprint,
            complete=complete,
            request_id=self.request_id,
            extra=frozen({name: value for name, value in self.extra.items() if name not in PROGRESS}),
        )


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
            self.finish_reason = last_reason(self.finish_reason, choice.finish_reason)
        extra = delta.extra
        if extra and extra is not self._message_nulls:
            if self._message_extra is None:
                self._message_extra = Pieces()
            self._message_extra.add(extra)
            if type(extra) is NullFields:
                self._message_nulls = extra

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
