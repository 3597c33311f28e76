"""Halves of characters in the chunks of one stream, put together before anybody sees them.

A server that counts in UTF-16 cuts a character outside the BMP in two, and JSON can say half of one: ``"\\ud83e"``.
Delivered so, it could not be printed. So a first half waits for the chunk that brings the second, and one that has none
is U+FFFD, in the chunk that ends its choice at the latest.
"""

from __future__ import annotations

from typing import Any, TypeVar

import attrs

from ...types import ChatCompletionChunk, TextChoice, TextCompletion, ToolCallFragment
from .quirks.messages import mended

C = TypeVar("C", bound=ChatCompletionChunk | TextCompletion)

_Key = tuple[object, ...]


class Halves:
    """The halves that wait, of each text of each choice."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[_Key, str] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether some wait: then the next chunks have to be looked at."""
        return bool(self._waiting)

    def joined(self, chunk: C) -> C:
        """The chunk with whole characters only."""
        choices: Any = chunk.choices
        made = tuple(self._of_text(one) if isinstance(one, TextChoice) else self._of_chat(one) for one in choices)
        return chunk if all(new is old for new, old in zip(made, choices, strict=True)) else _with(chunk, made)

    def _of_text(self, choice: TextChoice) -> TextChoice:
        ends = choice.finish_reason is not None
        text = self._whole((choice.index, "text"), choice.text, ends=ends) or ""
        return choice if text == choice.text else attrs.evolve(choice, text=text)

    def _of_chat(self, choice: Any) -> Any:
        delta, ends = choice.delta, choice.finish_reason is not None
        changes: dict[str, Any] = {}
        for name in ("content", "reasoning_content"):
            said = getattr(delta, name)
            text = self._whole((choice.index, name), said, ends=ends)
            if text != said:
                changes[name] = text
        if delta.tool_calls:
            calls = tuple(self._of_call(choice.index, call) for call in delta.tool_calls)
            if calls != delta.tool_calls:
                changes["tool_calls"] = calls
        return attrs.evolve(choice, delta=attrs.evolve(delta, **changes)) if changes else choice

    def _of_call(self, index: int, call: ToolCallFragment) -> ToolCallFragment:
        function = call.function
        if function is None or not function.arguments:
            return call
        arguments = self._whole((index, "arguments", call.index), function.arguments, ends=False)
        if arguments == function.arguments:
            return call
        return attrs.evolve(call, function=attrs.evolve(function, arguments=arguments))

    def _whole(self, key: _Key, said: str | None, *, ends: bool) -> str | None:
        """What is said, with the half before it and without the one at its end."""
        if said is None and not (ends and key in self._waiting):
            return said
        if said and said.isascii() and not self._waiting:
            return said
        text = self._waiting.pop(key, "") + (said or "")
        if text and not ends and "\ud800" <= text[-1] <= "\udbff":
            self._waiting[key] = text[-1]
            text = text[:-1]
        return mended(text)


def _with(chunk: Any, choices: tuple[Any, ...]) -> Any:
    return attrs.evolve(chunk, choices=choices)
