"""Each client, newest, in an environment of its own, plays every case against the sandbox.

A package that cannot be installed fails its test; nothing is left out in silence.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from deepseek_async.sandbox import SandboxServer, in_background

HERE = Path(__file__).parent
ENVIRONMENTS = Path(os.environ.get("CLIENTS", Path(sys.prefix) / "clients"))
CASES = ("chat", "stream", "tool loop", "structured output", "thinking with a tool turn", "429", "cut")
INSTALL_SECONDS = 1200.0


@attrs.frozen
class OtherClient:
    """Somebody else's client.

    Attributes:
        name: As its users say it.
        packages: What is installed.
        script: Which plays the cases; ``.py`` or ``.mjs``.
    """

    name: str
    packages: tuple[str, ...]
    script: str

    @property
    def folder(self) -> Path:
        """Its environment."""
        return ENVIRONMENTS / self.name.replace("/", "-").strip("@")

    @property
    def is_node(self) -> bool:
        return self.script.endswith(".mjs")


CLIENTS = (
    OtherClient("openai", ("openai",), "with_openai.py"),
    OtherClient("litellm", ("litellm", "tenacity"), "with_litellm.py"),
    OtherClient("langchain-deepseek", ("langchain-deepseek",), "with_langchain_deepseek.py"),
    OtherClient("pydantic-ai", ("pydantic-ai-slim[openai]",), "with_pydantic_ai.py"),
    OtherClient("mistralai", ("mistralai",), "with_mistralai.py"),
    OtherClient("instructor", ("instructor",), "with_instructor.py"),
    OtherClient("llama-index-llms-deepseek", ("llama-index-llms-deepseek",), "with_llama_index.py"),
    OtherClient("haystack", ("haystack-ai",), "with_haystack.py"),
    OtherClient("openai-agents", ("openai-agents",), "with_openai_agents.py"),
    OtherClient("openai-node", ("openai",), "openai.mjs"),
    OtherClient("ai-sdk-deepseek", ("@ai-sdk/deepseek", "ai", "zod"), "ai_sdk.mjs"),
    OtherClient("langchain-deepseek-node", ("@langchain/deepseek", "@langchain/core", "zod"), "langchain.mjs"),
)


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run an installer. Raises `AssertionError` with what it said."""
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-3000:]


def install(client: OtherClient) -> None:
    """Make its environment, unless an earlier run has."""
    done = client.folder / ".installed"
    if done.exists():
        return
    client.folder.mkdir(parents=True, exist_ok=True)
    if client.is_node:
        if shutil.which("npm") is None:
            pytest.skip("node is not installed")
        (client.folder / "package.json").write_text('{"private": true, "type": "module"}')
        run("npm", "install", "--no-fund", "--no-audit", *client.packages, cwd=client.folder)
    else:
        run(sys.executable, "-m", "venv", "--without-pip", client.folder)
        target = client.folder / "bin" / "python"
        run(sys.executable, "-m", "pip", "--python", target, "install", "-q", "--no-compile", *client.packages)
    done.touch()


def played(client: OtherClient, base_url: str) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """The versions, and what came of each case."""
    folder = HERE / ("node" if client.is_node else "python")
    if client.is_node:
        for script in (client.script, "playing.mjs"):
            shutil.copy(folder / script, client.folder)
        command = ["node", client.script]
    else:
        command = [str(client.folder / "bin" / "python"), str(folder / client.script)]
    ran = subprocess.run(
        command,
        cwd=client.folder,
        env={**os.environ, "SANDBOX": base_url, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert told, (ran.stdout + ran.stderr)[-3000:]
    versions: dict[str, str] = told[0]["versions"]
    return versions, {line["case"]: line for line in told[1:]}


# Each in a process of its own: most of the time goes into installing.
@pytest.fixture(
    scope="module",
    params=[pytest.param(client, id=client.name) for client in CLIENTS],
)
def outcome(request: pytest.FixtureRequest) -> tuple[str, dict[str, dict[str, Any]]]:
    """A client's name with versions, and what came of each case."""
    client: OtherClient = request.param
    install(client)
    with in_background(SandboxServer(seed=4, rules="today", prefix_cache=False)) as server:
        versions, cases = played(client, server.base_url)
    first, *more = versions.items()
    label = f"{client.name} {first[1]}" + (f" ({', '.join(f'{name} {told}' for name, told in more)})" if more else "")
    return label, cases


@pytest.mark.parametrize("case", CASES)
def test_case(outcome: tuple[str, dict[str, dict[str, Any]]], case: str, record_property: Any) -> None:
    """The client gets what it should; what is its own doing is told."""
    label, cases = outcome
    record_property("system", label)
    record_property("case", case)
    assert case in cases, "the client's script ended before it"
    assert "failed" not in cases[case], cases[case]["failed"]
    record_property("words", cases[case]["words"])
