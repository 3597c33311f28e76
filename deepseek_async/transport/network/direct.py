"""Requests over aiohttp's connections, without its session.

`ClientSession.request` makes a request anew out of thirty arguments: of the CPU of a short answer it takes more than
half. But a client's requests differ in little but their bodies. So what they have in common is made once for each
address: the head as bytes, and a request of aiohttp's own that tells its connector where to connect. What is left is to
take a connection, write, and wait for what aiohttp's parser has read.

aiohttp goes on doing names, pool, TLS and HTTP. The session stays for proxies and where it is the caller's.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import aiohttp
import attrs
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from ...errors import InvalidRequestError
from ..base import HTTPRequest
from .direct_answer import DirectAnswer, discard
from .failures import MAX_HEADER_BYTES
from .progress import Watched
from .protocol import AnswerProtocol

# How much asyncio asks the socket for at once. It makes room for its own 256 KiB each time, which malloc takes from the
# system and gives back: two page faults a read, up to a third of what a chunk costs. This much malloc keeps.
_RECEIVED_BYTES = 2**16
# More than this is not copied once more to stand behind its head in one piece.
_JOINED_BYTES = 2**16
_CONTROL = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
# A client has a handful of addresses; whoever has more pays for making them anew.
_MAX_ADDRESSES = 64

NO_TIMEOUT = aiohttp.ClientTimeout(total=None)
READING: Mapping[str, Any] = {
    "read_until_eof": True,
    "auto_decompress": False,
    "read_bufsize": 2**18,
    "max_line_size": MAX_HEADER_BYTES,
    "max_field_size": MAX_HEADER_BYTES,
}
"""How answers are read, in the words of aiohttp's protocol, which are its session's, too."""


def lacking() -> list[str]:
    """What is used here and this aiohttp has not, though the one of today has; its session can do without."""
    wanted: dict[Callable[..., Any], set[str]] = {
        ResponseHandler.set_response_params: {*READING},
        aiohttp.BaseConnector.connect: {"req", "traces", "timeout"},
        aiohttp.ClientRequest.__init__: {"headers", "loop", "session", "ssl"},
        ResponseHandler.read: set(),
    }
    missing = []
    for function, names in wanted.items():
        known = inspect.signature(function).parameters.keys()
        missing += [f"{function.__qualname__}({name})" for name in sorted(names - known)]
    return missing


class _Place(aiohttp.ClientRequest):
    """Where to connect, which stays."""

    @cached_property
    def connection_key(self) -> Any:
        return super().connection_key


@attrs.frozen
class _Address:
    """What requests of one method to one URL have in common. Its repr shows no header: one holds the key.

    Attributes:
        place: Tells the connector where to connect; is never sent.
        given: The headers that the head was made with.
        head: All of it but the length of the body.
    """

    place: aiohttp.ClientRequest
    given: Mapping[str, str] = attrs.field(repr=False)
    head: bytes = attrs.field(repr=False)


class Direct:
    """The way past one session of ours.

    Args:
        session: Its connector is used. Must have one and be open.
        ssl: As for `aiohttp.ClientSession.request`.
    """

    def __init__(self, session: aiohttp.ClientSession, ssl: Any) -> None:
        assert session.connector is not None  # noqa: S101 - it is open
        self._session = session
        self._connector = session.connector
        self._ssl = ssl
        self._loop = asyncio.get_running_loop()
        self._addresses: dict[tuple[str, str], _Address] = {}

    async def send(self, request: HTTPRequest, watched: Watched) -> DirectAnswer:
        """Send a request and wait for the answer's head.

        Raises:
            aiohttp.ClientError, OSError, aiohttp.http.HttpProcessingError: None came.
            InvalidRequestError: The method or a header has a control character; nothing was sent.
        """
        address = self._addresses.get((request.method, request.url))
        if address is None or address.given != request.headers:
            address = self._made(request)
        if address is None:
            raise InvalidRequestError("headers", None, "a method and headers without control characters")
        connection = await self._connector.connect(address.place, traces=[watched], timeout=NO_TIMEOUT)
        try:
            protocol = connection.protocol
            if protocol is None or (transport := protocol.transport) is None or transport.is_closing():
                raise aiohttp.ClientConnectionResetError("the connection is closed")
            if watched.is_reused and protocol.should_close:  # else each answer from here on would be another's
                raise aiohttp.ClientConnectionResetError("the connection brought bytes that nobody had asked for")
            if getattr(transport, "max_size", 0) > _RECEIVED_BYTES:  # uvloop's has none, and no need of it
                transport.max_size = _RECEIVED_BYTES  # type: ignore[attr-defined]
            protocol.set_response_params(**READING)
            ours = protocol if isinstance(protocol, AnswerProtocol) else None
            if ours is not None:
                ours.expect()
            body = request.body
            is_long = body is not None and len(body) > _JOINED_BYTES
            if body is None:
                transport.write(address.head + b"\r\n")
            elif is_long:
                transport.write(b"%bcontent-length: %d\r\n\r\n" % (address.head, len(body)))
                transport.write(body)
            else:
                transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (address.head, len(body), body))
            while True:
                head, content = await protocol.read()
                watched.has_heard = True
                # RFC 9110 section 15.2: after any other 1xx the answer is still to come.
                if head.code == 101 or not 100 <= head.code <= 199:
                    return DirectAnswer(self._loop, connection, head, content, is_long=is_long, protocol=ours)
        except BaseException:
            discard(connection)
            raise

    def _made(self, request: HTTPRequest) -> _Address | None:
        """What requests like this one have in common; ``None``: a header would not be the end of its line."""
        try:
            url = URL(request.url)
        except ValueError as error:
            raise aiohttp.InvalidURL(request.url) from error
        if url.scheme not in ("http", "https"):
            raise aiohttp.NonHttpUrlClientError(url)
        # With the method GET it adds no header about a body.
        place = _Place("GET", url, headers=request.headers, loop=self._loop, session=self._session, ssl=self._ssl)
        if self._connector.force_close:
            place.headers["connection"] = "close"
        lines = [f"{request.method} {url.raw_path_qs} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in place.headers.items()]
        if any(map(_CONTROL.search, lines)):  # a line end would begin a header, or a request, of somebody else's
            return None
        head = "".join(f"{line}\r\n" for line in lines).encode()
        if len(self._addresses) >= _MAX_ADDRESSES:
            self._addresses.clear()
        address = self._addresses[request.method, request.url] = _Address(place, dict(request.headers), head)
        return address
