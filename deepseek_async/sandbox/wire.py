"""Does what was decided: writes a `Reply` on the connection, at its pace.

The bytes go straight to the transport, head and chunked framing included, because a fault must be able to leave any of
it wrong, and because a thousand paced streams leave no room for more than one write a token.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs
from aiohttp import web

from .actions import Abort, Close, End, Head, Send, Wait

if TYPE_CHECKING:
    from .actions import Reply

__all__ = ["ClientGoneError", "Played", "perform"]

_SLICE = 0.004  # seconds of work at most before other connections get a turn
_BATCH = 16 * 1024  # bytes that unpaced chunks gather before they are written
_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER, zero seconds: closing sends RST


class ClientGoneError(ConnectionError):
    """The client closed its end before the answer was over."""


class Played(web.StreamResponse):
    """Tells aiohttp that the exchange is over, and whether the connection can serve another one."""

    def __init__(self, status: int, *, reusable: bool) -> None:
        super().__init__(status=status)
        self._reusable = reusable

    @property
    def keep_alive(self) -> bool:
        return self._reusable

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to prepare."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


async def perform(reply: Reply, request: web.BaseRequest, *, rate: float | None = None) -> Played:
    """Play a reply to its end.

    Args:
        rate: Tokens a second; None: as fast as they come.

    Raises:
        ClientGoneError: The client went away first.
    """
    chunked = reply.length is None and request.version >= (1, 1)
    reusable = reply.reusable and request.keep_alive and (chunked or reply.length is not None)
    writer = _Writer(request, chunked=chunked)
    pace = _Pace(rate)
    loop = asyncio.get_running_loop()
    breathe_at = loop.time() + _SLICE
    for action in reply.actions:
        if isinstance(action, Send):
            if rate is not None:
                wait = pace.wait_for(action.tokens, loop.time())
                if wait > 0:
                    writer.flush()
                    await asyncio.sleep(wait)
                writer.send(action.data)
                writer.flush()
            else:
                writer.send(action.data)
            if rate is None and loop.time() >= breathe_at:
                writer.flush()
                await asyncio.sleep(0)
                breathe_at = loop.time() + _SLICE
            if writer.is_full():
                await writer.drain()
        elif isinstance(action, Wait):
            writer.flush()
            pace.shift(action.seconds)
            await asyncio.sleep(action.seconds)
        elif isinstance(action, Head):
            writer.head(_head(reply, request, chunked=chunked, reusable=reusable))
        elif isinstance(action, End):
            writer.end()
        elif isinstance(action, Close):
            writer.close()
            reusable = False
        elif isinstance(action, Abort):
            writer.abort()
            reusable = False
    return Played(reply.status, reusable=reusable)


@attrs.define
class _Pace:
    """When each token is due, counted from the first one; waits that a script asks for move the schedule."""

    rate: float | None
    _began: float | None = None
    _tokens: int = 0

    def wait_for(self, tokens: int, now: float) -> float:
        if self.rate is None or not tokens:
            return 0.0
        if self._began is None:
            self._began = now
        self._tokens += tokens
        return self._began + (self._tokens - 1) / self.rate - now

    def shift(self, seconds: float) -> None:
        if self._began is not None:
            self._began += seconds


class _Writer:
    """The connection's sending side. Bytes gather until `flush`; keeping them in one write saves a system call each."""

    __slots__ = ("_chunked", "_gathered", "_gathered_bytes", "_request", "_transport")

    def __init__(self, request: web.BaseRequest, *, chunked: bool) -> None:
        if request.transport is None:
            raise ClientGoneError("the client closed the connection before the answer began")
        self._request = request
        self._transport = request.transport
        self._chunked = chunked
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0

    def head(self, data: bytes) -> None:
        self._transport.write(data)

    def send(self, data: bytes) -> None:
        if data:
            self._gathered.append(data)
            self._gathered_bytes += len(data)
            if self._gathered_bytes >= _BATCH:
                self.flush()

    def flush(self) -> None:
        if not self._gathered:
            return
        if self._transport.is_closing():
            raise ClientGoneError("the client closed the connection before the answer was over")
        data = b"".join(self._gathered) if len(self._gathered) > 1 else self._gathered[0]
        self._gathered.clear()
        self._gathered_bytes = 0
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def is_full(self) -> bool:
        return self._transport.get_write_buffer_size() > 4 * _BATCH

    async def drain(self) -> None:
        await self._request.writer.drain()

    def end(self) -> None:
        self.flush()
        if self._chunked:
            self._transport.write(b"0\r\n\r\n")

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        self.flush()
        handle = self._transport.get_extra_info("socket")
        if handle is not None:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()


def _head(reply: Reply, request: web.BaseRequest, *, chunked: bool, reusable: bool) -> bytes:
    try:
        reason = HTTPStatus(reply.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/{request.version.major}.{request.version.minor} {reply.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines.append(f"Date: {formatdate(usegmt=True)}")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif reply.length is not None:
        lines.append(f"Content-Length: {reply.length}")
    if not reusable:
        lines.append("Connection: close")
    elif request.version < (1, 1):
        lines.append("Connection: keep-alive")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
