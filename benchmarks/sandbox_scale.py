"""How many paced streams the sandbox keeps on schedule with one core.

    python benchmarks/sandbox_scale.py [--streams 1000] [--rate 20] [--tokens 200]

The server runs in a process of its own, this one only receives: raw protocols that note when each event arrives. Every
stream has another prompt and another seed, so nothing is answered from memory. Lateness of a token is its arrival minus
its time in the schedule that began with its stream's first token.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time

import psutil

_SERVER = """
import asyncio, sys
from deepseek_async.sandbox import SandboxServer, serve
server = SandboxServer(rate=float(sys.argv[1]), keep_requests=10)
asyncio.run(serve(server, ready=lambda it: print(it.base_url, flush=True)))
"""


class Stream(asyncio.Protocol):
    """One request; notes the arrival of each event."""

    def __init__(self, request: bytes, done: asyncio.Future[None]) -> None:
        self.request = request
        self.done = done
        self.arrivals: list[float] = []
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self.tail + data
        self.arrivals += [now] * data.count(b"data: {")
        self.tail = data[-6:] if b"data: {" not in data[-12:] else b""
        if b"[DONE]" in data and not self.done.done():
            self.done.set_result(None)
            self.transport.close()


def request(port: int, number: int, tokens: int) -> bytes:
    """A chat request with a prompt and a seed of its own."""
    body = json.dumps(
        {
            "model": "deepseek-chat",
            "messages": [{"role": "user", "content": f"Tell me about asyncio streams, part {number}."}],
            "stream": True,
            "seed": number,
            "max_tokens": tokens,
            "min_tokens": tokens,
        }
    ).encode()
    head = f"POST /chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def run(port: int, streams: int, tokens: int, spread: float) -> list[Stream]:
    """Open all streams over a while, wait for all."""
    loop = asyncio.get_running_loop()
    opened, ends = [], []
    for number in range(streams):
        done = loop.create_future()
        protocol = Stream(request(port, number, tokens), done)
        await loop.create_connection(lambda protocol=protocol: protocol, "127.0.0.1", port)
        opened.append(protocol)
        ends.append(done)
        await asyncio.sleep(spread / streams)
    await asyncio.gather(*ends)
    return opened


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--spread", type=float, default=2.0, help="seconds over which streams are opened")
    options = parser.parse_args()
    server = subprocess.Popen([sys.executable, "-c", _SERVER, str(options.rate)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(server.pid, {cores[0]})
            os.sched_setaffinity(0, {cores[1]})
        process = psutil.Process(server.pid)
        before, began = sum(process.cpu_times()[:2]), time.perf_counter()
        opened = asyncio.run(run(port, options.streams, options.tokens, options.spread))
        wall, cpu = time.perf_counter() - began, sum(process.cpu_times()[:2]) - before
        memory = process.memory_info().rss / 2**20
    finally:
        server.terminate()
        server.wait()
    late = sorted(
        (arrival - (stream.arrivals[1] + number / options.rate)) * 1000
        for stream in opened
        for number, arrival in enumerate(stream.arrivals[1:-1])
    )
    tokens = len(late)
    print(f"{options.streams} streams x {options.tokens} tokens at {options.rate:g}/s: {tokens} tokens in {wall:.1f} s")
    print(f"lateness ms: p50 {statistics.median(late):.1f}  p99 {late[int(tokens * 0.99)]:.1f}  max {late[-1]:.1f}")
    print(
        f"server: {cpu:.1f} s CPU = {cpu / wall:.0%} of one core, {cpu / tokens * 1e6:.0f} us a token, {memory:.0f} MB"
    )


if __name__ == "__main__":
    main()
