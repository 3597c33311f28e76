"""The table of translations: which habits there are in the JSON of each class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....types import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    Delta,
    FunctionCall,
    FunctionCallFragment,
    TextChoice,
    TextCompletion,
    TextLogprobs,
    TokenLogprob,
    ToolCall,
    ToolCallFragment,
    TopLogprob,
    Usage,
)
from ....types.account import Model
from .logprobs import translate_chat_logprobs, translate_text_logprobs, translate_token, translate_top
from .messages import (
    translate_arguments,
    translate_call,
    translate_fragment,
    translate_function,
    translate_message,
    translate_said,
)

Json = dict[str, Any]

PINGS = ("ping", "pong", "keepalive", "keep-alive", "heartbeat")
"""What the ``type`` of a chunk says that is only there to keep the connection alive."""

_NULL_WORDS = frozenset(("", "null", "none", "nil", "undefined"))


def is_null_word(reason: str) -> bool:
    """Whether a finish reason is a word for null."""
    return reason.strip().lower() in _NULL_WORDS


def _translate_reason(choice: Json) -> Json | None:
    reason = choice.get("finish_reason")
    if isinstance(reason, dict) and isinstance(reason.get("type"), str):
        choice["finish_reason"] = reason["type"]
        return {"finish_reason": reason}
    if isinstance(reason, str) and is_null_word(reason):
        del choice["finish_reason"]
    return None


def _into(name: str, *others: str) -> Callable[[Json], Json | None]:
    """A translation of a chat choice that has what it says under another name, or as a bare text."""

    def translate(choice: Json) -> Json | None:
        odd = _translate_reason(choice)
        for other in (name, *others):
            if isinstance(said := choice.get(other), str):
                choice.pop(other)
                choice[name] = {"content": said}
            elif isinstance(said, dict) and other != name:
                choice[name] = choice.pop(other)
                if name == "delta":  # which piece of the text it is, the fold can tell
                    odd = {**(odd or {}), other: said}
            if said is not None:
                break
        return odd

    return translate


def _translate_text(choice: Json) -> Json | None:
    odd = _translate_reason(choice)
    for name in ("text", "delta", "message"):
        said = choice.get(name)
        if isinstance(said, (dict, list)) or (isinstance(said, str) and name != "text"):
            del choice[name]
            message = dict(said) if isinstance(said, dict) and name != "text" else {"content": said}
            odd = (translate_said(message) or {}) | (odd or {})
            message.pop("role", None)
            choice["text"] = message.pop("content", None)
            choice |= {k: v for k, v in message.items() if k not in choice and v is not None}
        if choice.get("text"):
            break
    return odd


def _translate_answer(answer: Json) -> None:
    choices = answer.get("choices")
    if not choices and answer.get("type") in PINGS:
        del answer["type"]
    if answer.get("usage") is None:
        places = [answer.get("x_groq"), *(choices if isinstance(choices, list) else ())]
        places += [place.get(name) for place in places[1:] if isinstance(place, dict) for name in ("delta", "message")]
        usages = [
            place["usage"] for place in places if isinstance(place, dict) and isinstance(place.get("usage"), dict)
        ]
        if usages:
            answer["usage"] = usages[-1]
    if isinstance(choices, dict) and choices.keys() & {"delta", "message", "text"}:
        answer["choices"] = [choices]


_OTHER_COUNTS = {
    "prompt_tokens": ("input_tokens", "promptTokens"),
    "completion_tokens": ("output_tokens", "completionTokens"),
    "total_tokens": ("totalTokens",),
}


def _translate_usage(usage: Json) -> None:
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict):
        details = usage["prompt_tokens_details"] = dict(details)
        for name in ("prompt_cache_hit_tokens", "prompt_cache_miss_tokens"):
            if name in details and usage.get(name) is None:
                usage[name] = details.pop(name)
    for name, others in _OTHER_COUNTS.items():
        for other in others:
            if usage.get(name) is None and isinstance(usage.get(other), int):
                usage[name] = usage[other]


def _translate_model(model: Json) -> None:
    for name in ("model", "name"):
        if model.get("id") is None and isinstance(model.get(name), str):
            model["id"] = model[name]


TRANSLATIONS: dict[type, Callable[[Json], Json | None]] = {
    ChatCompletionChunk: _translate_answer,
    ChatCompletion: _translate_answer,
    TextCompletion: _translate_answer,
    Delta: translate_said,
    AssistantMessage: translate_message,
    ChunkChoice: _into("delta", "message", "text"),
    Choice: _into("message", "delta", "text"),
    TextChoice: _translate_text,
    ToolCallFragment: translate_fragment,
    ToolCall: translate_call,
    FunctionCallFragment: translate_arguments,
    FunctionCall: translate_function,
    Usage: _translate_usage,
    ChoiceLogprobs: translate_chat_logprobs,
    TextLogprobs: translate_text_logprobs,
    TokenLogprob: translate_token,
    TopLogprob: translate_top,
    Model: _translate_model,
}
"""What is done in place to a class's JSON before it is sorted out; returned is what of it is to be kept as it came."""
