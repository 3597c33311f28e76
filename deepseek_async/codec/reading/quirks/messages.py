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


def translate_said(said: Json) -> Json | None:
    odd: Json = {}
    if isinstance(content := said.get("content"), (list, dict)) and not _take_parts(said):
        odd["content"] = content
    if isinstance(said.get("reasoning_content"), (list, dict)):
        _take_thoughts(said)
    for name in REASONING_NAMES:
        if isinstance(said.get(name), (list, dict)):
            _take_thoughts(said, name)
        if name in said and isinstance(said[name], str | None):
            reasoning = said.pop(name)
            if not said.get("reasoning_content"):
                said["reasoning_content"] = reasoning if reasoning is not None else said.get("reasoning_content")
            elif reasoning and reasoning != said["reasoning_content"]:
                said[name] = reasoning  # it says something else: kept as a field of the server's own
    if said.get("role") == "":
        del said["role"]
    calls = said.get("tool_calls")
    if calls is not None and (not calls or calls == [None]):
        del said["tool_calls"]
    elif isinstance(calls, dict):
        said["tool_calls"] = [calls]
    return odd or None


def _take_parts(said: Json) -> bool:
    """Put the texts of the content's parts where they belong; False if the parts say more than these."""
    content = said["content"]
    parts = Parts()
    for part in content if isinstance(content, list) else [content]:
        parts.take(part)
    if not parts.texts and not parts.thoughts and parts.has_more and not parts.has_type:
        return True  # nothing that is known: left for the reader to refuse
    said["content"] = "".join(parts.texts) if parts.texts or not parts.thoughts else None
    if parts.thoughts and not said.get("reasoning_content"):
        said["reasoning_content"] = "".join(parts.thoughts)
    return not parts.has_more


def _take_thoughts(said: Json, name: str = "reasoning_content") -> None:
    """Put the text of a reasoning in parts in its place, if they say no more."""
    content = said[name]
    parts = Parts()
    for part in content if isinstance(content, list) else [content]:
        parts.take(part)
    if not parts.has_more and content:
        said[name] = "".join(parts.texts + parts.thoughts)


_THOUGHTS = frozenset(("thinking", "reasoning", "reasoning_content", "reasoning_text", "thought"))
_INSIDE = ("text", "thinking", "reasoning", "content", "summary", "value")
"""Where a part has its text, as a text, as parts again, or as an object with a ``value``."""


class Parts:
    """The parts of a content.

    Attributes:
        texts, thoughts: Theirs, in order.
        has_more: Whether any says more than a text: another type, a signature, references.
        has_type: Whether any of those that say more says of what type it is.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.has_more: bool = False
        self.has_type: bool = False

    def take(self, part: Any) -> None:
        """Take the next part."""
        self._take(part, self.texts)

    def _take(self, part: Any, into: list[str]) -> None:
        if isinstance(part, str):
            into.append(part)
        elif isinstance(part, dict):
            kind = part.get("type")
            into = self.thoughts if kind in _THOUGHTS else into
            names = [name for name in _INSIDE if name in part]
            if isinstance(kind, str) and not (kind in _THOUGHTS or kind.endswith("text")):
                self.has_more = self.has_type = True
            elif not names:
                self.has_more, self.has_type = True, self.has_type or isinstance(kind, str)
            else:
                inner = part[names[0]]
                for one in inner if isinstance(inner, list) else [inner]:
                    self._take(one, into)
                rest = (value for name, value in part.items() if name not in ("type", "index", names[0]))
                self.has_more = self.has_more or any(value not in (None, [], {}, "") for value in rest)
        elif part is not None:
            self.has_more = True


def translate_message(message: Json) -> Json | None:
    odd = translate_said(message)
    for name in ("content", "reasoning_content"):
        if isinstance(text := message.get(name), str):
            message[name] = mended(text)
    return odd


def translate_fragment(call: Json) -> None:
    if call.get("function") is None and ("name" in call or "arguments" in call):
        call["function"] = {name: call.pop(name) for name in ("name", "arguments", "input") if name in call}


def translate_call(call: Json) -> None:
    translate_fragment(call)
    call.pop("index", None)


def translate_arguments(function: Json) -> None:
    for name in ("parameters", "input"):
        if function.get("arguments") is None and isinstance(function.get(name), dict):
            function["arguments"] = function.pop(name)
    if isinstance(function.get("arguments"), (dict, list)):
        function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)


def is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def translate_function(function: Json) -> None:
    translate_arguments(function)
    if isinstance(text := function.get("arguments"), str):
        function["arguments"] = mended(text)
