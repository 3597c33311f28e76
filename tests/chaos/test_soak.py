"""Ten thousand requests, read in every way and given up in every way, through any fault; ``make soak`` prints figures.

In small it is part of every test run. ``CHAOS_SEED`` draws other faults.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import attrs
import psutil
import pytest

from deepseek_async import AsyncClient

from ..byte_server import open_files
from ..driving import settled
from .asking import Truth, ask, draw_question
from .faults import Plan, draw_plan
from .proxy import Proxy
from .test_chaos import SEED

pytestmark = pytest.mark.anyio

IN_FLIGHT = 24
VARIETY = 60
STALLS = 0.02
KIB = 1024


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """The sandbox, elsewhere."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.chaos.server"]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


# -- faults and cancellations ------------------------------------------------------------------------------------------


@attrs.define
class Figures:
    """What a soak saw.

    Attributes:
        verdicts: How the requests ended.
        memory: Bytes that Python held, at each tenth of the way.
        resident: Bytes of the process, likewise.
        sockets, tasks, in_flight: What was left of each.
    """

    requests: int = 0
    sent: int = 0
    verdicts: Counter[str] = attrs.field(factory=Counter)
    memory: list[int] = attrs.field(factory=list)
    resident: list[int] = attrs.field(factory=list)
    sockets: int = 0
    tasks: int = 0
    in_flight: int = 0
    seconds: float = 0.0

    @property
    def growth(self) -> int:
        """Bytes by which memory grew over the last nine tenths."""
        return self.memory[-1] - self.memory[1]

    def __str__(self) -> str:
        return (
            f"soak: {self.requests:,} requests ({self.sent:,} attempts), seed {SEED}: "
            f"{self.verdicts['exact']:,} exact, {self.verdicts['error'] + self.verdicts['late']:,} typed errors "
            f"({self.verdicts['late']:,} of deadlines), "
            f"{self.verdicts['given up']:,} cancelled or given up, 0 wrong texts; "
            f"left: {self.sockets} sockets, {self.tasks} tasks, {self.in_flight} in flight; "
            f"memory {self.growth / KIB:+,.0f} KiB over the last nine tenths "
            f"({self.memory[1] / KIB:,.0f} to {self.memory[-1] / KIB:,.0f} KiB traced, resident "
            f"{self.resident[1] / KIB / KIB:.1f} to {self.resident[-1] / KIB / KIB:.1f} MiB); {self.seconds:.0f} s"
        )


async def soak(upstream: str, requests: int) -> Figures:
    """Ask so many questions, some at a time, through all kinds of faults.

    Raises:
        AssertionError: One was answered with an untruth.
    """
    figures = Figures(requests)
    faults = Random(SEED)
    files, tasks = open_files(), len(asyncio.all_tasks())
    started = time.monotonic()
    tracemalloc.start(1)

    def next_plan() -> Plan:
        return draw_plan(faults, stalls=faults.random() < 8 * STALLS)  # a stall is one plan in eight where allowed

    async with (
        AsyncClient(base_url=upstream) as direct,
        Proxy(upstream, next_plan) as proxy,
        AsyncClient(base_url=proxy.base_url) as client,
    ):
        truth = Truth(direct)

        async def work(random: Random, count: int) -> None:
            for _ in range(count):
                question = draw_question(random, variety=VARIETY)
                verdict = await ask(client, question, await truth.of(question))
                figures.verdicts[verdict] += 1

        for tenth in range(10):
            shares = [requests // 10 // IN_FLIGHT + (n < requests // 10 % IN_FLIGHT) for n in range(IN_FLIGHT)]
            await asyncio.gather(*(work(Random(f"{SEED} {tenth} {n}"), count) for n, count in enumerate(shares)))
            gc.collect()
            await settled()
            figures.memory.append(tracemalloc.get_traced_memory()[0])
            figures.resident.append(psutil.Process().memory_info().rss)
        figures.sent = client.statistics().attempts
        figures.in_flight = client.statistics().in_flight
        await client.aclose()
        await proxy.all_closed()
    tracemalloc.stop()
    await settled()
    figures.sockets = open_files() - files
    figures.tasks = len(asyncio.all_tasks()) - tasks
    figures.seconds = time.monotonic() - started
    return figures


def check(figures: Figures, *, growth: int) -> None:
    print(f"\n{figures}")
    assert (figures.sockets, figures.tasks, figures.in_flight) == (0, 0, 0)
    assert sum(figures.verdicts.values()) == figures.requests
    # How many deadlines fire is the machine's: on a busy one healthy answers are late, too. The others are a mix.
    in_time = figures.requests - figures.verdicts["late"]
    assert min(figures.verdicts[verdict] for verdict in ("exact", "error", "given up")) > in_time / 20
    assert figures.growth < growth


async def test_some_hundred_in_every_way(base_url: str) -> None:
    """The soak in small: no wrong text, no socket, no task."""
    check(await soak(base_url, 150), growth=2048 * KIB)


@pytest.mark.soak
async def test_ten_thousand_in_every_way(base_url: str) -> None:
    """No wrong text, no socket, no task, and no more memory at the end than after the first tenth."""
    check(await soak(base_url, 10_000), growth=512 * KIB)
