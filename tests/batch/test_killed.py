"""``kill -9`` at random moments, again and again: no row is lost, none is doubled, and the bill is accounted for."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .standin import Running, standin

IN_FLIGHT = 32


def _kill_until_done(
    server: Running, folder: Path, *, rows: int, kills: int, durability: str, seed: int
) -> dict[str, Any]:
    """Start the run, kill it after a random while, start it again …; then check the files against the account.

    Returns:
        The last run's report.
    """
    source, output = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join(f'{{"custom_id":"row-{n}","prompt":"say row-{n}"}}\n' for n in range(rows)))
    before = Counter(server.stats()["billed"])
    side = output.with_name("out.jsonl.run.jsonl")
    command = [sys.executable, "-m", "tests.batch.killed", server.base_url, str(source), str(output), durability]
    chance = random.Random(seed)
    billed_twice_by_kill = []
    for _ in range(kills):
        size = side.stat().st_size if side.exists() else 0
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 30
            while (not side.exists() or side.stat().st_size <= size + 300) and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.001)  # until it has sent its first rows
            time.sleep(chance.random() * 0.1)
            process.kill()
        billed = Counter(server.stats()["billed"]) - before
        billed_twice_by_kill.append(sum(count - 1 for count in billed.values()))
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    report: dict[str, Any] = json.loads(done.stdout)
    billed = Counter(server.stats()["billed"]) - before

    written = Counter(json.loads(line)["custom_id"] for line in output.read_bytes().splitlines())
    assert set(written) == {f"row-{number}" for number in range(rows)}, "lost"
    assert set(written.values()) == {1}, "doubled"
    again = {row: count - 1 for row, count in billed.items() if count > 1}
    assert set(again) <= set(report["possibly_billed_twice"]), "billed again and not told"
    for one, next_one in zip([0, *billed_twice_by_kill], [*billed_twice_by_kill, sum(again.values())], strict=False):
        assert next_one - one <= IN_FLIGHT, "more billed again than was in flight at the kill"
    assert report["stopped"] is None
    return {**report, "again": sum(again.values())}


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_few_kills(tmp_path: Path, durability: str) -> None:
    """Killed three times in the middle, the fourth run ends with every row once."""
    with standin(latency=0.02, jitter=0.5) as server:
        report = _kill_until_done(server, tmp_path, rows=600, kills=3, durability=durability, seed=1)
    assert report["skipped"] + report["succeeded"] == 600
    assert report["run"] == 4


@pytest.mark.soak
@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_hundred_kills(tmp_path: Path, durability: str) -> None:
    """The same a hundred times over."""
    with standin(latency=0.02, jitter=0.9) as server:
        report = _kill_until_done(server, tmp_path, rows=20_000, kills=100, durability=durability, seed=7)
    print(
        f"{durability}: 100 kills, {report['skipped'] + report['succeeded']} rows once each, {report['again']} billed "
        f"again, {len(report['possibly_billed_twice'])} on the list"
    )
