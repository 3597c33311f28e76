"""One client over many loops: what belongs to a loop goes with it, also when nobody says goodbye."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import pytest
import uvloop

from deepseek_async import AsyncClient, RetryPolicy
from deepseek_async.transport import HTTPRequest
from deepseek_async.transport.network import AiohttpTransport

from ..byte_server import open_files
from .test_network import Log

# Transports of loops that were closed under them warn, as asyncio's and uvloop's do; a warning must not keep a loop.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.usefixtures("light_heap")]

BODY = b'{"object": "list", "data": []}'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def base_url() -> Any:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def collected() -> None:
    """Whatever only the collector finds; a transport of a closed loop warns, as asyncio's do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
        gc.collect()


def assert_closed(before: int) -> None:
    """No more files are open than before; the server, which is in this process, may take a moment to notice."""
    deadline = time.monotonic() + 5.0
    while open_files() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert open_files() <= before


async def listed(client: AsyncClient) -> None:
    await client.models.list()


LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
USES = [(LOOPS[0], "calls"), (LOOPS[0], "many"), (LOOPS[0], "failing"), (LOOPS[1], "many"), (LOOPS[1], "streams")]


@pytest.mark.parametrize(("new_loop", "shape"), USES, ids=lambda value: getattr(value, "__module__", value))
def test_loops_closed_without_ceremony(new_loop: Callable[[], Any], shape: str, base_url: str) -> None:
    """No loop, session or socket stays behind, while the client lives on."""
    client = AsyncClient(base_url=base_url, retry=RetryPolicy(attempts=1))
    loops: list[weakref.ref[Any]] = []

    async def use() -> None:
        if shape == "many":
            await asyncio.gather(*[client.models.list() for _ in range(5)])
        elif shape == "failing":
            with pytest.raises(Exception, match="HTTP 501"):
                await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
        elif shape == "streams":
            await client.models.list()
            with pytest.raises(Exception, match="HTTP 501"):
                await client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "x"}]).open()
        else:
            await client.models.list()

    def once() -> None:
        loop = new_loop()
        loop.run_until_complete(use())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # of uvloop's, for each transport that is open
            loop.close()
        loops.append(weakref.ref(loop))

    once()
    collected()
    before = open_files()
    for _ in range(3):
        once()
    collected()
    assert [ref for ref in loops if ref() is not None] == []
    # By type: some library's lazy modules load when they are asked for their class.
    left = [thing for thing in gc.get_objects() if type(thing) is aiohttp.ClientSession and thing._connector]
    assert [session for session in left if session._loop.is_closed()] == []
    assert_closed(before)


@pytest.mark.parametrize("new_loop", LOOPS, ids=["asyncio", "uvloop"])
def test_loops_that_end_well(new_loop: Callable[[], Any], base_url: str) -> None:
    """Their connections are closed by the loop, at once."""
    client = AsyncClient(base_url=base_url)
    with asyncio.Runner(loop_factory=new_loop) as runner:  # the first of its kind opens files for all that follow
        runner.run(listed(client))
    before = open_files()
    for _ in range(3):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(listed(client))
    assert_closed(before)


def test_clients_come_and_go_in_one_loop(base_url: str) -> None:
    """The loop holds what belongs to a client no longer than there is the client."""

    async def use() -> None:
        for _ in range(5):
            await AsyncClient(base_url=base_url).models.list()
        gc.collect()
        for _ in range(20):
            await asyncio.sleep(0)
        belongings = asyncio.get_running_loop()._deepseek_async  # type: ignore[attr-defined]
        assert (len(belongings.bound), len(belongings.keepers)) == (0, 0)

    asyncio.run(use())


def test_a_loop_that_takes_no_attribute(base_url: str) -> None:
    """Is served all the same."""

    class Strict(asyncio.SelectorEventLoop):
        def __setattr__(self, name: str, value: object) -> None:
            if "deepseek" in name:
                raise AttributeError(name)
            super().__setattr__(name, value)

    with asyncio.Runner(loop_factory=Strict) as runner:
        runner.run(listed(AsyncClient(base_url=base_url)))


@pytest.mark.anyio
async def test_answers_of_a_given_session_stay_with_it(base_url: str) -> None:
    """Closing the client leaves them alone: the session is the caller's."""
    async with aiohttp.ClientSession() as session:
        transport = AiohttpTransport(session=session)
        response = await transport.send(HTTPRequest("GET", f"{base_url}/models", {}), Log())
        await transport.aclose()
        assert await response.receive() == BODY
        response.close()
        assert transport.through_session == 1
