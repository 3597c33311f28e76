"""Disks that fail under a run, again and again: no row is lost, none is doubled, and the bill is accounted for."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from deepseek_async import AsyncClient, run_batch
from deepseek_async.batch.journal import append
from deepseek_async.batch.journal import journal as journal_module
from deepseek_async.batch.journal.standing import standing_of
from deepseek_async.batch.report import BatchReport

from .standin import Running, standin

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it asks /proc whose files are written to")

FAULTS: Final = ("full", "read-only", "fsync", "renamed", "removed", "replaced", "rotated", "cut")
IN_FLIGHT: Final = 32


@attrs.define
class _Disk:
    """What the system answers for the files of one output, from a call of a number on."""

    output: Path
    fault: str
    number: int
    share: float
    calls: int = 0
    is_failing: bool = False

    def is_ours(self, fd: int) -> bool:
        return str(Path(f"/proc/self/fd/{fd}").readlink()).startswith(str(self.output.parent))

    def write(self, fd: int, data: bytes) -> int:
        if self.is_ours(fd):
            self.calls += 1
            if self.calls == self.number and self.fault in ("renamed", "removed", "replaced", "rotated", "cut"):
                self._move()
            if self.fault in ("full", "read-only") and self.calls >= self.number:
                if self.is_failing or self.fault == "read-only":
                    raise OSError(errno.ENOSPC if self.fault == "full" else errno.EROFS, "a disk that fails")
                self.is_failing = True  # a part still fits
                return _write(fd, data[: int(len(data) * self.share)])
        return _write(fd, data)

    def sync(self, fd: int) -> None:
        self.calls += self.fault == "fsync" and self.is_ours(fd)
        if self.fault == "fsync" and self.calls >= self.number // 10 + 1:
            raise OSError(errno.EIO, "a disk that fails")

    def _move(self) -> None:
        elsewhere = self.output.with_name("elsewhere.jsonl")
        if self.fault in ("renamed", "rotated"):
            self.output.rename(elsewhere)
        elif self.fault in ("removed", "replaced"):
            self.output.unlink()
        if self.fault in ("rotated", "replaced", "cut"):
            self.output.write_bytes(b"")

    def put_back(self) -> None:
        """What the report asks for."""
        for name in ("elsewhere.jsonl", f"{self.output.name}.rescued"):
            if (place := self.output.with_name(name)).exists():
                place.replace(self.output)


_write = os.write


@contextmanager
def _failing(disk: _Disk) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", disk.write)
        patch.setattr(append, "_sync", disk.sync)
        patch.setattr(journal_module, "CHECK_SECONDS", 0.0)
        yield


async def _run(server: Running, source: Path, output: Path, durability: Any) -> BatchReport | None:
    """A run's report; ``None`` if the disk failed at its very beginning or end."""
    async with AsyncClient(base_url=server.base_url) as client:
        try:
            return await run_batch(client, source, output, max_concurrency=IN_FLIGHT, durability=durability)
        except OSError:
            return None


def _fail_until_done(
    server: Running, folder: Path, *, rows: int, faults: int, seed: int
) -> tuple[Counter[str], set[str]]:
    """Run on a disk that fails, again and again, and at last on one that does not.

    Returns:
        How the runs stopped, and the ids that were told to be billed twice, possibly.
    """
    source, output = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join(f'{{"custom_id":"row-{n}","prompt":"say row-{n}"}}\n' for n in range(rows)))
    before = Counter(server.stats()["billed"])
    chance, stops, told = random.Random(seed), Counter[str](), set[str]()
    for number, fault in enumerate(islice(cycle(FAULTS), faults)):
        disk = _Disk(output, fault, chance.randint(1 if fault in ("full", "read-only") else 5, 300), chance.random())
        durability = "power" if fault == "fsync" or number % 2 else "process"
        with _failing(disk):
            report = asyncio.run(_run(server, source, output, durability))
        disk.put_back()
        stops["raised" if report is None else str(report.stopped)] += 1
        told.update(() if report is None else report.possibly_billed_twice)
        if output.exists():
            lines = output.read_bytes().split(b"\n")[:-1]
            written = Counter(json.loads(line)["custom_id"] for line in lines)
            assert max(written.values(), default=1) == 1, f"doubled by {disk.fault}"
            billed = Counter(server.stats()["billed"]) - before
            unfinished = set(standing_of(output).unfinished)
            assert set(billed) - set(written) <= unfinished, f"billed, not written, and not told, by {disk.fault}"
    last = asyncio.run(_run(server, source, output, "power"))
    assert last is not None
    assert last.stopped is None
    told.update(last.possibly_billed_twice)
    written = Counter(json.loads(line)["custom_id"] for line in output.read_bytes().splitlines())
    assert written == {f"row-{number}": 1 for number in range(rows)}, "lost or doubled"
    billed = Counter(server.stats()["billed"]) - before
    assert {row for row, count in billed.items() if count > 1} <= told, "billed again and not told"
    return stops, told


def test_a_disk_that_fails_in_every_way(tmp_path: Path) -> None:
    """Twice in each; and each was noticed."""
    with standin(latency=0.005, jitter=0.5) as server:
        stops, _ = _fail_until_done(server, tmp_path, rows=4000, faults=2 * len(FAULTS), seed=3)
    assert stops["moved"] >= 8, stops
    assert stops["disk"] + stops["raised"] >= 4, stops
    assert not stops["None"], "a fault that nobody noticed"


@pytest.mark.soak
def test_two_hundred_disk_faults(tmp_path: Path) -> None:
    """Twenty-five times in each."""
    with standin(latency=0.005, jitter=0.9) as server:
        stops, told = _fail_until_done(server, tmp_path, rows=60_000, faults=200, seed=11)
    print(
        f"200 disk faults, 25 of each of {', '.join(FAULTS)}: the runs stopped {dict(stops)}; 60,000 rows, none lost, "
        f"none doubled; all that was billed again is among the {len(told):,} rows that are told"
    )
