"""Files as parts of a question: text with its name, images, PDFs."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import InvalidRequestError

# How files begin whose kind a part can have.
_IMAGES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
)
_ALLOWED = "text in UTF-8 or UTF-16, an image (JPEG, PNG, GIF, WebP), or a PDF"


def content_of(question: str, files: Iterable[str | Path]) -> str | list[dict[str, Any]]:
    """The content of a question about files: the files first, so that other questions about them hit the cache.

    Args:
        files: Their paths; ``"-"``: standard input.

    Raises:
        InvalidRequestError: A file is of none of these kinds.
        OSError: It cannot be read.
    """
    return with_parts(question, parts_of(files))


def with_parts(question: str, parts: Sequence[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """A question with what it is about; a plain text if there is nothing of the kind."""
    return [*parts, {"type": "text", "text": question}] if parts else question


def parts_of(files: Iterable[str | Path]) -> list[dict[str, Any]]:
    """A part for each file. Raises as `content_of`."""
    return [_part(_read(str(file)), "stdin" if str(file) == "-" else str(file)) for file in files]


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).expanduser().read_bytes()
    except FileNotFoundError:
        message = f"{file}: no such file; a question of several words stands in quotes"
        raise InvalidRequestError("files", file, message=message) from None


def _part(data: bytes, name: str) -> dict[str, Any]:
    from ..types import FilePart, ImagePart  # with what reads JSON, which --help need not wait for

    kind = next((kind for start, kind in _IMAGES if data.startswith(start)), None)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        kind = "image/webp"
    try:
        if kind is not None:
            return ImagePart.from_bytes(data, media_type=kind).to_dict()
        if data.startswith(b"%PDF-"):
            return FilePart.from_bytes(data, Path(name).name, media_type="application/pdf").to_dict()
    except InvalidRequestError as error:
        raise InvalidRequestError("files", name, message=f"{name}: {error.message}") from None
    text = _text(data, name)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)  # what is in it cannot end it
    return {"type": "text", "text": f"{name}:\n{fence}\n{text.rstrip()}\n{fence}"}


def _text(data: bytes, name: str) -> str:
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidRequestError("files", name, message=f"{name} is none of what can be asked about: {_ALLOWED}")
    if not text.strip():
        raise InvalidRequestError("files", name, message=f"{name} is empty")
    return text
