"""A server that says exactly the bytes that a test tells it to say, on real sockets.

async def play(connection):
    await connection.request()
    connection.send(STREAM_HEAD + chunked(event("Hello")))
    connection.reset()

async with ByteServer(play) as server: ...
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

import psutil

STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"
LAST_CHUNK = b"0\r\n\r\n"


def event(content: str | None = None, finish_reason: str | None = None, **fields: Any) -> bytes:
    """One chunk as an event."""
    choice = {
        "index": 0,
        "delta": {"role": "assistant", "content": content, **fields.pop("delta", {})},
        "logprobs": None,
        "finish_reason": finish_reason,
    }
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **fields}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def completion(content: str, finish_reason: str = "stop") -> bytes:
    """A whole answer's body."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": None}
    ).encode()


def chunked(*parts: bytes) -> bytes:
    """Parts of a body, each in a chunk of HTTP's."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole answer of known length."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


class Connection:
    """One connection, as the server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._reader = reader
        self._writer = writer
        self.number = number
        """From 0, in order of acceptance."""
        self.requests: list[bytes] = []

    async def request(self) -> bytes:
        """The next request, head and body; ``b""``: the client has closed."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        whole = head + await self._reader.readexactly(length)
        self.requests.append(whole)
        return whole

    async def head(self) -> bytes:
        """The next request's head; what follows is left in the kernel until `gone` is awaited."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        self._writer.transport.pause_reading()
        return head

    def send(self, data: bytes) -> None:
        """Say these bytes."""
        self._writer.write(data)

    async def drained(self) -> None:
        """Wait until the client has taken most of what was said; returns at once if it has gone."""
        try:
            await self._writer.drain()
            await asyncio.sleep(0)
        except ConnectionError:
            pass

    @property
    def is_gone(self) -> bool:
        """Whether writing is known to reach nobody any more."""
        return self._writer.transport.is_closing()

    async def gone(self) -> None:
        """Wait until the client has closed its end."""
        await self.left()

    async def left(self) -> int:
        """Read until the client has closed its end; how many bytes still came."""
        if not self._writer.transport.is_reading() and not self.is_gone:
            self._writer.transport.resume_reading()
        count = 0
        try:
            while data := await self._reader.read(65536):
                count += len(data)
        except ConnectionError:
            pass
        return count

    def abandon(self) -> None:
        """Close without waiting for anything."""
        self._writer.transport.abort()

    def close(self) -> None:
        """Close in form (FIN)."""
        self._writer.close()

    def reset(self) -> None:
        """Reset (RST): what is still in the client's kernel is lost, too, unless it was read before."""
        handle = self._writer.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Play = Callable[[Connection], Awaitable[None]]


class ByteServer:
    """Listens on a free loopback port and plays its script to each connection.

    Args:
        play: Called for each connection; the connection is closed when it returns.
        ssl: To speak TLS.
    """

    def __init__(self, play: Play, ssl: SSLContext | None = None) -> None:
        self._play = play
        self._ssl = ssl
        self.connections: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[bytes]:
        """All requests, in order of connections."""
        return [request for connection in self.connections for request in connection.requests]

    @property
    def open_connections(self) -> int:
        """How many are being served."""
        return len(self._tasks)

    async def all_closed(self) -> None:
        """Wait until every connection so far has ended."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=2**26, ssl=self._ssl)
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
        if self._ssl is not None:  # closing in form waits for the other end
            for connection in self.connections:
                connection.abandon()
            await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, len(self.connections))
        self.connections.append(connection)
        task = asyncio.ensure_future(self._serve(connection, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection, writer: asyncio.StreamWriter) -> None:
        try:
            await self._play(connection)
        finally:
            writer.close()


def open_files() -> int:
    """How many file descriptors this process has open, sockets among them."""
    return int(psutil.Process().num_fds())


async def until_cut(connection: Connection, reply: Callable[[bytes], bytes]) -> None:
    """Answer every request of a connection."""
    while request := await connection.request():
        connection.send(reply(request))
