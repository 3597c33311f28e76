"""What is sent as a form: the upload of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import attrs


@attrs.frozen
class FormFile:
    """The file of a form. It is read while it is sent, anew for each attempt, and never held in memory.

    Attributes:
        name: What the server is told that it is called.
        media_type: What it is told that it is.
        size: Bytes from its beginning that are sent.
        open: Opens it at its beginning; whoever opens it closes it.
    """

    name: str
    media_type: str
    size: int
    open: Callable[[], BinaryIO] = attrs.field(repr=False, eq=False)


@attrs.frozen
class Form:
    """A form to be sent as ``multipart/form-data``: its fields, then its file, as ``file``."""

    fields: tuple[tuple[str, str], ...]
    file: FormFile
