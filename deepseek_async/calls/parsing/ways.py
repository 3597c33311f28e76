"""The two ways to ask for a type: JSON mode with the schema in a message, or a function to be called with the value.

Not by ``response_format: json_schema``, which DeepSeek refuses. JSON mode promises JSON, not its shape, and may answer
empty (page "JSON Output"); a strict function is held to its schema, within a subset and on the beta base URL alone
(page "Tool Calls"). While a model thinks, no function can be forced upon it (page "Thinking Mode").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import attrs
import msgspec

from ...codec.structuring import Structuring
from ...errors import InvalidRequestError
from ...types import (
    ChatCompletion,
    ChatRequest,
    FunctionDefinition,
    Message,
    SystemMessage,
    Tool,
    ToolMessage,
    UserMessage,
)
from ..arguments.official import is_thinking

Mode = Literal["auto", "tool", "json"]
MODES: Final = ("auto", "tool", "json")

_INTRODUCTION: Final = "Answer with one JSON object and nothing else. It must be valid against this JSON Schema:\n"
_UNNAMED: Final = "answer"
_MAX_NAME: Final = 64


@attrs.frozen
class WayToAsk:
    """One way to ask for a type.

    Attributes:
        schema: What the model is shown.
        is_strict: Whether the server holds the model to it, and data come in the form of strict tools.
        function: The name of the function to call; ``""``: JSON mode.
        is_forced: Whether the call is demanded.
        is_wrapped: Whether an object with the value under ``value`` is asked for.
        fallback: Why it is not the way that was wished for; ``""``: it is.
    """

    schema: Mapping[str, Any] = attrs.field(repr=False)
    is_strict: bool = False
    function: str = ""
    is_forced: bool = False
    is_wrapped: bool = False
    fallback: str = ""

    @property
    def mode(self) -> Literal["tool", "json"]:
        """As `parse` was or could have been told."""
        return "tool" if self.function else "json"

    def request(self, request: ChatRequest) -> ChatRequest:
        """The caller's request, made to ask for the type."""
        if not self.function:
            instruction = SystemMessage(_INTRODUCTION + msgspec.json.encode(self.schema).decode())
            return attrs.evolve(
                request, messages=(instruction, *request.messages), response_format={"type": "json_object"}
            )
        definition = FunctionDefinition(
            self.function,
            description="Takes the answer, as its arguments.",
            parameters=self.schema,
            strict=True if self.is_strict else None,
        )
        messages = request.messages
        choice: Any = {"type": "function", "function": {"name": self.function}}
        if not self.is_forced:
            choice = None
            messages = (SystemMessage(f"Give your answer by calling the function {self.function}, once."), *messages)
        return attrs.evolve(request, messages=messages, tools=(Tool(definition),), tool_choice=choice)

    def said_in(self, completion: ChatCompletion) -> str:
        """The text that holds the value: the call's arguments, else the content.

        Those of several calls stand below one another, so that two that differ are noticed.
        """
        calls = completion.message.tool_calls or ()
        if self.function and calls:
            named = [call for call in calls if call.function.name == self.function]
            return "\n".join(call.function.arguments for call in named or calls)
        return completion.text

    def correction(self, completion: ChatCompletion, problem: str) -> tuple[Message, ...]:
        """What the conversation goes on with: the answer that did not fit, and what was wrong with it."""
        calls = completion.message.tool_calls or ()
        if self.function and calls:
            words = f"That was not it: {problem}. Call {self.function} again with all arguments, corrected."
            return (completion.message, *(ToolMessage(words, tool_call_id=call.id) for call in calls))
        again = f"Call {self.function}" if self.function else "Answer again with the whole JSON object"
        # An empty answer is not repeated to the model: some servers refuse an empty assistant message.
        said = (completion.message,) if completion.text.strip() else ()
        return (*said, UserMessage(f"That was not it: {problem}. {again}, corrected."))


def way_for(structuring: Structuring, request: ChatRequest, mode: Mode, *, refusal: str) -> WayToAsk:
    """The way to ask.

    Args:
        mode: ``"auto"``: by a strict function where the server takes one, the type can be said there and the model does
            not think; else in JSON mode.
        refusal: Why the server takes no strict functions; ``""``: it does.

    Raises:
        InvalidRequestError: The mode is none of the three, or the request has tools or a response format of its own.
    """
    if mode not in MODES:
        raise InvalidRequestError("mode", mode, "'auto', 'tool' or 'json'")
    if request.response_format is not None or request.tools is not None or request.tool_choice is not None:
        words = "no response_format, tools and tool_choice: parse sets them itself"
        raise InvalidRequestError("parse", None, words)
    thinks = is_thinking(request)
    plainly = structuring.is_wrapped(is_strict=False)
    if mode == "json":
        return WayToAsk(structuring.schema, is_wrapped=plainly)
    reason = refusal or structuring.inexpressible
    if mode == "auto":
        thought = "a model that thinks cannot be made to call a function" if thinks else ""
        if thought or reason:
            return WayToAsk(structuring.schema, is_wrapped=plainly, fallback=thought or reason)
    function = re.sub(r"[^A-Za-z0-9_-]+", "_", structuring.plan.name)[:_MAX_NAME] or _UNNAMED
    schema = structuring.schema if reason else structuring.strict_schema
    wrapped = structuring.is_wrapped(is_strict=not reason)
    return WayToAsk(schema, not reason, function, not thinks, wrapped, fallback=reason)
