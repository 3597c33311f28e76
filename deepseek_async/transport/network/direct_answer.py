"""An answer that came past aiohttp's session, and its bytes past aiohttp's parser where they can; see `protocol`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import aiohttp
import multidict

from .frames import Boundaries
from .protocol import AnswerProtocol


class DirectAnswer:
    """An answer whose head has come; of `aiohttp.ClientResponse`, what `NetworkAnswer` needs.

    Args:
        protocol: The connection's, if it has a way past its parser; see there.

    Attributes:
        is_awaited: Whether somebody waits for bytes, and the next one is the first of a frame.
    """

    __slots__ = (
        "_boundaries",
        "_is_clear",
        "_loop",
        "_may_be_unsent",
        "_protocol",
        "_taken",
        "_wanted",
        "connection",
        "content",
        "headers",
        "is_awaited",
        "status",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connection: aiohttp.connector.Connection,
        head: aiohttp.http.RawResponseMessage,
        content: aiohttp.StreamReader,
        *,
        is_long: bool,
        protocol: AnswerProtocol | None = None,
    ) -> None:
        self._loop = loop
        # A long body that was refused may be so before it was read; under TLS nothing tells how much has gone out.
        self._may_be_unsent = is_long and head.code != 200
        self.connection: aiohttp.connector.Connection | None = connection
        self.status: int = head.code
        self.headers: multidict.CIMultiDictProxy[str] = head.headers
        self.content: aiohttp.StreamReader = content
        self.is_awaited: bool = False
        self._protocol = protocol
        self._boundaries: Boundaries | None = None
        self._is_clear = False  # nothing is left to be read that came by way of the parser, and more may come
        self._taken = 0  # bytes of what came that way
        self._wanted: asyncio.Future[bytes | None] | None = None
        boundaries = protocol.boundaries() if protocol is not None else None
        if protocol is not None and boundaries is not None and head.chunked and not content.is_eof():
            self._boundaries = boundaries
            protocol.answer = self
            self._is_clear = not content.total_bytes
        content.on_eof(self.release)

    def readany(self) -> Awaitable[bytes | None]:
        """What one read brings, or several have brought; ``b""``: the end. ``None``: it is to be asked again.

        Raises:
            aiohttp.ClientError, OSError, RuntimeError: As `aiohttp.StreamReader.readany`.
        """
        if self._boundaries is None:
            return self.content.readany()
        if not self._is_clear:
            return self._take()
        if self._wanted is not None and not self._wanted.done():
            raise RuntimeError("another coroutine is already waiting for incoming data")
        self._wanted = wanted = self._loop.create_future()
        self.is_awaited = self._boundaries.is_at_one
        return wanted

    async def _take(self) -> bytes:
        content, protocol = self.content, self._protocol
        data = await content.readany()
        self._taken += len(data)
        self._is_clear = (
            self._taken == content.total_bytes
            and protocol is not None
            and protocol.answer is self
            and not protocol.is_paused
            and not content.is_eof()
            and content.exception() is None
        )
        return data

    def give(self, body: bytes) -> bool:
        """Hand over what one read has brought; False: nobody waits any more."""
        self.is_awaited = False
        wanted, self._wanted = self._wanted, None
        if wanted is None or wanted.done():
            return False
        wanted.set_result(body)
        return True

    def pass_by(self, data: bytes) -> None:
        """Take note of what one read has brought that the parser gets."""
        self.is_awaited = self._is_clear = False
        if self._boundaries is not None:
            self._boundaries.pass_by(data)

    def look(self) -> None:
        """Whoever waits is to look at what has become of the answer: bytes, its end, or that of the connection."""
        self.is_awaited = self._is_clear = False
        wanted, self._wanted = self._wanted, None
        if wanted is not None and not wanted.done():
            wanted.set_result(None)

    def _leave(self) -> aiohttp.connector.Connection | None:
        """Have the connection no longer; return it, if it was there."""
        if self._protocol is not None and self._protocol.answer is self:
            self._protocol.answer = None
        connection, self.connection = self.connection, None
        return connection

    def release(self) -> None:
        """Leave the connection to the next request; close it if a part of this one is still unsent."""
        if self.connection is None or (connection := self._leave()) is None:
            return
        transport = connection.transport
        if self._may_be_unsent or (transport is not None and transport.get_write_buffer_size()):
            discard(connection)
        else:
            connection.release()

    def close(self) -> None:
        """Close the connection. A task that waits for bytes of the answer gets ``ClientConnectionError``."""
        if self.content.exception() is None:
            self.content.set_exception(aiohttp.ClientConnectionError("Connection closed"))
        self.look()
        if not self._loop.is_closed():
            connection = self._leave()
            if connection is not None:
                discard(connection)


def discard(connection: aiohttp.connector.Connection) -> None:
    """Close a connection at once. What is still unsent stays so: else a request that was given up would be billed."""
    if connection.transport is not None:
        connection.transport.abort()
    connection.close()
