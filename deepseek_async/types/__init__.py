"""Frozen values: what goes over the wire, in the wire's own names. No I/O, no JSON."""

from .account import Balance, BalanceInfo, FileDeletion, FileList, FileObject, Model, ModelList
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
from .requests.request import ChatRequest, ModelName, TextRequest
from .text_completion import TextChoice, TextCompletion, TextLogprobs
from .tokens.token import BELOW_TOP, TokenLogprob, TopLogprob, perplexity_of, spans_of, text_of
from .tools import FunctionCall, FunctionCallFragment, FunctionDefinition, Tool, ToolCall, ToolCallFragment
from .usage import CompletionTokensDetails, PromptTokensDetails, Usage

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
