"""Connections are kept, and none that the server has closed costs an answer or an attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import AsyncClient

from ..tables import Cell
from .engines import Engine, RealServer
from .relay import Relay

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]


def ask(engine: Engine, **more: Any) -> dict[str, Any]:
    """A request for one token."""
    return {"model": engine.model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1, **more}


async def test_many_requests_on_kept_connections(server: RealServer, engine: Engine, case: Case) -> None:
    """130 in a row, streamed and whole by turns: each is answered, and sent once (llama.cpp closes after 100)."""
    cell = case("130 requests in a row")
    count = 130 if engine.name == "llama.cpp" else 40
    async with Relay(server.base_url) as relay, server.client(base_url=f"{relay.base_url}/v1") as client:
        for number in range(count):
            if number % 2:
                await client.chat.completions.create(**ask(engine))
            else:
                async with client.chat.completions.stream(**ask(engine)) as stream:
                    await stream.completion()
            assert client.statistics().attempts == number + 1
        # llama.cpp announces keep-alive and closes after every streamed answer: a request that met the closing goes out
        # again, which is no attempt, since the server never saw it.
        cell.says(f"{relay.connections} connections, {relay.requests - count} requests met a closing one")


@pytest.mark.parametrize("seconds", [4.9, 5.0, 5.1])
async def test_a_connection_that_was_idle(server: RealServer, engine: Engine, case: Case, seconds: float) -> None:
    """llama.cpp closes a connection after 5 s: at that moment and around it a request is answered all the same."""
    case("idle for 5 s, then reused", needs="keep-alive-limit")
    async with server.client() as client:
        await asyncio.gather(*(client.chat.completions.create(**ask(engine)) for _ in range(4)))
        await asyncio.sleep(seconds)
        answers = await asyncio.gather(*(client.chat.completions.create(**ask(engine)) for _ in range(4)))
    assert all(answer.complete for answer in answers)


async def test_models(client: AsyncClient, engine: Engine, case: Case) -> None:
    """The list of models, in whatever shape the server has for it."""
    cell = case("models")
    models = await client.models.list()
    assert models.data
    cell.says(f"{len(models.data)}")
