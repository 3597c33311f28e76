"""A proxy that stands between client and server and does to each answer what a plan says."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .faults import End, Ending, Framed, Plan, Write, played

_NO_LINGER = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on a free loopback port.

    Args:
        upstream: Base URL of the server behind it.
        next_plan: What happens to the next answer; asked once for each request.

    Attributes:
        requests: How many have come.
    """

    def __init__(self, upstream: str, next_plan: Callable[[], Plan]) -> None:
        host, _, port = upstream.removeprefix("http://").partition(":")
        self._upstream = (host, int(port))
        self._next_plan = next_plan
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = 0
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._tasks)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=2**26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def all_closed(self) -> None:
        """Wait until every client has gone."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _request(reader):
                self.requests += 1
                plan = self._next_plan()
                if plan.refuse != "none":
                    return await _end(plan.refuse, reader, writer)
                answer = await self._ask(request)
                for step in played(answer, plan):
                    if isinstance(step, Write):
                        writer.write(step.data)
                        await writer.drain()
                        await asyncio.sleep(0)
                    elif isinstance(step, End):
                        return await _end(step.how, reader, writer)
                    else:
                        await asyncio.sleep(step.seconds)
                    if writer.transport.is_closing():
                        return None
        except ConnectionError:
            pass
        finally:
            _let_go(writer)
        return None

    async def _ask(self, request: bytes) -> Framed:
        """The server's whole answer, over a connection of its own."""
        reader, writer = await asyncio.open_connection(*self._upstream, limit=2**26)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = head.lower()
            if b"transfer-encoding: chunked" not in fields:
                length = int(fields.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                return Framed(head, (await reader.readexactly(length),), False)
            chunks: list[bytes] = []
            while size := int(await reader.readuntil(b"\r\n"), 16):
                chunks.append((await reader.readexactly(size + 2))[:-2])
            await reader.readexactly(2)
            return Framed(head, tuple(chunks), True)
        finally:
            _let_go(writer)


def _let_go(writer: asyncio.StreamWriter) -> None:
    """Close, and take note of how that ended: else the collector may complain of an error that nobody has looked at."""
    writer.close()
    closed = writer._protocol._get_close_waiter(writer)  # type: ignore[attr-defined]
    closed.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        return head + await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _end(how: Ending, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if how == "reset":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        writer.transport.abort()
    elif how == "stall":
        try:
            while await reader.read(65_536):
                pass
        except ConnectionError:
            pass
