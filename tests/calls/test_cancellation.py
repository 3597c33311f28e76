"""Cancellation at every await of the client: it passes through untouched and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs
import pytest

from deepseek_async import (
    AsyncClient,
    DeepSeekError,
    Resume,
    RetryPolicy,
    StreamInterruptedError,
    Timeouts,
    UserMessage,
)
from deepseek_async.calls.deadlines import Deadlines
from deepseek_async.hooks import Ended, Record
from deepseek_async.transport import Answer, Pause, ScriptedTransport

from ..byte_server import (
    DONE,
    LAST_CHUNK,
    STREAM_HEAD,
    ByteServer,
    Connection,
    answer,
    chunked,
    completion,
    event,
    open_files,
)
from ..driving import Driven, cancelled_at, settled

pytestmark = pytest.mark.anyio

ASKED: dict[str, Any] = {"model": "m", "messages": [UserMessage("Hello")]}
SOON = RetryPolicy(attempts=4, wait_initial=0.002)
WHOLE = answer(completion('{"n": 1}'))
TEXT_PIECE = b'data: {"id":"1","choices":[{"text":"x","index":0}]}\n\n'

Play = Callable[[Connection, int, bytes], Awaitable[None]]
"""Answers one request: the connection, the request's number on this server from 0, the request."""
Use = Callable[[AsyncClient], Awaitable[object]]


# -- what servers do ---------------------------------------------------------------------------------------------------


async def whole(connection: Connection, number: int, request: bytes) -> None:
    connection.send(WHOLE)


async def in_pieces(connection: Connection, number: int, request: bytes) -> None:
    """Each read of the client's brings little, so that there are many awaits to be cancelled at."""
    done = b'data: {"id":"1","choices":[{"text":"","index":0,"finish_reason":"stop"}]}\n\n' + DONE
    events = [TEXT_PIECE, done] if b"/completions " in request and b'"prompt"' in request else None
    events = events or [event(""), event("Hel"), event("lo"), event("", "stop"), DONE]
    connection.send(STREAM_HEAD)
    for data in events:
        await asyncio.sleep(0.001)
        connection.send(chunked(data))
    await asyncio.sleep(0.001)
    connection.send(LAST_CHUNK)


async def stumbling(connection: Connection, number: int, request: bytes) -> None:
    """A refusal, an empty answer, a reset; then the answer."""
    if number == 0:
        connection.send(answer(b"{}", "503 Busy"))
    elif number == 1:
        connection.send(answer(b"\n"))
    elif number == 2:
        connection.reset()
    elif b'"stream":true' in request:
        await in_pieces(connection, number, request)
    else:
        connection.send(WHOLE)


async def limiting(connection: Connection, number: int, request: bytes) -> None:
    if number == 0:
        connection.send(answer(b"{}", "429 Slow down", "retry-after: 0.005\r\n"))
    else:
        await in_pieces(connection, number, request)


async def cutting(connection: Connection, number: int, request: bytes) -> None:
    if number == 0:
        connection.send(STREAM_HEAD + chunked(event("Hel")))
        connection.close()
    else:
        await in_pieces(connection, number, request)


async def stale(connection: Connection, number: int, request: bytes) -> None:
    if number == 1:
        connection.reset()
    else:
        connection.send(WHOLE)


async def unfit(connection: Connection, number: int, request: bytes) -> None:
    connection.send(WHOLE if number else answer(completion("no JSON")))


# -- what callers do ---------------------------------------------------------------------------------------------------


@attrs.define
class Whole:
    n: int


async def create(client: AsyncClient) -> object:
    return (await client.chat.completions.create(**ASKED)).text


async def create_twice(client: AsyncClient) -> object:
    await create(client)
    return await create(client)


async def parse(client: AsyncClient) -> object:
    return (await client.chat.completions.parse(response_type=Whole, **ASKED)).parsed


async def stream(client: AsyncClient) -> object:
    async with client.chat.completions.stream(**ASKED) as stream:
        return [text async for text in stream.text_deltas()]


async def stream_without_block(client: AsyncClient) -> object:
    opened = await client.chat.completions.create(stream=True, **ASKED)
    return [chunk async for chunk in opened]


async def drain(client: AsyncClient) -> object:
    async with client.chat.completions.stream(**ASKED) as stream:
        return (await stream.completion()).text


async def leave_early(client: AsyncClient) -> object:
    async with client.chat.completions.stream(**ASKED) as stream:
        async for _ in stream:
            break
    return "left"


async def resume(client: AsyncClient) -> object:
    async with client.chat.completions.stream(resume=Resume(), **ASKED) as stream:
        return (await stream.completion()).text


async def fim(client: AsyncClient) -> object:
    opened = await client.completions.create(model="m", prompt="p", stream=True)
    async with opened:
        return (await opened.completion()).text


