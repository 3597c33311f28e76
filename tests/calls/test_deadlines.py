"""The four deadlines, over real sockets, while keep-alives flow.

A deadline may fire late because the machine is busy, which is no fault of the client's: a bare timer of asyncio's with
the same seconds runs beside each call, and its own lateness is allowed on top.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from deepseek_async import APITimeoutError, AsyncClient, RetryPolicy, ServiceUnavailableError, Timeouts, UserMessage
from deepseek_async.errors import Phase
from deepseek_async.transport import Answer, Pause, ScriptedTransport

from ..byte_server import DONE, JSON_HEAD, LAST_CHUNK, STREAM_HEAD, ByteServer, Connection, answer, chunked, event

pytestmark = pytest.mark.anyio

SECONDS = 0.3
ALLOWED = 1.25
KEEP_ALIVE = {True: b": keep-alive\n\n", False: b"\n"}
HEAD = {True: STREAM_HEAD, False: JSON_HEAD}
ASKED: dict[str, Any] = {"model": "m", "messages": [UserMessage("Hello")]}
ONCE = RetryPolicy(attempts=1)


async def ask(client: AsyncClient, *, streamed: bool, **options: Any) -> Any:
    """One answer, whole."""
    if streamed:
        async with client.chat.completions.stream(**ASKED, **options) as stream:
            return await stream.completion()
    return await client.chat.completions.create(**ASKED, **options)


async def expired(call: Awaitable[Any], seconds: float = SECONDS) -> tuple[APITimeoutError, float]:
    """The timeout that ended the call, and how long that took, as a multiple of what was set."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    rang: list[float] = []
    loop.call_later(seconds, lambda: rang.append(loop.time() - started))
    with pytest.raises(APITimeoutError) as caught:
        await call
    took = loop.time() - started
    late = (rang[0] if rang else took) - seconds
    ratio = (took - max(0.0, late)) / seconds
    print(f"{caught.value.phase} timeout of {seconds:g} s fired after {took:.3f} s ({ratio:.2f} x)")
    return caught.value, ratio


async def keep_alive(connection: Connection, data: bytes, every: float = 0.02) -> None:
    """Say the same as long as anybody listens; each gap is far shorter than any of the deadlines."""
    while not connection.is_gone:
        connection.send(chunked(data))
        await asyncio.sleep(every)


def first_chunk(streamed: bool) -> Callable[[Connection], Awaitable[None]]:
    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(HEAD[streamed])
        await keep_alive(connection, KEEP_ALIVE[streamed])

    return play


def idle(streamed: bool) -> Callable[[Connection], Awaitable[None]]:
    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(HEAD[streamed])
        await asyncio.sleep(0.05)
        connection.send(chunked(event("Hel") if streamed else b'{"id":'))
        await keep_alive(connection, KEEP_ALIVE[streamed])

    return play


def total(streamed: bool) -> Callable[[Connection], Awaitable[None]]:
    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(HEAD[streamed] + chunked(b'{"id":"' if not streamed else event("Hel")))
        await keep_alive(connection, event("lo") if streamed else b"1")

    return play


