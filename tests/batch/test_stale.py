"""A row that met a closing connection went out twice: a server may have read both, and the report says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepseek_async import APIStatusError, AsyncClient, RetryPolicy, run_batch

from ..byte_server import ByteServer, Connection, answer, completion

pytestmark = pytest.mark.anyio


def row(number: int) -> dict[str, object]:
    return {"custom_id": f"row-{number}", "model": "m", "messages": [{"role": "user", "content": f"number {number}"}]}


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("closes_at", [2, 3])
async def test_a_row_that_went_out_twice_is_listed(ending: str, closes_at: int, tmp_path: Path) -> None:
    """As behind HAProxy or Apache whose server took the request and died; the others are not listed."""

    async def play(connection: Connection) -> None:
        for number in range(1, 9):
            if not await connection.request():
                return
            if connection.number == 0 and number == closes_at:
                getattr(connection, ending)()
                return
            connection.send(answer(completion("Hi.")))

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        rows = [row(number) for number in range(5)]
        report = await run_batch(client, rows, tmp_path / "out.jsonl", max_concurrency=1, durability="process")
    assert report.succeeded == 5
    assert report.attempts == 5
    assert len(server.requests) == 6
    assert report.possibly_billed_twice == (f"row-{closes_at - 1}",)


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_error_after_it_may_be_billed(streamed: bool) -> None:
    """A 400 is not billed, but the request before it, on the connection that closed, may have been."""

    async def play(connection: Connection) -> None:
        await connection.request()
        if connection.number:
            connection.send(answer(b"{}", "400 Bad Request"))
            return
        connection.send(answer(completion("Hi.")))
        await connection.request()
        connection.close()

    once = RetryPolicy(attempts=1)
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=once) as client:
        ask = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        await client.chat.completions.create(**ask)  # type: ignore[call-overload]
        with pytest.raises(APIStatusError) as caught:
            await client.chat.completions.create(**ask, stream=streamed)  # type: ignore[call-overload]
    assert caught.value.may_be_billed
    assert caught.value.attempts == 1
