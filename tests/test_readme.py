"""README's examples are run as they stand, against the sandbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.S | re.M)

SERVE = """
import asyncio, sys
from deepseek_async.sandbox import SandboxServer

async def main():
    async with SandboxServer() as server:
        print(server.base_url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A sandbox in a process of its own, since each example runs its own loop."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        process.communicate()


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_runs(number: int, base_url: str) -> None:
    """It prints something, and warns of nothing."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[number]],
        env={**os.environ, "DEEPSEEK_BASE_URL": base_url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    assert not run.stderr


def test_there_are_examples() -> None:
    """The pattern that finds them still does."""
    assert len(EXAMPLES) >= 4
