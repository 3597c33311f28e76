"""Who leaves an answer early leaves nothing behind, at the client or at the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import APITimeoutError, AsyncClient, RetryPolicy, Timeouts

from ..byte_server import open_files
from ..tables import Cell
from .conftest import Serve
from .engines import Engine

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]
STORY = [{"role": "user", "content": "Tell a long story about a lighthouse."}]


async def seconds_of_a_short_answer(client: AsyncClient, engine: Engine) -> float:
    """How long the server takes for two tokens now."""
    began = time.monotonic()
    await client.chat.completions.create(model=engine.model, messages=STORY, max_tokens=2, temperature=0.0)
    return time.monotonic() - began


async def test_early_break(client: AsyncClient, engine: Engine, case: Case) -> None:
    """A loop that breaks frees its connection at once, and the next request is answered."""
    case("break in mid-stream")
    await seconds_of_a_short_answer(client, engine)
    before = open_files()
    for _ in range(5):
        async with client.chat.completions.stream(model=engine.model, messages=STORY, max_tokens=300) as stream:
            async for _chunk in stream.text_deltas():
                break
    assert open_files() <= before + 1
    await seconds_of_a_short_answer(client, engine)


async def test_cancellation(client: AsyncClient, engine: Engine, case: Case) -> None:
    """A cancelled task ends as cancelled, wherever it was, and leaves no connection open."""
    case("a cancelled task")
    await seconds_of_a_short_answer(client, engine)
    before = open_files()

    async def read() -> None:
        async with client.chat.completions.stream(model=engine.model, messages=STORY, max_tokens=300) as stream:
            async for _ in stream:
                pass

    for at in range(8):
        task = asyncio.create_task(read())
        await asyncio.sleep(0.03 * at)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(0)
    assert open_files() <= before + 1


@pytest.mark.parametrize("streamed", [True, False])
async def test_what_a_given_up_answer_costs(serve: Serve, engine: Engine, case: Case, *, streamed: bool) -> None:
    """A deadline gives an answer up. Whether the server goes on working at it is measured: the next one has to wait."""
    cell = case(f"given up, {'streamed' if streamed else 'in one piece'}: the server", needs="slots")
    ask: dict[str, Any] = {
        "model": engine.model,
        "messages": STORY,
        "max_tokens": 1200,
        "timeouts": Timeouts(total=1.0),
        "retry": RetryPolicy(attempts=1),
        "extra_body": {"ignore_eos": True},
    }

    async with serve(template="tools.jinja", slots="1").client() as client:
        alone = max([await seconds_of_a_short_answer(client, engine) for _ in range(3)])
        with pytest.raises(APITimeoutError):
            if streamed:
                async with client.chat.completions.stream(**ask) as stream:
                    await stream.completion()
            else:
                await client.chat.completions.create(**ask)
        later = await seconds_of_a_short_answer(client, engine)
    cell.says("goes on to the last token" if later > 2 * alone + 2.0 else "stops")
