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
from deepseek_async.sandbox.scripts.script import Fault

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
EXAMPLES = [block for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.S | re.M) if "import pytest" not in block]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_run(number: int) -> None:
    """As they stand."""
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


def test_every_fault_is_in_the_table() -> None:
    """And none that does not exist."""
    table = PAGE[PAGE.index("| fault |") : PAGE.index("The first three rows")]
    named = set(re.findall(r"`(\w+)\(", table))
    assert named == {fault.__name__ for fault in get_args(Fault)}
    assert named <= set(sandbox.__all__)
