"""The body of a request, as aiohttp wants it."""

from __future__ import annotations

from aiohttp import Payload, hdrs
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

_HEADERS: CIMultiDict[str] = CIMultiDict({hdrs.CONTENT_TYPE: "application/octet-stream"})


class Body(Payload):
    """Bytes, sent as they are.

    aiohttp's own payload of bytes makes headers of its own for each, which takes a tenth of the time of a short answer,
    and warns of more than 1 MiB, which a prompt may have.
    """

    _autoclose = True

    def __init__(self, data: bytes) -> None:  # not that of `Payload`: all that it sets is below
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    @property
    def headers(self) -> CIMultiDict[str]:
        return _HEADERS

    @property
    def encoding(self) -> None:
        return None

    @property
    def filename(self) -> None:
        return None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._data.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await writer.write(self._data)
