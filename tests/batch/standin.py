"""A stand-in for the API that is quick enough to be no bottleneck, in a process of its own.

It parses no more of HTTP than our own clients send. A body with ``BAD`` in it is refused with 400, everything else is
answered with a canned completion after ``latency``. It counts what it bills by row, so that a client that is killed
leaves a witness behind.

``python -m tests.batch.standin --latency 0.05`` prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LENGTH = re.compile(rb"content-length: (\d+)", re.I)
_ROW = re.compile(rb"row-\d+")
_ANSWER = {
    "id": "930c60df-bf64-41c9-a88e-3ec75f81e00e",
    "object": "chat.completion",
    "created": 1760000000,
    "model": "deepseek-flash",
    "system_fingerprint": "fp_44709d6fcb",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Because blue light is scattered more than red. " * 4},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 64},
        "prompt_cache_hit_tokens": 64,
        "prompt_cache_miss_tokens": 36,
    },
}
_BODY = json.dumps(_ANSWER, separators=(",", ":")).encode()


def _refusal(current: int, limit: int) -> bytes:
    message = (
        f"Too many requests. Your current concurrency is {current}, which exceeds your concurrency limit of {limit} "
        "based on your remaining balance. Please top up."
    )
    return _error(message, "rate_limit_error", "invalid_request_error")


def _error(message: str, kind: str, code: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


class StandIn:
    """The account behind the connections: what is in flight, refused, billed."""

    def __init__(
        self,
        *,
        latency: float = 0.0,
        jitter: float = 0.0,
        limit: int | None = None,
        failing: float = 0.0,
        early: bool = True,
        seed: int = 1,
    ) -> None:
        self.latency = latency
        self.jitter = jitter
        self.limit = limit
        self.failing = failing
        self.early = early
        self.random = random.Random(seed)
        self.in_flight = self.peak = self.admitted = self.refused = 0
        self.billed: Counter[str] = Counter()

    def stats(self) -> dict[str, Any]:
        return {
            "in_flight": self.in_flight,
            "peak": self.peak,
            "admitted": self.admitted,
            "refused": self.refused,
            "billed": dict(self.billed),
        }


class _Connection(asyncio.Protocol):
    def __init__(self, account: StandIn) -> None:
        self.account = account
        self.buffer = b""
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.account.in_flight -= 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end]
        length = _LENGTH.search(head)
        size = end + 4 + (int(length[1]) if length else 0)
        if len(self.buffer) < size:
            return
        body, self.buffer = self.buffer[end + 4 : size], self.buffer[size:]
        if head.startswith(b"GET /asked"):
            self.whole(200, b"%d" % (self.account.admitted + self.account.refused))
        elif head.startswith(b"GET"):
            self.whole(200, json.dumps(self.account.stats()).encode())
        else:
            self.asked(body)

    def asked(self, body: bytes) -> None:
        account = self.account
        if account.limit is not None and account.in_flight >= account.limit:
            account.refused += 1
            self.whole(429, _refusal(account.in_flight + 1, account.limit))
        elif account.failing and account.random.random() < account.failing:
            self.whole(503, _error("Service is too busy.", "service_unavailable_error", "service_unavailable_error"))
        elif b"BAD" in body:
            self.whole(400, _error("Invalid value.", "invalid_request_error", "invalid_request_error"))
        else:
            account.admitted += 1
            account.in_flight += 1
            account.peak = max(account.peak, account.in_flight)
            row = _ROW.search(body)
            account.billed[row[0].decode() if row else ""] += 1
            if account.early:
                self.transport.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
                )
            seconds = account.latency * (1 + account.jitter * (2 * account.random.random() - 1))
            self.timer = asyncio.get_running_loop().call_later(seconds, self.answer)

    def answer(self) -> None:
        self.timer = None
        self.account.in_flight -= 1
        if self.account.early:
            self.transport.write(_BODY)
        else:
            self.whole(200, _BODY)

    def whole(self, status: int, body: bytes) -> None:
        head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self.transport.write(head + body)


class Running:
    """A stand-in in another process."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"

    def stats(self) -> dict[str, Any]:
        """What the account counts at this moment."""
        with urllib.request.urlopen(self.base_url + "/stats", timeout=10) as answer:  # noqa: S310
            result: dict[str, Any] = json.load(answer)
            return result

    def asked(self) -> int:
        """How many requests have come so far."""
        with urllib.request.urlopen(self.base_url + "/asked", timeout=10) as answer:  # noqa: S310
            return int(answer.read())


@contextmanager
def standin(**options: float | int | None) -> Iterator[Running]:
    """A stand-in in another process, for the length of the block. Options as of `StandIn`."""
    flags = [f"--{name}={value}" for name, value in options.items() if value is not None]
    command = [sys.executable, "-m", "tests.batch.standin", *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Running(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(10)


async def _serve(account: StandIn) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(account), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--failing", type=float, default=0.0)
    parser.add_argument("--early", type=int, default=1)
    asyncio.run(_serve(StandIn(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
