"""Groups of lines on their way to the disk, while others end the loop's tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deepseek_async.batch.journal.append import Appending
from deepseek_async.batch.journal.disk import Disk

pytestmark = pytest.mark.anyio


@contextmanager
def disk_of(path: Path) -> Iterator[Disk]:
    file = Appending(path)
    disk = Disk((file,))
    try:
        yield disk
    finally:
        file.close()


def cancel_the_rest(before: set[asyncio.Task[None]]) -> None:
    for task in asyncio.all_tasks() - before:
        task.cancel()


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("groups", [1, 2, 3])
async def test_who_waits_is_told_although_all_tasks_are_cancelled(tmp_path: Path, turns: int, groups: int) -> None:
    """As at the end of a loop: before the task has begun, while it waits for its time, while a group is on its way."""
    with disk_of(tmp_path / "lines") as disk:
        before = asyncio.all_tasks()
        async with asyncio.timeout(5):
            for number in range(groups - 1):
                waiting = disk.synced()
                if number == 0:
                    await waiting
            last = disk.synced()
            for _ in range(turns):
                await asyncio.sleep(0)
            cancel_the_rest(before)
            await last
            await disk.aclose()


async def test_a_loop_may_end_with_lines_on_their_way(tmp_path: Path) -> None:
    """Closing waits for them, also in a task that is cancelled with all others."""
    with disk_of(tmp_path / "lines") as disk:
        before = asyncio.all_tasks()

        async def run() -> None:
            try:
                while True:
                    await disk.synced()
                    disk.synced()
                    await asyncio.sleep(0)
            finally:
                await disk.aclose()

        running = asyncio.ensure_future(run())
        for _ in range(5):
            await asyncio.sleep(0.001)
        cancel_the_rest(before)
        async with asyncio.timeout(5):
            await asyncio.wait([running])
        assert running.cancelled()
