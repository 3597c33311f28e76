"""A `SeenRequest` is the server's record of one request, for the assertions of tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from ...types.secrecy import redacted_headers
from ..scripts.json_form import write_script
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
        caller: Who asked, as far as the header ``x-sandbox-caller`` or a path below ``/caller/NAME`` tells.
        number: Its place among all requests of the server, from 1.
        answer: What was answered, the first few thousand characters: the model's words, or the error.
        tokens: How many tokens were generated.
        first_byte_at, ended_at: Seconds since the server's start; None while that is open.
        revision: Grows with every change; see `state.Sandbox.changes_after`.
    """

    method: str
    path: str
    headers: Mapping[str, str] = attrs.field(repr=_shown)
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    at: float = 0.0
    script: Script | None = attrs.field(default=None, repr=False)
    status: int | None = None
    caller: str | None = None
    number: int = 0
    answer: str = attrs.field(default="", repr=False)
    tokens: int = 0
    first_byte_at: float | None = None
    ended_at: float | None = None
    revision: int = attrs.field(default=0, repr=False)

    def is_from(self, caller: str) -> bool:
        """Whether somebody sent it: by name, or by the API key that it came with."""
        return caller == self.caller or self.headers.get("Authorization", "") == f"Bearer {caller}"

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
        "caller": None if seen.caller is None else _printable(seen.caller),
        "number": seen.number,
        "answer": _printable(seen.answer),
        "tokens": seen.tokens,
        "first_byte_at": seen.first_byte_at,
        "ended_at": seen.ended_at,
        "script": None if seen.script is None else msgspec.Raw(write_script(seen.script).encode()),
    }


def _printable(text: str) -> str:
    """Text that UTF-8 can carry: bytes of a head that are none, and half surrogate pairs, become other characters."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
