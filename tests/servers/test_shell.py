"""The shell against a real server, as its users type it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable

import pytest

from ..tables import Cell
from .engines import KEY, Engine, RealServer

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]


async def shell(server: RealServer, *arguments: str, given: bytes = b"") -> tuple[int, str, str]:
    """What a command prints, and how it ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deepseek_async.cli", *arguments),
        env={**os.environ, "DEEPSEEK_API_KEY": KEY, "DEEPSEEK_BASE_URL": server.api_url, "NO_COLOR": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given)
    return process.returncode or 0, out.decode(), err.decode()


async def test_chat(server: RealServer, engine: Engine, case: Case) -> None:
    """An answer on the screen."""
    case("shell: chat")
    code, out, err = await shell(server, "chat", "--model", engine.model, "--max-tokens", "8", "Name a colour.")
    assert code == 0, err
    assert out.strip()


async def test_models(server: RealServer, engine: Engine, case: Case) -> None:
    """The models, one a line."""
    case("shell: models")
    code, out, err = await shell(server, "models")
    assert code == 0, err
    assert out.strip()


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
async def test_decode(server: RealServer, engine: Engine, case: Case, path: str) -> None:
    """A stream as the server wrote it becomes a completion, offline."""
    case(f"shell: decode {path}", needs="completions" if path == "/completions" else "")
    words = {"prompt": "def f():\n"} if path == "/completions" else {"messages": [{"role": "user", "content": "Hi"}]}
    stream = server.body(path, model=engine.model, max_tokens=6, stream=True, temperature=0, **words)
    code, out, err = await shell(server, "decode", "--level", "completion", given=stream)
    assert code == 0, err
    completion = json.loads(out.splitlines()[-1])
    assert completion["choices"][0]["finish_reason"]
