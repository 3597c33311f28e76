"""Sockets, tasks and warnings: none is left, whatever the program leaves."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import AsyncClient, RetryPolicy, UserMessage
from deepseek_async.calls.stream import DRAIN_SECONDS

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
    until_cut,
)
from .leaving import ALONE, BESIDE_A_SERVER

ROOT = Path(__file__).parents[2]
ASKED: dict[str, Any] = {"model": "m", "messages": [UserMessage("Hello")]}
EVENTS = chunked(event("Hel"), event("lo", "stop"), DONE)


def run(*arguments: str, debug: bool) -> str:
    """What a program of `leaving` prints, with every warning an error, and nothing said on stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DEEPSEEK_", "PYTHON"))}
    if debug:
        environment["PYTHONASYNCIODEBUG"] = "1"
    program = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.calls.leaving", *arguments],
        cwd=ROOT,
        env={**environment, "DEEPSEEK_API_KEY": "sk-0123456789"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # On a busy machine asyncio's debug mode tells of slow steps.
    said = [line for line in program.stderr.splitlines() if not line.startswith("Executing <")]
    assert (program.returncode, said) == (0, [])
    return program.stdout


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "debug"])
def said(request: pytest.FixtureRequest) -> Mapping[str, list[Any]]:
    """How each program of `ALONE` ended, and what it said."""
    if not hasattr(os, "fork"):
        for name in ALONE:
            run(name, debug=request.param)
        return {name: [0, ""] for name in ALONE}
    said: dict[str, list[Any]] = json.loads(run("each", debug=request.param))
    return said


@pytest.mark.parametrize("name", ALONE)
def test_nothing_is_left_of(name: str, said: Mapping[str, list[Any]]) -> None:
    """Neither a warning nor a word of asyncio's or aiohttp's."""
    assert said[name] == [0, ""]


@pytest.fixture
def server_of_its_own() -> Iterator[str]:
    """A server in another process, so that a fork does not carry it along."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.calls.leaving", "serve"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.communicate()


@pytest.mark.parametrize("name", BESIDE_A_SERVER)
def test_other_processes(name: str, server_of_its_own: str) -> None:
    """A child of `os.fork` neither uses nor closes its parent's connections; a pickle opens its own."""
    if name.startswith("forked") and not hasattr(os, "fork"):
        pytest.skip("no os.fork here")
    run(name, server_of_its_own, debug=True)


# -- connections that serve again --------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("tail", [0.0, 0.01], ids=["at once", "later"])
async def test_twenty_streams_use_one_connection(tail: float) -> None:
    """What follows [DONE] is read, also if it comes a moment later, and the connection serves the next stream."""

    async def play(connection: Connection) -> None:
        while await connection.request():
            connection.send(STREAM_HEAD + EVENTS)
            if tail:
                await asyncio.sleep(tail)
            connection.send(LAST_CHUNK)

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        for number in range(20):
            stream = client.chat.completions.stream(**ASKED)
            if number % 2:
                assert (await stream.completion()).text == "Hello"
            else:
                assert [text async for text in stream.text_deltas()] == ["Hel", "lo"]
        assert len(server.connections) == 1
        figures = client.statistics()
        assert (figures.connections_made, figures.connections_reused) == (1, 19)


@pytest.mark.anyio
async def test_the_drain_is_bounded() -> None:
    """A server that says [DONE] and then never ends costs a moment, and its connection is not used again."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + EVENTS)
        while not connection.is_gone:
            connection.send(chunked(b": still here\n\n"))
            await asyncio.sleep(0.01)

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        for _ in range(2):
            started = time.monotonic()
            assert (await client.chat.completions.stream(**ASKED).completion()).text == "Hello"
            assert time.monotonic() - started < DRAIN_SECONDS + 5.0
            await server.all_closed()
        assert len(server.connections) == 2


@pytest.mark.anyio
async def test_the_drain_is_bounded_in_bytes() -> None:
    """Nor is a flood after [DONE] read to its end."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + EVENTS)
        while not connection.is_gone:
            connection.send(chunked(b": " + b"x" * 65_536))
            await asyncio.sleep(0)

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        started = time.monotonic()
        assert (await client.chat.completions.stream(**ASKED).completion()).text == "Hello"
        assert time.monotonic() - started < DRAIN_SECONDS + 5.0
        await server.all_closed()


@pytest.mark.anyio
async def test_whole_answers_and_refusals_keep_the_connection() -> None:
    """Each body is read to its end, also that of an error."""
    replies = iter(
        [answer(completion("a")), answer(b'{"error": {"message": "No."}}', "400 Bad"), answer(completion("b"))]
    )
    async with (
        ByteServer(lambda c: until_cut(c, lambda _: next(replies))) as server,
        AsyncClient(base_url=server.base_url) as client,
    ):
        assert (await client.chat.completions.create(**ASKED)).text == "a"
        with pytest.raises(Exception, match="No"):
            await client.chat.completions.create(**ASKED)
        assert (await client.chat.completions.create(**ASKED)).text == "b"
        assert len(server.connections) == 1


@pytest.mark.anyio
async def test_the_queue_has_a_figure() -> None:
    """Fifty calls over two connections: all are answered, and those who wait are counted, not timed out."""
    seen: list[int] = []

    async def play(connection: Connection) -> None:
        while await connection.request():
            await asyncio.sleep(0.002)
            seen.append(client.statistics().waiting_for_connection)
            connection.send(answer(completion("a")))

    async with ByteServer(play) as server:
        client = AsyncClient(base_url=server.base_url, max_connections=2)
        answers = await asyncio.gather(*(client.chat.completions.create(**ASKED) for _ in range(50)))
        assert {answer.text for answer in answers} == {"a"}
        assert len(server.connections) == 2
        assert max(seen) == 48
        assert client.statistics().waiting_for_connection == 0
        await client.aclose()


@pytest.mark.anyio
async def test_closing_what_was_never_used() -> None:
    """Neither a client nor a stream needs to have been opened to be closed, once or twice."""
    client = AsyncClient(base_url="http://127.0.0.1:1")
    stream = client.chat.completions.stream(**ASKED)
    for _ in range(2):
        await stream.aclose()
        await client.aclose()
    assert client.statistics().calls == 0


@pytest.mark.anyio
async def test_a_client_is_usable_after_closing() -> None:
    """It opens new connections."""
    async with ByteServer(lambda c: until_cut(c, lambda _: answer(completion("a")))) as server:
        client = AsyncClient(base_url=server.base_url)
        for _ in range(2):
            async with client:
                assert (await client.chat.completions.create(**ASKED)).text == "a"
        await server.all_closed()
        assert len(server.connections) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_stream_that_is_dropped_after_another_attempt_is_freed_at_once(how: str) -> None:
    """The error of its first attempt does not hold it: the connection closes though nothing is collected."""

    async def play(connection: Connection) -> None:
        await connection.request()
        if connection.number == 0:
            connection.send(STREAM_HEAD + chunked(event()))
            await connection.drained()
            getattr(connection, how)()
        else:
            connection.send(STREAM_HEAD + chunked(event("Hello")))
            await connection.gone()
            is_closed.set()

    is_closed = asyncio.Event()
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        stream = client.chat.completions.stream(**ASKED, retry=RetryPolicy(attempts=2, wait_initial=0.0))
        gc.disable()
        try:
            chunk = await anext(stream)
            assert (chunk.choices[0].delta.content, stream.attempts) == ("Hello", 2)
            del stream
            await asyncio.wait_for(is_closed.wait(), 5)
            assert client.statistics().in_flight == 0
        finally:
            gc.enable()
