"""The ceiling on requests in flight: hidden, moved, and told only in the text of the 429."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from deepseek_async.sandbox import SandboxServer, Schedule, Script
from deepseek_async.sandbox.requests.refusals import Refusal
from deepseek_async.sandbox.server.admission import Admission

from ..talking import HELLO, THINKING, Answer, Talk

pytestmark = pytest.mark.anyio

LONG = Script(say=("a", "b"), latency=30.0)


@asynccontextmanager
async def held(talk: Talk, count: int, **fields: Any) -> AsyncIterator[None]:
    """So many requests in flight: their heads have come, their answers take for ever."""
    for _ in range(count):
        talk.server.script(LONG)
    answers = [
        await talk.session.post(talk.server.base_url + "/chat/completions", json={**HELLO, "stream": True, **fields})
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for answer in answers:
            answer.close()


@asynccontextmanager
async def talking(session: aiohttp.ClientSession, **options: Any) -> AsyncIterator[Talk]:
    """A server with options."""
    async with SandboxServer(**options) as server:
        yield Talk(server, session)


def refusal(answer: Answer) -> tuple[int, str]:
    """Status and text."""
    return answer.status, answer.error["message"]


async def test_one_too_many_is_refused_with_the_real_text(session: aiohttp.ClientSession) -> None:
    """The text tells the concurrency and the limit; nothing else does; refused requests are not billed."""
    async with talking(session, ceiling=2) as talk, held(talk, 2):
        answer = await talk.post()
        assert refusal(answer) == (
            429,
            (
                "Too many requests. Your current concurrency is 3, which exceeds your concurrency limit of 2 based on "
                "your remaining balance. Please top up your balance to raise the limit."
            ),
        )
        assert answer.error["type"] == "rate_limit_error"
        assert not [name for name in answer.headers if "limit" in name.lower() or name.lower() == "retry-after"]
        assert (talk.server.admission.admitted, talk.server.admission.refused) == (2, 1)
        assert sum(talk.server.billed.values()) == 2
        assert (await talk.send("GET", "/models")).status == 200


async def test_a_place_is_free_again_at_the_last_byte(session: aiohttp.ClientSession) -> None:
    """One at a time, one after the other, is no concurrency."""
    async with talking(session, ceiling=1) as talk:
        for _ in range(3):
            assert (await talk.post(stream=True)).status == 200
        assert talk.server.admission.peak == {"deepseek-chat": 1}


async def test_the_ceiling_can_be_moved(session: aiohttp.ClientSession) -> None:
    """While requests run; those in flight stay."""
    async with talking(session) as talk, held(talk, 3):
        talk.server.admission.ceiling = 2
        assert "current concurrency is 4, which exceeds your concurrency limit of 2" in refusal(await talk.post())[1]
        talk.server.admission.ceiling = None
        assert (await talk.post()).status == 200


async def test_models_have_places_of_their_own(session: aiohttp.ClientSession) -> None:
    """A full model does not refuse another one; an alias shares the places of what serves it."""
    async with talking(session, ceiling={"deepseek-flash": 1}) as talk, held(talk, 1, model="deepseek-v4-flash"):
        assert (await talk.post(body=THINKING)).status == 429
        assert (await talk.post()).status == 200


def test_a_schedule() -> None:
    """A ceiling that moves with time, without sockets or waiting."""
    clock = [0.0]
    admission = Admission(Schedule([(0, 2), (10, 1), (20, 0)]), lambda: clock[0])
    with admission.admit("m"), admission.admit("m"):
        clock[0] = 10.0
        with (
            pytest.raises(Refusal, match=r"concurrency is 3, which exceeds your concurrency limit of 1"),
            admission.admit("m"),
        ):
            pass
    with admission.admit("m"):
        assert admission.in_flight["m"] == 1
    clock[0] = 25.0
    with pytest.raises(Refusal), admission.admit("m"):
        pass
    assert (admission.peak["m"], admission.admitted, admission.refused) == (2, 3, 2)


@pytest.mark.parametrize("steps", [[], [(5, 1), (1, 2)]])
def test_a_bad_schedule(steps: list[tuple[float, int]]) -> None:
    """Empty, or not in order."""
    with pytest.raises(ValueError, match="steps must"):
        Schedule(steps)


async def test_the_burst_is_counted_exactly(session: aiohttp.ClientSession) -> None:
    """Of 40 at once against 25, 15 are refused, and each refusal names 26."""
    async with talking(session, ceiling=25, latency=0.2) as talk:
        answers = await asyncio.gather(*(talk.post(stream=True, max_tokens=1) for _ in range(40)))
        assert sorted(answer.status for answer in answers) == [200] * 25 + [429] * 15
        assert all("concurrency is 26" in answer.error["message"] for answer in answers if answer.status == 429)
