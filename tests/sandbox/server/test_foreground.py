"""Serving in a process of its own, in a thread, and what goes wrong there."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import subprocess
import sys
import urllib.request

import pytest

from deepseek_async.sandbox import SandboxServer, Script, in_background, serve

from ..talking import HELLO

_PROGRAM = """
import asyncio
from deepseek_async.sandbox import SandboxServer, serve
asyncio.run(serve(SandboxServer(seed=1), ready=lambda server: print(server.base_url, flush=True)))
print("ended", flush=True)
"""


def ask(base_url: str) -> str:
    """One answer, by the standard library's client."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        base_url + "/chat/completions", json.dumps(HELLO).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return str(json.load(answer)["choices"][0]["message"]["content"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_ends_well_when_told(number: signal.Signals) -> None:
    """It prints where it listens, answers, and a signal ends it in order."""
    with subprocess.Popen([sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert ask(process.stdout.readline().strip())
        process.send_signal(number)
        assert process.stdout.read() == "ended\n"
    assert process.returncode == 0


def test_as_a_module() -> None:
    """python -m deepseek_async.sandbox: the address is the only line on stdout; wrong usage is told."""
    command = [sys.executable, "-m", "deepseek_async.sandbox"]
    with subprocess.Popen([*command, "--seed", "1", "--balance", "1"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        assert ask(base_url)
        taken = subprocess.run([*command, "--port", base_url.rsplit(":", 1)[1]], capture_output=True, text=True)
        assert (taken.returncode, taken.stdout) == (1, "")
        assert taken.stderr.startswith("error: cannot listen on 127.0.0.1, port ")
        process.terminate()
        assert process.stdout.read() == ""
    wrong = subprocess.run([*command, "--host", "0.0.0.0"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "add --expose if other machines shall reach it" in wrong.stderr


@pytest.mark.anyio
async def test_cancelling_serve_stops_it_and_leaves_the_collector_as_it_was() -> None:
    """Thresholds are the caller's again, nothing is frozen, and the port is free."""
    before = gc.get_threshold()
    ready = asyncio.get_running_loop().create_future()
    server = SandboxServer()
    task = asyncio.create_task(serve(server, ready=ready.set_result))
    assert await ready is server
    assert gc.get_threshold() != before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left = (gc.get_threshold(), gc.get_freeze_count())
    gc.freeze()  # as it was before (tests/conftest.py)
    assert left == (before, 0)
    async with SandboxServer(port=int(server.base_url.rsplit(":", 1)[1])):
        pass


def test_in_background() -> None:
    """A thread of its own; scripts and records are within reach; it is gone afterwards."""
    with in_background(SandboxServer(seed=1)) as server:
        server.script(Script(say="Hello from beside."))
        assert ask(server.base_url) == "Hello from beside."
        assert len(server.requests) == 1
    with pytest.raises(OSError, match="refused"):
        ask(server.base_url)


def test_in_background_says_why_it_could_not_start() -> None:
    """The error of the thread is the caller's."""
    with in_background(SandboxServer()) as server:
        taken = SandboxServer(port=int(server.base_url.rsplit(":", 1)[1]))
        with pytest.raises(OSError, match="address already in use"), in_background(taken):
            pass
