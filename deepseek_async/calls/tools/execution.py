"""One call of the model's, from what it wrote to what it is told."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ...errors import MalformedResponseError
from ...types import ToolCall, ToolMessage
from .events import CallFinished, CallStarted, ToolEvent
from .function_tool import FunctionTool
from .results import content_of, told_of
from .rules import Consent, RunRules


async def execute(
    toolbox: Mapping[str, FunctionTool],
    rules: RunRules,
    turn: int,
    call: ToolCall,
    tell: Callable[[ToolEvent], None],
) -> None:
    """Understand a call, ask for consent, run it, and tell how it went, whatever that is.

    Raises:
        Exception: With ``on_error="raise"``, what the function raised.
    """
    try:
        tool, arguments = _understood(call, toolbox)
    except MalformedResponseError as error:
        tell(_unanswered(turn, call, f"The call was not made: {error.message}.", error))
        return
    if (refusal := await _refusal(rules.consent, call, arguments)) is not None:
        tell(_unanswered(turn, call, refusal, PermissionError(refusal)))
        return
    tell(CallStarted(turn, call))
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        value = await _value_of(tool, arguments)
        content = content_of(value)
    except Exception as error:
        if rules.on_error == "raise":
            raise
        tell(_unanswered(turn, call, _told(error, tool), error, clock() - began))
    else:
        tell(CallFinished(turn, call, ToolMessage(content, call.id), value, None, clock() - began))


def _understood(call: ToolCall, toolbox: Mapping[str, FunctionTool]) -> tuple[FunctionTool, dict[str, Any]]:
    """The tool that a call means, and its arguments.

    Raises:
        MalformedResponseError: There is no such tool, or the arguments do not fit it.
    """
    name = call.function.name
    tool = toolbox.get(name)
    if tool is None:
        raise MalformedResponseError(f"there is no tool {name!r}; there are {', '.join(toolbox)}")
    return tool, tool.arguments_in(call.function.arguments)


async def _refusal(consent: Consent | None, call: ToolCall, arguments: Mapping[str, Any]) -> str | None:
    """Why a call may not be made, in words for the model; ``None``: it may."""
    if consent is None:
        return None
    answer = consent(call, arguments)
    if inspect.isawaitable(answer):
        answer = await answer
    if answer is True:
        return None
    return f"The call was not allowed: {answer}" if isinstance(answer, str) and answer else "The call was not allowed."


async def _value_of(tool: FunctionTool, arguments: dict[str, Any]) -> Any:
    try:
        async with asyncio.timeout(tool.timeout):
            if _is_async(tool.function):
                return await tool.function(**arguments)
            # In a thread, so that others are served meanwhile. A thread cannot be stopped: past the timeout, or when
            # the run is cancelled, nobody waits for it any longer.
            value = await asyncio.to_thread(tool.function, **arguments)
            return await value if inspect.isawaitable(value) else value
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise  # the run's end, and not the tool's own
        raise RuntimeError("the function cancelled itself") from error


def _is_async(function: Any) -> bool:
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _told(error: Exception, tool: FunctionTool) -> str:
    if isinstance(error, TimeoutError) and tool.timeout is not None and not str(error):
        return f"The tool took longer than {tool.timeout:g} s and was given up."
    return told_of(error)


def _unanswered(turn: int, call: ToolCall, text: str, error: Exception, elapsed: float = 0.0) -> CallFinished:
    return CallFinished(turn, call, ToolMessage(text, call.id), None, error, elapsed)
