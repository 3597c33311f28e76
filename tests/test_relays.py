"""The relays of docs/relays.md do what it says: stream on, tell a status, stop upstream when the reader leaves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web

from deepseek_async.sandbox import Cut, KeepAlives, LateHead, Refuse, SandboxServer, Script, Stall

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parent.parent / "docs" / "relays.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.S | re.M)
ASKED: Any = {"json": {"question": "Why?"}}


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SandboxServer]:
    async with SandboxServer(seed=1) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.base_url)
        yield server


@pytest.fixture
def names() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "relays"}
    for example in EXAMPLES:
        exec(compile(example, "docs/relays.md", "exec", dont_inherit=True), names)  # noqa: S102 - our own page
    return names


@pytest.fixture
async def relay(names: dict[str, Any]) -> AsyncIterator[Any]:
    runner = web.AppRunner(names["app"], handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as session:
        yield lambda: session.post(f"http://127.0.0.1:{runner.addresses[0][1]}/answer", **ASKED)
    await runner.cleanup()


@pytest.mark.parametrize(
    ("script", "status", "text"),
    [
        (Script(say="Rivers bring salt."), 200, "Rivers bring salt."),
        (Script(say="Rivers bring salt.", faults=(Cut(after_chunk=4),)), 200, "StreamInterruptedError"),
        (Script(faults=(Refuse(status=401),)), 502, ""),
    ],
)
async def test_with_aiohttp(server: SandboxServer, relay: Any, script: Script, status: int, text: str) -> None:
    """The text, the cut told in its place, a refusal as a status."""
    server.script(script)
    async with relay() as response:
        assert response.status == status
        assert text in await response.text()


async def test_a_reader_who_leaves_ends_the_answer(server: SandboxServer, relay: Any, names: dict[str, Any]) -> None:
    """The request to the model is closed, and does not run on for nobody."""
    server.script(Script(say=["Rivers ", "bring ", "salt."], faults=(Stall(seconds=30, after_chunk=3),)))
    async with relay() as response:
        await response.content.readany()
    async with asyncio.timeout(5):
        while names["app"][names["CLIENT"]].statistics().in_flight:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("script", "status", "text"),
    [
        (Script(say="Rivers bring salt."), 200, "Rivers bring salt."),
        (Script(say="Rivers bring salt.", faults=(Cut(after_chunk=4),)), 200, "StreamInterruptedError"),
        (Script(faults=(Refuse(status=401),)), 502, ""),
    ],
)
async def test_with_fastapi(
    server: SandboxServer, names: dict[str, Any], script: Script, status: int, text: str
) -> None:
    """The same behind ASGI."""
    server.script(script)
    api = names["api"]
    async with api.router.lifespan_context(api):
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://relay") as client:
            response = await client.post("/answer", **ASKED)
    assert response.status_code == status
    assert text in response.text


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        ((Stall(9, before="head"),), 504),
        ((Stall(9, before="first_chunk"),), 504),  # the head is there, and with `open()` alone the 200 would be out
        ((LateHead(), Stall(9, before="first_chunk")), 504),
        ((KeepAlives(99, every=0.02),), 504),
        ((Cut(before="first_chunk"),), 502),
    ],
)
async def test_what_comes_to_nothing_is_a_status(
    server: SandboxServer, faults: Any, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a gateway, also where the model's server had said 200."""
    monkeypatch.setenv("DEEPSEEK_BASE_URL", server.base_url)
    names: dict[str, Any] = {"__name__": "relays"}
    for example in EXAMPLES:
        quick = example.replace(
            "AsyncClient(timeouts=Timeouts(first_chunk=30,",
            "AsyncClient(max_retries=0, timeouts=Timeouts(first_chunk=0.1,",
        )
        exec(compile(quick, "docs/relays.md", "exec", dont_inherit=True), names)  # noqa: S102 - our own page
    server.script(Script("Rivers bring salt.", faults=faults), times=None, optional=True)
    api = names["api"]
    async with api.router.lifespan_context(api):
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://relay") as client:
            response = await client.post("/answer", **ASKED)
    assert response.status_code == status
