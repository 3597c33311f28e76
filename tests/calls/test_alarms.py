"""Timers that one call leaves to the next."""

from __future__ import annotations

import asyncio
import gc
import math
import weakref
from typing import Any

import pytest

from deepseek_async.calls.deadlines import take_alarm

from ..wire import HELLO, client_on, completion, whole


def never() -> None:
    raise AssertionError("called for nobody")


@pytest.mark.anyio
async def test_the_next_user_takes_it_over_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred calls, one after another, set one timer."""
    loop = asyncio.get_running_loop()
    set_at: list[float] = []
    call_at = loop.call_at

    def counted(moment: float, *args: Any, **options: Any) -> asyncio.TimerHandle:
        set_at.append(moment)
        return call_at(moment, *args, **options)

    monkeypatch.setattr(loop, "call_at", counted)
    client, _ = client_on(*[whole(completion()) for _ in range(100)])
    for _ in range(100):
        await client.chat.completions.create(model="m", messages=HELLO)
    assert len(set_at) <= 1


@pytest.mark.anyio
async def test_it_calls_its_user_once_at_the_moment_set_last() -> None:
    """What was set before does nothing when it is due."""
    loop = asyncio.get_running_loop()
    rang: list[float] = []
    done = asyncio.Event()
    alarm = take_alarm(loop, lambda: rang.append(loop.time()))
    first, second = loop.time() + 0.02, loop.time() + 0.01
    alarm.set(loop, first)
    alarm.set(loop, second)
    assert alarm.at == second
    loop.call_at(first + 0.01, done.set)
    await done.wait()
    assert len(rang) == 1
    assert rang[0] >= second
    assert alarm.at == math.inf
    alarm.release()


@pytest.mark.anyio
async def test_released_it_calls_nobody() -> None:
    """Its moment comes, and nobody is there; then it can be had, unset."""
    loop = asyncio.get_running_loop()
    alarm = take_alarm(loop, never)
    alarm.set(loop, loop.time() + 0.001)
    alarm.release()
    done = asyncio.Event()
    loop.call_later(0.01, done.set)
    await done.wait()
    again = take_alarm(loop, never)
    assert again is alarm
    assert again.at == math.inf
    again.release()


def test_a_loop_that_has_ended_is_not_held() -> None:
    """Though an alarm of its is set."""

    async def use() -> weakref.ref[asyncio.AbstractEventLoop]:
        loop = asyncio.get_running_loop()
        alarm = take_alarm(loop, never)
        alarm.set(loop, loop.time() + 60)
        alarm.release()
        return weakref.ref(loop)

    loop = asyncio.run(use())
    gc.collect()
    assert loop() is None
