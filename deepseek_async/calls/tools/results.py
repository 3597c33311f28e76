"""What a tool returned or raised, as the text that the model reads.

Text of half a surrogate pair, such as a file's name that is no UTF-8, can be sent nowhere: U+FFFD stands in its place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import attrs
import msgspec

from ...codec.reading.quirks.messages import mended
from ...codec.structuring import plain
from ...types import FilePart, ImagePart, TextPart

_PARTS = (TextPart, ImagePart, FilePart)


def content_of(value: Any) -> str | Sequence[Any]:
    """A tool's result as the content of its message: text as it is, parts as they are, all else as JSON.

    Raises:
        TypeError: JSON cannot say it.
    """
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, _PARTS):
        value = [value]
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, _PARTS) for item in value):
        return [attrs.evolve(item, text=mended(item.text)) if isinstance(item, TextPart) else item for item in value]
    value = plain(value)
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return mended(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def told_of(error: Exception) -> str:
    """What a tool raised, in words."""
    try:
        said = str(error)
    except Exception:  # of a class of the caller's
        said = "an error without words"
    return mended(f"The tool failed: {type(error).__name__}: {said}")
