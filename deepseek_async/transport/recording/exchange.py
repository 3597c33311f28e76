"""The file of a recording: a header, then one exchange a line, in the order in which they ended.

An exchange holds the request, the answer's head, and the body as the reads brought it, each with its seconds since the
request.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from codecs import BOM_UTF8
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from ...errors import InvalidRequestError

VERSION: Final = 1
HEADER: Final = b'{"deepseek_async_recording": %d}\n' % VERSION
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
    """The exchanges of a file, in order. A last line that was cut while it was written is none of them.

    Recordings may stand one after the other in a file, each with its header.

    Raises:
        InvalidRequestError: No such file, or no recording; the message names the line.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InvalidRequestError("recording", str(path), f"a readable file ({error})") from None
    exchanges = []
    lines = whole_lines_in(data).removeprefix(BOM_UTF8).split(b"\n")  # and nowhere else: text has other line ends, too
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            parsed = json.loads(line)
            if number == 1 or "deepseek_async_recording" in parsed:
                if parsed["deepseek_async_recording"] != VERSION:
                    raise ValueError(f"version {parsed['deepseek_async_recording']}")
                continue
            exchanges.append(_exchange_from(parsed))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            allowed = f"line {number} to be of a recording of version {VERSION} ({type(error).__name__}: {error})"
            raise InvalidRequestError("recording", str(path), allowed) from None
    return tuple(exchanges)


def whole_lines_in(data: bytes) -> bytes:
    """A recording without what a crash may have left at its end: half a line, or zeros. Another file as it is."""
    begun = data[data.rfind(b"\n") + 1 :]
    if len(begun) == len(data) and not HEADER.startswith(data.rstrip(b"\0")):
        return data
    try:
        json.loads(begun or "0")
    except ValueError:
        return data[: len(data) - len(begun)]
    return data


def _exchange_from(parsed: Any) -> RecordedExchange:
    request, response = parsed["request"], parsed["response"]
    headers = {str(name): str(value) for name, value in response["headers"].items() if name not in _HOP_HEADERS}
    body = tuple((float(at), from_text(data)) for at, data in response["body"])
    return RecordedExchange(
        str(request["method"]),
        str(request["path"]),
        str(request["body"]),
        int(response["status"]),
        headers,
        body,
        response["error"],
    )


def as_text(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode()
    except UnicodeDecodeError:  # a read may end inside a character
        return {"base64": base64.b64encode(data).decode()}


def from_text(data: Any) -> bytes:
    return base64.b64decode(data["base64"], validate=True) if isinstance(data, dict) else str(data).encode()


def path_of(url: str) -> str:
    """The path that a recording knows a URL by."""
    return urlsplit(url).path
