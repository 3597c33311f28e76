"""What the server saw: every request, kept for assertions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from ...secrecy import redacted_headers
from ..scripts.script import Script

__all__ = ["SeenRequest", "to_json"]


def _shown(headers: Mapping[str, str]) -> str:
    return repr(redacted_headers(headers))


@attrs.define(eq=False)
class SeenRequest:
    """A request as it arrived. Its repr shows neither key nor prompt.

    Attributes:
        method, path: Of the request line; the path without its query.
        headers: Names in any case.
        body: The bytes.
        at: Seconds since the server's start.
        script: The script that was played for it; None: none was.
        status: What it was answered; None while that is open, or if the connection broke before.
    """

    method: str
    path: str
    headers: Mapping[str, str] = attrs.field(repr=_shown)
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    at: float = 0.0
    script: Script | None = attrs.field(default=None, repr=False)
    status: int | None = None

    @property
    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: It is none.
        """
        return json.loads(self.body)


def to_json(seen: SeenRequest) -> dict[str, Any]:
    """A record for another process: keys left out, the body as JSON where it is, else as text."""
    body: object
    try:
        msgspec.json.decode(seen.body)
        body = msgspec.Raw(seen.body)  # as it came: JSON that was read need not be short enough to be written again
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = seen.body.decode("utf-8", "replace")
    return {
        "method": seen.method,
        "path": _printable(seen.path),
        "headers": {_printable(name): _printable(value) for name, value in redacted_headers(seen.headers).items()},
        "body": body,
        "at": seen.at,
        "status": seen.status,
    }


def _printable(text: str) -> str:
    """Text of the request's head that UTF-8 can carry: bytes that are none become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
