"""When tokens are due, on a clock of one's own; and waiting by the thousand."""

from __future__ import annotations

import asyncio

import pytest

from deepseek_async.sandbox.server.pace import Schedule, Wheel

from ...leaping import in_leaping_time


def test_a_schedule_begins_with_its_first_token() -> None:
    """Each token is due 1/rate after the one before, however late that one was."""
    schedule = Schedule(20.0)
    assert schedule.due(1, now=5.0) == 5.0
    assert schedule.due(1, now=9.0) == pytest.approx(5.05)
    assert schedule.due(3, now=9.0) == pytest.approx(5.20)


def test_a_wait_moves_what_is_still_to_come() -> None:
    """A stall is not caught up; one before the first token moves nothing."""
    schedule = Schedule(10.0)
    schedule.shift(3.0)
    schedule.due(1, now=0.0)
    schedule.shift(2.0)
    assert schedule.due(1, now=2.0) == pytest.approx(2.1)


@in_leaping_time
@pytest.mark.anyio
async def test_a_wheel_wakes_on_time_and_only_whom_it_should() -> None:
    """Never early, a few milliseconds late at most; neighbours share a timer; a cancelled one is left alone."""
    loop = asyncio.get_running_loop()
    wheel, began = Wheel(loop), loop.time()
    futures = [wheel.until(began + delay) for delay in (0.0100, 0.0101, 0.03)]
    gone = wheel.until(began + 0.0100)
    gone.cancel()
    await asyncio.gather(*futures[:2])
    assert not futures[2].done()
    assert loop.time() - began >= 0.0101
    await futures[2]
    assert loop.time() - began >= 0.03
    assert gone.cancelled()
