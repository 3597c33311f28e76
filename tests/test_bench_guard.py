"""Reading costs no more, next to a hand-written loop, than it did when its ratios were stored."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("orjson")

from benchmarks import guard


def test_ratios_stay_within_the_slack_of_the_stored_ones() -> None:
    """Bytes to chunks and to the fold: ours over the floors, the least of many turns, is about what was stored."""
    # In a process that no coverage tracer enters: it would slow ours down, and not the floors, which are C.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-m", "benchmarks.guard", "--quick"]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_fails_and_says_which_ratio_grew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, and a line for each ratio beyond its slack."""
    monkeypatch.setattr(sys, "argv", ["guard", "--quick"])
    monkeypatch.setattr(guard, "stored", lambda: {"a / json": 1.0, "b / json": 1.0})
    monkeypatch.setattr(guard, "ratios", lambda turns: {"a / json": 2.5, "b / json": 1.1})
    assert guard.main() == 1
    assert capsys.readouterr().err == "slower than stored: a / json: 2.50, stored 1.00, at most 2.00 with its slack\n"


def test_every_case_reads_the_text_that_was_sent() -> None:
    """A ratio is measured for each case and floor, of readers that saw every character."""
    assert set(guard.ratios(turns=1)) == set(guard.stored())


def test_a_ratio_beyond_its_slack_is_named() -> None:
    """The guard can fail: what grew by more than the slack is told with both figures; what grew by less is not."""
    kept = {"a / json": 1.0, "b / json": 1.0}
    assert guard.regressions({"a / json": 1.34, "b / json": 1.0}, kept, slack=1.35) == []
    (line,) = guard.regressions({"a / json": 1.36, "b / json": 0.2}, kept, slack=1.35)
    assert line == "a / json: 1.36, stored 1.00, at most 1.35 with its slack"


def test_cases_known_to_one_side_only_are_named() -> None:
    """A case that is new or was dropped cannot pass unseen."""
    lines = guard.regressions({"new / json": 0.5}, {"old / json": 0.5})
    assert [line.split(":")[0] for line in lines] == ["old / json", "new / json"]


def test_one_bad_moment_is_no_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what two measurements agree on counts."""
    monkeypatch.setattr(guard, "stored", lambda: {"a / json": 1.0})
    moments = iter([{"a / json": 9.0}, {"a / json": 1.1}])
    assert guard.confirmed_regressions(lambda: next(moments), 1.35) == []
    assert len(guard.confirmed_regressions(lambda: {"a / json": 9.0}, 1.35)) == 1
