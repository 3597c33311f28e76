"""A stream through each proxy: as it comes, broken off by the server, silent, left by the client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from deepseek_async import APITimeoutError, AsyncClient, Timeouts
from deepseek_async.sandbox import Cut, EarlyEnd, Reset, SandboxServer, Script, Stall

from ..tables import Cell
from .conftest import Front
from .seen import ASK, ONCE, how_it_came, how_it_ended, read
from .systems import Proxy

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]
WORDS = tuple(f"word{number} " for number in range(16))
FEW = WORDS[:6]
RATE = 12.0


async def until(holds: Callable[[], bool]) -> None:
    """Look at a server in another thread until something holds, for 10 s at most."""
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:  # noqa: ASYNC110 - another thread's state
        await asyncio.sleep(0.01)


async def test_events(proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer) -> None:
    """The answer is right, however the proxy delays it; whether it delays is told."""
    cell = case(proxy, streams, "events")
    sandbox.script(Script(say=WORDS, rate=RATE))
    async with AsyncClient(base_url=front(proxy, streams=streams).base_url) as client:
        seen = await read(client)
    assert seen.error is None
    assert seen.text == "".join(WORDS)
    cell.says(how_it_came(seen, len(WORDS), len(WORDS) / RATE))


async def test_gzip(proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer) -> None:
    """A proxy that compresses event streams gets no chance to hold them: the client asks for no compression."""
    if not proxy.gzip_lines:
        pytest.skip("does not compress")
    cell = case(proxy, streams, "gzip switched on")
    sandbox.script(Script(say=WORDS, rate=RATE))
    async with AsyncClient(base_url=front(proxy, streams=streams, gzip=True).base_url) as client:
        seen = await read(client)
    assert seen.error is None
    assert seen.text == "".join(WORDS)
    cell.says(how_it_came(seen, len(WORDS), len(WORDS) / RATE))


@pytest.mark.parametrize("fault", [Reset(after_chunk=4), Cut(after_chunk=4)], ids=["reset", "closed"])
async def test_killed_in_mid_stream(
    proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer, fault: Reset | Cut
) -> None:
    """An error with what had come through, whatever the proxy makes of it; one request."""
    cell = case(proxy, streams, f"upstream {'reset' if isinstance(fault, Reset) else 'closed'} in mid-stream")
    sandbox.script(Script(say=FEW, rate=RATE, faults=(fault,)))
    before = len(sandbox.requests)
    async with AsyncClient(base_url=front(proxy, streams=streams).base_url) as client:
        seen = await read(client)
    words = how_it_ended(seen, FEW)
    assert seen.error is not None
    assert seen.error.retryable
    assert seen.error.attempts == 1
    again = len(sandbox.requests) - before - 1  # Varnish may send a request again by itself; the client does not
    assert again == 0 or proxy.name == "Varnish"
    cell.says(words)


@pytest.mark.parametrize("reused", [False, True])
async def test_killed_before_the_head(
    proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer, *, reused: bool
) -> None:
    """The server had the request for 1.2 s: what is told is one attempt, and the server saw one request."""
    cell = case(proxy, streams, f"upstream reset before the head{', connection reused' if reused else ''}")
    async with AsyncClient(base_url=front(proxy, streams=streams).base_url) as client:
        if reused:
            sandbox.script(Script(say="Hi."))
            assert (await read(client)).error is None
        sandbox.script(Script(say=FEW, faults=(Stall(seconds=1.2, before="head"), Reset(before="head"))))
        before = len(sandbox.requests)
        seen = await read(client)
    assert not seen.text
    words = how_it_ended(seen, FEW)
    assert seen.error is not None
    assert seen.error.attempts == 1
    # Some proxies send a request again by themselves; the client does not.
    again = len(sandbox.requests) - before - 1
    cell.says(words + (f", and asks {again + 1} times" if again else ""))


@pytest.mark.parametrize("place", ["before the head", "after the head"])
async def test_silence(
    proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer, place: str
) -> None:
    """A proxy whose patience of 1 s ends answers for the server, or breaks off: a typed error with what had come."""
    cell = case(proxy, streams, f"silent past its timeout, {place}")
    stall = Stall(seconds=5, before="head") if place == "before the head" else Stall(seconds=5, after_chunk=4)
    sandbox.script(Script(say=FEW, rate=30.0, faults=(stall,)))
    async with AsyncClient(base_url=front(proxy, streams=streams, seconds=1, idle=True).base_url) as client:
        seen = await read(client)
    cell.says("waits" if seen.error is None else how_it_ended(seen, FEW))


async def test_an_end_without_done(
    proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer
) -> None:
    """A stream that ends in form in its middle is no answer, through any proxy."""
    cell = case(proxy, streams, "a clean end in the middle")
    sandbox.script(Script(say=FEW, faults=(EarlyEnd(after_chunk=4),)))
    async with AsyncClient(base_url=front(proxy, streams=streams).base_url) as client:
        seen = await read(client)
    words = how_it_ended(seen, FEW)
    assert seen.error is not None
    assert seen.error.retryable
    cell.says(words)


async def test_the_client_leaves(proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer) -> None:
    """How long the server goes on with an answer that nobody waits for any more, told."""
    cell = case(proxy, streams, "the client leaves: the server hears of it")
    sandbox.script(Script(say=WORDS, rate=4.0))
    async with AsyncClient(base_url=front(proxy, streams=streams).base_url) as client:
        stream = client.chat.completions.stream(**{**ASK, "model": "deepseek-coder", "retry": ONCE})
        task = asyncio.ensure_future(stream.completion())
        await until(lambda: sandbox.admission.in_flight["deepseek-coder"] > 0)
        await asyncio.sleep(0.6)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.aclose()
        left = time.monotonic()
        await until(lambda: sandbox.admission.in_flight["deepseek-coder"] == 0)
    seconds = time.monotonic() - left
    cell.says("at once" if seconds < 0.2 else "at the next event" if seconds < 2.2 else "at the end")


async def test_a_deadline_behind_what_holds(
    proxy: Proxy, streams: bool, front: Front, case: Case, sandbox: SandboxServer
) -> None:
    """Where a proxy holds a healthy stream, the deadline's error says that one may, and where to read on."""
    cell = case(proxy, streams, "a first_chunk deadline of 1 s")
    sandbox.script(Script(say=WORDS, rate=8.0))
    async with AsyncClient(base_url=front(proxy, streams=streams).base_url) as client:
        seen = await read(client, timeouts=Timeouts(first_chunk=1.0))
    if seen.error is None:
        cell.says("met")
        return
    assert isinstance(seen.error, APITimeoutError)
    assert "a proxy may hold" in str(seen.error)
    assert "docs/proxies.md" in str(seen.error)
    cell.says("passes, and is told")
