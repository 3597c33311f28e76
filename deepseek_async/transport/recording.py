"""Real exchanges in a readable file, and played from it again.

The file is JSON Lines: a header, then one exchange a line, in the order in which they ended. An exchange holds the
request, the answer's head, and the body as the reads brought it, each with its seconds since the request; so a replay
is cut where the network cut it, and can be as slow. Keys and cookies are taken out before anything is written, also
where a server quotes a key back.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from ..errors import APIConnectionError, DeepSeekError, InvalidRequestError
from ..types.secrecy import redacted_headers, secrets_in, without
from .base import HTTPRequest, Progress, Response, Transport, lowered

VERSION: Final = 1
# What the answer's new carrier sets itself.
_HOP_HEADERS = frozenset(("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"))


@attrs.frozen
class RecordedExchange:
    """One exchange of a recording.

    Attributes:
        method, path: Of the request; the path without the host, so that a replay may stand anywhere.
        request_body: As text; ``""`` where there was none.
        status, headers: Of the answer; names in lower case.
        body: Seconds since the request, and what that read brought.
        error: How the body broke off; ``None``: it came whole.
    """

    method: str
    path: str
    request_body: str = attrs.field(repr=lambda body: f"<{len(body)} characters>")
    status: int
    headers: Mapping[str, str] = attrs.field(hash=False, repr=lambda headers: f"<{len(headers)} headers>")
    body: tuple[tuple[float, bytes], ...] = attrs.field(repr=lambda body: f"<{len(body)} reads>")
    error: str | None = None


def read_recording(path: str | os.PathLike[str]) -> tuple[RecordedExchange, ...]:
    """The exchanges of a file, in order.

    Raises:
        InvalidRequestError: No such file, or no recording; the message names the line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError("recording", str(path), f"a readable file ({error})") from None
    exchanges = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            parsed = json.loads(line)
            if number == 1:
                if parsed["deepseek_async_recording"] != VERSION:
                    raise ValueError(f"version {parsed['deepseek_async_recording']}")
                continue
            exchanges.append(_exchange_from(parsed))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            allowed = f"line {number} to be of a recording of version {VERSION} ({type(error).__name__}: {error})"
            raise InvalidRequestError("recording", str(path), allowed) from None
    return tuple(exchanges)


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
        else:
            self._write({"deepseek_async_recording": VERSION})

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """See `Transport.send`."""
        started = time.monotonic()
        response = await self._transport.send(request, progress)
        return _RecordedResponse(response, request, started, self._write)

    async def aclose(self) -> None:
        """Close the transport beneath. The file is whole after each exchange."""
        await self._transport.aclose()

    def _write(self, entry: Mapping[str, Any]) -> None:
        # One write a line: exchanges that end together do not mix, and a crash costs at most the last line.
        with self._path.open("ab") as file:
            file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")


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
                "body": without(secrets, (request.body or b"").decode("utf-8", "replace")),
            },
            "response": {
                "status": self.status,
                "headers": redacted_headers(headers),
                "body": [[round(at, 4), _readable(data)] for at, data in _masked(secrets, self._reads)],
                "error": None if error is None else without(secrets, error),
            },
        }
        self._write(entry)


class Replayer:
    """A transport that answers from a recording.

    A request is known by its method, path and JSON body, whatever its headers and the order of its keys. One that was
    recorded several times gets its answers in order; the last stays.

    Args:
        recording: A file, or what `read_recording` returned.
        at_speed: Whether to keep the recorded times; else everything comes at once.
    """

    def __init__(
        self, recording: str | os.PathLike[str] | Sequence[RecordedExchange], *, at_speed: bool = False
    ) -> None:
        is_path = isinstance(recording, (str, os.PathLike))
        self._script = RecordedAnswers(read_recording(recording) if is_path else recording)  # type: ignore[arg-type]
        self._at_speed = at_speed

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """See `Transport.send`.

        Raises:
            APIConnectionError: The recording has no such request; the message says how the nearest differs.
        """
        progress.connected(reused=False)
        exchange = self._script.answer(request.method, path_of(request.url), request.body or b"")
        if isinstance(exchange, str):
            raise APIConnectionError(exchange, reason="unscripted")
        return ReplayedResponse(exchange, at_speed=self._at_speed)

    async def aclose(self) -> None:
        """Nothing is open."""


