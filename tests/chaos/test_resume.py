"""Streams that are cut again and again, and continued each time, are the uncut ones."""

from __future__ import annotations

import asyncio
import random

import attrs
import pytest

from deepseek_async import AsyncClient, DeepSeekError, Resume, RetryPolicy, Timeouts
from deepseek_async.sandbox import SandboxServer

from .asking import Question, Truth, judge_part
from .faults import Plan
from .proxy import Proxy

pytestmark = pytest.mark.anyio

VARIETY = 6
TIMEOUTS = Timeouts(connect=10.0, first_chunk=5.0, idle=5.0)


async def resume_many(streams: int, seed: int) -> tuple[int, int, int]:
    """How many of so many streams came whole and exact, how many failed, and how many seams it took."""
    chance = random.Random(seed)

    def next_plan() -> Plan:
        return Plan(ending="close", ends_at=chance.random()) if chance.random() < 0.3 else Plan()

    whole = failed = seams = 0
    retry = RetryPolicy(attempts=3, wait_initial=0.0)
    async with (
        SandboxServer(prefix_cache=False, keep_requests=1) as server,
        Proxy(server.base_url, next_plan) as proxy,
        AsyncClient(base_url=server.base_url) as direct,
        AsyncClient(base_url=proxy.base_url, retry=retry, timeouts=TIMEOUTS) as client,
    ):
        truth = Truth(direct)

        async def one(number: int) -> None:
            nonlocal whole, failed, seams
            question = Question(number, "text")
            expected = await truth.of(question)
            resume = Resume(on={"interrupted"}, attempts=5)
            # With log probabilities it is known how many of ``max_tokens`` are left.
            parameters = {**question.parameters, "logprobs": True}
            stream = client.chat.completions.stream(**parameters, resume=resume)
            pieces: list[str] = []
            try:
                async for text in stream.text_deltas():
                    pieces += (text,)
                completion = await stream.completion()
            except DeepSeekError as error:
                failed += 1
                if error.partial is not None:
                    # Where a token was cut in two its halves have log probabilities of their own.
                    choices = [attrs.evolve(choice, logprobs=None) for choice in error.partial.choices]
                    judge_part(attrs.evolve(error.partial, choices=choices, id="", usage=None), expected)
                assert expected.text.startswith("".join(pieces))
            else:
                assert "".join(pieces) == completion.text == expected.text, "a continued answer is another one"
                assert completion.reasoning == expected.reasoning
                whole += 1
            seams += len(stream.seams)

        order = [chance.randrange(VARIETY) for _ in range(streams)]
        for start in range(0, streams, 16):
            await asyncio.gather(*map(one, order[start : start + 16]))
    return whole, failed, seams


async def test_continued_streams_are_the_uncut_ones() -> None:
    """A 30 % chance of a cut at a random byte, also in each continuation."""
    whole, failed, seams = await resume_many(60, seed=3)
    assert failed <= 1
    assert seams > 0
    assert whole + failed == 60


@pytest.mark.soak
async def test_a_thousand_continued_streams() -> None:
    """At least 99 % come whole, each equal to the uncut text."""
    whole, failed, seams = await resume_many(1000, seed=4)
    print(
        f"\n1000 streams, 30 % chance of a cut at a random byte: {whole} whole and exact, {failed} failed, "
        f"{seams} seams"
    )
    assert whole >= 990
