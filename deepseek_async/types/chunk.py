"""What a stream brings: one chunk an event, in it one delta a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import name_ours
from .logprobs import ChoiceLogprobs
from .structs import as_structs
from .tools import ToolCallFragment
from .usage import Usage
from .values import Document, extra_field


@attrs.frozen(repr=False)
class Delta(Document):
    """What one chunk adds to one choice. ``None`` and ``""`` add nothing.

    Attributes:
        role: ``"assistant"``; in the first delta, in every one, or null: servers differ.
        content: Text to append.
        reasoning_content: Chain of thought to append; all of it comes before the content.
        tool_calls: Fragments of tool calls.
        logprobs: The tokens of this chunk. On the wire they stand beside the delta; `ChatCompletionStream.deltas`
            sets them here, so that a delta alone tells what it adds.
    """

    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCallFragment, ...] | None = None
    logprobs: ChoiceLogprobs | None = None
    extra: Mapping[str, Any] = extra_field()


if not TYPE_CHECKING:
    (Delta,) = as_structs(Delta, ours=("logprobs", "extra"))

NO_DELTA = Delta()


@attrs.frozen(repr=False)
class ChunkChoice(Document):
    """One choice's part of a chunk. ``finish_reason`` is ``None`` until the last; see `FinishReason`."""

    index: int = 0
    delta: Delta = NO_DELTA
    logprobs: ChoiceLogprobs | None = None
    finish_reason: str | None = None
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class ChatCompletionChunk(Document):
    """One ``chat.completion.chunk``.

    Attributes:
        id, created, model, system_fingerprint: The same in every chunk of a stream, on most servers.
        created: Unix seconds.
        choices: May be empty, as in a chunk that only brings usage.
        usage: Null except in the last chunk, on most servers; some send a running count in each.
    """

    id: str = ""
    object: str = "chat.completion.chunk"
    created: int = 0
    model: str = ""
    system_fingerprint: str | None = None
    choices: tuple[ChunkChoice, ...] = ()
    usage: Usage | None = None
    extra: Mapping[str, Any] = extra_field()


if not TYPE_CHECKING:
    ChunkChoice, ChatCompletionChunk = as_structs(ChunkChoice, ChatCompletionChunk)

name_ours(ChunkChoice, {"message": ".delta; the whole answer of a stream is `await stream.completion()`"})
name_ours(ChunkChoice, {"text": ".delta.content", "content": ".delta.content"})
name_ours(ChatCompletionChunk, dict.fromkeys(("text", "content"), ".choices[0].delta.content, or stream.text_deltas()"))