class RecordedAnswers:
    """The answers of a recording, by request."""

    def __init__(self, exchanges: Sequence[RecordedExchange]) -> None:
        self._exchanges = exchanges
        self._left: dict[tuple[str, str, str], list[RecordedExchange]] = {}
        for exchange in exchanges:
            key = (exchange.method, exchange.path, _canonical(exchange.request_body))
            self._left.setdefault(key, []).append(exchange)

    def answer(self, method: str, path: str, body: bytes) -> RecordedExchange | str:
        """The next answer to a request; where there is none, in words why not, without any of the request's text."""
        text = body.decode("utf-8", "replace")
        answers = self._left.get((method, path, _canonical(text)))
        if answers is None:
            return self._why_not(method, path, text)
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _why_not(self, method: str, path: str, body: str) -> str:
        same = [exchange for exchange in self._exchanges if (exchange.method, exchange.path) == (method, path)]
        if not same:
            known = sorted({f"{exchange.method} {exchange.path}" for exchange in self._exchanges})
            return f"the recording has no {method} {path}; it has {', '.join(known) or 'nothing'}"
        nearest = min((_differences(exchange.request_body, body) for exchange in same), key=len)
        return f"the recording has no {method} {path} with this body; the nearest differs in {', '.join(nearest[:5])}"


class ReplayedResponse:
    """A recorded answer, as `Response`.

    Args:
        at_speed: Whether to keep the recorded times.
    """

    def __init__(self, exchange: RecordedExchange, *, at_speed: bool) -> None:
        self.status = exchange.status
        self.headers = exchange.headers
        self._exchange = exchange
        self._reads = list(exchange.body)
        self._at_speed = at_speed
        self._started = time.monotonic()
        self.is_at_end = False

    async def receive(self) -> bytes:
        if self._reads:
            at, data = self._reads[0]
            if self._at_speed:
                await asyncio.sleep(max(0.0, self._started + at - time.monotonic()))
            self._reads.pop(0)
            return data
        if self._exchange.error is not None:
            raise APIConnectionError(f"{self._exchange.error} (recorded)")
        self.is_at_end = True
        return b""

    def close(self) -> None:
        """Nothing is open."""


def _exchange_from(parsed: Any) -> RecordedExchange:
    request, response = parsed["request"], parsed["response"]
    headers = {str(name): str(value) for name, value in response["headers"].items() if name not in _HOP_HEADERS}
    body = tuple((float(at), _unreadable(data)) for at, data in response["body"])
    return RecordedExchange(
        str(request["method"]),
        str(request["path"]),
        str(request["body"]),
        int(response["status"]),
        headers,
        body,
        response["error"],
    )


def _readable(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode()
    except UnicodeDecodeError:  # a read may end inside a character
        return {"base64": base64.b64encode(data).decode()}


def _unreadable(data: Any) -> bytes:
    return base64.b64decode(data["base64"], validate=True) if isinstance(data, dict) else str(data).encode()


def path_of(url: str) -> str:
    """The path that a recording knows a URL by."""
    return urlsplit(url).path


def _masked(secrets: Sequence[str], reads: Sequence[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """The reads with stars in place of secrets: cut as they were, also where a cut goes through a secret."""
    data = b"".join(read for _, read in reads)
    for secret in secrets:
        data = data.replace(secret.encode(), b"*" * len(secret.encode()))
    masked, start = [], 0
    for at, read in reads:
        masked.append((at, data[start : start + len(read)]))
        start += len(read)
    return masked


def _canonical(body: str) -> str:
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except ValueError:
        return body


def _differences(recorded: str, asked: str) -> list[str]:
    try:
        return _paths_that_differ(json.loads(recorded), json.loads(asked), "$")
    except ValueError:
        return ["the whole body"]


def _paths_that_differ(one: Any, other: Any, path: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [p for key in keys for p in _paths_that_differ(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [p for number, (a, b) in pairs for p in _paths_that_differ(a, b, f"{path}[{number}]")]
    return [] if one == other else [path]
