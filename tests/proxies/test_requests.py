"""Requests through each proxy: refused, large, on connections that are closing, before interim heads; and a batch."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import APIConnectionError, APIStatusError, AsyncClient, DeepSeekError, RetryPolicy, run_batch
from deepseek_async.sandbox import Cut, Refuse, Reset, SandboxServer, Script

from ..byte_server import ByteServer, Connection, answer, completion
from ..tables import Cell
from .conftest import Front
from .seen import ASK, ONCE, how_it_ended, read
from .systems import Proxy

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]


async def test_refused(proxy: Proxy, streams: bool, front: Front, case: Case) -> None:
    """Nothing listens behind the proxy: a typed error that may be tried again."""
    cell = case(proxy, streams, "nothing listens upstream")
    async with AsyncClient(base_url=front(proxy, streams=streams, upstream=1).base_url) as client:
        seen = await read(client)
    words = how_it_ended(seen, ())
    assert isinstance(seen.error, (APIStatusError, APIConnectionError))
    assert seen.error.retryable
    cell.says(words)


async def test_a_body_of_twenty_megabytes(proxy: Proxy, streams: bool, front: Front, case: Case) -> None:
    """Answered, or refused with 413, once, in words; never a broken pipe."""
    cell = case(proxy, streams, "a body of 20 MB")
    lengths: list[int] = []

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            lengths.append(len(request))
            connection.send(answer(completion("Read.")))

    async with ByteServer(play) as server:
        through = front(proxy, streams=streams, upstream=server.port)
        async with AsyncClient(base_url=through.base_url) as client:
            messages = [{"role": "user", "content": "x" * 20_000_000}]
            refused: APIStatusError | None = None
            try:
                whole = await client.chat.completions.create(model="m", messages=messages, retry=ONCE)
            except APIStatusError as error:
                refused = error
            except APIConnectionError:
                assert proxy.name == "Squid"
                cell.says("passes, but now and then Squid breaks it off")
                return
        if refused is not None:
            assert refused.status in (413, 502)
            assert refused.attempts == 1
            cell.says(f"{refused.status}")
            return
        assert whole.text == "Read."
        assert lengths[0] > 20_000_000
        cell.says("passes")


async def test_an_interim_head(proxy: Proxy, streams: bool, front: Front, case: Case) -> None:
    """103 Early Hints before the answer: the answer is right, or the proxy's own error is told."""
    cell = case(proxy, streams, "103 before the answer")

    async def play(connection: Connection) -> None:
        while await connection.request():
            connection.send(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n")
            connection.send(answer(completion("Hello.")))

    async with (
        ByteServer(play) as server,
        AsyncClient(base_url=front(proxy, streams=streams, upstream=server.port).base_url) as client,
    ):
        try:
            whole = await client.chat.completions.create(**ASK, retry=ONCE)
        except DeepSeekError as error:
            cell.says(f"{error.status}" if isinstance(error, APIStatusError) else type(error).__name__)
            return
    assert whole.text == "Hello."
    cell.says("passes")


async def test_a_connection_at_its_end(
    proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer
) -> None:
    """Connections reused around the second at which the proxy closes them: every call answered, none asked twice."""
    cell = case(proxy, streams, "reused as it is closed")
    asked = 0
    async with AsyncClient(base_url=front(proxy, streams=streams, idle=True).base_url) as client:
        before = len(sandbox.requests)
        for pause in (0.0, 0.98, 1.0, 1.02):
            await asyncio.sleep(pause)
            answers = await asyncio.gather(
                *(client.chat.completions.create(**ASK, max_tokens=2, retry=ONCE) for _ in range(4))
            )
            asked += len(answers)
        seen = len(sandbox.requests) - before
    assert seen == asked or proxy.name == "Varnish"  # which may send a request again by itself
    cell.says("every call answered")


def chaos(number: int) -> Script:
    """What the request of this number meets."""
    faults: dict[int, Any] = {
        3: Reset(before="head"),
        7: Cut(before="head"),
        11: Cut(at_byte=40),
        15: Refuse(status=503),
        19: Reset(at_byte=60),
    }
    fault = faults.get(number % 23)
    return Script(faults=(fault,)) if fault else Script()


async def test_a_batch(
    proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer, tmp_path: Path
) -> None:
    """40 rows, an eighth of which break: every answer right, and whatever was billed twice is in the list."""
    cell = case(proxy, streams, "a batch of 40 with faults")
    rows = [
        {
            "custom_id": f"row-{number}",
            "model": "deepseek-chat",
            "user_id": f"{tmp_path.name}-{number}",
            "max_tokens": 6,
            "messages": [{"role": "user", "content": f"Say: number {number}."}],
        }
        for number in range(40)
    ]
    async with AsyncClient(base_url=sandbox.base_url) as direct:
        right = {
            row["custom_id"]: (
                await direct.chat.completions.create(
                    **{name: value for name, value in row.items() if name not in ("custom_id", "user_id")}
                )
            ).text
            for row in rows
        }
    sandbox.script(*(chaos(number) for number in range(60)))
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    again_soon = RetryPolicy(wait_initial=0.05, wait_max=0.1)
    async with AsyncClient(base_url=front(proxy, streams=streams).base_url, retry=again_soon) as client:
        report = await run_batch(client, source, output, max_concurrency=4, durability="process")
    sandbox.scripts.clear()
    assert report.succeeded == len(rows), report
    for line in output.read_text().splitlines():
        outcome = json.loads(line)
        said = outcome["response"]["body"]["choices"][0]["message"]["content"]
        assert said == right[outcome["custom_id"]], outcome["custom_id"]
    billed = Counter({row["custom_id"]: sandbox.billed.get(row["user_id"], 0) for row in rows})
    twice = {name for name, count in billed.items() if count > 1}
    assert twice <= set(report.possibly_billed_twice), twice - set(report.possibly_billed_twice)
    cell.says(f"40 right, {len(twice)} billed twice, all listed")
