"""What the tests of the shell share: the command in this process, in one of its own, and a server to ask."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias

import pytest
from typer.testing import CliRunner, Result

from deepseek_async.cli.app import app
from deepseek_async.sandbox import SandboxServer

Run: TypeAlias = Callable[..., Result]
Spawn: TypeAlias = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def run() -> Run:
    """The command in this process: ``run("chat", "Hi", stdin=b"…")`` → exit code, stdout, stderr."""

    def invoke(*arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> Result:
        result = CliRunner(env=dict(env or {})).invoke(app, list(arguments), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception  # a traceback is what a user must never see
        return result

    return invoke


def environment(**changes: str) -> dict[str, str]:
    """This process's environment for a process of the command's own, without what would change its output."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR", "NO_COLOR")}
    return {**kept, "PYTHONWARNINGS": "error", **changes}


COMMAND: Sequence[str] = (sys.executable, "-m", "deepseek_async.cli")


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """The command in a process of its own, with pipes; ended with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=environment(**(env or {}))
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait(20)
        for file in (process.stdin, process.stdout, process.stderr):
            if file is not None:
                with suppress(BrokenPipeError):
                    file.close()


@pytest.fixture(scope="session")
def server() -> Iterator[SandboxServer]:
    """A sandbox in a thread with a loop of its own, so that a command in this process can ask it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    sandbox = SandboxServer(seed=1)
    asyncio.run_coroutine_threadsafe(sandbox.__aenter__(), loop).result(20)
    yield sandbox
    asyncio.run_coroutine_threadsafe(sandbox.__aexit__(None, None, None), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()
