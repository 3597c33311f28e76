"""Every example in docs runs as it stands, against the sandbox, page by page from top to bottom."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.sandbox import SandboxServer, in_background

DOCS = Path(__file__).parent.parent / "docs"
TESTED_ELSEWHERE = {"batch.md", "sandbox.md"}
PAGES = sorted(path for path in DOCS.glob("*.md") if path.name not in TESTED_ELSEWHERE)
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SandboxServer]:
    """A sandbox that clients without a base URL ask, and an empty working directory."""
    monkeypatch.chdir(tmp_path)
    with in_background(SandboxServer(seed=1)) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.base_url)
        yield server


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_examples_run(page: Path, server: SandboxServer) -> None:
    """The names of one example are there for the next; a page may assert what it says."""
    names: dict[str, Any] = {"__name__": page.stem, "server": server}
    for number, example in enumerate(EXAMPLE.findall(page.read_text(encoding="utf-8")), 1):
        where = f"{page.name}, example {number}"
        code = compile(example, where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)  # noqa: S307 - our own page
        if asyncio.iscoroutine(result):
            asyncio.run(result)


LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A page that is linked is there."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
