"""Chunks → completion, field by field and in linear time.

Merging dictionaries by type doubles ids and roles, loses logprobs and costs the square of the length. Here every
field has its own rule:

| field | rule |
| --- | --- |
| id, created, model, system_fingerprint | the first that is not empty (some first chunks are blank) |
| role; a call's id, type, name | set once; an empty one never counts |
| content, reasoning_content, arguments | appended, joined once at the end |
| logprobs | extended per choice and per channel |
| tool calls | by ``index``; another id on the same index begins another call |
| fragments without an index | to the call of their id, else to the open one; another id or name begins another call |
| finish_reason, usage | the last that is not null, wherever it arrives |
| unknown fields | the last that is not null |

A field that never came stays ``None``; one that came empty stays ``""``: so the fold equals the answer in one piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from ..types import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    FunctionCall,
    TokenLogprob,
    ToolCall,
    ToolCallFragment,
    Usage,
)
from ..types.values import NO_EXTRA
from .endings import interruption_in
from .quirks.messages import mended


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
    """A fold in progress: `add` each chunk, ask for the `completion` at any time."""

    def __init__(self) -> None:
        self._id = ""
        self._created = 0
        self._model = ""
        self._system_fingerprint: str | None = None
        self.usage: Usage | None = None
        """What the server last said of its counts."""
        self._usage_before: Usage | None = None
        self._choices: dict[int, _ChoiceFold] = {}
        self._extra: dict[str, Any] = {}
        self.request_id: str | None = None

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Take the next chunk."""
        # The head repeats in every chunk: looked at until it is whole.
        if not self._id or not self._model or not self._created or not self._system_fingerprint:
            self._id = self._id or chunk.id
            self._created = self._created or chunk.created
            self._model = self._model or chunk.model
            if chunk.system_fingerprint is not None and not self._system_fingerprint:
                self._system_fingerprint = chunk.system_fingerprint
        if chunk.usage is not None:
            self.usage = chunk.usage
        if chunk.extra:
            keep(self._extra, chunk.extra)
        for choice in chunk.choices:
            folding = self._choices.get(choice.index)
            if folding is None:
                folding = self._choices[choice.index] = _ChoiceFold()
            folding.add(choice)

    def reopen(self) -> None:
        """Take the end back: what comes now continues the same answer. Its usage is added to what was used before."""
        self._usage_before, self.usage = self._usage_of_all(), None
        for choice in self._choices.values():
            choice.finish_reason = None

    def _usage_of_all(self) -> Usage | None:
        if self._usage_before is None or self.usage is None:
            return self.usage or self._usage_before
        return self._usage_before + self.usage

    @property
    def finish_reasons(self) -> list[str | None]:
        """Of each choice, in order of arrival."""
        return [choice.finish_reason for choice in self._choices.values()]

    @property
    def is_finished(self) -> bool:
        """Whether there is a choice and every one has its ``finish_reason``."""
        return bool(self._choices) and None not in self.finish_reasons

    def completion(self, *, done: bool) -> ChatCompletion:
        """What has come so far, as a value.

        Args:
            done: Whether the server has ended the answer.
        """
        choices = tuple(folding.choice(index) for index, folding in sorted(self._choices.items()))
        return ChatCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=self._usage_of_all(),
            system_fingerprint=self._system_fingerprint,
            complete=done and interruption_in(self.finish_reasons) is None,
            request_id=self.request_id,
            extra=frozen(self._extra),
        )


class _ChoiceFold:
    """One choice's part of the fold."""

    __slots__ = (
        "_calls",
        "_content",
        "_extra",
        "_logprobs",
        "_message_extra",
        "_reasoning",
        "_role",
        "finish_reason",
    )

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._role = ""
        self._content: list[str] | None = None
        self._reasoning: list[str] | None = None
        self._calls: _Calls | None = None
        self._logprobs: list[ChoiceLogprobs] = []
        self._extra: dict[str, Any] = {}
        self._message_extra: dict[str, Any] = {}

    def add(self, choice: ChunkChoice) -> None:
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
                self._calls = _Calls()
            for fragment in delta.tool_calls:
                self._calls.add(fragment)
        if choice.logprobs is not None:
            self._logprobs.append(choice.logprobs)
        if choice.finish_reason is not None:
            self.finish_reason = choice.finish_reason
        if delta.extra:
            keep(self._message_extra, delta.extra)
        if choice.extra:
            keep(self._extra, choice.extra)

    def choice(self, index: int) -> Choice:
        message = AssistantMessage(
            content=joined(self._content),
            reasoning_content=joined(self._reasoning),
            tool_calls=self._calls.tool_calls() if self._calls is not None else None,
            role=self._role or "assistant",
            extra=frozen(self._message_extra),
        )
        # Put together when somebody looks: the parts may still be deferred, and many callers read the text alone.
        logprobs = ChoiceLogprobs.deferred(partial(_extended, tuple(self._logprobs))) if self._logprobs else None
        return Choice(index, message, logprobs, self.finish_reason, extra=frozen(self._extra))


