"""Images and files as content parts: from a path, from bytes, from an address. Made by `ImagePart` and `FilePart`.

What bytes are is told by the library ``filetype`` (extra ``files``), as the API itself looks at the content and not at
the name. Source of the limits: page "Vision", October 2026.
"""

from __future__ import annotations

import base64
import mimetypes
import os
from pathlib import Path
from typing import Any, Final

from ...errors import InvalidRequestError
from ...types import FileObject, FilePart, ImagePart, ImageURL

DETAILS: Final = ("low", "high", "original", "auto")
_UNKNOWN: Final = "application/octet-stream"


def image_from_url(url: object, detail: str | None) -> ImagePart:
    """The image at an address, which the server fetches. Raises `InvalidRequestError`."""
    if not isinstance(url, str) or not url.lower().startswith(("http://", "https://", "data:")):
        raise InvalidRequestError("url", None, "an http(s) address or a data URL; of a file see ImagePart.from_path")
    return _image(url, detail)


def image_from_bytes(data: object, media_type: str | None, detail: str | None, max_bytes: int | None) -> ImagePart:
    """An image as bytes. Raises `InvalidRequestError`."""
    content = _bytes_of(data, "data", max_bytes)
    return _image(_data_url(content, _image_type(content, media_type, None)), detail)


def image_from_path(path: object, media_type: str | None, detail: str | None, max_bytes: int | None) -> ImagePart:
    """An image in a file. Raises `InvalidRequestError`."""
    name, content = _read(path, max_bytes)
    return _image(_data_url(content, _image_type(content, media_type, name)), detail)


def file_from_bytes(data: object, filename: object, media_type: str | None, max_bytes: int | None) -> FilePart:
    """A file as bytes. Raises `InvalidRequestError`."""
    if not isinstance(filename, str) or not filename:
        raise InvalidRequestError("filename", None, "the file's name, with its ending")
    content = _bytes_of(data, "data", max_bytes)
    return FilePart(file_data=_data_url(content, _file_type(content, media_type, filename)), filename=filename)


def file_from_path(path: object, filename: str | None, media_type: str | None, max_bytes: int | None) -> FilePart:
    """A file on this machine. Raises `InvalidRequestError`."""
    name, content = _read(path, max_bytes)
    return file_from_bytes(content, name if filename is None else filename, media_type, None)


def file_from_id(file: object) -> FilePart:
    """A file that was uploaded. Raises `InvalidRequestError`."""
    file_id = file.id if isinstance(file, FileObject) else file
    if not isinstance(file_id, str) or not file_id:
        raise InvalidRequestError("file", None, "what client.files.create returned, or its id")
    return FilePart(file_id)


def _image(url: str, detail: str | None) -> ImagePart:
    if detail is not None and detail not in DETAILS:
        raise InvalidRequestError("detail", detail, ", ".join(map(repr, DETAILS)))
    return ImagePart(ImageURL(url, detail))


def _data_url(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _read(path: object, max_bytes: int | None) -> tuple[str, bytes]:
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidRequestError("path", None, f"a path, not {type(path).__name__}")
    place: Any = Path(os.fspath(path))
    try:
        if max_bytes is not None and (size := place.stat().st_size) > max_bytes:
            raise _too_large("path", size, max_bytes)
        content = place.read_bytes()
    except InvalidRequestError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise InvalidRequestError("path", str(place), f"a file that can be read ({reason})") from None
    return place.name, _bytes_of(content, "path", max_bytes)


def _bytes_of(data: object, parameter: str, max_bytes: int | None) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise InvalidRequestError(parameter, None, f"bytes, not {type(data).__name__}")
    content = bytes(data)
    if not content:
        raise InvalidRequestError(parameter, None, "bytes that are not empty")
    if max_bytes is not None and len(content) > max_bytes:
        raise _too_large(parameter, len(content), max_bytes)
    return content


def _too_large(parameter: str, size: int, most: int) -> InvalidRequestError:
    advice = "client.files.create takes larger ones; max_bytes=None checks nothing"
    return InvalidRequestError(parameter, None, f"at most {most:,} bytes, and there are {size:,} ({advice})")


def _image_type(content: bytes, media_type: str | None, name: str | None) -> str:
    media_type = _told(media_type)
    if media_type is None:
        media_type = _sniffed(content, name)
    if media_type is None:
        ways = "media_type='image/…', or pip install 'deepseek_async[files]', which looks at the content"
        raise InvalidRequestError("media_type", None, f"an image that can be told as one: {ways}")
    if not media_type.startswith("image/"):
        raise InvalidRequestError("media_type", media_type, "an image; of other files see FilePart")
    return media_type


def _file_type(content: bytes, media_type: str | None, name: str) -> str:
    return _told(media_type) or mimetypes.guess_type(name)[0] or _sniffed(content, None) or _UNKNOWN


def _told(media_type: str | None) -> str | None:
    if media_type is None:
        return None
    kind, slash, subkind = media_type.partition("/") if isinstance(media_type, str) else ("", "", "")
    if not (kind and slash and subkind) or any(c in ";, " or not c.isprintable() for c in media_type):
        raise InvalidRequestError("media_type", media_type, "a media type such as 'image/png', or None")
    return media_type


def _sniffed(content: bytes, name: str | None) -> str | None:
    """What the content is, else what the name says; without the library only that."""
    try:
        import filetype
    except ImportError:
        found = None
    else:
        found = filetype.guess_mime(content[:8192])
    return found or (None if name is None else mimetypes.guess_type(name)[0])
