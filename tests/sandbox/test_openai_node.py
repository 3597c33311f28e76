"""The npm openai package, unchanged, as an independent client: `make test-node` installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deepseek_async.sandbox import SandboxServer, in_background

FOLDER = Path(__file__).parent / "node"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(not (FOLDER / "node_modules" / "openai").exists(), reason="run `make test-node` first")
def test_the_npm_package() -> None:
    """Chat, stream, tools, logprobs, JSON mode, FIM, error cases and scripts by header."""
    with in_background(SandboxServer(seed=4, prefix_cache=False)) as server:
        ran = subprocess.run(
            ["node", "--test", "conformance.test.js"],
            cwd=FOLDER,
            env={**os.environ, "DEEPSEEK_BASE_URL": server.base_url},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(server.requests) >= 20
