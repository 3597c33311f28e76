"""How long the sandbox takes from the start of its process to the first byte of a streamed answer.

    python benchmarks/sandbox_start.py [--runs 10]

As `deepseek-async sandbox` and as `python -m deepseek_async.sandbox`, each with the model in the cache, and with an
empty cache, where it is trained first. The client asks as soon as the address is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

_COMMANDS = {
    "deepseek-async sandbox": [sys.executable, "-m", "deepseek_async.cli", "sandbox", "--port", "0"],
    "python -m deepseek_async.sandbox": [sys.executable, "-m", "deepseek_async.sandbox"],
}


def first_byte(command: list[str], cache: str) -> tuple[float, float]:
    """Milliseconds until it listens, and until the first byte of the answer's body."""
    began = time.perf_counter()
    environment = {**os.environ, "DEEPSEEK_ASYNC_CACHE": cache}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        listening = time.perf_counter()
        messages = [{"role": "user", "content": "Why is the sky blue?"}]
        body = json.dumps({"model": "deepseek-flash", "messages": messages, "stream": True}).encode()
        head = "POST /chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            received = b""
            while b"data: " not in received:
                received += connection.recv(65536)
        ended = time.perf_counter()
    finally:
        server.terminate()
        server.wait()
    return (listening - began) * 1000, (ended - began) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    for name, command in _COMMANDS.items():
        with tempfile.TemporaryDirectory() as cache:
            first_byte(command, cache)
            _report(f"{name}, cached model", [first_byte(command, cache) for _ in range(runs)], goal=300)
        uncached = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as cache:
                uncached.append(first_byte(command, cache))
        _report(f"{name}, empty cache", uncached, goal=2000)


def _report(name: str, times: list[tuple[float, float]], *, goal: float) -> None:
    listening, first = (sorted(column) for column in zip(*times, strict=True))
    print(
        f"{name}: listening {statistics.median(listening):.0f} ms, first byte {statistics.median(first):.0f} ms "
        f"(best {first[0]:.0f}, worst {first[-1]:.0f}; goal {goal:.0f})"
    )


if __name__ == "__main__":
    main()