async def no_handshake(connection: Connection) -> None:
    """Accept, and never speak TLS."""
    await connection.gone()


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("phase", ["connect", "first_chunk", "idle", "total"])
async def test_each_fires_in_time(phase: Phase, streamed: bool) -> None:
    """At its value and not after 1.25 times that, whatever keeps the connection alive."""
    plays = {"first_chunk": first_chunk(streamed), "idle": idle(streamed), "total": total(streamed)}
    async with ByteServer(plays.get(phase, no_handshake)) as server:
        base_url = server.base_url.replace("http:", "https:") if phase == "connect" else server.base_url
        async with AsyncClient("sk-x", base_url=base_url, retry=ONCE, timeouts=Timeouts(**{phase: SECONDS})) as client:
            begins_later = 0.05 if phase == "idle" else 0.0
            error, ratio = await expired(ask(client, streamed=streamed), SECONDS + begins_later)
            assert client.statistics().in_flight == 0
        assert (error.phase, error.seconds, error.attempts) == (phase, SECONDS, 1)
        assert 0.98 <= ratio <= ALLOWED
        if phase in ("first_chunk", "idle"):
            assert error.keepalives >= 5
            assert f"{error.keepalives} keep-alives seen" in str(error)
        if streamed and phase in ("idle", "total"):
            assert error.partial is not None
            assert error.partial.text.startswith("Hel")
        await server.all_closed()


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_first_chunk_covers_the_head(streamed: bool) -> None:
    """A server that reads the request and says nothing at all is waited for as long, and no attempt follows."""

    async def play(connection: Connection) -> None:
        await connection.request()
        await connection.gone()

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        error, ratio = await expired(ask(client, streamed=streamed, timeouts=Timeouts(first_chunk=SECONDS)))
        assert (error.phase, error.keepalives, error.attempts) == ("first_chunk", 0, 1)
        assert 0.98 <= ratio <= ALLOWED
        assert len(server.requests) == 1


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_a_flood_of_keep_alives_does_not_outrun_it(streamed: bool) -> None:
    """Reading them is the client's own time, and is charged, however busy it is with that."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(HEAD[streamed])
        while not connection.is_gone:
            connection.send(chunked(KEEP_ALIVE[streamed] * 2000))
            await connection.drained()

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        for _ in range(
            4
        ):  # the flood takes a core: where there are not enough, a round may be late by no fault of ours
            error, ratio = await expired(ask(client, streamed=streamed, timeouts=Timeouts(first_chunk=SECONDS)))
            if ratio <= ALLOWED:
                break
        assert error.keepalives >= 2000
        assert 0.98 <= ratio <= ALLOWED
        await server.all_closed()


async def test_total_spans_attempts_and_waits() -> None:
    """The first attempt is refused late, the second hangs: the sum is what counts, and the history tells of both."""

    async def play(connection: Connection) -> None:
        await connection.request()
        if connection.number == 0:
            await asyncio.sleep(SECONDS / 2)
            connection.send(answer(b"{}", "503 Service Unavailable", "connection: close\r\n"))
            return
        connection.send(STREAM_HEAD)
        await keep_alive(connection, KEEP_ALIVE[True])

    timeouts = Timeouts(total=SECONDS)
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, timeouts=timeouts) as client:
        error, ratio = await expired(ask(client, streamed=True, retry=RetryPolicy(wait_initial=0.01)))
        assert (error.phase, error.attempts, len(error.history)) == ("total", 2, 1)
        assert "HTTP 503" in str(error)
        assert 0.98 <= ratio <= ALLOWED


async def test_total_is_not_slept_away() -> None:
    """A wait that would end after the total deadline is not begun: the true error comes at once."""
    refusal = answer(b"{}", "503 Service Unavailable", "retry-after: 30\r\n")

    async def play(connection: Connection) -> None:
        while await connection.request():
            connection.send(refusal)

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        started = time.monotonic()
        with pytest.raises(ServiceUnavailableError) as caught:
            await ask(client, streamed=False, timeouts=Timeouts(total=SECONDS))
        assert time.monotonic() - started < 10.0
        assert (caught.value.attempts, caught.value.retry_after) == (1, 30.0)


async def test_total_covers_the_wait_for_an_open_gate() -> None:
    """What one call learned of the server keeps another waiting, but no longer than that one's total."""
    refusal = answer(b"{}", "429 Too Many Requests", "retry-after: 30\r\n")

    async def play(connection: Connection) -> None:
        while await connection.request():
            connection.send(refusal)

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        with pytest.raises(Exception, match="HTTP 429"):
            await ask(client, streamed=False)
        error, ratio = await expired(ask(client, streamed=True, timeouts=Timeouts(total=SECONDS)))
        assert (error.phase, error.attempts) == ("total", 0)
        assert 0.98 <= ratio <= ALLOWED
        assert len(server.requests) == 1


