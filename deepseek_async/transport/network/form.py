"""A form as aiohttp wants it: the file is read in pieces by another thread while it is sent."""

from __future__ import annotations

import asyncio
import re

import aiohttp
from aiohttp import Payload, hdrs
from aiohttp.abc import AbstractStreamWriter

from ...errors import InvalidRequestError
from ..form import Form, FormFile

_PIECE_BYTES = 2**18
# Quotes and line ends, as browsers escape them; the other control characters likewise, which no header may hold.
_UNSENDABLE = re.compile(r'["\0-\x08\x0a-\x1f\x7f]')


def multipart_of(form: Form) -> aiohttp.MultipartWriter:
    """The form's body, with its length, so that it needs no chunks. The fields stand before the file."""
    writer = aiohttp.MultipartWriter("form-data")
    for name, value in form.fields:
        part = writer.append(value)
        part.set_content_disposition("form-data", name=name)
        part.headers.pop(hdrs.CONTENT_TYPE, None)
    file = FileBody(form.file)
    # In UTF-8 as browsers do (WHATWG HTML, "multipart form data"): aiohttp would send "a%20b.png" for "a b.png".
    name = form.file.name.encode("utf-8", "replace").decode()
    name = _UNSENDABLE.sub(lambda found: f"%{ord(found[0]):02X}", name)
    file.headers[hdrs.CONTENT_DISPOSITION] = f'form-data; name="file"; filename="{name}"'
    writer.append_payload(file)
    return writer


class FileBody(Payload):
    """A file, sent in pieces."""

    _autoclose = True

    def __init__(self, file: FormFile) -> None:
        super().__init__(file, content_type=file.media_type)
        self._file = file

    @property
    def size(self) -> int:
        return self._file.size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - as aiohttp asks
        raise TypeError("a file is sent, and not shown")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it.

        Raises:
            InvalidRequestError: It has become shorter meanwhile.
        """
        left = self._file.size
        opened = self._file.open()  # at once: a cancelled wait for another thread would lose what that opens
        try:
            while left > 0:
                piece = await asyncio.to_thread(opened.read, min(left, _PIECE_BYTES))
                if not piece:
                    changed = f"a file of {self._file.size:,} bytes, as it had when it was looked at"
                    raise InvalidRequestError("file", None, changed)
                left -= len(piece)
                await writer.write(piece)
        finally:
            opened.close()

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:  # noqa: ARG002
        """As `write`: as much is sent as its length says."""
        await self.write(writer)
