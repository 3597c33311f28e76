"""A chat request with every parameter of the page "Create Chat Completion", as it was in 2024 and as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from ...errors import InvalidRequestError
from ..messages import (
    AssistantMessage,
    FilePart,
    ImagePart,
    Message,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from ..structs import knows_its_names
from ..tools import FunctionDefinition, Tool
from ..values import NO_EXTRA, Document, hidden
from . import ranges

MAX_STOP_SEQUENCES: Final = 16  # 8 on the page of 2024
MAX_OUTPUT_TOKENS: Final = 393_216
MAX_TOP_LOGPROBS: Final = 20
MAX_TOOLS: Final = 128
MAX_USER_ID_BYTES: Final = 512
REASONING_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")

_MESSAGES = (SystemMessage, UserMessage, AssistantMessage, ToolMessage)


class ModelName:
    """Model names of the documentation. An open set: any string goes."""

    FLASH: Final = "deepseek-flash"
    V4_PRO: Final = "deepseek-v4-pro"
    CHAT: Final = "deepseek-chat"  # retired 2026-07-24
    REASONER: Final = "deepseek-reasoner"  # retired 2026-07-24
    CODER: Final = "deepseek-coder"  # merged into deepseek-chat in 2024


_A_MESSAGE: Final = "{'role': 'user', 'content': '…'}"


def _check_messages(_: object, __: object, messages: object) -> None:
    if not isinstance(messages, tuple):
        wanted = f"a list of messages, such as [{_A_MESSAGE}], not {type(messages).__name__}"
        raise InvalidRequestError("messages", None, wanted)
    if not messages:
        raise InvalidRequestError("messages", None, "at least 1 message")
    role: object
    content: object
    call_id: object
    for number, message in enumerate(messages):
        if isinstance(message, (dict, Mapping)):  # a dict by name: the abstract class asks 5 × longer
            role, content, call_id = message.get("role"), message.get("content"), message.get("tool_call_id")
        elif isinstance(message, _MESSAGES):
            role, content = message.role, message.content
            call_id = message.tool_call_id if isinstance(message, ToolMessage) else None
        else:
            wanted = f"a message or a mapping, such as {_A_MESSAGE}, not {type(message).__name__}"
            if hasattr(message, "message"):
                wanted += ": give its .message"
            raise InvalidRequestError(f"messages[{number}]", None, wanted)
        if not isinstance(role, str) or not role:
            raise InvalidRequestError(f"messages[{number}].role", role, "'system', 'user', 'assistant' or 'tool'")
        if not isinstance(content, str):
            _check_content(f"messages[{number}].content", content, required=role in ("system", "user", "tool"))
        if role == "tool" and not isinstance(call_id, str):
            raise InvalidRequestError(
                f"messages[{number}].tool_call_id", None, f"a string, not {type(call_id).__name__}"
            )


def _check_content(where: str, content: object, *, required: bool) -> None:
    if content is None and not required:
        return
    if not isinstance(content, (list, tuple)):
        found = "; it is None, or not there" if content is None else f", not {type(content).__name__}"
        raise InvalidRequestError(where, None, f"a string, or a list of parts{found}")
    for number, part in enumerate(content):
        if not isinstance(part, (TextPart, ImagePart, FilePart, Mapping)):
            wanted = f"a part or a mapping, such as TextPart(…) or ImagePart.from_path(…), not {type(part).__name__}"
            raise InvalidRequestError(f"{where}[{number}]", None, wanted)


def _to_messages(messages: object) -> object:
    if isinstance(messages, (list, tuple)):
        return tuple(messages)
    # A bare string or mapping is a likely slip, and would otherwise be taken apart into characters or keys. It is
    # refused by the validator: a request that is half made, as in a converter, has no repr.
    if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Sequence):
        return messages
    return tuple(messages)


def _count(messages: object) -> str:
    return f"<{len(messages)} messages>" if isinstance(messages, tuple) else "<no messages>"


def to_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _check_tools(_: object, __: object, tools: Any) -> None:
    if tools is None:
        return
    if not isinstance(tools, tuple):
        raise InvalidRequestError("tools", None, f"a list of tools, not {type(tools).__name__}")
    if len(tools) > MAX_TOOLS:
        raise InvalidRequestError("tools", f"{len(tools)} tools", f"at most {MAX_TOOLS}")
    names = set()
    for number, tool in enumerate(tools):
        if isinstance(tool, Tool) and isinstance(tool.function, FunctionDefinition):
            name: object = tool.function.name
        elif isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping):
            name = tool["function"].get("name")
        else:
            wanted = '{"type": "function", "function": {"name": …}}'
            if callable(tool):
                wanted += "; a function itself goes to run_tools(tools=[…]), which calls it"
            raise InvalidRequestError(f"tools[{number}]", None, wanted)
        if not isinstance(name, str) or not name:
            raise InvalidRequestError(f"tools[{number}].function.name", name, "a string that is not empty")
        if name in names:
            raise InvalidRequestError(f"tools[{number}].function.name", name, "a name that no other tool has")
        names.add(name)


def _check_tool_choice(_: object, __: object, choice: Any) -> None:
    if choice is None or isinstance(choice, Mapping) or choice in ("none", "auto", "required"):
        return
    allowed = "'none', 'auto', 'required' or {'type': 'function', 'function': {'name': …}}"
    raise InvalidRequestError("tool_choice", choice, allowed)


_check_count_of_alternatives = ranges.integer(0, MAX_TOP_LOGPROBS)


def _check_top_logprobs(request: ChatRequest, attribute: Any, value: object) -> None:
    if value is None:
        return
    _check_count_of_alternatives(request, attribute, value)
    if not request.logprobs:
        raise InvalidRequestError("top_logprobs", value, "only together with logprobs=True")


def check_stream_options(request: Any, attribute: Any, value: object) -> None:
    """A mapping, and only of a request that is streamed."""
    if value is None:
        return
    ranges.mapping(request, attribute, value)
    if not request.stream:
        raise InvalidRequestError("stream_options", value, "only together with stream=True")


@knows_its_names
@attrs.frozen(kw_only=True, repr=False)
class ChatRequest(Document):
    """One request to ``POST /chat/completions``. ``None`` means: not sent, the server's default holds.

    Args:
        messages: At least one; message values and plain mappings, mixed.
        model: Any string; see `ModelName`.
        thinking: ``{"type": "enabled"}`` (the server's default) or ``{"type": "disabled"}``.
        reasoning_effort: ``"none"``, ``"low"``, ``"high"``, ``"max"`` and their aliases.
        max_tokens: 1 to 393,216; reasoning counts.
        temperature: 0 to 2. Without effect while thinking.
        top_p: 0 to 1. Today's server wants more than 0.
        frequency_penalty, presence_penalty: -2 to 2. Without effect on today's server.
        stop: One string, or up to 16.
        stream: Whether to answer as an event stream. `create` and `stream` set it.
        stream_options: ``{"include_usage": bool}``; only when streaming. `create` and `stream` ask for the usage unless
            they are told otherwise; ``stream_options=None`` sends nothing, for servers that refuse the field.
        response_format: ``{"type": "text"}`` or ``{"type": "json_object"}``; other servers also ``"json_schema"``.
        tools: Up to 128; `Tool` values and plain mappings, mixed.
        tool_choice: ``"none"``, ``"auto"``, ``"required"`` or a mapping that names one function.
        logprobs: Whether to return the log probabilities of the answer's tokens.
        top_logprobs: Alternatives a token, 0 to 20; needs ``logprobs``.
        user_id: At most 512 bytes of UTF-8; letters, digits, ``-`` and ``_`` recommended.
        extra_body: Further fields for the body, unchecked; wins over a parameter of the same name.
        custom_id: The caller's own id of the request, for batches; not sent.

    Raises:
        InvalidRequestError: A value is out of range; it names the parameter, the value and the range.
    """

    messages: Sequence[Message | Mapping[str, Any]] = attrs.field(
        converter=_to_messages,
        validator=_check_messages,
        repr=_count,
    )
    model: str = attrs.field(validator=ranges.text(required=True))
    thinking: Mapping[str, Any] | None = attrs.field(
        default=None, hash=False, validator=ranges.typed_mapping("enabled", "disabled")
    )
    reasoning_effort: str | None = attrs.field(default=None, validator=ranges.one_of(*REASONING_EFFORTS))
    max_tokens: int | None = attrs.field(default=None, validator=ranges.integer(1, MAX_OUTPUT_TOKENS))
    temperature: float | None = attrs.field(default=None, validator=ranges.number(0, 2))
    top_p: float | None = attrs.field(default=None, validator=ranges.number(0, 1))
    frequency_penalty: float | None = attrs.field(default=None, validator=ranges.number(-2, 2))
    presence_penalty: float | None = attrs.field(default=None, validator=ranges.number(-2, 2))
    stop: str | Sequence[str] | None = attrs.field(
        default=None, converter=to_tuple, validator=ranges.strings(MAX_STOP_SEQUENCES), repr=hidden
    )
    stream: bool | None = attrs.field(default=None, validator=ranges.boolean)
    stream_options: Mapping[str, Any] | None = attrs.field(default=None, hash=False, validator=check_stream_options)
    response_format: Mapping[str, Any] | None = attrs.field(
        default=None, hash=False, validator=ranges.typed_mapping("text", "json_object", "json_schema")
    )
    tools: Sequence[Tool | Mapping[str, Any]] | None = attrs.field(
        default=None, converter=to_tuple, validator=_check_tools, repr=hidden
    )
    tool_choice: str | Mapping[str, Any] | None = attrs.field(default=None, hash=False, validator=_check_tool_choice)
    logprobs: bool | None = attrs.field(default=None, validator=ranges.boolean)
    top_logprobs: int | None = attrs.field(default=None, validator=_check_top_logprobs)
    user_id: str | None = attrs.field(default=None, validator=ranges.text(MAX_USER_ID_BYTES), repr=hidden)
    extra_body: Mapping[str, Any] = attrs.field(
        default=NO_EXTRA, hash=False, validator=ranges.mapping, repr=lambda body: f"<{len(body)} fields>"
    )
    custom_id: str | None = attrs.field(default=None, validator=ranges.text())
