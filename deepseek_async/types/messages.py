"""The messages of a conversation: one class a role, and the parts that content may consist of.

Wherever a message is taken, a plain mapping of the same shape is taken too. Reprs show a prompt's size, not its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

from ..errors import InvalidRequestError
from .requests import ranges
from .structs import knows_its_names
from .tools import ToolCall
from .values import Brief, Document, extra_field, hidden

if TYPE_CHECKING:
    from .account import FileObject


class PathLike(Protocol):
    """A path, such as `pathlib.Path`."""

    def __fspath__(self) -> str: ...


MAX_INLINE_BYTES: Final = 32 * 2**20
"""Of an image within a request. Source: page "Vision"."""


@knows_its_names
@attrs.frozen(repr=False)
class TextPart(Document):
    """Text among the parts of a user or tool message."""

    text: str = attrs.field(repr=hidden, validator=ranges.text())
    type: str = "text"


@knows_its_names
@attrs.frozen(repr=False)
class ImageURL(Brief):
    """Where an image is: an http(s) address of at most 8,192 characters, or a data URL (JPEG, PNG, GIF, WebP).

    ``detail``: ``"low"``, ``"high"``, ``"original"`` or ``"auto"``.
    """

    url: str = attrs.field(repr=hidden, validator=ranges.text(required=True))
    detail: str | None = attrs.field(default=None, validator=ranges.text())


def _check_image_url(_: object, __: object, value: Any) -> None:
    if not isinstance(value, ImageURL):
        wanted = "an ImageURL; ImagePart.from_url(…) takes an address"
        raise InvalidRequestError("image_url", None, f"{wanted}, not {type(value).__name__}")


@knows_its_names
@attrs.frozen(repr=False)
class ImagePart(Document):
    """An image; models with vision only, in user and tool messages."""

    image_url: ImageURL = attrs.field(validator=_check_image_url)
    type: str = "image_url"

    @classmethod
    def from_url(cls, url: str, *, detail: str | None = None) -> ImagePart:
        """The image at an address, which the server fetches.

        Args:
            url: http(s), or a data URL.
            detail: ``"low"``, ``"high"``, ``"original"`` or ``"auto"``.

        Raises:
            InvalidRequestError: It is no such address.
        """
        return _content().image_from_url(url, detail)  # type: ignore[no-any-return]

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        *,
        media_type: str | None = None,
        detail: str | None = None,
        max_bytes: int | None = MAX_INLINE_BYTES,
    ) -> ImagePart:
        """An image as bytes; it goes into the request.

        Args:
            media_type: What it is; ``None``: the library ``filetype`` looks (extra ``files``).
            detail: As of `from_url`.
            max_bytes: More is refused; DeepSeek takes 32 MiB in a request, and more by `Files.create`. ``None``: any.

        Raises:
            InvalidRequestError: It is no image, cannot be told as one, is empty or too large.
        """
        return _content().image_from_bytes(data, media_type, detail, max_bytes)  # type: ignore[no-any-return]

    @classmethod
    def from_path(
        cls,
        path: str | PathLike,
        *,
        media_type: str | None = None,
        detail: str | None = None,
        max_bytes: int | None = MAX_INLINE_BYTES,
    ) -> ImagePart:
        """An image in a file, which is read at once; ``await asyncio.to_thread(ImagePart.from_path, path)`` reads it
        beside the event loop.

        Args:
            media_type: What it is; ``None``: as the content says, else as the name ends.
            detail, max_bytes: As of `from_bytes`.

        Raises:
            InvalidRequestError: As `from_bytes`; or the file cannot be read.
        """
        return _content().image_from_path(path, media_type, detail, max_bytes)  # type: ignore[no-any-return]


@knows_its_names
@attrs.frozen(repr=False)
class FilePart(Document):
    """A file: by the id of an uploaded one, or as a data URL with its name; never both."""

    file_id: str | None = attrs.field(default=None, validator=ranges.text())
    file_data: str | None = attrs.field(default=None, repr=hidden, validator=ranges.text())
    filename: str | None = attrs.field(default=None, validator=ranges.text())
    type: str = "file"

    @classmethod
    def from_upload(cls, file: FileObject | str) -> FilePart:
        """A file that was uploaded: what `Files.create` returned, or its id. Raises `InvalidRequestError`."""
        return _content().file_from_id(file)  # type: ignore[no-any-return]

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        filename: str,
        *,
        media_type: str | None = None,
        max_bytes: int | None = MAX_INLINE_BYTES,
    ) -> FilePart:
        """A file as bytes; it goes into the request.

        Args:
            filename: Its name, with its ending.
            media_type: What it is; ``None``: as the name ends, else as the content says.
            max_bytes: More is refused; ``None``: any.

        Raises:
            InvalidRequestError: It has no name, is empty or too large.
        """
        return _content().file_from_bytes(data, filename, media_type, max_bytes)  # type: ignore[no-any-return]

    @classmethod
    def from_path(
        cls,
        path: str | PathLike,
        *,
        filename: str | None = None,
        media_type: str | None = None,
        max_bytes: int | None = MAX_INLINE_BYTES,
    ) -> FilePart:
        """A file on this machine, which is read at once and goes into the request.

        Args:
            filename: Instead of its own name.
            media_type, max_bytes: As of `from_bytes`.

        Raises:
            InvalidRequestError: As `from_bytes`; or the file cannot be read.
        """
        return _content().file_from_path(path, filename, media_type, max_bytes)  # type: ignore[no-any-return]


def _content() -> Any:
    """What reads files and looks at bytes, some floors above; asked for by name when it is called."""
    return import_module(f"{__package__.rpartition('.')[0]}.calls.arguments.content")


ContentPart = TextPart | ImagePart | FilePart
Content = str | Sequence[ContentPart | Mapping[str, Any]]


@knows_its_names
@attrs.frozen(repr=False)
class SystemMessage(Document):
    """Instructions for the model. ``name`` tells speakers of one role apart."""

    content: str = attrs.field(repr=hidden)
    name: str | None = None
    role: str = attrs.field(default="system", kw_only=True)


@knows_its_names
@attrs.frozen(repr=False)
class UserMessage(Document):
    """What the user says: text, or a sequence of parts."""

    content: Content = attrs.field(repr=hidden)
    name: str | None = None
    role: str = attrs.field(default="user", kw_only=True)


@knows_its_names
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


@knows_its_names
@attrs.frozen(repr=False)
class ToolMessage(Document):
    """The result of a tool call: text, or a sequence of parts."""

    content: Content = attrs.field(repr=hidden)
    tool_call_id: str
    role: str = attrs.field(default="tool", kw_only=True)


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage
