"""These functions decide whether a request is allowed: its fields have the right types and ranges, and none of them
contradicts another. A broken rule raises a `Refusal`, which is the API's answer to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from . import refusals
from .bodies import (
    MAX_CHOICES,
    MAX_STOPS,
    MAX_TOKENS,
    MAX_TOOLS,
    MAX_TOP_LOGPROBS,
    MAX_USER_ID_BYTES,
    ChatBody,
    CompletionBody,
    NamedToolChoice,
    Tool,
)
from .deserialization import decode
from .models import MODELS, ServedModel, supported_names
from .rules import Rules
from .strict_schema import check_strict_schema

__all__ = ["check_chat", "check_completion", "find_model", "read_chat", "read_completion"]

_chat = msgspec.json.Decoder(ChatBody)
_completion = msgspec.json.Decoder(CompletionBody)
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")

Body = TypeVar("Body", ChatBody, CompletionBody)


def read_chat(data: bytes) -> ChatBody:
    """Decode the body of POST /chat/completions.

    Raises:
        Refusal: 400 or 422, naming the field.
    """
    return decode(_chat, data)


def read_completion(data: bytes) -> CompletionBody:
    """Decode the body of POST /completions.

    Raises:
        Refusal: 400 or 422, naming the field.
    """
    return decode(_completion, data)


def find_model(name: str, rules: Rules) -> ServedModel:
    """The model of that name.

    Raises:
        Refusal: 400: there is none; today's rules know the retired ones no more, and list what there is.
    """
    model = MODELS.get(name)
    today = rules == "today"
    if model is None or (today and model.retired):
        raise refusals.unknown_model(name, supported_names() if today else ())
    return model


def check_chat(body: ChatBody, *, thinking: bool, beta: bool) -> None:
    """Check everything about a chat request but its model and its messages' order (see `conversation`).

    Args:
        thinking: Whether the model will think.
        beta: Whether beta features are served at this address.

    Raises:
        Refusal: 400.
    """
    if not body.messages:
        raise refusals.bad_request("Invalid messages value, messages must hold at least 1 message")
    _check_shared(body)
    if body.top_logprobs is not None:
        if body.top_logprobs > MAX_TOP_LOGPROBS:
            raise refusals.out_of_range("top_logprobs", f"[0, {MAX_TOP_LOGPROBS}]")
        if not body.logprobs:
            raise refusals.bad_request("Invalid top_logprobs value, logprobs must be true if top_logprobs is used")
    if body.response_format is not None:
        _check_format(body)
    if body.tools:
        _check_tools(body.tools, beta=beta)
        _check_choice(body, body.tools, thinking=thinking)


def check_completion(body: CompletionBody) -> None:
    """Check a FIM request.

    Raises:
        Refusal: 400.
    """
    _check_shared(body)
    if body.logprobs is not None and body.logprobs > MAX_TOP_LOGPROBS:
        raise refusals.out_of_range("logprobs", f"[0, {MAX_TOP_LOGPROBS}]")
    if body.echo and (body.suffix is not None or body.logprobs is not None):
        raise refusals.bad_request("Invalid echo value, echo cannot be used together with suffix or logprobs")


def _check_shared(body: ChatBody | CompletionBody) -> None:
    _check_range("max_tokens", body.max_tokens, 1, MAX_TOKENS, f"[1, {MAX_TOKENS}]")
    _check_range("temperature", body.temperature, 0, 2, "[0, 2.0]")
    if body.top_p is not None and not 0 < body.top_p <= 1:
        raise refusals.out_of_range("top_p", "(0, 1.0]")
    _check_range("frequency_penalty", body.frequency_penalty, -2, 2, "[-2.0, 2.0]")
    _check_range("presence_penalty", body.presence_penalty, -2, 2, "[-2.0, 2.0]")
    _check_range("n", body.n, 1, MAX_CHOICES, f"[1, {MAX_CHOICES}]")
    _check_range("min_tokens", body.min_tokens, 0, MAX_TOKENS, f"[0, {MAX_TOKENS}]")
    if isinstance(body.stop, list) and len(body.stop) > MAX_STOPS:
        raise refusals.bad_request(f"Stop string array too long: {len(body.stop)}")
    if body.stream_options is not None and not body.stream:
        raise refusals.bad_request("Invalid stream_options value, stream_options is only allowed when stream is true")
    if body.user_id is not None and len(body.user_id.encode()) > MAX_USER_ID_BYTES:
        raise refusals.bad_request(f"Invalid user_id value, user_id must be at most {MAX_USER_ID_BYTES} bytes of UTF-8")


def _check_range(name: str, value: float | None, low: float, high: float, allowed: str) -> None:
    if value is not None and not low <= value <= high:
        raise refusals.out_of_range(name, allowed)


def _check_format(body: ChatBody) -> None:
    assert body.response_format is not None  # noqa: S101 - asked by the caller
    if body.response_format.type == "json_schema":
        raise refusals.bad_request("This response_format type is unavailable now")
    if body.response_format.type == "json_object" and b"json" not in msgspec.json.encode(body.messages).lower():
        raise refusals.bad_request(
            "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'."
        )


def _check_tools(tools: Sequence[Tool], *, beta: bool) -> None:
    if len(tools) > MAX_TOOLS:
        raise refusals.bad_request(f"Invalid tools value, at most {MAX_TOOLS} tools are allowed, got {len(tools)}")
    # Elsewhere than under /beta the API ignores ``strict``, whatever the schema (recorded answers of June 2026).
    strict = [beta and bool(tool.function.strict) for tool in tools]
    names: set[str] = set()
    for number, tool in enumerate(tools):
        name = tool.function.name
        if not _FUNCTION_NAME.fullmatch(name):
            raise refusals.bad_request(
                f"Invalid 'tools[{number}].function.name': expected a string that matches the pattern "
                "'^[a-zA-Z0-9_-]+$', of at most 128 characters."
            )
        if name in names:
            raise refusals.bad_request(f"Tool names must be unique (tools[{number}].function.name: {name})")
        names.add(name)
        if strict[number] and tool.function.parameters is not None:
            check_strict_schema(tool.function.parameters, f"tools[{number}].function.parameters")
    if any(strict) and not all(strict):
        raise refusals.bad_request("strict must be set on every function, or on none (tools[].function.strict)")


def _check_choice(body: ChatBody, tools: Sequence[Tool], *, thinking: bool) -> None:
    choice = body.tool_choice
    forced = choice == "required" or isinstance(choice, NamedToolChoice)
    if forced and thinking:
        raise refusals.bad_request("Thinking mode does not support this tool_choice")
    if isinstance(choice, NamedToolChoice) and choice.function.name not in {tool.function.name for tool in tools}:
        raise refusals.bad_request(f"Tool choice function '{choice.function.name}' is not among the tools")
