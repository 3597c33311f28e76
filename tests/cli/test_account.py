"""``deepseek-async models`` and ``balance``."""

from __future__ import annotations

import json

from deepseek_async.sandbox import Refuse, SandboxServer, Script

from .conftest import Run
from .terminal import painted, run_in_terminal


def test_models_in_a_pipe_are_lines_of_columns(run: Run) -> None:
    """One model a line, its id first, tab-separated: made for ``cut`` and ``while read``."""
    result = run("models", "--sandbox")
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert "deepseek-flash" in [row[0] for row in rows]
    assert {len(row) for row in rows} == {4}


def test_models_in_a_terminal_are_a_table() -> None:
    """With a heading, in columns."""
    _, written = run_in_terminal("models", "--sandbox")
    heading, first, *_ = painted(written, 80)
    assert heading.startswith("model ")
    assert first.startswith("deepseek-")


def test_models_as_json(run: Run) -> None:
    """The API's own list."""
    listed = json.loads(run("models", "--sandbox", "--json").stdout)
    assert listed["object"] == "list"
    assert {"id": "deepseek-flash", "object": "model"}.items() <= listed["data"][0].items()


def test_balance(run: Run, server: SandboxServer) -> None:
    """Amounts are exact and as the server wrote them."""
    result = run("balance", "--base-url", server.base_url)
    currency, total, granted, topped_up = result.stdout.rstrip("\n").split("\t")
    assert (currency, total, granted, topped_up) == ("USD", "110.00", "10.00", "100.00")
    assert json.loads(run("balance", "--sandbox", "--json").stdout)["balance_infos"][0]["total_balance"] == "110.00"


def test_a_refusal_is_one_line(run: Run, server: SandboxServer) -> None:
    """As for every command."""
    server.script(Script(faults=(Refuse(status=401),)))
    result = run("balance", "--base-url", server.base_url)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
