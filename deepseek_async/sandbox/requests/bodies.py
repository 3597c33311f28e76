"""The bodies that clients send, as the wire has them: one struct for each JSON object.

The structs are the one table of parameters: a body is decoded through them, so that a wrong type or a missing field is
refused with its path, and the OpenAPI description is generated from them. Ranges stand in the same place as JSON Schema
keywords, but are checked by `checks`, because the API answers an out-of-range value with a text of its own.

Unknown fields are ignored, as the API ignores them. `UNSET` tells "absent" from `null` where the API does so: an absent
``reasoning_content`` is refused in a conversation that ends on a tool's result, an empty one is not.

Source: create-chat-completion and create-completion pages, the seed's and today's; the wider range of the two.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from .models import MODELS

__all__ = [
    "AssistantMessage",
    "ChatBody",
    "CompletionBody",
    "Function",
    "Message",
    "NamedToolChoice",
    "StreamOptions",
    "SystemMessage",
    "Tool",
    "ToolCall",
    "ToolMessage",
    "UserMessage",
]

MAX_TOKENS = 393_216
MAX_STOPS = 16
MAX_TOOLS = 128
MAX_TOP_LOGPROBS = 20
MAX_CHOICES = 128
MAX_USER_ID_BYTES = 512


def _within(
    minimum: float | None = None, maximum: float | None = None, *, description: str | None = None, **more: Any
) -> Meta:
    """A range for the description. `checks` enforces it, with the API's own words."""
    keywords: dict[str, Any] = dict(more)
    if minimum is not None:
        keywords["minimum"] = minimum
    if maximum is not None:
        keywords["maximum"] = maximum
    return Meta(extra_json_schema=keywords, description=description)


class TextPart(Struct, tag_field="type", tag="text"):
    """A piece of text in a message's content."""

    text: str


class ImageUrl(Struct):
    """Where an image is: http(s), or a data URL."""

    url: str
    detail: Literal["low", "high", "original", "auto"] | None = None


class ImagePart(Struct, tag_field="type", tag="image_url"):
    """An image in a message's content (user and tool messages, Flash only)."""

    image_url: ImageUrl


class FilePart(Struct, tag_field="type", tag="file"):
    """A file in a message's content: by id, or as a data URL with its name."""

    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


Part = TextPart | ImagePart | FilePart


class CalledFunction(Struct):
    """The function of a call: its arguments are JSON text, not an object."""

    name: str
    arguments: str


class ToolCall(Struct):
    """A call that the assistant made earlier in the conversation."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class SystemMessage(Struct, tag_field="role", tag="system"):
    """Instructions."""

    content: str | list[Part]
    name: str | None = None


class ReminderMessage(Struct, tag_field="role", tag="latest_reminder"):
    """A role that the API's parser names among its variants and no page documents; read as a system message."""

    content: str | list[Part]
    name: str | None = None


class UserMessage(Struct, tag_field="role", tag="user"):
    """A user's turn."""

    content: str | list[Part]
    name: str | None = None


class AssistantMessage(Struct, tag_field="role", tag="assistant"):
    """An answer given before, or with ``prefix`` the beginning of the one asked for."""

    content: str | list[Part] | UnsetType | None = UNSET
    name: str | None = None
    prefix: bool | None = None
    reasoning_content: str | UnsetType | None = UNSET
    tool_calls: list[ToolCall] | None = None


class ToolMessage(Struct, tag_field="role", tag="tool"):
    """What a tool answered."""

    content: str | list[Part]
    tool_call_id: str


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage | ReminderMessage


class Function(Struct):
    """A function that the model may call; ``parameters`` is a JSON Schema."""

    name: Annotated[str, Meta(extra_json_schema={"pattern": "^[a-zA-Z0-9_-]{1,128}$"})]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Struct):
    """A tool: a function, the only type there is."""

    function: Function
    type: Literal["function"] = "function"


class ChosenFunction(Struct):
    """The name of the one function to call."""

    name: str


class NamedToolChoice(Struct):
    """``tool_choice`` that asks for one function."""

    function: ChosenFunction
    type: Literal["function"] = "function"


class StreamOptions(Struct):
    """Options that are allowed only with ``stream: true``."""

    include_usage: bool | None = None


class Thinking(Struct):
    """Whether the model reasons before it answers."""

    type: Literal["enabled", "disabled"]


class ResponseFormat(Struct):
    """``text``, or ``json_object``: the answer is valid JSON."""

    type: Literal["text", "json_object", "json_schema"]


Model = Annotated[str, Meta(extra_json_schema={"enum": sorted(MODELS)})]
Stop = Annotated[
    str | list[str] | None, Meta(description=f"Up to {MAX_STOPS} sequences; the text ends before the first one met.")
]
Temperature = Annotated[float | None, _within(0, 2, description="0 always takes the likeliest token.")]
TopP = Annotated[float | None, _within(maximum=1, exclusiveMinimum=0)]
Penalty = Annotated[float | None, _within(-2, 2)]
MaxTokens = Annotated[int | None, _within(1, MAX_TOKENS, description="Reasoning counts against it.")]
Seed = Annotated[int | None, Meta(description="The same seed and request give the same answer, streamed or not.")]
Choices = Annotated[int | None, _within(1, MAX_CHOICES, description="How many answers; other servers have it.")]
MinTokens = Annotated[int | None, _within(0, MAX_TOKENS, description="The answer is not shorter; as vLLM has it.")]


class ChatBody(Struct, kw_only=True):
    """POST /chat/completions."""

    messages: Annotated[list[Message], Meta(extra_json_schema={"minItems": 1})]
    model: Model
    thinking: Thinking | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    max_tokens: MaxTokens = None
    temperature: Temperature = None
    top_p: TopP = None
    frequency_penalty: Penalty = None
    presence_penalty: Penalty = None
    stop: Stop = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[Tool] | None, Meta(extra_json_schema={"maxItems": MAX_TOOLS})] = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int | None, _within(0, MAX_TOP_LOGPROBS)] = None
    user_id: Annotated[str | None, Meta(extra_json_schema={"maxLength": MAX_USER_ID_BYTES})] = None
    seed: Seed = None
    n: Choices = None
    min_tokens: MinTokens = None


class CompletionBody(Struct, kw_only=True):
    """POST /beta/completions: fill in the middle."""

    model: Model
    prompt: str
    suffix: str | None = None
    echo: bool | None = None
    logprobs: Annotated[int | None, _within(0, MAX_TOP_LOGPROBS)] = None
    max_tokens: MaxTokens = None
    temperature: Temperature = None
    top_p: TopP = None
    frequency_penalty: Penalty = None
    presence_penalty: Penalty = None
    stop: Stop = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user_id: Annotated[str | None, Meta(extra_json_schema={"maxLength": MAX_USER_ID_BYTES})] = None
    seed: Seed = None
    n: Choices = None
    min_tokens: MinTokens = None
