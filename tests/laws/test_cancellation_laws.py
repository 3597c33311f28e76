"""A cancellation is never swallowed: not by a deadline, a wait's end or another task's closing in the same turn."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from deepseek_async import APITimeoutError, AsyncClient, DeepSeekError, Resume, RetryPolicy, Timeouts
from deepseek_async.calls.deadlines import Deadlines
from deepseek_async.transport import Answer, Pause, ScriptedTransport

from ..leaping import leap
from ..wire import HELLO, chunk, stream_of, whole

ASK: dict[str, Any] = {"model": "m", "messages": HELLO}
DEADLINE = 8.0

Use = Callable[[AsyncClient], Awaitable[object]]


async def create(client: AsyncClient) -> object:
    return await client.chat.completions.create(**ASK)


async def read(client: AsyncClient) -> object:
    async with client.chat.completions.stream(**ASK, resume=Resume()) as stream:
        return [delta async for delta in stream.deltas()]


async def drain(client: AsyncClient) -> object:
    return await client.chat.completions.stream(**ASK).completion()


def answers(kind: int) -> list[Any]:
    """What ends in silence, at different places: before the head, before a chunk, amid the answer, between attempts."""
    half = stream_of(chunk("Hel"), done=False)
    return [
        [Answer(before_head=[Pause()])],
        [Answer([Pause()])],
        [Answer([half, Pause()])],
        [whole(b"{}", 503), whole(b"{}", 503), Answer([Pause()])],
    ][kind]


async def once(use: Use, kind: int, timings: random.Random) -> tuple[bool, asyncio.Task[Any]]:
    """Use a client until its deadline, and cancel that at about the same time. Returns whether that was in time."""
    transport = ScriptedTransport(answers(kind))
    client = AsyncClient(
        base_url="http://localhost:1",
        transport=transport,
        retry=RetryPolicy(wait_initial=4.0),
        timeouts=Timeouts(total=DEADLINE, idle=DEADLINE, first_chunk=DEADLINE),
    )
    loop = asyncio.get_running_loop()
    started = loop.time()

    async def run() -> object:
        return await use(client)

    task = asyncio.ensure_future(run())
    asked: asyncio.Future[bool] = loop.create_future()
    moment = started + DEADLINE + timings.choice([-1e-6, 0.0, 0.0, 0.0, 1e-9, 1e-6, 2e-6, 3e-6, 5e-6])
    if timings.random() < 0.2:
        moment = started + timings.uniform(0, DEADLINE)
    turns = timings.choice([0, 0, 1, 2, 3])

    def cancel(left: int) -> None:
        if left:
            loop.call_soon(cancel, left - 1)
        else:
            asked.set_result(task.cancel())

    loop.call_at(moment, cancel, turns)
    await asyncio.wait([task])
    was_in_time = await asked
    assert client.statistics().in_flight == 0
    return was_in_time, task


async def many(count: int, seed: int) -> None:
    timings = random.Random(seed)
    for _ in range(count):
        was_in_time, task = await once(timings.choice([create, read, drain]), timings.randrange(4), timings)
        if was_in_time:
            assert task.cancelled(), f"swallowed: {task.exception()!r}"
        elif not task.cancelled():
            assert isinstance(task.exception(), DeepSeekError)


def test_a_cancellation_about_a_deadline() -> None:
    """Three hundred timings."""
    leap(many(300, 1))


@pytest.mark.soak
def test_a_cancellation_about_a_deadline_for_long() -> None:
    """Ten thousand."""
    leap(many(10_000, 2))


@pytest.mark.parametrize("first", ["deadline", "caller"])
@pytest.mark.parametrize("before", [0, 1])
def test_both_in_one_turn(first: str, before: int) -> None:
    """Whichever comes first, the caller's counts; also where an earlier one was never taken back."""

    async def wait(deadlines: Deadlines) -> None:
        if before:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.sleep(0)
        await deadlines.wait(asyncio.sleep(1000))

    async def main() -> None:
        deadlines = Deadlines(Timeouts())
        task = asyncio.ensure_future(wait(deadlines))
        await asyncio.sleep(0.1)
        steps = [lambda: deadlines.interrupt(DeepSeekError("due")), lambda: task.cancel()]
        for step in steps if first == "deadline" else reversed(steps):
            step()
        await asyncio.wait([task])
        assert task.cancelled()

    leap(main())


def test_a_deadline_alone_is_a_timeout() -> None:
    """Also in a task that was cancelled once and went on."""

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(0)
        deadlines = Deadlines(Timeouts(total=3.0))
        with pytest.raises(APITimeoutError):
            await deadlines.wait(asyncio.sleep(1000))
        assert task.cancelling() == 1

    leap(main())
