"""`perform` writes a `Reply` on the connection, action by action, at its pace.

The bytes go straight to the transport, head and chunked framing included, because a fault must be able to leave any of
it wrong, and because a thousand paced streams leave no room for more than one write a token.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from email.utils import formatdate
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from aiohttp import web

from ..scripts.actions import Abort, Close, End, Head, Send, Wait
from .pace import Schedule, Wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..scripts.actions import Action, Reply

__all__ = ["Played", "perform"]

_SLICE = 0.004  # seconds of work at most before other connections get a turn
_BATCH = 16 * 1024  # bytes that unpaced chunks gather before they are written
_AHEAD = 16  # actions of a paced answer that are drawn at a time
_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER, zero seconds: closing sends RST


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


async def perform(
    reply: Reply,
    request: web.BaseRequest,
    wheel: Wheel,
    *,
    rate: float | None = None,
    first_byte: Callable[[], None] | None = None,
) -> Played:
    """Play a reply to its end, or until the client goes away.

    Args:
        wheel: The loop's.
        rate: Tokens a second; None: as fast as they come.
        first_byte: Called when the first byte of the body is written.
    """
    try:
        return await _play(reply, request, wheel, rate, first_byte)
    except ConnectionError:  # the client closed its end; nobody is left to tell
        return Played(reply.status, reusable=False)


async def _play(
    reply: Reply, request: web.BaseRequest, wheel: Wheel, rate: float | None, first_byte: Callable[[], None] | None
) -> Played:
    chunked = reply.length is None and request.version >= (1, 1)
    reusable = reply.reusable and request.keep_alive and (chunked or reply.length is not None)
    writer = _Writer(request, chunked=chunked, first_byte=first_byte)
    schedule = None if rate is None else Schedule(rate)
    loop = asyncio.get_running_loop()
    breathe_at = loop.time() + _SLICE
    actions = reply.actions if schedule is None else _ahead(reply.actions)
    for action in actions:
        if isinstance(action, Send):
            if schedule is None:
                writer.send(action.data)
                if loop.time() >= breathe_at:
                    writer.flush()
                    await asyncio.sleep(0)
                    breathe_at = loop.time() + _SLICE
            else:
                if action.tokens:
                    now = loop.time()
                    due = schedule.due(action.tokens, now)
                    if due > now:
                        writer.flush()
                        await wheel.until(due)
                writer.send(action.data)
            if writer.is_full():
                await writer.drain()
        elif isinstance(action, Wait):
            writer.flush()
            if schedule is not None:
                schedule.shift(action.seconds)
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


def _ahead(actions: Iterator[Action]) -> Iterator[Action]:
    """Draw some actions at a time: a model that writes sixteen tokens in a row needs half the time for each."""
    while batch := tuple(islice(actions, _AHEAD)):
        yield from batch


class _Writer:
    """The connection's sending side. What is sent gathers until `flush`: each write is a system call."""

    __slots__ = ("_body", "_body_bytes", "_chunked", "_first_byte", "_head", "_request", "_transport")

    def __init__(
        self, request: web.BaseRequest, *, chunked: bool, first_byte: Callable[[], None] | None = None
    ) -> None:
        if request.transport is None:
            raise ConnectionResetError("the client closed the connection before the answer began")
        self._request = request
        self._transport = request.transport
        self._chunked = chunked
        self._first_byte = first_byte
        self._head = b""
        self._body: list[bytes] = []
        self._body_bytes = 0

    def head(self, data: bytes) -> None:
        self._head = data

    def send(self, data: bytes) -> None:
        if data:
            self._body.append(data)
            self._body_bytes += len(data)
            if self._body_bytes >= _BATCH:
                self.flush()

    def flush(self, last: bytes = b"") -> None:
        """Write what gathered, and ``last`` after it."""
        data = self._head
        if self._body:
            if self._first_byte is not None:
                self._first_byte()
                self._first_byte = None
            body = b"".join(self._body)
            data += b"%x\r\n%b\r\n" % (len(body), body) if self._chunked else body
            self._body.clear()
            self._body_bytes = 0
        data += last
        self._head = b""
        if data:
            if self._transport.is_closing():
                raise ConnectionResetError("the client closed the connection before the answer was over")
            self._transport.write(data)

    def is_full(self) -> bool:
        return self._transport.get_write_buffer_size() > 4 * _BATCH

    async def drain(self) -> None:
        await self._request.writer.drain()

    def end(self) -> None:
        self.flush(b"0\r\n\r\n" if self._chunked else b"")

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
