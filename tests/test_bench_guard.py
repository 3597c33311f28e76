"""Reading costs no more, next to a hand-written loop, than it did when its ratios were stored."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

pytest.importorskip("orjson")

from benchmarks import guard, guarded

KEPT = {"a": {"json": 1.0, "orjson": 2.0}, "b": {"json": 1.0, "orjson": 2.0}}


def _case(growth: float) -> dict[str, float]:
    return {"json": growth, "orjson": 2 * growth}


def test_ratios_stay_within_the_slack_of_the_stored_ones() -> None:
    """Decoding alone, and answers over loopback: ours over the floors is about what was stored."""
    # In a process that no coverage tracer enters: it would slow ours down, and not the floors, which are C.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-m", "benchmarks.guard", "--quick"]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_fails_and_says_which_case_grew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, and a line for each case beyond its slack."""
    monkeypatch.setattr(sys, "argv", ["guard", "--quick"])
    monkeypatch.setattr(guard, "stored", lambda: (guard.this_python(), KEPT))
    monkeypatch.setattr(guard, "ratios", lambda seconds, names=None: {"a": _case(1.7), "b": _case(1.5)})
    assert guard.main() == 1
    assert capsys.readouterr().err == "slower than stored: a: 1.70 times what is stored, at most 1.6 with its slack\n"
    monkeypatch.setattr(sys, "argv", ["guard"])
    assert guard.main() == 1
    assert "b: 1.50 times what is stored, at most 1.12" in capsys.readouterr().err


def test_another_python_has_more_slack(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ratios hold for the interpreter that they were stored with; another is told apart, and still guarded."""
    monkeypatch.setattr(sys, "argv", ["guard", "--quick"])
    monkeypatch.setattr(guard, "stored", lambda: ("CPython 2.7 pdp11", KEPT))
    monkeypatch.setattr(guard, "ratios", lambda seconds, names=None: {"a": _case(1.3), "b": _case(1.1)})
    assert guard.main() == 0
    assert "are of CPython 2.7 pdp11" in capsys.readouterr().out
    monkeypatch.setattr(guard, "ratios", lambda seconds, names=None: {"a": _case(1.7), "b": _case(1.1)})
    assert guard.main() == 1


def test_what_is_measured_can_be_stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`--store` makes the present ratios those to hold, with the Python that they are of."""
    monkeypatch.setattr(sys, "argv", ["guard", "--store"])
    monkeypatch.setattr(guard, "STORED", tmp_path / "guard.json")
    guard.STORED.write_text('{"python": "", "ratios": {}}')
    monkeypatch.setattr(guard, "ratios", lambda seconds: {"a": _case(1.23456)})
    assert guard.main() == 0
    assert guard.stored() == (guard.this_python(), {"a": {"json": 1.235, "orjson": 2.469}})


@pytest.mark.usefixtures("light_heap")
def test_every_case_reads_what_was_sent() -> None:
    """A ratio is measured for each case and floor, of readers that saw every character and chunk."""
    _, kept = guard.stored()
    found = guarded.ratios(seconds=0)
    assert {name: set(case) for name, case in found.items()} == {name: set(case) for name, case in kept.items()}
    assert all(ratio > 0 for case in found.values() for ratio in case.values())


def test_a_case_beyond_its_slack_is_named() -> None:
    """The guard can fail: what grew by more than the slack is told; what grew by less is not."""
    assert guard.regressions({"a": _case(1.34), "b": _case(0.2)}, KEPT, slack=1.35) == []
    (line,) = guard.regressions({"a": _case(1.36), "b": _case(0.2)}, KEPT, slack=1.35)
    assert line == "a: 1.36 times what is stored, at most 1.35 with its slack"


def test_cases_over_loopback_have_more_slack() -> None:
    """Their floors' costs jump with what malloc does; that alone is no regression, and more than that is."""
    kept = {"bursts": _case(1.0)}
    assert guard.regressions({"bursts": _case(1.2)}, kept, slack=1.15) == []
    assert guard.regressions({"bursts": _case(1.3)}, kept, slack=1.15) != []


def test_a_floor_that_became_cheaper_is_no_regression() -> None:
    """Ours grew only if it grew next to every floor: one alone says that the floor has moved."""
    assert guard.growth({"json": 1.05, "orjson": 3.0}, KEPT["a"]) == pytest.approx(1.05)


def test_cases_known_to_one_side_only_are_named() -> None:
    """A case that is new or was dropped cannot pass unseen."""
    lines = guard.regressions({"new": _case(1.0)}, {"old": _case(1.0)}, slack=1.35)
    assert [line.split(":")[0] for line in lines] == ["old", "new"]


def test_one_bad_moment_is_no_regression() -> None:
    """Cases beyond their slack, and those alone, are measured again; the best of three attempts counts."""
    asked: list[list[str] | None] = []

    def measure(moments: Iterable[float], names: Iterable[str] | None) -> guard.Ratios:
        asked.append(None if names is None else list(names))
        growth = next(iter(moments))
        return {name: _case(growth if name == "a" else 1.0) for name in (names or ("a", "b"))}

    bad_once = iter([9.0, 1.1])
    assert guard.best_of(lambda names: measure(bad_once, names), KEPT, 1.35)["a"] == _case(1.1)
    assert asked == [None, ["a"]]
    always_bad = iter([9.0, 8.0, 8.5, 1.0])
    assert guard.best_of(lambda names: measure(always_bad, names), KEPT, 1.35)["a"] == _case(8.0)
