"""The server: any number of connections, each answered with prebuilt bytes at the pace that its URL names.

    python -m benchmarks.replay        # prints its port, then its CPU seconds for each byte on stdin

It parses no more of a request than its path and length and makes nothing while it answers, so that it is never the
bottleneck; with uvloop where there is one.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from functools import cache
from itertools import count
from typing import cast

import attrs

from .wire import Spec, body, bursts

# Multiples of it, modulo 1, are spread as evenly as can be, however many there are.
_GOLDEN = (5**0.5 - 1) / 2

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\nx-ds-trace-id: 4f2b6c\r\n%s\r\n\r\n"


@attrs.frozen
class _Script:
    """The writes of one answer, framed, the head in the first."""

    writes: tuple[bytes, ...]
    tick: float


@cache
def _script(name: str) -> _Script:
    spec = Spec.named(name)
    if not spec.burst:
        whole = body(spec.kind, spec.tokens)
        return _Script((_HEAD % (b"application/json", b"content-length: %d" % len(whole)) + whole,), 0.0)
    head = _HEAD % (b"text/event-stream", b"transfer-encoding: chunked")
    writes = [b"%x\r\n%s\r\n" % (len(burst), burst) for burst in bursts(spec)]
    if spec.is_idle:
        return _Script((head + writes[0],), spec.tick)
    writes[-1] += b"0\r\n\r\n"
    return _Script((head, *writes), spec.tick)


class _Replay(asyncio.Protocol):
    """One connection; keeps alive, one request after the other.

    Streams do not tick in step: each connection has a phase of its own, evenly spread over the tick, as those of many
    servers would be. Left to chance, a thousand come to be read in four turns of the loop or in eighty, and two runs
    could not be compared.
    """

    _numbers = count()

    def __init__(self) -> None:
        self._phase = next(self._numbers) * _GOLDEN % 1.0
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if len(rest) < length:
            return
        self._received = rest[length:]
        script = _script(lines[0].split()[1].split(b"/")[1].decode())
        now = self._loop.time()
        # Phases are the clock's, so that it does not matter when a stream was asked for.
        self._play(script, 0, now - (now / script.tick - self._phase) % 1.0 * script.tick if script.tick else now)

    def _play(self, script: _Script, number: int, due: float) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(script.writes[number])
        if number + 1 < len(script.writes):
            # By the schedule, not by the last write: what came late does not shift the rest.
            self._timer = self._loop.call_at(due + script.tick, self._play, script, number + 1, due + script.tick)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Replay, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.Event()

    def asked() -> None:
        """A byte asks for the CPU seconds so far; the end says that the parent is gone."""
        if os.read(sys.stdin.fileno(), 1):
            print(time.process_time(), flush=True)
        else:
            gone.set()

    loop.add_reader(sys.stdin.fileno(), asked)
    await gone.wait()


def main() -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve())
    else:
        uvloop.run(_serve())


if __name__ == "__main__":
    main()
