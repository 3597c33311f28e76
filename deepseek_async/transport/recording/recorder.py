"""Writes down what passes through it. Keys and cookies are taken out before, also where a server quotes a key back."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import DeepSeekError
from ...types.secrecy import masked, redacted_headers, secrets_in, without
from ...types.structs import knows_its_names
from ..base import HTTPRequest, Progress, Response, Transport, lowered
from .exchange import HEADER, as_text, path_of, read_recording, whole_lines_in


@knows_its_names
class Recorder:
    """A transport that passes everything through to another and writes it down.

    Args:
        transport: What moves the bytes.
        path: The file to write; an existing recording is continued.

    Raises:
        InvalidRequestError: The file exists and is no recording.
    """

    def __init__(self, transport: Transport, path: str | os.PathLike[str]) -> None:
        self._transport = transport
        self._path = Path(path)
        if self._path.exists() and self._path.stat().st_size:
            read_recording(self._path)
            self._mend_end()
        else:
            self._append(HEADER)

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """See `Transport.send`."""
        started = time.monotonic()
        response = await self._transport.send(request, progress)
        return _RecordedResponse(response, request, started, self._write)

    async def aclose(self) -> None:
        """Close the transport beneath. The file is whole after each exchange."""
        await self._transport.aclose()

    def _mend_end(self) -> None:
        data = self._path.read_bytes()
        whole = whole_lines_in(data)
        if whole != data:
            os.truncate(self._path, len(whole))
        if not whole.endswith(b"\n"):  # or somebody's editor left none
            self._append(b"\n" if whole else HEADER)

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        # One write a line: exchanges that end together do not mix, and a crash costs at most the last line.
        with self._path.open("ab") as file:
            file.write(line)


class _RecordedResponse:
    """An answer that is written down once it has ended or was let go."""

    def __init__(self, response: Response, request: HTTPRequest, started: float, write: Any) -> None:
        self._response = response
        self._request = request
        self._started = started
        self._write = write
        self._reads: list[tuple[float, bytes]] = []
        self._is_written = False

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    @property
    def is_at_end(self) -> bool:
        return self._response.is_at_end

    async def receive(self) -> bytes:
        try:
            data = await self._response.receive()
        except DeepSeekError as error:
            self._finish(error.message)
            raise
        if data:
            self._reads.append((time.monotonic() - self._started, data))
        else:
            self._finish(None)
        return data

    def close(self) -> None:
        self._finish(None if self._response.is_at_end else "the client let go")
        self._response.close()

    def _finish(self, error: str | None) -> None:
        if self._is_written:
            return
        self._is_written = True
        request, secrets = self._request, secrets_in(self._request.headers)
        headers = {name: without(secrets, value) for name, value in lowered(self.headers).items()}
        entry = {
            "request": {
                "method": request.method,
                "path": path_of(request.url),
                "headers": redacted_headers(request.headers),
                "body": without(secrets, request.kept.decode("utf-8", "replace")),
            },
            "response": {
                "status": self.status,
                "headers": redacted_headers(headers),
                "body": [[round(at, 4), as_text(data)] for at, data in _masked(secrets, self._reads)],
                "error": None if error is None else without(secrets, error),
            },
        }
        self._write(entry)


def _masked(secrets: Sequence[str], reads: Sequence[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """The reads with stars in place of secrets: cut as they were, also where a cut goes through a secret."""
    data = masked(secrets, b"".join(read for _, read in reads))
    parts, start = [], 0
    for at, read in reads:
        parts.append((at, data[start : start + len(read)]))
        start += len(read)
    return parts