async def test_waiting_for_a_connection_is_no_phase() -> None:
    """With the pool full only `total` runs: neither connect nor first_chunk is charged."""
    busy, queued = Pause(), asyncio.Event()

    class FullPool(ScriptedTransport):
        async def send(self, request: Any, progress: Any) -> Any:
            progress.queued()
            queued.set()
            await busy.wait()
            return await super().send(request, progress)

    transport = FullPool([Answer([event("Hi", "stop"), DONE])])
    timeouts = Timeouts(connect=0.05, first_chunk=0.05, idle=0.05)
    client = AsyncClient(base_url="http://localhost:1", transport=transport, timeouts=timeouts)
    call = asyncio.ensure_future(ask(client, streamed=True))
    await queued.wait()
    assert client.statistics().waiting_for_connection == 1
    await asyncio.sleep(0.15)
    busy.proceed.set()
    assert (await call).text == "Hi"
    assert client.statistics().waiting_for_connection == 0


async def test_total_runs_while_waiting_for_a_connection() -> None:
    """And its error tells the phase by its own name."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + chunked(event("Hel")))
        await connection.gone()

    async with (
        ByteServer(play) as server,
        AsyncClient(base_url=server.base_url, max_connections=1, retry=ONCE) as client,
        client.chat.completions.stream(**ASKED),
    ):
        error, ratio = await expired(ask(client, streamed=True, timeouts=Timeouts(total=SECONDS, connect=0.05)))
        assert (error.phase, client.statistics().waiting_for_connection) == ("total", 0)
        assert 0.98 <= ratio <= ALLOWED


async def test_a_slow_consumer_is_not_charged() -> None:
    """The clock of a phase stands still while the caller works, and goes on from there."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD)
        for word in ("a ", "b ", "c"):
            connection.send(chunked(event(word)))
        await is_slow.wait()
        connection.send(chunked(event("", "stop"), DONE) + LAST_CHUNK)

    is_slow = asyncio.Event()
    timeouts = Timeouts(first_chunk=0.1, idle=0.1)
    async with (
        ByteServer(play) as server,
        AsyncClient(base_url=server.base_url, timeouts=timeouts) as client,
        client.chat.completions.stream(**ASKED) as stream,
    ):
        seen = 0
        async for _ in stream:
            seen += 1
            if seen == 3:
                is_slow.set()
            await asyncio.sleep(0.12)
        assert (await stream.completion()).text == "a b c"


async def test_what_has_arrived_goes_before_the_deadline() -> None:
    """The loop was blocked for longer than the deadline, and data came meanwhile: no timeout."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + chunked(event("a")))
        await may_go_on.wait()
        connection.send(chunked(event("b", "stop"), DONE) + LAST_CHUNK)
        time.sleep(0.15)  # noqa: ASYNC251 - the loop is what shall be blocked

    may_go_on = asyncio.Event()
    timeouts = Timeouts(idle=0.1)
    async with (
        ByteServer(play) as server,
        AsyncClient(base_url=server.base_url, timeouts=timeouts) as client,
        client.chat.completions.stream(**ASKED) as stream,
    ):
        await anext(stream)
        reading = asyncio.ensure_future(stream.completion())
        await asyncio.sleep(0)
        may_go_on.set()
        assert (await reading).text == "ab"


async def test_chunks_re_arm_idle_and_keep_alives_do_not() -> None:
    """Chunks that come slower than never but faster than `idle` may go on for longer than it."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD)
        for _ in range(6):
            connection.send(chunked(event("x")))
            await asyncio.sleep(SECONDS / 4)
        connection.send(chunked(event("", "stop"), DONE) + LAST_CHUNK)

    timeouts = Timeouts(idle=SECONDS)
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, timeouts=timeouts) as client:
        assert (await ask(client, streamed=True)).text == "xxxxxx"


async def test_a_call_has_its_own_and_the_client_its_default() -> None:
    """Those of the call stand in place of the client's, all four."""
    pause = Pause()
    transport = ScriptedTransport([Answer([pause]), Answer([pause])])
    timeouts = Timeouts(first_chunk=0.05)
    client = AsyncClient(base_url="http://localhost:1", transport=transport, timeouts=timeouts, retry=ONCE)
    error, _ = await expired(ask(client, streamed=True), 0.05)
    assert error.seconds == 0.05
    error, ratio = await expired(ask(client, streamed=True, timeouts=Timeouts(first_chunk=0.2)), 0.2)
    assert error.seconds == 0.2
    assert ratio >= 0.98


