"""How long one waits for the shell, next to what cannot be spared: processor time, the least of many tries in turns.

On a machine with nothing else to do that is the time of the clock as well; on a busy one the clock measures the others.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from deepseek_async import AsyncClient
from deepseek_async.sandbox import SandboxServer

from .conftest import COMMAND, environment

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not tell what one process took"),
]
_TRIES = 15


def least(tries: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The least seconds of each, taken in turns."""
    found = dict.fromkeys(tries, float("inf"))
    for _ in range(_TRIES):
        for name, attempt in tries.items():
            found[name] = min(found[name], attempt())
    return found


def taken_by(*command: str, until: bytes = b"") -> Callable[[], float]:
    """What a process takes from its start to its end, or until it says its first character.

    Args:
        until: That character; ``b""``: to its end.
    """

    def attempt() -> float:
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        if until:
            assert process.stdout.read(1) == until
            process.kill()
        else:
            process.stdout.read()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0  # it has been waited for
        process.stdout.close()
        return used.ru_utime + used.ru_stime

    return attempt


def test_the_help() -> None:
    """In less than one and a half times what importing typer takes."""
    took = least({"help": taken_by(*COMMAND, "--help"), "typer": taken_by(sys.executable, "-c", "import typer")})
    print(took)
    assert took["help"] < 1.5 * took["typer"], took


@pytest.mark.anyio
async def test_the_first_character() -> None:
    """In less than 1.2 times the import of the client and the server's first byte."""
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url) as client:
        first_byte = [await _first_byte(client) for _ in range(_TRIES)]
        chat: Sequence[str] = (*COMMAND, "chat", "--no-thinking", "--base-url", server.base_url, "Say: hello")
        tries = {
            "chat": taken_by(*chat, until=b"h"),
            "import": taken_by(sys.executable, "-c", "from deepseek_async import AsyncClient"),
        }
        took = await asyncio.to_thread(least, tries)
    print(took, min(first_byte))
    assert took["chat"] < 1.2 * (took["import"] + min(first_byte)), took


async def _first_byte(client: AsyncClient) -> float:
    began = time.perf_counter()
    messages = [{"role": "user", "content": "Say: hello"}]
    async with client.chat.completions.stream(model="deepseek-flash", messages=messages) as stream:
        await anext(stream)
    return time.perf_counter() - began
