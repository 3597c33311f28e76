"""Other servers' habits, each translated into the documented shape. Works on parsed JSON, on copies.

| said | read as | who |
| --- | --- | --- |
| ``reasoning``, ``thinking``, ``reasoning_text`` | ``reasoning_content``, where that is absent, null or empty | vLLM, Ollama, OpenRouter, Copilot |
| ``content`` as a list of parts | their texts, joined; parts of type ``thinking`` are reasoning | Mistral, gateways |
| ``finish_reason: ""`` or a word for null, ``role: ""`` | null | StepFun, gateways |
| ``tool_calls: []`` | null | vLLM (not streamed), some reasoning deltas |
| ``index`` in a whole message's tool call | its place in the list | DeepSeek's own sample |
| a call's ``arguments`` as an object | its JSON, as text | llama.cpp |
| ``message`` for ``delta`` or the reverse; ``text`` for both, and both for ``text`` | what the endpoint's own shape has | gateways |
| hits and misses inside ``prompt_tokens_details`` | beside it | one text of the Chinese page |
| a usage in which nothing is said | null | gateways |
| ``logprob: null`` | -9999, "no probability" | LoRAX, Xinference |
| ``prob`` and ``top_probs`` | their logarithms | llama.cpp |
| logprobs of one endpoint in the shape of the other | the endpoint's own | llama.cpp, Together |
| a choice or a call that stands alone | a list of one | gateways |
"""  # noqa: E501 - a table

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from ..types import (
    BELOW_TOP,
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    Delta,
    FunctionCall,
    FunctionCallFragment,
    Model,
    TextChoice,
    TextCompletion,
    TextLogprobs,
    TokenLogprob,
    ToolCall,
    ToolCallFragment,
    TopLogprob,
    Usage,
)

Json = dict[str, Any]

REASONING_NAMES = ("reasoning", "thinking", "reasoning_text")
"""Other names of ``reasoning_content``."""

_NULL_WORDS = frozenset(("", "null", "none", "nil", "undefined"))


def is_null_word(reason: str) -> bool:
    """Whether a finish reason is a word for null."""
    return reason.strip().lower() in _NULL_WORDS


