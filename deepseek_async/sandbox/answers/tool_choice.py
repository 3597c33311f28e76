"""`choose_tools` decides which tools are called: those that have a word of their name in the user's message.

A model would understand; this one compares words, so that a test can make it call: "What is the weather in Paris?"
calls ``get_weather``. An instruction to answer by calling a function is followed, too. What is called follows from the
request alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..requests.bodies import Tool

__all__ = ["choose_tools"]

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W\d_]+")
_TOO_COMMON = {"get", "set", "the", "and", "for", "run", "call", "make", "use", "tool", "function", "fetch", "with"}


def choose_tools(
    tools: Sequence[Tool], text: str, *, instructions: str = "", must_call: bool, may_call: bool, chance: float
) -> list[Tool]:
    """The tools to call, in the order the user's words name them.

    Args:
        text: The last user message.
        instructions: The system messages.
        must_call: If no tool is named, call one all the same.
        may_call: Whether calls are possible at all where they are not a must.
        chance: 0 to 1, to pick that one.
    """
    if not tools or not (must_call or may_call):
        return []
    told = [tool for tool in tools if _is_told(tool, instructions)]
    if told:
        return told
    said = _words(text)
    places = {tool.function.name: _place(tool, said) for tool in tools}
    named = [tool for tool in tools if places[tool.function.name] is not None]
    if named:
        return sorted(named, key=lambda tool: places[tool.function.name] or 0)
    return [tools[min(int(chance * len(tools)), len(tools) - 1)]] if must_call else []


def _is_told(tool: Tool, instructions: str) -> bool:
    """Whether a system message says that the answer is a call of this function."""
    name = rf"(?:the )?(?:function |tool )?[`'\"]?{re.escape(tool.function.name)}(?![\w-])"
    return re.search(rf"\b(?:by calling|must call|always call) {name}", instructions, re.IGNORECASE) is not None


def _place(tool: Tool, said: list[str]) -> int | None:
    """The place of the first word that the tool's name shares with what was said; None: they share none."""
    own = set(_words(tool.function.name)) - _TOO_COMMON
    return next((place for place, word in enumerate(said) if word in own), None)


def _words(text: str) -> list[str]:
    words = [match.lower() for match in _WORD.findall(text)]
    return [word.removesuffix("s") for word in words if len(word) > 2]