async def models_and_balance(client: AsyncClient) -> object:
    await client.models.list()
    return await client.user.balance()


async def lists(connection: Connection, number: int, request: bytes) -> None:
    connection.send(answer(b'{"object":"list","data":[]}' if b"/models" in request else b'{"is_available":true}'))


async def queue(client: AsyncClient) -> object:
    """The pool's one connection is busy when this asks."""
    async with client.chat.completions.stream(**ASKED) as other:
        waiting = asyncio.ensure_future(create_in_stream(client))
        try:
            async for _ in other:
                pass
            return await waiting
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def create_in_stream(client: AsyncClient) -> object:
    return await drain(client)


async def close_client(client: AsyncClient) -> object:
    await create(client)
    await client.aclose()
    return "closed"


SCENARIOS: dict[str, tuple[Play, Use]] = {
    "whole": (whole, create),
    "stale": (stale, create_twice),
    "parse": (unfit, parse),
    "whole, stumbling": (stumbling, create),
    "stream": (in_pieces, stream),
    "stream, no block": (in_pieces, stream_without_block),
    "drained": (in_pieces, drain),
    "left early": (in_pieces, leave_early),
    "stream, stumbling": (stumbling, stream),
    "retry after": (limiting, drain),
    "resumed": (cutting, resume),
    "fim": (in_pieces, fim),
    "lists": (lists, models_and_balance),
    "queue": (in_pieces, queue),
    "closing": (whole, close_client),
}


@asynccontextmanager
async def client_of(play: Play) -> AsyncIterator[tuple[AsyncClient, ByteServer, list[Record]]]:
    """A client and its server; afterwards nothing may be left of either."""
    loop = asyncio.get_running_loop()
    files, tasks = open_files(), asyncio.all_tasks()
    numbers = iter(range(10_000))

    async def serve(connection: Connection) -> None:
        while request := await connection.request():
            await play(connection, next(numbers), request)

    records: list[Record] = []
    async with ByteServer(serve) as server:
        client = AsyncClient(
            base_url=server.base_url, retry=SOON, hooks=[records.append], max_connections=1, timeouts=Timeouts(total=30)
        )
        yield client, server, records
        figures = client.statistics()
        assert (figures.in_flight, figures.waiting_for_connection) == (0, 0)
        assert [record.call for record in records if isinstance(record, Ended)] == list(range(1, figures.calls + 1))
        await client.aclose()
        await server.all_closed()
    await settled()
    assert asyncio.all_tasks() == tasks
    assert not [handle for handle in loop._scheduled if not handle.cancelled() and "Deadlines" in repr(handle)]  # type: ignore[attr-defined]
    assert open_files() == files


@pytest.mark.parametrize("late", [False, True], ids=["as it waits", "as it is done"])
@pytest.mark.parametrize("name", SCENARIOS)
async def test_cancelled_at_each_await(name: str, late: bool) -> None:
    """CancelledError comes out, and connections, tasks, timers, figures and files are as before."""
    play, use = SCENARIOS[name]
    async with client_of(play) as (client, _, _):
        expected = await use(client)
    at = 0
    while True:
        async with client_of(play) as (client, _, _):
            has_acted, outcome = await cancelled_at(use(client), at, late=late)  # type: ignore[arg-type]
            if not has_acted:
                break
            assert isinstance(outcome, asyncio.CancelledError), outcome
        at += 1
    assert outcome == expected
    assert at >= 2, "no await was met"
    print(f"{name}: cancelled at each of {at} awaits")


@pytest.mark.parametrize(
    "name", [name for name, (_, use) in SCENARIOS.items() if use in (create, stream, drain, resume)]
)
async def test_a_scope_cancelled_at_each_await(name: str) -> None:
    """anyio's way: the scope swallows what is its own, and the task goes on."""
    play, use = SCENARIOS[name]
    at = 0
    while True:
        async with client_of(play) as (client, _, _):
            with anyio.CancelScope() as scope:
                driven = Driven(use(client), at, scope.cancel)  # type: ignore[arg-type]
                await driven
            if not driven.has_acted:
                break
            await asyncio.sleep(0)  # nothing of it is left in the task
        at += 1
    assert at >= 2


async def read_while_closing(client: AsyncClient, at: int, *, late: bool, resume: Resume | None) -> bool:
    """Read a stream that another task closes at the reader's n-th suspension; False if it never came to that."""
    opened = client.chat.completions.stream(resume=resume, **ASKED)
    closing: list[asyncio.Task[None]] = []

    async def read() -> str:
        return "".join([text async for text in opened.text_deltas()])

    driven = Driven(read(), at, lambda: closing.append(asyncio.ensure_future(opened.aclose())), late=late)
    (outcome,) = await asyncio.gather(awaited(driven), return_exceptions=True)
    await asyncio.gather(*closing)
    if isinstance(outcome, StreamInterruptedError):
        assert "closed before its end" in str(outcome)
        assert not outcome.retryable
    else:
        assert outcome == ("HelHello" if resume else "Hello")
    return driven.has_acted


