"""How long the data's way through the package is: calls, hops between modules, modules.

Each figure is printed (``pytest -s tests/test_trip.py``) with the way itself. Whoever makes a way longer than is held
here says so by changing the number.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import run_batch
from deepseek_async.transport import Answer

from .trips import Trip, traced
from .wire import HELLO, chunk, client_on, completion, stream_of, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "m", "messages": HELLO}


@pytest.fixture(autouse=True)
async def nothing_of_other_tests() -> AsyncIterator[None]:
    """What other tests have left would be finalised on the way, and be counted as a part of it."""
    gc.collect()
    await asyncio.sleep(0)  # for what finalisers have asked the loop to do
    gc.disable()
    yield
    gc.enable()


def held(name: str, trip: Trip, calls: int, hops: int, modules: int) -> None:
    """Print the trip, and hold it to what it may cost."""
    print(f"\n{name}: {trip}")
    seen = trip.figures
    assert all(one <= most for one, most in zip(seen, (calls, hops, modules), strict=True)), (
        f"{name}: {seen} calls, hops and modules; at most {(calls, hops, modules)}\n{trip}"
    )


async def test_one_chunk_from_the_socket_to_the_caller() -> None:
    """One read of one event, amid an answer that has begun."""
    texts = [stream_of(chunk(text), done=False) for text in ("Hel", "lo", " wor", "ld")]
    client, _ = client_on(Answer([*texts, stream_of(chunk("", "stop"))]))
    async with client.chat.completions.stream(**ASK) as stream:
        for _ in range(3):
            await anext(stream)
        with traced() as trip:
            last = await anext(stream)
        assert last.choices[0].delta.content == "ld"
    held("a chunk", trip, 12, 8, 7)


async def test_an_unary_answer() -> None:
    """From `create` to the completion, the parameters and the request included."""
    client, _ = client_on(whole(completion("Hello.")), whole(completion("Hello.")))
    await client.chat.completions.create(**ASK)  # what is made once
    with traced() as trip:
        answer = await client.chat.completions.create(**ASK)
    assert answer.text == "Hello."
    held("an answer in one piece", trip, 69, 46, 23)


async def test_a_row_of_a_batch(tmp_path: Path) -> None:
    """From one line of a file to the next, one in flight: read, marked, sent, answered, counted and written down."""
    client, _ = client_on(*(whole(completion("Hello.")) for _ in range(20)))
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f'{{"custom_id": "row-{n}", "prompt": "Say {n}."}}\n' for n in range(20)))
    with traced() as trip:
        report = await run_batch(client, source, tmp_path / "out.jsonl", max_concurrency=1, durability="process")
    assert report.succeeded == 20
    held("a row of a batch", trip.between("Dispatch._next_row", 10), 116, 70, 33)
