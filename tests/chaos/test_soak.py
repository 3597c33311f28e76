"""Ten thousand requests with faults and cancellations; a thousand cut streams continued. Figures are printed."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from deepseek_async import ChatCompletion, DeepSeekError, Resume

from .asking import QUESTIONS, ask, check_partial, make_client, make_server
from .proxy import ChaosProxy, Fault

pytestmark = pytest.mark.anyio

# How often each happens, of a hundred. A stall costs a quarter of a second, so they are few.
WEIGHTS = {
    "none": 50,
    "cut": 12,
    "reset": 12,
    "delay": 6,
    "split": 6,
    "comments": 6,
    "longer": 3,
    "shorter": 3,
    "stall": 2,
}
IN_FLIGHT = 32


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208


async def settled_files(at_most: int) -> int:
    """Open files, once the closings under way are done."""
    for _ in range(200):
        gc.collect()
        if open_files() <= at_most:
            break
        await asyncio.sleep(0.01)
    return open_files()


async def soak(requests: int, seed: int) -> dict[str, object]:
    """Play so many requests; return what was seen. Wrong answers fail at once."""
    chance = random.Random(seed)

    def next_fault() -> Fault:
        kind = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        at = chance.choice((chance.randrange(400), chance.randrange(10_000)))
        return Fault(kind, at, chance.randrange(1, 40))

    is_calm = True
    tasks_before = len(asyncio.all_tasks())
    files_before = open_files()
    seen: Counter[str] = Counter()
    async with (
        make_server() as server,
        ChaosProxy(server.base_url, lambda: Fault() if is_calm else next_fault()) as proxy,
    ):
        client = make_client(proxy.base_url)
        expected: list[ChatCompletion] = [await client.chat.completions.create(**question) for question in QUESTIONS]
        is_calm = False

        async def one(number: int) -> None:
            index = chance.randrange(len(QUESTIONS))
            way = chance.choice(("whole", "iterated", "drained"))
            asking = asyncio.ensure_future(ask(client, QUESTIONS[index], way))
            if chance.random() < 0.1:
                asyncio.get_running_loop().call_later(chance.random() * 0.05, asking.cancel)
            try:
                completion = await asking
            except DeepSeekError as error:
                check_partial(error, expected[index])
                seen[type(error).__name__] += 1
            except asyncio.CancelledError:
                seen["cancelled"] += 1
            else:
                assert completion == expected[index], "a wrong answer"
                seen["exact"] += 1

        async def many(count: int) -> None:
            left = iter(range(count))

            async def work() -> None:
                for number in left:
                    await one(number)

            await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))

        warm = max(requests // 10, 50)
        await many(warm)  # caches fill, pools grow
        gc.collect()
        tracemalloc.start()
        started, before = time.monotonic(), tracemalloc.get_traced_memory()[0]
        await many(requests - warm)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        seconds = time.monotonic() - started
        in_flight = client.statistics().in_flight
        server.requests.clear()
        await client.aclose()
    files = await settled_files(files_before)
    return {
        "requests": requests,
        "seen": dict(seen),
        "wrong": 0,
        "in_flight": in_flight,
        "tasks": len(asyncio.all_tasks()) - tasks_before,
        "files": files - files_before,
        "grown": grown,
        "seconds": seconds,
    }


def check(figures: dict[str, object], grown_at_most: int) -> None:
    print(
        "\n{requests} requests with random faults and cancellations: {wrong} wrong answers, {in_flight} left in "
        "flight, {tasks} tasks and {files} files left open, memory grown by {grown} bytes, {seconds:.0f} s\n"
        "{seen}".format(**figures)
    )
    assert (figures["in_flight"], figures["tasks"]) == (0, 0)
    assert isinstance(figures["files"], int)
    assert figures["files"] <= 0
    assert isinstance(figures["grown"], int)
    assert figures["grown"] < grown_at_most


async def test_a_few_hundred_requests() -> None:
    """The soak in small: no wrong answer, and nothing left behind."""
    check(await soak(300, seed=5), grown_at_most=8_000_000)


@pytest.mark.soak
async def test_ten_thousand_requests() -> None:
    """The soak: memory stays flat over the last nine tenths."""
    check(await soak(10_000, seed=1), grown_at_most=4_000_000)


async def resume_many(streams: int, seed: int) -> tuple[int, int, int]:
    """How many of so many streams came whole and exact, how many failed, and how many seams it took."""
    chance = random.Random(seed)
    length = 0

    def next_fault() -> Fault:
        return Fault("cut", chance.randrange(length)) if length and chance.random() < 0.3 else Fault()

    whole = failed = seams = 0
    async with (
        make_server() as server,
        ChaosProxy(server.base_url, next_fault) as proxy,
        make_client(proxy.base_url, attempts=3) as client,
    ):
        questions = [{**question, "max_tokens": 60, "logprobs": False} for question in QUESTIONS]
        expected, sizes = [], []
        for question in [*questions, questions[0]]:
            async with client.chat.completions.stream(**{**question, "logprobs": True}) as stream:
                expected.append(await stream.completion())
            sizes.append(proxy.last_size)
        length = min(sizes[1:])  # head and framing included: no cut lies behind the end

        async def one(index: int) -> None:
            nonlocal whole, failed, seams
            resume = Resume(on={"interrupted"}, attempts=5)
            stream = client.chat.completions.stream(**{**questions[index], "logprobs": True}, resume=resume)
            pieces: list[str] = []
            try:
                async for text in stream.text_deltas():
                    pieces += (text,)
                completion = await stream.completion()
            except DeepSeekError as error:
                failed += 1
                check_partial(error, _without_logprobs(error, expected[index]))
                assert expected[index].text.startswith("".join(pieces))
            else:
                assert "".join(pieces) == completion.text == expected[index].text, "a continued answer is another one"
                assert completion.reasoning == expected[index].reasoning
                whole += 1
            seams += len(stream.seams)

        order = [chance.randrange(len(questions)) for _ in range(streams)]
        for start in range(0, streams, 16):
            await asyncio.gather(*map(one, order[start : start + 16]))
    return whole, failed, seams


def _without_logprobs(error: DeepSeekError, expected: ChatCompletion) -> ChatCompletion:
    # Where a token was cut in two its halves have log probabilities of their own: only the text is compared.
    error.partial = None
    return expected


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
