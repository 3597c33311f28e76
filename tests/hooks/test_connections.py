"""The wait for a connection, on real sockets: it is in its own record, and not in the first chunk's time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deepseek_async import AsyncClient
from deepseek_async.hooks import Connected, Ended, FirstChunk, Record
from deepseek_async.sandbox import SandboxServer, Script, Stall

from ..wire import HELLO

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO, "max_tokens": 3}


async def test_a_call_in_the_queue() -> None:
    """With one connection the second call waits until the first stream is left; its answer then comes at once."""
    records: list[Record] = []
    async with (
        SandboxServer(seed=1) as server,
        AsyncClient(base_url=server.base_url, max_connections=1, hooks=[records.append]) as client,
    ):
        server.script(Script(say="One two three.", faults=(Stall(seconds=0.1, after_chunk=1),)))
        stream = await client.chat.completions.create(**ASK, stream=True)
        waiting = asyncio.ensure_future(client.chat.completions.create(**ASK))
        async with asyncio.timeout(10):
            while not client.statistics().waiting_for_connection:  # noqa: ASYNC110
                await asyncio.sleep(0)
        await stream.completion()
        await waiting
    first, second = (record for record in records if isinstance(record, Connected))
    assert (first.waited, first.reused) == (0.0, False)
    assert second.waited >= 0.05
    assert first.connecting >= 0.0
    (answered,) = [record for record in records if isinstance(record, FirstChunk) and record.call == 2]
    (ended,) = [record for record in records if isinstance(record, Ended) and record.call == 2]
    assert answered.elapsed + second.waited <= ended.elapsed
    assert ended.first_chunk == answered.elapsed
