"""A row whose request went out twice, because its connection was stale, is listed: its server may have read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepseek_async import AsyncClient, run_batch

from ..byte_server import ByteServer, Connection, answer, completion

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("broken", [2, 3, 4])
async def test_a_row_that_was_sent_twice_is_listed(
    tmp_path: Path, broken: int, reset: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HAProxy and Apache close so when their server died with the request; no other row is listed."""
    monkeypatch.setattr("deepseek_async.transport.network.connections.STALE_SECONDS", 5.0)

    async def play(connection: Connection) -> None:
        while await connection.request():
            if connection.number == 0 and len(connection.requests) == broken:
                if reset:
                    connection.reset()
                return
            connection.send(answer(completion("Hi")))

    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"custom_id": f"r{n}", "model": "m", "messages": [{"role": "user", "content": "x"}]} for n in range(1, 6)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        report = await run_batch(client, source, output, max_concurrency=1)
    assert len(server.requests) == 6
    assert report.succeeded == 5
    assert report.possibly_billed_twice == (f"r{broken}",)
