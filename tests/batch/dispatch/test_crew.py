"""Tasks that do one piece of work after another."""

from __future__ import annotations

import asyncio

import pytest

from deepseek_async.batch.dispatch.background import Crew

pytestmark = pytest.mark.anyio


async def test_a_task_that_is_done_takes_the_next_piece() -> None:
    """As many tasks as pieces at once, and no more; they end when nothing more will come."""
    done: list[tuple[int, asyncio.Task[None] | None]] = []

    async def work(piece: int) -> None:
        await asyncio.sleep(0)
        done.append((piece, asyncio.current_task()))

    crew = Crew(work, pytest.fail)
    async with asyncio.TaskGroup() as tasks:
        for number in range(0, 12, 3):
            for piece in range(number, number + 3):
                crew.start(piece, tasks)
            for _ in range(4):
                await asyncio.sleep(0)
        crew.cancel()
    assert [piece for piece, _ in done] == list(range(12))
    assert len({task for _, task in done}) == 3


async def test_a_task_that_somebody_cancelled_is_given_nothing() -> None:
    """Neither while it works nor while it waits; its group goes on."""
    started: list[int] = []
    workers: list[asyncio.Task[None]] = []
    hold = asyncio.Event()

    async def work(piece: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        workers.append(task)
        started.append(piece)
        await hold.wait()

    crew = Crew(work, pytest.fail)
    async with asyncio.TaskGroup() as tasks:
        crew.start(1, tasks)
        await asyncio.sleep(0)
        hold.set()
        await asyncio.sleep(0)
        workers[0].cancel()
        crew.start(2, tasks)
        for _ in range(3):
            await asyncio.sleep(0)
        assert workers[0].cancelled()
        assert started == [1, 2]
        assert workers[1] is not workers[0]
        crew.cancel()
    assert all(task.done() for task in workers)


async def test_what_a_task_had_not_begun_is_given_back() -> None:
    """Whether it was made for it or woken."""
    given_back: list[int] = []

    async def work(_: int) -> None: ...

    crew = Crew(work, given_back.append)
    async with asyncio.TaskGroup() as tasks:
        before = asyncio.all_tasks()
        crew.start(1, tasks)
        await asyncio.sleep(0)
        crew.start(2, tasks)  # wakes the first
        crew.start(3, tasks)
        for task in asyncio.all_tasks() - before:
            task.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
        assert sorted(given_back) == [2, 3]
        crew.start(4, tasks)
        crew.cancel()
    assert sorted(given_back) == [2, 3]
