"""docs/batch.md says what is true."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.cli.app import app
from deepseek_async.sandbox import SandboxServer, in_background

PAGE = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.S | re.M)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SandboxServer]:
    """A sandbox that clients without a base URL ask, and an empty working directory."""
    monkeypatch.chdir(tmp_path)
    with in_background(SandboxServer(seed=1)) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.base_url)
        yield server


def run(example: str, names: dict[str, Any]) -> None:
    """Run an example as it stands."""
    code = compile(example, "docs/batch.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)  # noqa: S307 - our own page
    if asyncio.iscoroutine(result):
        asyncio.run(result)


def test_examples_run(server: SandboxServer, capsys: pytest.CaptureFixture[str]) -> None:
    """As they stand, one after the other; the first prints fifty answers, the second writes what the page shows."""
    names: dict[str, Any] = {}
    for example in EXAMPLES:
        run(example, names)
    printed = capsys.readouterr().out
    assert len(re.findall(r"^q-\d+ ", printed, re.M)) == 50
    assert "failed" not in printed
    (line,) = map(json.loads, Path("out.jsonl").read_text().splitlines())
    shown = re.search(r"```json\n(.*?)```", PAGE, re.S)
    assert shown is not None
    documented = json.loads(shown[1].replace("{…}", "{}"))
    assert line.keys() == documented.keys()
    assert line["x"].keys() == documented["x"].keys()
    assert line["response"].keys() == documented["response"].keys()
    rows = [{"custom_id": "a", "prompt": "Hi.", "max_tokens": 3}, {"custom_id": "b", "prompt": "Hi.", "temperature": 9}]
    good, bad = names["answers"](rows)
    assert (good["custom_id"], good["error"], bad["custom_id"], bad["answer"]) == ("a", None, "b", None)
    assert "temperature" in bad["error"]


@pytest.mark.parametrize("example", re.findall(r"^```py\n(.*?)^```$", PAGE, re.S | re.M))
def test_examples_for_engines_are_python(example: str) -> None:
    """They need an engine to run; what they import of ours is there."""
    tree = ast.parse(example)
    ours = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and "deepseek" in (node.module or "")]
    for node in ours:
        module = ast.unparse(node)
        if "contrib" not in module:
            exec(module, {})  # noqa: S102 - our own page
        else:
            found = find_spec(node.module or "")
            assert found is not None
            assert f"def {node.names[0].name}(" in Path(found.origin or "").read_text()


def test_every_command_of_the_page_exists() -> None:
    """And its options, too."""
    import click
    from typer.main import get_command

    whole: Any = get_command(app)  # it imports a command when it is asked for
    batch = whole.get_command(click.Context(whole), "batch")
    commands = re.findall(r"deepseek-async batch (\S+)(.*)", PAGE)
    assert {name for name, _ in commands} == set(batch.commands)
    for name, rest in commands:
        known = {option for parameter in batch.commands[name].params for option in parameter.opts}
        assert set(re.findall(r" (--?[a-z][a-z-]*)", rest.partition("#")[0])) <= known