def _extended(parts: Sequence[ChoiceLogprobs]) -> ChoiceLogprobs:
    """The logprobs of one choice out of those of its chunks."""
    extra: dict[str, Any] = {}
    for part in parts:
        if part.extra:
            keep(extra, part.extra)
    return ChoiceLogprobs(
        _channel(part.content for part in parts),
        _channel(part.reasoning_content for part in parts),
        extra=frozen(extra),
    )


def _channel(parts: Iterable[tuple[TokenLogprob, ...] | None]) -> tuple[TokenLogprob, ...] | None:
    sent = [tokens for tokens in parts if tokens is not None]
    return tuple(chain.from_iterable(sent)) if sent else None


class _Calls:
    """The tool calls of one choice."""

    def __init__(self) -> None:
        self._by_index: dict[int, _CallFold] = {}  # the call that is open on each index
        self._all: list[tuple[int, _CallFold]] = []
        self._last: int = -1  # the index that the latest fragment went to

    def add(self, fragment: ToolCallFragment) -> None:
        index = self._index_of(fragment)
        call = self._by_index.get(index)
        if call is None or call.is_other_than(fragment):
            call = self._by_index[index] = _CallFold()
            self._all.append((index, call))
        self._last = index
        call.add(fragment)

    def _index_of(self, fragment: ToolCallFragment) -> int:
        if fragment.index is not None:
            return fragment.index
        if fragment.id:
            for index, call in self._by_index.items():
                if call.id == fragment.id:
                    return index
            return max(self._by_index, default=-1) + 1
        return max(self._last, 0)

    def tool_calls(self) -> tuple[ToolCall, ...]:
        ordered = sorted(self._all, key=lambda entry: entry[0])  # stable: order of arrival within an index
        return tuple(call.tool_call() for _, call in ordered)


class _CallFold:
    """One tool call."""

    def __init__(self) -> None:
        self.id = ""
        self._type = ""
        self._name = ""
        self._arguments: list[str] = []
        self._extra: dict[str, Any] = {}
        self._function_extra: dict[str, Any] = {}

    def is_other_than(self, fragment: ToolCallFragment) -> bool:
        """Whether a fragment that found its way here begins another call."""
        if fragment.id and self.id:
            return fragment.id != self.id
        # Without index and id a call is known by its name alone.
        name = fragment.function.name if fragment.function is not None and fragment.index is None else None
        return bool(name and self._name and name != self._name)

    def add(self, fragment: ToolCallFragment) -> None:
        self.id = self.id or fragment.id or ""
        self._type = self._type or fragment.type or ""
        if fragment.function is not None:
            self._name = self._name or fragment.function.name or ""
            if fragment.function.arguments:
                self._arguments.append(fragment.function.arguments)
            keep(self._function_extra, fragment.function.extra)
        keep(self._extra, fragment.extra)

    def tool_call(self) -> ToolCall:
        arguments = joined(self._arguments) or ""
        function = FunctionCall(self._name, arguments, extra=frozen(self._function_extra))
        return ToolCall(self.id, self._type or "function", function, extra=frozen(self._extra))


def keep(so_far: dict[str, Any], new: Mapping[str, Any]) -> None:
    for name, value in new.items():
        if value is not None or name not in so_far:
            so_far[name] = value


def frozen(extra: dict[str, Any]) -> Mapping[str, Any]:
    return dict(extra) if extra else NO_EXTRA


def joined(parts: list[str] | None) -> str | None:
    if parts is None:
        return None
    return mended("".join(parts))
