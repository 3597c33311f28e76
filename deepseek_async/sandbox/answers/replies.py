"""The bodies that the server sends, as the wire has them: one struct for each JSON object.

Fields stand in the API's order; what is not named here is never sent. A script may put other fields into ``usage``.
Source: create-chat-completion, create-completion, list-models and get-user-balance
pages.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from .answer import Token

__all__ = [
    "Balance",
    "ChatCompletion",
    "ChatCompletionChunk",
    "Choice",
    "ErrorBody",
    "Logprobs",
    "ModelList",
    "ReplyMessage",
    "ReplyToolCall",
    "TextChoice",
    "TextCompletion",
    "TextCompletionChunk",
    "TextLogprobs",
]


class CalledWith(Struct, forbid_unknown_fields=True):
    """The function of a call; ``arguments`` is JSON text."""

    name: str
    arguments: str


class ReplyToolCall(Struct, kw_only=True, forbid_unknown_fields=True):
    """A call the model makes."""

    index: int
    id: str
    type: Literal["function"] = "function"
    function: CalledWith


class ReplyMessage(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the model said; reasoning only in thinking mode, calls only where there are some."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ReplyToolCall] | UnsetType = UNSET


class Logprobs(Struct, forbid_unknown_fields=True):
    """Tokens of both channels; null where a channel has none."""

    content: list[Token] | None
    reasoning_content: list[Token] | None


class Choice(Struct, forbid_unknown_fields=True):
    """One answer."""

    index: int
    message: ReplyMessage
    logprobs: Logprobs | None
    finish_reason: str


class CachedTokens(Struct, forbid_unknown_fields=True):
    """Details of the prompt's tokens."""

    cached_tokens: int


class ReasoningTokens(Struct, forbid_unknown_fields=True):
    """Details of the completion's tokens."""

    reasoning_tokens: int


class ReplyUsage(Struct, kw_only=True, forbid_unknown_fields=True):
    """Token counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    prompt_cache_hit_tokens: int
    prompt_cache_miss_tokens: int
    completion_tokens_details: ReasoningTokens | UnsetType = UNSET


class ChatCompletion(Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /chat/completions, not streamed."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: ReplyUsage
    system_fingerprint: str


class CallFragmentFunction(Struct, kw_only=True, forbid_unknown_fields=True):
    """Name in the first fragment, arguments in all."""

    name: str | UnsetType = UNSET
    arguments: str


class CallFragment(Struct, kw_only=True, forbid_unknown_fields=True):
    """A piece of a call; ``id`` and ``type`` in the first one."""

    index: int
    id: str | UnsetType = UNSET
    type: Literal["function"] | UnsetType = UNSET
    function: CallFragmentFunction


class Delta(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a chunk adds."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    reasoning_content: str | UnsetType | None = UNSET
    tool_calls: list[CallFragment] | UnsetType = UNSET


class ChunkChoice(Struct, forbid_unknown_fields=True):
    """A choice of a chunk."""

    index: int
    delta: Delta
    logprobs: Logprobs | None
    finish_reason: str | None


class ChatCompletionChunk(Struct, kw_only=True, forbid_unknown_fields=True):
    """The data of one event of POST /chat/completions, streamed."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChunkChoice]
    usage: ReplyUsage | UnsetType | None = UNSET


class TextLogprobs(Struct, forbid_unknown_fields=True):
    """FIM's own shape: four lists of one length."""

    text_offset: list[int]
    token_logprobs: list[float]
    tokens: list[str]
    top_logprobs: list[dict[str, float]]


class TextChoice(Struct, forbid_unknown_fields=True):
    """One FIM answer."""

    text: str
    index: int
    logprobs: TextLogprobs | None
    finish_reason: str | None


class TextCompletion(Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /beta/completions, not streamed."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[TextChoice]
    usage: ReplyUsage
    system_fingerprint: str


class TextCompletionChunk(Struct, kw_only=True, forbid_unknown_fields=True):
    """The data of one event of POST /beta/completions, streamed."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    system_fingerprint: str
    choices: list[TextChoice]
    usage: ReplyUsage | UnsetType | None = UNSET


class Effort(Struct, forbid_unknown_fields=True):
    """Which efforts a model knows."""

    supported_levels: list[str]
    default_level: str


class ListedModel(Struct, kw_only=True, forbid_unknown_fields=True):
    """A model of the list."""

    id: str
    object: Literal["model"]
    owned_by: str
    name: str
    context_window: int
    max_output_tokens: int
    input_modalities: list[str]
    output_modalities: list[str]
    effort: Effort


class ModelList(Struct, forbid_unknown_fields=True):
    """GET /models."""

    object: Literal["list"]
    data: list[ListedModel]


class BalanceInfo(Struct, forbid_unknown_fields=True):
    """The balance in one currency; amounts are decimal strings."""

    currency: Literal["USD", "CNY"]
    total_balance: str
    granted_balance: str
    topped_up_balance: str


class Balance(Struct, forbid_unknown_fields=True):
    """GET /user/balance."""

    is_available: bool
    balance_infos: list[BalanceInfo]


class ErrorObject(Struct, forbid_unknown_fields=True):
    """What is wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(Struct, forbid_unknown_fields=True):
    """The usual body of an error."""

    error: ErrorObject
