"""Frozen values: what goes over the wire, in the wire's own names. No I/O, no JSON.

What is no part of a chat is loaded at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .chunk import ChatCompletionChunk, ChunkChoice, Delta
from .completion import ChatCompletion, Choice, FinishReason, ParsedChatCompletion
from .logprobs import ChoiceLogprobs
from .messages import (
    AssistantMessage,
    ContentPart,
    FilePart,
    ImagePart,
    ImageURL,
    Message,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from .requests.request import ChatRequest, ModelName
from .text_completion import TextChoice, TextCompletion, TextLogprobs
from .tokens.token import BELOW_TOP, TokenLogprob, TopLogprob, perplexity_of, spans_of, text_of
from .tools import FunctionCall, FunctionCallFragment, FunctionDefinition, Tool, ToolCall, ToolCallFragment
from .usage import CompletionTokensDetails, PromptTokensDetails, Usage

if TYPE_CHECKING:
    from .account import Balance, BalanceInfo, FileDeletion, FileList, FileObject, Model, ModelList
    from .requests.text_request import TextRequest

__all__ = [
    "BELOW_TOP",
    "AssistantMessage",
    "Balance",
    "BalanceInfo",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatRequest",
    "Choice",
    "ChoiceLogprobs",
    "ChunkChoice",
    "CompletionTokensDetails",
    "ContentPart",
    "Delta",
    "FileDeletion",
    "FileList",
    "FileObject",
    "FilePart",
    "FinishReason",
    "FunctionCall",
    "FunctionCallFragment",
    "FunctionDefinition",
    "ImagePart",
    "ImageURL",
    "Message",
    "Model",
    "ModelList",
    "ModelName",
    "ParsedChatCompletion",
    "PromptTokensDetails",
    "SystemMessage",
    "TextChoice",
    "TextCompletion",
    "TextLogprobs",
    "TextPart",
    "TextRequest",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "ToolCallFragment",
    "ToolMessage",
    "TopLogprob",
    "Usage",
    "UserMessage",
    "perplexity_of",
    "spans_of",
    "text_of",
]

_HOMES = {
    **dict.fromkeys(
        ("Balance", "BalanceInfo", "FileDeletion", "FileList", "FileObject", "Model", "ModelList"), "account"
    ),
    "TextRequest": "requests.text_request",
}


def __getattr__(name: str) -> Any:
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value  # from now on without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
