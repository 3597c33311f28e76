"""The messages of a conversation: one class a role, and the parts that content may consist of.

Wherever a message is taken, a plain mapping of the same shape is taken too. Reprs show a prompt's size, not its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .tools import ToolCall
from .values import Brief, Document, extra_field, hidden


@attrs.frozen(repr=False)
class TextPart(Document):
    """Text among the parts of a user or tool message."""

    text: str = attrs.field(repr=hidden)
    type: str = "text"


@attrs.frozen(repr=False)
class ImageURL(Brief):
    """Where an image is: an http(s) address of at most 8,192 characters, or a data URL (JPEG, PNG, GIF, WebP).

    ``detail``: ``"low"``, ``"high"``, ``"original"`` or ``"auto"``.
    """

    url: str = attrs.field(repr=hidden)
    detail: str | None = None


@attrs.frozen(repr=False)
class ImagePart(Document):
    """An image; models with vision only, in user and tool messages."""

    image_url: ImageURL
    type: str = "image_url"


@attrs.frozen(repr=False)
class FilePart(Document):
    """A file: by the id of an uploaded one, or as a data URL with its name; never both."""

    file_id: str | None = None
    file_data: str | None = attrs.field(default=None, repr=hidden)
    filename: str | None = None
    type: str = "file"


ContentPart = TextPart | ImagePart | FilePart
Content = str | Sequence[ContentPart | Mapping[str, Any]]


@attrs.frozen(repr=False)
class SystemMessage(Document):
    """Instructions for the model. ``name`` tells speakers of one role apart."""

    content: str = attrs.field(repr=hidden)
    name: str | None = None
    role: str = attrs.field(default="system", kw_only=True)


@attrs.frozen(repr=False)
class UserMessage(Document):
    """What the user says: text, or a sequence of parts."""

    content: Content = attrs.field(repr=hidden)
    name: str | None = None
    role: str = attrs.field(default="user", kw_only=True)


@attrs.frozen(repr=False)
class AssistantMessage(Document):
    """What the model said. A completion's ``message`` goes back into ``messages`` as it is.

    Attributes:
        content: The text; ``None`` or ``""`` where the model only called tools.
        reasoning_content: The chain of thought (thinking mode). With tools it must go back as it came, ``""`` included.
        tool_calls: The calls the model makes.
        name: Tells speakers of one role apart.
        prefix: True on the last message of a request: the answer continues this content (beta base URL).
    """

    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    name: str | None = None
    prefix: bool | None = None
    role: str = attrs.field(default="assistant", kw_only=True)
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class ToolMessage(Document):
    """The result of a tool call: text, or a sequence of parts."""

    content: Content = attrs.field(repr=hidden)
    tool_call_id: str
    role: str = attrs.field(default="tool", kw_only=True)


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage
