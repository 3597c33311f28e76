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
TEXT = README.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", TEXT, re.S | re.M)

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
def test_example_runs(number: int, base_url: str, tmp_path: Path) -> None:
    """It prints something, and warns of nothing."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[number]],
        env={**os.environ, "DEEPSEEK_BASE_URL": base_url},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    assert not run.stderr


def test_there_are_examples() -> None:
    """The pattern that finds them still does."""
    assert len(EXAMPLES) == 6
    assert set(re.findall(r"^```(\w+)$", TEXT, re.M)) == {"python", "console", "text"}  # none that nobody runs


def test_it_reads_the_same_on_a_package_index() -> None:
    """An index has neither the files beside it nor their pictures: no link, no picture, no markup of its own."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", TEXT, flags=re.S | re.M)
    assert not re.search(r"!?\[[^\]]*\]\(", prose)
    assert not re.search(r"<(?!!--)\w", prose)


def test_what_it_names_is_there() -> None:
    """Pages, targets of make, and files."""
    root = README.parent
    for page in re.findall(r"`(\w+/[\w.-]+\.md|\w+\.md|\w+/)`", TEXT):
        assert (root / page).exists() or (root / "docs" / page).exists(), page
    targets = re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.M)
    for target in re.findall(r"[$`] ?make ([a-z-]+)", TEXT):
        assert target in targets, target
