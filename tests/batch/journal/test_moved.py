"""Files that are taken from under a run, and file systems that cannot lock: noticed, said, and no row is lost."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import itertools
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import run_batch
from deepseek_async.batch.journal import journal as journal_module
from deepseek_async.batch.report import BatchReport

from ..account import Account, client_of

pytestmark = pytest.mark.anyio


def text_of(path: Path) -> str:
    return path.read_text()


def rows(count: int) -> list[dict[str, Any]]:
    return [{"custom_id": f"row-{number}", "prompt": f"row-{number}"} for number in range(count)]


async def run(account: Account, output: Path, **options: Any) -> BatchReport:
    return await run_batch(client_of(account), rows(40), output, max_concurrency=4, **options)


def renamed(path: Path) -> None:
    path.rename(path.with_name("elsewhere.jsonl"))


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    path.unlink()
    path.write_text("")


def rotated(path: Path) -> None:
    path.rename(path.with_name("elsewhere.jsonl"))
    path.write_text("")


def cut(path: Path) -> None:
    path.write_text("")


MISHAPS: dict[Callable[[Path], None], str] = {
    renamed: "was removed or renamed while the run wrote to it; its lines are in .*elsewhere.jsonl",
    removed: "was removed or renamed while the run wrote to it; its lines are saved to .*rescued",
    # Between its removal and the new file, a run may look.
    replaced: "was (replaced|removed) .*while the run wrote to it; its lines are saved to .*rescued",
    rotated: "was (replaced|removed) .*while the run wrote to it; its lines are in .*elsewhere.jsonl",
    cut: "was cut by somebody else while the run wrote to it, from [\\d,]+ bytes to",
}


async def mishap_after(
    number: int, mishap: Callable[[Path], None], path: Path, output: Path, durability: str
) -> tuple[BatchReport, Account]:
    """A run to whose file something happens once so many rows were answered."""
    account = Account()
    account.is_holding_all = True
    running = asyncio.ensure_future(run(account, output, durability=durability))
    for held in range(number):
        await account.until(lambda held=held: len(account.seen) > held)  # type: ignore[misc]
        account.let_go(f"row-{held}")
    await account.until(lambda: sum(account.answered.values()) == number)
    mishap(path)
    account.let_go()
    account.is_holding_all = False
    return await running, account


def put_back(output: Path) -> None:
    """What the message asks for."""
    for name in ("elsewhere.jsonl", "out.jsonl.rescued"):
        if (place := output.with_name(name)).exists():
            place.rename(output)


@pytest.mark.parametrize("durability", ["process", "power"])
@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.__name__)
async def test_an_output_that_is_taken_away(
    tmp_path: Path, mishap: Callable[[Path], None], durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run stops and says what is where; put back, the next one goes on: no row is lost or doubled."""
    monkeypatch.setattr(journal_module, "CHECK_SECONDS", 0.0)
    output = tmp_path / "out.jsonl"
    report, account = await mishap_after(7, mishap, output, output, durability)
    assert report.stopped == "moved"
    assert report.error is not None
    assert re.search(MISHAPS[mishap], report.error), report.error
    assert len(account.seen) < 40
    put_back(output)
    last = await run(account, output, durability=durability)
    assert last.stopped is None
    written = Counter(json.loads(line)["custom_id"] for line in text_of(output).splitlines())
    assert written == {f"row-{number}": 1 for number in range(40)}
    again = {name for name, count in account.answered.items() if count > 1}
    assert again <= set(last.possibly_billed_twice)
    assert bool(again) is (mishap is cut)


@pytest.mark.parametrize("mishap", [renamed, removed, replaced], ids=lambda mishap: mishap.__name__)
async def test_a_side_file_that_is_taken_away(tmp_path: Path, mishap: Callable[[Path], None]) -> None:
    """It holds what may have been billed: noticed as well."""
    output = tmp_path / "out.jsonl"
    report, _ = await mishap_after(7, mishap, tmp_path / "out.jsonl.run.jsonl", output, "power")
    assert report.stopped == "moved"
    assert "out.jsonl.run.jsonl was" in str(report.error)


async def test_it_is_noticed_at_the_end(tmp_path: Path) -> None:
    """Though all rows have been answered by then."""
    output = tmp_path / "out.jsonl"
    report, account = await mishap_after(40, removed, output, output, "process")
    assert (report.succeeded, report.stopped) == (40, "moved")
    put_back(output)
    assert (await run(account, output)).skipped == 40


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
async def test_a_file_system_without_locks(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """NFS without a lock service, FUSE: it runs, and warns."""

    def flock(fd: int, operation: int) -> None:
        raise OSError(number, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    with caplog.at_level(logging.WARNING, "deepseek_async"):
        report = await run(Account(), tmp_path / "out.jsonl")
    assert (report.succeeded, report.stopped) == (40, None)
    assert "this file system has no locks" in caplog.text


async def test_a_program_that_changes_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An output by a relative path is where it was."""
    monkeypatch.chdir(tmp_path)
    account = Account()
    account.hold("row-20")
    running = asyncio.ensure_future(run(account, Path("out.jsonl")))
    await account.until(lambda: len(account.seen) > 20)
    monkeypatch.chdir("/")
    account.let_go()
    report = await running
    assert (report.succeeded, report.stopped) == (40, None)


async def test_inode_numbers_that_are_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network file system that tells another number at each look."""
    numbers, look = itertools.count(1), os.stat

    def stat(path: Any, **options: Any) -> Any:
        seen = look(path, **options)
        if str(path).endswith(".jsonl"):
            return os.stat_result((*seen[:1], next(numbers), *seen[2:]), {"st_mtime_ns": seen.st_mtime_ns})
        return seen

    monkeypatch.setattr(os, "stat", stat)
    report = await run(Account(), tmp_path / "out.jsonl")
    assert (report.succeeded, report.stopped) == (40, None)
