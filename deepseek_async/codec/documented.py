"""The documented shapes of an answer, as a gate before the decoder.

msgspec fills attrs classes in C, but drops keys that it does not know and cannot tell that it did. So each text first
passes a decoder that refuses whatever the documentation does not describe: an unknown key, ``finish_reason: ""``, an
empty list of calls. What it refuses is not wrong, only other: `lenient` reads it, keeping unknown fields and
translating other servers' habits. The gate skips most values (``Raw``) and costs a quarter of the decoding.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct

Skipped = Raw | msgspec.UnsetType
Word = Annotated[str, Meta(min_length=1)]


class _Shape(Struct, forbid_unknown_fields=True, gc=False):
    """A shape of the documentation."""


class _PromptDetails(_Shape):
    cached_tokens: Skipped = UNSET


class _CompletionDetails(_Shape):
    reasoning_tokens: Skipped = UNSET


class _Usage(_Shape):
    prompt_tokens: Skipped = UNSET
    completion_tokens: Skipped = UNSET
    total_tokens: Skipped = UNSET
    prompt_cache_hit_tokens: Skipped = UNSET
    prompt_cache_miss_tokens: Skipped = UNSET
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Top(_Shape):
    token: Skipped
    logprob: Skipped
    bytes: Skipped = UNSET


class _Token(_Shape):
    token: Skipped
    logprob: Skipped
    bytes: Skipped = UNSET
    top_logprobs: list[_Top] = []


class _Logprobs(_Shape):
    content: list[_Token] | None = None
    reasoning_content: list[_Token] | None = None


class _Function(_Shape):
    name: Skipped = UNSET
    arguments: Skipped = UNSET


class _Call(_Shape):
    index: Skipped = UNSET
    id: Skipped = UNSET
    type: Skipped = UNSET
    function: _Function | None = None


_Calls = Annotated[list[_Call], Meta(min_length=1)]


class _Said(_Shape):
    """A delta, or a message: the same fields."""

    role: Word | None = None
    content: Skipped = UNSET
    reasoning_content: Skipped = UNSET
    tool_calls: _Calls | None = None


class _ChunkChoice(_Shape):
    index: Skipped = UNSET
    delta: _Said = msgspec.field(default_factory=_Said)
    logprobs: _Logprobs | None = None
    finish_reason: Word | None = None


class Chunk(_Shape):
    """A ``chat.completion.chunk``."""

    id: Skipped = UNSET
    object: Skipped = UNSET
    created: Skipped = UNSET
    model: Skipped = UNSET
    system_fingerprint: Skipped = UNSET
    choices: list[_ChunkChoice] = []
    usage: _Usage | None = None


class _Choice(_Shape):
    index: Skipped = UNSET
    message: _Said = msgspec.field(default_factory=_Said)
    logprobs: _Logprobs | None = None
    finish_reason: Word | None = None


class Completion(_Shape):
    """A ``chat.completion``."""

    choices: list[_Choice]
    id: Skipped = UNSET
    object: Skipped = UNSET
    created: Skipped = UNSET
    model: Skipped = UNSET
    system_fingerprint: Skipped = UNSET
    usage: _Usage | None = None


class _TextLogprobs(_Shape):
    text_offset: Skipped = UNSET
    token_logprobs: Skipped = UNSET
    tokens: Skipped = UNSET
    top_logprobs: Skipped = UNSET


class _TextChoice(_Shape):
    text: Skipped = UNSET
    index: Skipped = UNSET
    logprobs: _TextLogprobs | None = None
    finish_reason: Word | None = None


class Text(_Shape):
    """A ``text_completion``, whole or one event of it."""

    choices: list[_TextChoice]
    id: Skipped = UNSET
    object: Skipped = UNSET
    created: Skipped = UNSET
    model: Skipped = UNSET
    system_fingerprint: Skipped = UNSET
    usage: _Usage | None = None
