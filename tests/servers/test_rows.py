"""A batch on a real server: good rows answered, bad ones told, a killed run resumed without a row lost or doubled."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..tables import Cell
from .engines import KEY, Engine, RealServer

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]
ROWS, BAD = 60, {7, 23, 41}


def row(engine: Engine, number: int) -> dict[str, Any]:
    """One row; a bad one asks for what the server refuses."""
    body: dict[str, Any] = {
        "model": engine.model,
        "messages": [{"role": "user", "content": f"Say the number {number}."}],
        "max_tokens": 8,
    }
    if number in BAD:
        body["messages"] = [{"role": "nobody", "content": {"not": "text"}}]
    return {"custom_id": f"row-{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}


async def run(server: RealServer, source: Path, output: Path, *, kill_at: int | None = None) -> int | None:
    """The shell's batch; killed once so many rows are written."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "deepseek_async.cli", "batch", str(source), "-o", str(output), "--log-json"),
        *("--base-url", server.api_url, "--max-concurrency", "4"),
        env={**os.environ, "DEEPSEEK_API_KEY": KEY},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )

    def written() -> int:
        return output.read_bytes().count(b"\n") if output.exists() else 0

    while kill_at is not None and process.returncode is None:
        if written() >= kill_at:
            process.send_signal(signal.SIGKILL)
            break
        await asyncio.sleep(0.02)
    return await process.wait()


async def test_sixty_rows_killed_in_the_middle(server: RealServer, engine: Engine, case: Case, tmp_path: Path) -> None:
    """Every row ends once: 57 with an answer, three with the server's refusal, though the run was killed at 20."""
    cell = case("a batch of 60, killed and resumed")
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row(engine, number)) + "\n" for number in range(ROWS)))
    assert await run(server, source, output, kill_at=20) == -signal.SIGKILL
    assert await run(server, source, output) in (0, 1, 4)
    answered: dict[str, int] = {}
    refused: set[str] = set()
    for line in output.read_text("utf-8").splitlines():
        outcome = json.loads(line)
        if (outcome.get("response") or {}).get("status_code") == 200:
            answered[outcome["custom_id"]] = answered.get(outcome["custom_id"], 0) + 1
        else:
            refused.add(outcome["custom_id"])
    assert refused == {f"row-{number}" for number in BAD}
    assert answered == {f"row-{number}": 1 for number in range(ROWS) if number not in BAD}
    cell.says("57 answered once, 3 refused")
