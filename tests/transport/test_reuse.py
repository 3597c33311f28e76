"""Connections used again: which break is nobody's fault, and that no more are open than allowed."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
import pytest

from deepseek_async import APIConnectionError, AsyncClient, RetryPolicy
from deepseek_async.hooks import AttemptStarted, Ended, Record, RetryScheduled
from deepseek_async.transport.network import AiohttpTransport, connections, direct, pool
from deepseek_async.transport.network import sockets as network_sockets
from deepseek_async.transport.network.loops import binding_of

from ..byte_server import ByteServer, Connection, answer, until_cut
from .test_network import Log, request_to

pytestmark = pytest.mark.anyio

MODELS = answer(b'{"object": "list", "data": []}')


def breaking(after: float, *, reset: bool = False, part: bytes = b"") -> tuple[list[int], object]:
    """Serves a connection's first request, and breaks it some time after the second has come."""
    seen: list[int] = []

    async def play(connection: Connection) -> None:
        while await connection.request():
            seen.append(connection.number)
            if connection.number == 0 and len(connection.requests) == 2:
                await asyncio.sleep(after)
                connection.send(part)
                if reset:
                    connection.reset()
                return
            connection.send(MODELS)

    return seen, play


@pytest.mark.parametrize("given", [False, True], ids=["ours", "given"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_break_at_once_is_no_attempt(reset: bool, given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server had closed the connection while we wrote: sent again, unseen by hooks and policy."""
    monkeypatch.setattr(connections, "STALE_SECONDS", 5.0)  # on a busy machine a moment is long
    seen, play = breaking(0.0, reset=reset)
    records: list[Record] = []
    async with ByteServer(play) as server, aiohttp.ClientSession() as session:  # type: ignore[arg-type]
        retry = RetryPolicy(attempts=1)
        client = AsyncClient(
            base_url=server.base_url, retry=retry, hooks=[records.append], session=session if given else None
        )
        await client.models.list()
        await client.models.list()
        await client.aclose()
    assert client.statistics().resent == 1
    assert seen == [0, 0, 1]
    assert [type(record) for record in records if not isinstance(record, Ended)].count(AttemptStarted) == 2


@pytest.mark.parametrize("given", [False, True], ids=["ours", "given"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_late_break_is_an_attempt(reset: bool, given: bool) -> None:
    """The server may have been at work: one attempt means once, and the error says that it may be billed."""
    seen, play = breaking(connections.STALE_SECONDS + 0.1, reset=reset)
    async with ByteServer(play) as server, aiohttp.ClientSession() as session:  # type: ignore[arg-type]
        client = AsyncClient(
            base_url=server.base_url, retry=RetryPolicy(attempts=1), session=session if given else None
        )
        await client.models.list()
        with pytest.raises(APIConnectionError, match="broke before the answer") as caught:
            await client.models.list()
        await client.aclose()
    assert seen == [0, 0]
    assert (caught.value.during, caught.value.may_be_billed, caught.value.attempts) == ("request", True, 1)


async def test_a_late_break_is_seen_by_hooks() -> None:
    """As any other failed attempt; the next is another attempt, and the call's end says that there were two."""
    seen, play = breaking(connections.STALE_SECONDS + 0.1)
    records: list[Record] = []
    async with (
        ByteServer(play) as server,  # type: ignore[arg-type]
        AsyncClient(base_url=server.base_url, retry=RetryPolicy(2, 0.0), hooks=[records.append]) as client,
    ):
        await client.models.list()
        del records[:]
        await client.models.list()
    assert [type(record) for record in records if isinstance(record, AttemptStarted | RetryScheduled)] == [
        AttemptStarted,
        RetryScheduled,
        AttemptStarted,
    ]
    assert seen == [0, 0, 1]


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nx-a: b\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
async def test_a_break_after_a_byte_is_an_attempt(part: bytes) -> None:
    """The server has read the request, or it would not answer."""
    seen, play = breaking(0.0, part=part)
    async with (
        ByteServer(play) as server,  # type: ignore[arg-type]
        AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1)) as client,
    ):
        await client.models.list()
        with pytest.raises(APIConnectionError):
            await client.models.list()
    assert seen == [0, 0]


@pytest.mark.parametrize("way", ["direct", "session"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_no_more_connections_than_allowed(limit: int, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when all of them turn out to be stale at once, and each request asks for a fresh one."""
    monkeypatch.setattr(connections, "STALE_SECONDS", 5.0)  # on a busy machine a moment is long
    if way == "session":
        monkeypatch.setattr(direct, "lacking", lambda: ["something"])
        monkeypatch.setattr(connections, "_has_warned", True)
    most = 0
    stale = asyncio.Event()

    async def play(connection: Connection) -> None:
        nonlocal most
        while await connection.request():
            most = max(most, server.open_connections)
            if connection.number < limit and stale.is_set():
                return
            await asyncio.sleep(0.01)
            connection.send(MODELS)

    async with ByteServer(play) as server:
        transport = AiohttpTransport(max_connections=limit)

        async def ask() -> None:
            response = await transport.send(request_to(server), Log())
            while await response.receive():
                pass
            response.close()

        await asyncio.gather(*[ask() for _ in range(limit)])
        stale.set()
        await asyncio.gather(*[ask() for _ in range(3 * limit)])
        assert most <= limit
        await transport.aclose()


async def test_connections_say_that_they_are_there() -> None:
    """By TCP, so that no gateway forgets one that waits for its answer, and a network that is gone is noticed."""
    async with ByteServer(lambda connection: until_cut(connection, lambda _: MODELS)) as server:
        transport = AiohttpTransport()
        await (await transport.send(request_to(server), Log())).receive()
        bound = binding_of(transport)
        assert bound is not None
        connector: Any = bound.route.session.connector
        (idle,) = connector._conns.values()
        made = idle[0][0].transport.get_extra_info("socket")
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == network_sockets.SILENT_SECONDS
        await transport.aclose()


@pytest.mark.parametrize(("asleep", "connections_made"), [(0.0, 1), (9.0, 1), (11.0, 2), (86_400.0, 2), (-3600.0, 1)])
async def test_a_machine_that_has_slept(asleep: float, connections_made: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its idle connections are gone, though to the monotonic clock they rested for a moment; a request is sent once."""
    began = pool.slept()
    monkeypatch.setattr(pool, "slept", lambda: began)
    async with ByteServer(lambda connection: until_cut(connection, lambda _: MODELS)) as server:
        client = AsyncClient(base_url=server.base_url)
        await client.models.list()
        monkeypatch.setattr(pool, "slept", lambda: began + asleep)
        await asyncio.gather(client.models.list(), client.models.list()) if asleep > 10 else await client.models.list()
        await client.models.list()
        used = len([connection for connection in server.connections if connection.requests])
        assert min(used, 2) == connections_made
        if asleep > 10:
            assert len(server.connections[0].requests) == 1
        assert client.statistics().resent == 0
        await client.aclose()
