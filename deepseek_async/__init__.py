"""Async-first Python client for DeepSeek's chat completions, and for the servers that speak the protocol.

The data's way is the layout: bytes → events (`sse`) → chunks (`codec`) → deltas (`calls`) → completion (`codec`).

Names are loaded at their first use (PEP 562), so that the core without a network costs no network library.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"  # the build reads it here; asking `importlib.metadata` takes as long as all of our wire types

if TYPE_CHECKING:
    from .batch.journal.reading import read_outcomes as read_outcomes
    from .batch.options import RateLimiter as RateLimiter
    from .batch.outcomes import Failed as Failed
    from .batch.outcomes import Succeeded as Succeeded
    from .batch.report import BatchProgress as BatchProgress
    from .batch.report import BatchReport as BatchReport
    from .batch.run import run_batch as run_batch
    from .batch.run import run_partition as run_partition
    from .calls.arguments.spellings import NOT_GIVEN as NOT_GIVEN
    from .calls.conversation.conversation import Conversation as Conversation
    from .calls.parsing.streaming import ParsedStream as ParsedStream
    from .calls.stream import ChatCompletionStream as ChatCompletionStream
    from .calls.stream import TextCompletionStream as TextCompletionStream
    from .calls.tools.function_tool import FunctionTool as FunctionTool
    from .calls.tools.function_tool import tool as tool
    from .calls.tools.run import ToolRun as ToolRun
    from .calls.watching.statistics import Statistics as Statistics
    from .client import AsyncClient as AsyncClient
    from .codec.answer import Seam as Seam
    from .codec.folding.fold import fold as fold
    from .errors import APIConnectionError as APIConnectionError
    from .errors import APIResponseError as APIResponseError
    from .errors import APIStatusError as APIStatusError
    from .errors import APITimeoutError as APITimeoutError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import BadRequestError as BadRequestError
    from .errors import BudgetExceededError as BudgetExceededError
    from .errors import DeepSeekError as DeepSeekError
    from .errors import EmptyResponseError as EmptyResponseError
    from .errors import InsufficientBalanceError as InsufficientBalanceError
    from .errors import InternalServerError as InternalServerError
    from .errors import InvalidRequestError as InvalidRequestError
    from .errors import MalformedResponseError as MalformedResponseError
    from .errors import NoEffectWarning as NoEffectWarning
    from .errors import NotFoundError as NotFoundError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import RateLimitError as RateLimitError
    from .errors import ResponseTooLargeError as ResponseTooLargeError
    from .errors import ServiceUnavailableError as ServiceUnavailableError
    from .errors import StreamInterruptedError as StreamInterruptedError
    from .errors import TurnLimitError as TurnLimitError
    from .errors import UnprocessableEntityError as UnprocessableEntityError
    from .policy.resume import Resume as Resume
    from .policy.retry import RetryPolicy as RetryPolicy
    from .policy.spending import Budget as Budget
    from .policy.timeouts import Timeouts as Timeouts
    from .policy.trimming import last_messages as last_messages
    from .policy.trimming import within_tokens as within_tokens
    from .types import AssistantMessage as AssistantMessage
    from .types import ChatCompletion as ChatCompletion
    from .types import ChatCompletionChunk as ChatCompletionChunk
    from .types import ChatRequest as ChatRequest
    from .types import Choice as Choice
    from .types import ChoiceLogprobs as ChoiceLogprobs
    from .types import Delta as Delta
    from .types import FileObject as FileObject
    from .types import FilePart as FilePart
    from .types import FinishReason as FinishReason
    from .types import FunctionDefinition as FunctionDefinition
    from .types import ImagePart as ImagePart
    from .types import ParsedChatCompletion as ParsedChatCompletion
    from .types import SystemMessage as SystemMessage
    from .types import TextCompletion as TextCompletion
    from .types import TextPart as TextPart
    from .types import TokenLogprob as TokenLogprob
    from .types import Tool as Tool
    from .types import ToolCall as ToolCall
    from .types import ToolMessage as ToolMessage
    from .types import TopLogprob as TopLogprob
    from .types import Usage as Usage
    from .types import UserMessage as UserMessage
    from .types.prices import Price as Price
    from .types.prices import cost_of as cost_of
    from .types.prices import is_peak as is_peak
    from .types.prices import next_off_peak as next_off_peak

_HOMES = {
    "calls.tools.function_tool": ("FunctionTool", "tool"),
    "calls.tools.run": ("ToolRun",),
    "client": ("AsyncClient",),
    "batch.outcomes": ("Failed", "Succeeded"),
    "batch.journal.reading": ("read_outcomes",),
    "batch.report": ("BatchProgress", "BatchReport"),
    "batch.options": ("RateLimiter",),
    "batch.run": ("run_batch", "run_partition"),
    "calls.arguments.spellings": ("NOT_GIVEN",),
    "calls.parsing.streaming": ("ParsedStream",),
    "calls.watching.statistics": ("Statistics",),
    "calls.stream": ("ChatCompletionStream", "TextCompletionStream"),
    "codec.answer": ("Seam",),
    "codec.folding.fold": ("fold",),
    "calls.conversation.conversation": ("Conversation",),
    "errors": (
        "APIConnectionError",
        "APIResponseError",
        "APIStatusError",
        "APITimeoutError",
        "AuthenticationError",
        "BadRequestError",
        "BudgetExceededError",
        "DeepSeekError",
        "EmptyResponseError",
        "InsufficientBalanceError",
        "InternalServerError",
        "InvalidRequestError",
        "MalformedResponseError",
        "NoEffectWarning",
        "NotFoundError",
        "PermissionDeniedError",
        "RateLimitError",
        "ResponseTooLargeError",
        "ServiceUnavailableError",
        "StreamInterruptedError",
        "TurnLimitError",
        "UnprocessableEntityError",
    ),
    "policy.resume": ("Resume",),
    "policy.retry": ("RetryPolicy",),
    "policy.spending": ("Budget",),
    "policy.timeouts": ("Timeouts",),
    "policy.trimming": ("last_messages", "within_tokens"),
    "types": (
        "AssistantMessage",
        "ChatCompletion",
        "ChatCompletionChunk",
        "ChatRequest",
        "Choice",
        "ChoiceLogprobs",
        "Delta",
        "FileObject",
        "FilePart",
        "FinishReason",
        "FunctionDefinition",
        "ImagePart",
        "ParsedChatCompletion",
        "SystemMessage",
        "TextCompletion",
        "TextPart",
        "TokenLogprob",
        "Tool",
        "ToolCall",
        "ToolMessage",
        "TopLogprob",
        "Usage",
        "UserMessage",
    ),
    "types.prices": ("Price", "cost_of", "is_peak", "next_off_peak"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


_CLIENTS_OF_OTHERS = frozenset(("OpenAI", "AsyncOpenAI", "DeepSeek", "AsyncDeepSeek", "Client", "DeepSeekClient"))


def __getattr__(name: str) -> Any:
    if (home := _HOME_OF.get(name)) is None:
        hint = "; it is AsyncClient here" if name in _CLIENTS_OF_OTHERS else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    # What is imported stays: looking through it for garbage, now or soon, takes a tenth of the time that it takes.
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        value = getattr(import_module(f".{home}", __name__), name)
    finally:
        if is_collecting:
            if not gc.get_freeze_count():  # what a program has frozen stays so
                gc.freeze()
                gc.unfreeze()  # among the old, without having been looked at among the young
            gc.enable()
    globals()[name] = value  # from now on without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
