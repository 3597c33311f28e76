"""docs/sandbox.md says what is true."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from deepseek_async import sandbox
from deepseek_async.sandbox import read_script
from deepseek_async.sandbox.scripts.faults import Fault
from deepseek_async.sandbox.server.control.paths import CONTROL

from .talking import Talk

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
EXAMPLES = [block for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.S | re.M) if "import pytest" not in block]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_run(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    code = compile(EXAMPLES[number], "docs/sandbox.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}
    result = eval(code, names)  # noqa: S307 - our own page
    if asyncio.iscoroutine(result):
        asyncio.run(result)
    assert "Script" in names or "Schedule" in names


def test_the_script_in_the_header_is_one() -> None:
    """What the curl example sends."""
    (text,) = re.findall(r"x-sandbox-script: (\{.*\})'", PAGE)
    assert [type(fault).__name__ for fault in read_script(text).faults] == ["Stall", "Cut", "LateHead"]


async def test_the_bodies_of_the_control_paths_are_taken(talk: Talk) -> None:
    """Those of the table, as they stand; every path of the table is served, and none is missing."""
    rows = re.findall(r"^\| `(GET|POST|PUT|DELETE) (/sandbox\S*)` \| (.*) \|$", PAGE, re.M)
    assert {(method, path) for method, path, _ in rows} == {
        (method, path) for path, methods in CONTROL.items() if path.startswith("/sandbox") for method in methods
    }
    for method, path, text in rows:
        if method in ("POST", "PUT"):
            bodies = re.findall(r"`(\{.*?\})`", text)
            assert bodies
            for body in bodies:
                assert (await talk.send(method, path, data=body)).status == 200


def test_every_fault_is_in_the_table() -> None:
    """And none that does not exist."""
    table = PAGE[PAGE.index("| fault |") : PAGE.index("The first three rows")]
    named = set(re.findall(r"`(\w+)\(", table))
    assert named == {fault.__name__ for fault in get_args(Fault)}
    assert named <= set(sandbox.__all__)
