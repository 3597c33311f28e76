"""A byte-level proxy that spoils answers on their way from a server to a client.

It knows no more of HTTP than where an answer's head ends and how its body is framed: enough to lie about it. Each
request that passes takes the next fault; a connection that is kept alive takes a new one with each request.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Self

import attrs

KEEP_ALIVE = b": keep-alive\n\n"


@attrs.frozen
class Fault:
    """What to do to one answer.

    Attributes:
        kind: ``none``, ``cut`` (close), ``reset`` (RST), ``stall`` (nothing more, connection open), ``delay``,
            ``split`` (pieces of ``size`` bytes), ``comments`` (keep-alives between events), ``longer`` or ``shorter``
            (lie about a length).
        at: After how many bytes of the answer, head included.
        size: Of the pieces, in bytes; of the lie, in bytes; of the delay, in milliseconds.
    """

    kind: str = "none"
    at: int = 0
    size: int = 1


class ChaosProxy:
    """Stands between a client and ``upstream``: ``async with ChaosProxy(upstream, next_fault) as proxy``.

    Args:
        upstream: Base URL of the server.
        next_fault: Asked once a request.
    """

    def __init__(self, upstream: str, next_fault: Callable[[], Fault]) -> None:
        host, port = upstream.removeprefix("http://").split(":")
        self._upstream = (host, int(port))
        self.next_fault = next_fault
        self._connections: set[asyncio.Task[None]] = set()
        self.requests = 0
        self.last_size = 0
        """How many bytes of the latest answer have been passed on, head and framing included."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        answer = _Answer(self, writer)
        down = asyncio.ensure_future(self._down(up_reader, answer))
        try:
            while data := await reader.read(65_536):
                if data.startswith((b"POST ", b"GET ")):
                    self.requests += 1
                    answer.begin(self.next_fault())
                up_writer.write(data)
                await up_writer.drain()
        except (OSError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            down.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(down, return_exceptions=True)
            for end in (up_writer, writer):
                end.transport.abort()

    async def _down(self, reader: asyncio.StreamReader, answer: _Answer) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await answer.send(data)
        answer.writer.close()


class _Answer:
    """One answer after the other, on one connection to the client."""

    def __init__(self, proxy: ChaosProxy, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self.writer = writer
        self.begin(Fault())

    def begin(self, fault: Fault) -> None:
        self._fault = fault
        self._sent = 0
        self._has_lied = False
        self._is_over = False

    async def send(self, data: bytes) -> None:
        if self._is_over:
            return
        fault = self._fault
        if fault.kind in ("cut", "reset", "stall", "delay"):
            before = max(0, fault.at - self._sent)
            if self._sent <= fault.at < self._sent + len(data):
                await self._write(data[:before])
                if fault.kind == "delay":
                    await asyncio.sleep(fault.size / 1000)
                    await self._write(data[before:])
                else:
                    self._end(fault.kind)
                return
        elif fault.kind == "split":
            for start in range(0, len(data), fault.size):
                await self._write(data[start : start + fault.size])
                await asyncio.sleep(0)
            return
        elif fault.kind == "comments":
            frame = b"%x\r\n%s\r\n" % (len(KEEP_ALIVE), KEEP_ALIVE)
            # Behind a frame whose events are whole, and before another frame or the last.
            data = re.sub(rb"\n\n\r\n(?=[0-9a-f]+\r\n)", lambda match: match[0] + frame, data)
        elif fault.kind in ("longer", "shorter") and not self._has_lied:
            data = self._lie(data, fault.size if fault.kind == "longer" else -fault.size)
        await self._write(data)

    def _lie(self, data: bytes, by: int) -> bytes:
        """Another content length, or another length of the first frame that comes after `at` bytes."""

        def other(match: re.Match[bytes], base: int) -> bytes:
            self._has_lied = True
            length = max(0, int(match[2], base) + by)
            return match[1] + (b"%d" if base == 10 else b"%x") % length + match[3]

        told = re.compile(rb"(?i)(content-length: )([0-9]+)(\r\n)")
        if told.search(data):
            return told.sub(lambda match: other(match, 10), data, count=1)
        frame = re.compile(rb"(\r\n)([0-9a-f]+)(\r\n(?:data: |\{))")
        start = min(max(0, self._fault.at - self._sent), len(data))
        return data[:start] + frame.sub(lambda match: other(match, 16), data[start:], count=1)

    async def _write(self, data: bytes) -> None:
        if data:
            self.writer.write(data)
            self._sent += len(data)
            self._proxy.last_size = self._sent
            await self.writer.drain()

    def _end(self, kind: str) -> None:
        self._is_over = True
        if kind == "cut":
            self.writer.close()
        elif kind == "reset":
            raw = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