async def awaited(driven: Driven[str]) -> str:
    return await driven


@pytest.mark.parametrize("late", [False, True], ids=["as it waits", "as it is done"])
@pytest.mark.parametrize("play", [in_pieces, stumbling, limiting, cutting], ids=lambda play: play.__name__)
async def test_closed_by_another_task_at_each_await(play: Play, late: bool) -> None:
    """The reader wakes with an error that says so, or had the whole answer already; never a quiet end."""
    at, has_acted = 0, True
    while has_acted:
        async with client_of(play) as (client, _, _):
            has_acted = await read_while_closing(client, at, late=late, resume=Resume() if play is cutting else None)
        at += 1
    assert at >= 5


async def test_a_consumer_cancelled_at_its_own_await() -> None:
    """The stream is freed by the block it is in, with the record that it was cancelled."""
    async with client_of(in_pieces) as (client, _, records):

        async def consume() -> None:
            async with client.chat.completions.stream(**ASKED) as stream:
                async for _ in stream:
                    is_consuming.set()
                    await asyncio.Event().wait()

        is_consuming = asyncio.Event()
        task = asyncio.ensure_future(consume())
        await is_consuming.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [record.outcome for record in records if isinstance(record, Ended)] == ["cancelled"]


# -- by scripted pauses ------------------------------------------------------------------------------------------------


def scripted(place: str) -> tuple[ScriptedTransport, Pause]:
    pause = Pause()
    steps: list[Any] = [event("", None), event("Hel"), event("lo", "stop"), DONE]
    before_connected, before_head = [], []
    if place == "before_connected":
        before_connected = [pause]
    elif place == "before_head":
        before_head = [pause]
    else:
        steps.insert(int(place), pause)
    return ScriptedTransport([Answer(steps, before_connected=before_connected, before_head=before_head)]), pause


PLACES = ["before_connected", "before_head", "0", "1", "2", "3", "4"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("use", [stream, drain, stream_without_block], ids=lambda use: use.__name__)
async def test_cancelled_where_the_script_waits(use: Use, place: str) -> None:
    """At each place where a network can keep a stream waiting; 4 is the drain after [DONE]."""
    tasks = asyncio.all_tasks()
    transport, pause = scripted(place)
    client = AsyncClient(base_url="http://localhost:1", transport=transport)
    task = asyncio.ensure_future(use(client))
    await pause.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(response.is_closed for response in transport.responses)
    assert client.statistics().in_flight == 0
    await settled()
    assert asyncio.all_tasks() == tasks


@pytest.mark.parametrize("place", ["before_connected", "before_head", "0", "1"])
async def test_a_whole_call_cancelled_where_the_script_waits(place: str) -> None:
    """Likewise for a call that is not streamed."""
    pause = Pause()
    body: list[Any] = [completion("Hello")[:30], completion("Hello")[30:]]
    placed = {"before_connected": [pause], "before_head": [pause]}
    if place not in placed:
        body.insert(int(place), pause)
    reply = Answer(body, **{place: placed[place]} if place in placed else {})
    transport = ScriptedTransport([reply])
    client = AsyncClient(base_url="http://localhost:1", transport=transport)
    task = asyncio.ensure_future(create(client))
    await pause.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(response.is_closed for response in transport.responses)
    assert client.statistics().in_flight == 0


async def test_a_deadline_and_a_cancellation_at_once() -> None:
    """Both come due in the same turn of the loop: the cancellation is not swallowed by the deadline."""
    transport, pause = scripted("1")
    client = AsyncClient(base_url="http://localhost:1", transport=transport, timeouts=Timeouts(first_chunk=0.02))
    task = asyncio.ensure_future(stream(client))
    await pause.reached.wait()
    _watch_of(task).interrupt(DeepSeekError("due"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


def _watch_of(task: asyncio.Task[Any]) -> Deadlines:
    return next(thing for thing in gc.get_objects() if type(thing) is Deadlines and thing._task is task)


async def test_a_cancellation_that_was_dealt_with_before() -> None:
    """A task that has caught one cancellation keeps its count; deadlines still work in it."""
    transport, _ = scripted("1")
    client = AsyncClient(
        base_url="http://localhost:1",
        transport=transport,
        timeouts=Timeouts(idle=0.02),
        retry=RetryPolicy(attempts=1),
    )

    async def run() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        with pytest.raises(TimeoutError):
            await stream(client)
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 1
        return "went on"

    task = asyncio.ensure_future(run())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "went on"


def test_the_scenarios_have_their_answers() -> None:
    """Guards the above: what servers say here is what the client understands."""
    assert json.loads(WHOLE.partition(b"\r\n\r\n")[2])["choices"]
