"""What the client needs of whatever moves its bytes: one request out, a head and a body's bytes in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from .form import Form


def _names_only(headers: Mapping[str, str]) -> str:
    return "{" + ", ".join(headers) + "}"  # the values hold the key


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """An answer's headers, names in lower case; of several values of one name, the last.

    Bytes that are no UTF-8 come from aiohttp as halves of surrogate pairs, which nothing can write. Such a value is
    read as Latin-1, as HTTP/1.0 did.
    """
    return {name.lower(): value if value.isascii() else _readable(value) for name, value in headers.items()}


def _readable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


@attrs.frozen
class HTTPRequest:
    """One request as it goes out. Reprs show neither key nor body.

    Attributes:
        body: Bytes as they are.
        form: Instead of a body, a form; the transport adds its content type.
    """

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=_names_only, hash=False)
    body: bytes | None = attrs.field(default=None, repr=lambda body: f"<{len(body or b'')} bytes>")
    form: Form | None = None

    @property
    def kept(self) -> bytes:
        """What is kept of what is sent, and known again: the body; of a form its fields and what its file is called."""
        if self.form is None:
            return self.body or b""
        file = {"name": self.form.file.name, "type": self.form.file.media_type, "bytes": self.form.file.size}
        return json.dumps({**dict(self.form.fields), "file": file}).encode()


class Progress(Protocol):
    """Whom a transport tells how far the request has come, for the deadlines and the figures."""

    def queued(self) -> None:
        """All connections are busy; the request waits for one."""

    def connecting(self) -> None:
        """A new connection is being made."""

    def connected(self, *, reused: bool) -> None:
        """A connection is there; the request goes out."""


class Response(Protocol):
    """An answer whose head has arrived."""

    @property
    def status(self) -> int:
        """Of HTTP, 200 to 599."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Found by names in lower case; see `lowered` for all of them."""

    async def receive(self) -> bytes:
        """What has arrived of the body, at least one byte; ``b""`` is its end, then and ever after.

        Raises:
            APIConnectionError: The body broke off.
        """

    @property
    def is_at_end(self) -> bool:
        """Whether the whole body has arrived and been received, so that the connection is free for the next."""

    def close(self) -> None:
        """Let go of the connection: kept for the next request if the body was read to its end, closed otherwise.

        Never raises, never waits, may be called twice; works after the loop has ended.
        """


class Transport(Protocol):
    """Moves bytes. Public, so that tests and recorders can stand in for the network."""

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """Send a request and wait for the answer's head. Redirects are not followed: their head is the answer.

        Raises:
            APIConnectionError: No connection, or it broke before the head.
        """

    async def aclose(self) -> None:
        """Close all connections."""
