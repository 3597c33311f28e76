"""What the server saw: every request, kept for assertions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from .scripts import Script

__all__ = ["SeenRequest"]

_SECRET = {"authorization", "x-api-key", "proxy-authorization", "cookie"}


def _redacted(headers: Mapping[str, str]) -> str:
    return repr({name: "…" if name.lower() in _SECRET else value for name, value in headers.items()})


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
    headers: Mapping[str, str] = attrs.field(repr=_redacted)
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
