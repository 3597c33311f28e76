"""``kill -9`` in every phase, again and again: no row is lost, none is doubled, and the bill is accounted for."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from deepseek_async.batch.journal.standing import standing_of
from deepseek_async.batch.run import AHEAD

from .standin import Running, standin

IN_FLIGHT: Final = 32
# What a run does when it is killed. From outside, at any moment: starting (which takes longest), sending. From inside,
# half way through a change of its files: opening the output, mending it or writing the header; a mark or a row; the
# closing report.
PHASES: Final = ("sending", "opening", "writing", "closing", "starting")


@attrs.define
class Account:
    """What was billed, against what was written."""

    server: Running
    output: Path
    before: Counter[str]
    unfinished: frozenset[str] = frozenset()
    answers_lost: int = 0
    most_lost: int = 0

    @property
    def billed(self) -> Counter[str]:
        return Counter(self.server.stats()["billed"]) - self.before

    @property
    def written(self) -> Counter[str]:
        """Rows by their whole lines; all of them succeeded."""
        lines = [json.loads(line) for line in self.output.read_bytes().split(b"\n")[:-1]]
        assert all(line["error"] is None and line["response"]["body"]["choices"] for line in lines)
        return Counter(line["custom_id"] for line in lines)

    def after_kill(self, durability: str) -> None:
        """No more was lost than was in flight, and all of it is known to be unfinished; nor is much else."""
        if not self.output.exists():
            return  # killed before it began
        billed, written = self.billed, self.written
        assert max(written.values(), default=1) == 1, "doubled"
        lost = billed.total() - written.total() - self.answers_lost
        assert 0 <= lost <= IN_FLIGHT, "more billed and not written than was in flight at the kill"
        self.answers_lost += lost
        self.most_lost = max(self.most_lost, lost)
        unfinished = frozenset(standing_of(self.output).unfinished)
        assert set(billed) - set(written) <= unfinished, "billed, not written, and not told"
        most = IN_FLIGHT + (AHEAD if durability == "power" else 0)
        assert len(unfinished - self.unfinished) <= most, "more told than can have been sent"
        self.unfinished = unfinished


def _kill(command: Sequence[str], phase: str, side: Path, chance: random.Random, start_seconds: float) -> float:
    """Run until killed in a phase. Returns seconds from the start to the first rows sent; 0 if that was not seen."""
    share = str(chance.choice([0, 0.5, 1, chance.random()]))
    match phase:
        case "opening":
            command = [*command, "call", str(chance.choice([1, 1, 2])), share]
        case "writing":
            command = [*command, "call", str(chance.randint(3, 300)), share]
        case "closing":
            command = [*command, "closing", str(chance.random() * 0.1), share]
    size = side.stat().st_size if side.exists() else 0
    began, started_in = time.monotonic(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        if phase == "starting":
            time.sleep(chance.random() * start_seconds)
            process.kill()
        elif phase == "sending":
            while (not side.exists() or side.stat().st_size <= size + 300) and process.poll() is None:
                assert time.monotonic() < began + 30
                time.sleep(0.001)  # until it has sent its first rows
            started_in = time.monotonic() - began
            time.sleep(chance.random() * 0.1)
            process.kill()
        assert process.wait(60) == -signal.SIGKILL, f"it ended before it was killed {phase}"
    return started_in


def _kill_until_done(
    server: Running, folder: Path, *, rows: int, kills: int, durability: str, seed: int
) -> tuple[dict[str, Any], Account]:
    """Start the run, kill it, start it again …, at last let it end; meanwhile check the files against the account.

    Returns:
        The last run's report, and the account.
    """
    source, output = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join(f'{{"custom_id":"row-{n}","prompt":"say row-{n}"}}\n' for n in range(rows)))
    account = Account(server, output, Counter(server.stats()["billed"]))
    side = output.with_name("out.jsonl.run.jsonl")
    command = [sys.executable, "-m", "tests.batch.killed", server.base_url, str(source), str(output), durability]
    chance, start_seconds = random.Random(seed), 0.0
    for phase in islice(cycle(PHASES), kills):
        start_seconds = _kill(command, phase, side, chance, start_seconds) or start_seconds
        account.after_kill(durability)
    done = subprocess.run(command, capture_output=True, check=True, timeout=300)
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["stopped"] is None
    assert report["skipped"] + report["succeeded"] == rows

    billed, written = account.billed, account.written
    assert written == {f"row-{number}": 1 for number in range(rows)}, "lost or doubled"
    assert set(billed) == set(written), "an answer that nobody gave"
    again = {row for row, count in billed.items() if count > 1}
    assert billed.total() - rows == account.answers_lost, "billed again, though no kill lost its answer"
    assert again <= set(report["possibly_billed_twice"]), "billed again and not told"
    assert not standing_of(output).unfinished
    return report, account


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_kill_in_every_phase(tmp_path: Path, durability: str) -> None:
    """Killed five times, the next run ends with every row once."""
    with standin(latency=0.02, jitter=0.5) as server:
        _kill_until_done(server, tmp_path, rows=800, kills=len(PHASES), durability=durability, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("durability", ["process", "power"])
def test_two_hundred_kills(tmp_path: Path, durability: str) -> None:
    """The same, forty times in each phase."""
    with standin(latency=0.02, jitter=0.9) as server:
        report, account = _kill_until_done(server, tmp_path, rows=40_000, kills=200, durability=durability, seed=7)
    print(
        f"{durability}: 200 kills, 40 in each phase; {report['skipped'] + report['succeeded']:,} rows, none lost, none "
        f"doubled; {account.answers_lost} answers lost in flight and billed again, {account.most_lost} by one kill at "
        f"most (<= {IN_FLIGHT}), all of them among the {len(report['possibly_billed_twice']):,} that are told"
    )