def mended(text: str) -> str:
    """The text with halves of surrogate pairs joined where they meet, and U+FFFD for one that has no other half.

    Servers that count in UTF-16 cut characters outside the BMP in two.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


# -- messages --------------------------------------------------------------------------------------------------------


def _translate_said(said: Json) -> None:
    if isinstance(said.get("content"), (list, dict)):
        _take_parts(said)
    if isinstance(said.get("reasoning_content"), (list, dict)):
        _take_thoughts(said)
    for name in REASONING_NAMES:
        if name in said and isinstance(said[name], str | None):
            reasoning = said.pop(name)
            if not said.get("reasoning_content"):
                said["reasoning_content"] = reasoning if reasoning is not None else said.get("reasoning_content")
            elif reasoning and reasoning != said["reasoning_content"]:
                said[name] = reasoning  # it says something else: kept as a field of the server's own
    if said.get("role") == "":
        del said["role"]
    calls = said.get("tool_calls")
    if calls is not None and not calls:
        del said["tool_calls"]
    elif isinstance(calls, dict):
        said["tool_calls"] = [calls]


def _take_parts(said: Json) -> None:
    content = said["content"]
    texts: list[str] = []
    thoughts: list[str] = []
    parts = content if isinstance(content, list) else [content]
    if all(_take_part(part, texts, thoughts) for part in parts):
        said["content"] = "".join(texts) if texts or not thoughts else None
        if thoughts and not said.get("reasoning_content"):
            said["reasoning_content"] = "".join(thoughts)


def _take_thoughts(said: Json) -> None:
    content = said["reasoning_content"]
    thoughts: list[str] = []
    if all(_take_part(part, thoughts, thoughts) for part in (content if isinstance(content, list) else [content])):
        said["reasoning_content"] = "".join(thoughts)


def _take_part(part: Any, texts: list[str], thoughts: list[str]) -> bool:
    """Take one part of a content; False if it is none of text."""
    if isinstance(part, str):
        texts.append(part)
        return True
    if not isinstance(part, dict):
        return False
    if isinstance(part.get("text"), str):
        texts.append(part["text"])
        return True
    inner = part.get("thinking")
    inner = inner if isinstance(inner, list) else [inner]
    return part.get("type") in ("thinking", "reasoning") and all(_take_part(one, thoughts, []) for one in inner)


def _translate_message(message: Json) -> None:
    _translate_said(message)
    for name in ("content", "reasoning_content"):
        if isinstance(text := message.get(name), str):
            message[name] = mended(text)


def _translate_fragment(call: Json) -> None:
    if call.get("function") is None and ("name" in call or "arguments" in call):
        call["function"] = {name: call.pop(name) for name in ("name", "arguments") if name in call}


def _translate_call(call: Json) -> None:
    _translate_fragment(call)
    call.pop("index", None)


def _translate_arguments(function: Json) -> None:
    if isinstance(function.get("arguments"), (dict, list)):
        function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)


def _translate_function(function: Json) -> None:
    _translate_arguments(function)
    if isinstance(text := function.get("arguments"), str):
        function["arguments"] = mended(text)


# -- choices ---------------------------------------------------------------------------------------------------------


def _translate_reason(choice: Json) -> None:
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and is_null_word(reason):
        del choice["finish_reason"]


def _into(name: str, *others: str) -> Callable[[Json], None]:
    """A translation of a chat choice that has what it says under another name."""

    def translate(choice: Json) -> None:
        _translate_reason(choice)
        if choice.get(name) is None:
            for other in others:
                if isinstance(said := choice.get(other), dict):
                    choice[name] = choice.pop(other)
                    return
                if isinstance(said, str) and other == "text":
                    choice[name] = {"content": choice.pop(other)}
                    return

    return translate


def _translate_text(choice: Json) -> None:
    _translate_reason(choice)
    if choice.get("text") is not None:
        return
    for name in ("delta", "message"):
        if isinstance(said := choice.get(name), dict):
            said = dict(choice.pop(name))
            _translate_said(said)
            choice["text"] = said.pop("content", None)
            said.pop("role", None)
            choice |= {k: v for k, v in said.items() if k not in choice and v is not None}
            return


def _translate_answer(answer: Json) -> None:
    choices = answer.get("choices")
    if isinstance(choices, dict) and choices.keys() & {"delta", "message", "text"}:
        answer["choices"] = [choices]


# -- usage -----------------------------------------------------------------------------------------------------------


def _translate_usage(usage: Json) -> None:
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict):
        details = usage["prompt_tokens_details"] = dict(details)
        for name in ("prompt_cache_hit_tokens", "prompt_cache_miss_tokens"):
            if name in details and usage.get(name) is None:
                usage[name] = details.pop(name)
    for name, other in (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")):
        if usage.get(name) is None and isinstance(usage.get(other), int):
            usage[name] = usage[other]


# -- logprobs --------------------------------------------------------------------------------------------------------


def _translate_top(token: Json) -> Json | None:
    token["token"] = _word(token.get("token"))
    logprob = token.get("logprob")
    if isinstance(logprob, (int, float)) and not isinstance(logprob, bool) and logprob == logprob:
        pass
    elif isinstance(prob := token.get("prob"), (int, float)) and prob >= 0:
        token["logprob"] = math.log(prob) if prob else BELOW_TOP
    else:
        token["logprob"] = BELOW_TOP
        return {"logprob": logprob}
    return None


def _translate_token(token: Json) -> Json | None:
    odd = _translate_top(token)
    tops = token.get("top_logprobs")
    if tops is None and isinstance(token.get("top_probs"), list):
        token["top_logprobs"] = token.pop("top_probs")
    elif isinstance(tops, dict):
        token["top_logprobs"] = [{"token": text, "logprob": logprob} for text, logprob in tops.items()]
    return odd


def _translate_chat_logprobs(logprobs: Json) -> None:
    """The parallel lists of ``/completions``, as tokens."""
    tokens = logprobs.get("tokens")
    if not isinstance(tokens, list) or logprobs.get("content") is not None:
        return
    values, tops = _list(logprobs.pop("token_logprobs", None)), _list(logprobs.pop("top_logprobs", None))
    del logprobs["tokens"]
    logprobs["content"] = [
        {
            "token": token,
            "logprob": values[number] if number < len(values) else None,
            "top_logprobs": tops[number] if number < len(tops) else None,
        }
        for number, token in enumerate(tokens)
    ]


def _translate_text_logprobs(logprobs: Json) -> None:
    """The tokens of chat, as parallel lists. They themselves stay in ``extra``, for they say more."""
    content = logprobs.get("content")
    if not isinstance(content, list) or logprobs.get("tokens") is not None:
        return
    tokens = [dict(token) for token in content if isinstance(token, dict)]
    for token in tokens:
        _translate_token(token)
        for top in (tops := [dict(t) for t in _list(token.get("top_logprobs")) if isinstance(t, dict)]):
            _translate_top(top)
        token["top_logprobs"] = {str(top["token"]): top["logprob"] for top in tops}
    logprobs["tokens"] = [str(token["token"]) for token in tokens]
    logprobs["token_logprobs"] = [None if token["logprob"] <= BELOW_TOP else token["logprob"] for token in tokens]
    logprobs["top_logprobs"] = [token["top_logprobs"] for token in tokens]


def _word(token: Any) -> Any:
    """A token, whatever stands for it; those of bytes that are no text are told by null."""
    return token if isinstance(token, (str, int, float)) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _translate_model(model: Json) -> None:
    for name in ("model", "name"):
        if model.get("id") is None and isinstance(model.get(name), str):
            model["id"] = model[name]


TRANSLATIONS: dict[type, Callable[[Json], Json | None]] = {
    ChatCompletionChunk: _translate_answer,
    ChatCompletion: _translate_answer,
    TextCompletion: _translate_answer,
    Delta: _translate_said,
    AssistantMessage: _translate_message,
    ChunkChoice: _into("delta", "message", "text"),
    Choice: _into("message", "delta", "text"),
    TextChoice: _translate_text,
    ToolCallFragment: _translate_fragment,
    ToolCall: _translate_call,
    FunctionCallFragment: _translate_arguments,
    FunctionCall: _translate_function,
    Usage: _translate_usage,
    ChoiceLogprobs: _translate_chat_logprobs,
    TextLogprobs: _translate_text_logprobs,
    TokenLogprob: _translate_token,
    TopLogprob: _translate_top,
    Model: _translate_model,
}
"""What is done in place to a class's JSON before it is sorted out; returned is what of it is to be kept as it came."""