async def test_no_limit_is_sayable() -> None:
    """`math.inf` for first_chunk, `None` for the others: nothing fires."""
    pause = Pause()
    transport = ScriptedTransport([Answer([pause, event("Hi", "stop"), DONE])])
    timeouts = Timeouts(connect=None, first_chunk=math.inf, idle=None, total=None)
    client = AsyncClient(base_url="http://localhost:1", transport=transport, timeouts=timeouts)
    call = asyncio.ensure_future(ask(client, streamed=True))
    await pause.reached.wait()
    pause.proceed.set()
    assert (await call).text == "Hi"


async def test_an_error_status_does_not_wait_for_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """The body of a refusal that never ends costs a bounded wait, and the refusal is the error."""
    monkeypatch.setattr("deepseek_async.calls.attempt.ERROR_BODY_SECONDS", 0.1)

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(JSON_HEAD.replace(b"200 OK", b"503 Busy") + chunked(b'{"error": {"mess'))
        await keep_alive(connection, b"\n")

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        with pytest.raises(ServiceUnavailableError):
            await asyncio.wait_for(ask(client, streamed=False), 5)
        await server.all_closed()


@pytest.mark.parametrize(
    ("streamed", "alive", "held"), [(True, False, True), (True, True, False), (False, False, False)]
)
@pytest.mark.parametrize("headed", [True, False])
async def test_a_stream_of_which_nothing_came_may_be_held_back(
    streamed: bool, alive: bool, held: bool, headed: bool
) -> None:
    """Silence without one keep-alive is what a proxy that holds events looks like: the words say so, for streams."""

    async def play(connection: Connection) -> None:
        await connection.request()
        if headed or alive:
            connection.send(HEAD[streamed])
        if alive:
            await keep_alive(connection, KEEP_ALIVE[streamed])
        await connection.gone()

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        error, _ = await expired(ask(client, streamed=streamed, timeouts=Timeouts(first_chunk=SECONDS), retry=ONCE))
    assert error.phase == "first_chunk"
    assert ("a proxy may hold events back (docs/proxies.md)" in str(error)) is held


@pytest.mark.parametrize(
    "ping", [event(choices=[]), b": ping\n\n", b"data: null\n\n"], ids=["no choice", "comment", "null"]
)
@pytest.mark.parametrize("way", ["one by one", "drained"])
@pytest.mark.parametrize("begun", [False, True], ids=["first_chunk", "idle"])
async def test_what_only_keeps_a_stream_alive_re_arms_nothing(ping: bytes, way: str, begun: bool) -> None:
    """Also in the form of chunks: a gateway sends them for ever, whatever has become of the server behind it."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + (chunked(event("x")) if begun else b""))
        while not connection.is_gone:
            connection.send(chunked(ping))
            await asyncio.sleep(SECONDS / 16)

    timeouts = Timeouts(first_chunk=SECONDS / 2, idle=SECONDS / 2, total=20 * SECONDS)
    settings = {"timeouts": timeouts, "retry": RetryPolicy(attempts=1)}
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, **settings) as client:
        stream = client.chat.completions.stream(**ASKED)
        with pytest.raises(APITimeoutError) as caught:
            if way == "drained":
                await stream.completion()
            else:
                _ = [chunk async for chunk in stream]
        assert caught.value.phase == ("idle" if begun else "first_chunk")


async def test_a_usage_is_something() -> None:
    """A chunk without a choice that tells counts, as the last one does, begins the time anew."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + chunked(event("x")))
        for count in range(6):
            await asyncio.sleep(SECONDS / 3)
            usage = {"prompt_tokens": 1, "completion_tokens": count, "total_tokens": 1 + count}
            connection.send(chunked(event(choices=[], usage=usage)))
        connection.send(chunked(event("", "stop"), DONE) + LAST_CHUNK)

    async with (
        ByteServer(play) as server,
        AsyncClient(base_url=server.base_url, timeouts=Timeouts(idle=SECONDS)) as client,
    ):
        assert (await ask(client, streamed=True)).text == "x"
