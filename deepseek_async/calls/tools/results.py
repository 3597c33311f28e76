"""What a tool returned, as the text that the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ...codec.structuring import plain
from ...types import FilePart, ImagePart, TextPart

_PARTS = (TextPart, ImagePart, FilePart)


def content_of(value: Any) -> str | Sequence[Any]:
    """A tool's result as the content of its message: text as it is, parts as they are, all else as JSON.

    Raises:
        TypeError: JSON cannot say it.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, _PARTS):
        return [value]
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, _PARTS) for item in value):
        return list(value)
    return msgspec.json.encode(plain(value)).decode()
