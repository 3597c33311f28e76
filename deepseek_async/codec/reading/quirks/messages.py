"""Habits in messages and deltas: names of the reasoning, content in parts, the shape of calls."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

REASONING_NAMES = ("reasoning", "thinking", "reasoning_text")
"""Other names of ``reasoning_content``."""


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


def translate_said(said: Json) -> None:
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


def translate_message(message: Json) -> None:
    translate_said(message)
    for name in ("content", "reasoning_content"):
        if isinstance(text := message.get(name), str):
            message[name] = mended(text)


def translate_fragment(call: Json) -> None:
    if call.get("function") is None and ("name" in call or "arguments" in call):
        call["function"] = {name: call.pop(name) for name in ("name", "arguments") if name in call}


def translate_call(call: Json) -> None:
    translate_fragment(call)
    call.pop("index", None)


def translate_arguments(function: Json) -> None:
    if isinstance(function.get("arguments"), (dict, list)):
        function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)


def translate_function(function: Json) -> None:
    translate_arguments(function)
    if isinstance(text := function.get("arguments"), str):
        function["arguments"] = mended(text)
