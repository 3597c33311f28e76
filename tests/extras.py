"""Each extra alone: the wheel with it and with nothing else in an environment of its own, and what needs it is used.

``python -m tests.extras WHEEL [EXTRA …]``, by `make test-extras`. Not a test of pytest's, since it installs packages;
`tests/test_extras.py` holds the table complete.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Collections of extras, and tools of this repository.
NOT_FOR_USERS = {"all", "bench", "dev", "docs"}

_ASK = """
import asyncio
from deepseek_async import AsyncClient, ChatRequest, UserMessage
from deepseek_async.sandbox import SandboxServer
QUESTION = {"model": "deepseek-flash", "messages": [UserMessage("Say: one")]}
async def ask(**options):
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url, **options) as client:
        return await client.chat.completions.create(**QUESTION, thinking={"type": "disabled"}, logprobs=True)
"""

# What a user does with it. Each starts after `_ASK`, in an empty folder.
USES = {
    "cli": """
import subprocess, sys
command = [sys.executable, "-I", "-m", "deepseek_async.cli"]
said = subprocess.run([*command, "chat", "--sandbox", "--no-thinking", "Say: one"], capture_output=True, text=True)
assert (said.returncode, said.stdout) == (0, "one\\n"), said
# What another extra brings is asked for in a sentence.
wanting = [*command, "batch", "export", "out.jsonl", "out.parquet"]
from deepseek_async import run_batch
async def run():
    async with SandboxServer() as server, AsyncClient(base_url=server.base_url) as client:
        await run_batch(client, [ChatRequest(**QUESTION)], "out.jsonl")
asyncio.run(run())
said = subprocess.run(wanting, capture_output=True, text=True)
assert said.returncode == 2 and "deepseek_async[parquet]" in " ".join(said.stderr.split()), said
""",
    "uvloop": """
import uvloop
assert uvloop.run(ask()).text == "one"
""",
    "parquet": """
import pyarrow, pyarrow.parquet
from deepseek_async import run_batch
table = pyarrow.table({"id": [7], "word": ["one"]})
pyarrow.parquet.write_table(table, "rows.parquet")
async def run():
    async with SandboxServer() as server, AsyncClient(base_url=server.base_url) as client:
        return await run_batch(client, "rows.parquet", "out.jsonl", prompt="Say: {word}")
assert asyncio.run(run()).succeeded == 1
""",
    "rate": """
from aiolimiter import AsyncLimiter
from deepseek_async import run_batch
async def run():
    async with SandboxServer() as server, AsyncClient(base_url=server.base_url) as client:
        return await run_batch(client, [ChatRequest(**QUESTION)], "out.jsonl", rate_limiter=AsyncLimiter(10, 1))
assert asyncio.run(run()).succeeded == 1
""",
    "tools": """
from deepseek_async import tool
def tide(place: str) -> float:
    '''High water.

    Args:
        place: Of the harbour.
    '''
    return 4.5
assert "Of the harbour." in str(tool(tide).definition)
""",
    "files": """
from deepseek_async.types import ImagePart
image = ImagePart.from_bytes(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(40))
assert image.image_url.url.startswith("data:image/png;base64,"), image
""",
    "numpy": """
columns = asyncio.run(ask()).logprobs.array()
assert columns.logprobs.shape == (1,), columns
""",
    "dask": """
import deepseek_async.contrib.dask
""",
    "ray": """
import deepseek_async.contrib.ray
""",
    "otel": """
from deepseek_async.contrib.otel import OpenTelemetryHook
assert asyncio.run(ask(hooks=[OpenTelemetryHook()])).text == "one"
""",
    "prometheus": """
from deepseek_async.contrib.prometheus import PrometheusHook
from prometheus_client import generate_latest
assert asyncio.run(ask(hooks=[PrometheusHook()])).text == "one"
assert b"deepseek" in generate_latest() or b"gen_ai" in generate_latest()
""",
}


def extras() -> list[str]:
    """The names of the extras for users, as pyproject.toml has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [name for name in project["optional-dependencies"] if name not in NOT_FOR_USERS]


def use_alone(wheel: Path, extra: str) -> None:
    """Install one, use it, and leave nothing.

    Raises:
        subprocess.CalledProcessError: It cannot be installed, or its use failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "venv/bin/python")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", f"{folder}/venv"], check=True)
        wanted = f"{wheel.resolve()}[{extra}]"
        subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-qq", wanted], check=True)
        subprocess.run([python, "-I", "-c", _ASK + USES[extra]], check=True, cwd=folder, timeout=120)


def main() -> None:
    wheel, *named = sys.argv[1:]
    for extra in named or extras():
        use_alone(Path(wheel), extra)
        print(f"{extra}: alone, and well", flush=True)


if __name__ == "__main__":
    main()
