"""What the way past aiohttp's session does that the session does not."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from typing import Any
from unittest.mock import AsyncMock

import aiohttp
import pytest
import trustme

from deepseek_async import APIConnectionError, AsyncClient, InvalidRequestError
from deepseek_async.transport import HTTPRequest
from deepseek_async.transport.network import AiohttpTransport, connections, direct

from ..byte_server import ByteServer, Connection, answer, until_cut
from .test_network import Log, read, request_to

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("surplus", [answer(b"surplus"), b"HTTP/1.1 408 Request Timeout\r\n", b"\r\nx"])
async def test_bytes_that_nobody_asked_for(surplus: bytes) -> None:
    """What an idle connection brought is nobody's answer: the next request goes over another one."""

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            connection.send(answer(request[-1:]))
            if connection.number == 0:
                await was_read.wait()
                connection.send(surplus)
                await connection.drained()
                is_said.set()

    was_read, is_said = asyncio.Event(), asyncio.Event()
    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        assert await read(await transport.send(request_to(server, b"0"), Log())) == b"0"
        was_read.set()
        await is_said.wait()
        await asyncio.sleep(0.01)  # they come to this side
        for number in (b"1", b"2", b"3"):
            assert await read(await transport.send(request_to(server, number), Log())) == number
        await transport.aclose()


async def test_a_refusal_over_tls_of_half_a_request() -> None:
    """TLS does not tell how much of a body has gone out: the connection of one that was refused is not used again."""
    authority = trustme.CA()
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    authority.configure_trust(ours)

    async def play(connection: Connection) -> None:
        await connection.head()
        connection.send(answer(b"too long", status="413 Content Too Large"))
        await connection.gone()

    async with ByteServer(play, ssl=theirs) as server:
        transport, log = AiohttpTransport(ssl=ours), Log()
        url = server.base_url.replace("http://", "https://")
        for _ in range(2):
            response = await transport.send(HTTPRequest("POST", url, {}, b" " * 30 * 2**20), log)
            assert (response.status, await read(response)) == (413, b"too long")
        assert log.told == ["connecting", "made"] * 2
        await transport.aclose()


async def test_an_upload_that_was_given_up_is_not_completed() -> None:
    """A request that its caller cancels half way is not one: a server that got it whole would answer, and bill."""
    body = b" " * 30 * 2**20
    seen = 0

    async def play(connection: Connection) -> None:
        nonlocal seen
        await connection.head()
        has_head.set()
        await is_cancelled.wait()
        seen = await connection.left()

    has_head, is_cancelled = asyncio.Event(), asyncio.Event()
    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        sending = asyncio.ensure_future(transport.send(request_to(server, body), Log()))
        await has_head.wait()
        sending.cancel()
        await asyncio.wait((sending,))
        assert sending.cancelled()
        await transport.aclose()
        is_cancelled.set()
        await server.all_closed()
    assert 0 < seen < len(body)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/", "https://ex\u00e4..test/", "https://xn--\u00e4.test/", "ftp://127.0.0.1/", "x"]
)
async def test_no_address(url: str) -> None:
    """Said in our words, whoever finds it out; another attempt would meet the same."""
    transport = AiohttpTransport()
    with pytest.raises(APIConnectionError, match="no valid address") as caught:
        await transport.send(HTTPRequest("GET", url, {}), Log())
    assert (caught.value.during, caught.value.retryable) == ("connect", False)
    await transport.aclose()


async def test_a_name_that_no_resolver_takes() -> None:
    """Likewise a host with a label of 70 characters."""
    transport = AiohttpTransport()
    with pytest.raises(APIConnectionError) as caught:
        await transport.send(HTTPRequest("GET", f"http://{'a' * 70}.invalid/", {}), Log())
    assert caught.value.during == "connect"
    await transport.aclose()


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET /evil HTTP/1.1\r\nX", {}),
        ("GET", {"x-a": "a\r\nx-evil: 1"}),
        ("GET", {"x-a": "a\0"}),
        ("GET", {"x\r\ny": "a"}),
    ],
)
async def test_nothing_is_smuggled_in(method: str, headers: dict[str, str]) -> None:
    """A line end in a method or header is refused, and nothing is sent."""
    async with ByteServer(lambda c: until_cut(c, lambda _: answer(b"ok"))) as server:
        transport = AiohttpTransport()
        with pytest.raises(InvalidRequestError, match="control characters"):
            await transport.send(HTTPRequest(method, server.base_url, headers), Log())
        assert server.requests == []
        await transport.aclose()


async def test_a_header_with_a_tab_and_other_letters_goes_out() -> None:
    """Both are allowed."""
    async with ByteServer(lambda c: until_cut(c, lambda _: answer(b"ok"))) as server:
        transport = AiohttpTransport()
        response = await transport.send(HTTPRequest("GET", server.base_url, {"x-a": "a\tü\u2028"}), Log())
        assert await read(response) == b"ok"
        assert "x-a: a\tü\u2028\r\n".encode() in server.requests[0]
        await transport.aclose()


async def test_as_many_addresses_as_one_likes() -> None:
    """Past sixty-four, what was made for them is made anew."""
    async with ByteServer(lambda c: until_cut(c, lambda request: answer(request.split()[1]))) as server:
        transport = AiohttpTransport()
        for number in [*range(70), 0]:
            response = await transport.send(HTTPRequest("GET", f"{server.base_url}/{number}", {}), Log())
            assert await read(response) == f"/{number}".encode()
        await transport.aclose()


@pytest.mark.parametrize("value", ["/etc/ca.pem", 1, 0, "true"])
def test_what_is_no_tls_setting(value: Any) -> None:
    """A path to a file of certificates, say, would be taken for "check none"."""
    with pytest.raises(InvalidRequestError, match="ssl"):
        AiohttpTransport(ssl=value)


async def test_what_stands_in_for_a_session_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioresponses and vcrpy replace this method: a test of somebody's must not ask the real server. Each gets plain
    values, which can be written down and compared; without a stand-in requests go past the session again."""
    real: Any = aiohttp.ClientSession._request
    seen: list[tuple[type, type, Any]] = []

    async def stand_in(self: Any, method: str, url: str, **options: Any) -> Any:
        seen.append((type(method), type(options["data"]), options["headers"]))
        return await real(self, method, url, **options)

    async with ByteServer(lambda connection: until_cut(connection, lambda request: answer(request[-1:]))) as server:
        transport = AiohttpTransport()
        with monkeypatch.context() as patch:
            patch.setattr(aiohttp.ClientSession, "_request", stand_in)
            assert await read(await transport.send(request_to(server, b"1"), Log())) == b"1"
            assert await read(await transport.send(request_to(server, b"2" * (2**20 + 1)), Log())) == b"2"
        assert [kinds[:2] for kinds in seen] == [(str, bytes), (connections._Once, connections.Body)]
        assert transport.through_session == 2
        assert await read(await transport.send(request_to(server, b"3"), Log())) == b"3"
        assert (len(seen), transport.through_session) == (2, 2)
        with monkeypatch.context() as patch:
            refusing = AsyncMock(side_effect=aiohttp.ClientConnectionError("mock"))
            patch.setattr(aiohttp.ClientSession, "_request", refusing)
            with pytest.raises(APIConnectionError, match="mock"):
                await transport.send(request_to(server, b"4"), Log())
        await transport.aclose()


async def test_what_aiohttp_lacks_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a warning that names it, and by a figure that goes on counting; the requests are answered all the same."""
    monkeypatch.setattr(connections, "_has_warned", False)
    monkeypatch.setattr(direct, "lacking", lambda: ["ResponseHandler.read", "BaseConnector.connect(traces)"])
    async with ByteServer(lambda c: until_cut(c, lambda _: answer(b'{"data": []}'))) as server:
        for number in (1, 2):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                async with AsyncClient(base_url=server.base_url) as client:
                    await client.models.list()
                    await client.models.list()
            told = [str(warning.message) for warning in caught if warning.category is RuntimeWarning]
            assert len(told) == (1 if number == 1 else 0)
            assert client.statistics().through_session == 2
            for text in told:
                assert "lacks ResponseHandler.read, BaseConnector.connect(traces)" in text
    monkeypatch.undo()
    assert direct.lacking() == []


def test_what_is_lacking_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter that is not there any more, by the function that had it."""

    def connect(self: object, req: object) -> None: ...

    monkeypatch.setattr("aiohttp.BaseConnector.connect", connect)
    assert direct.lacking() == [f"{connect.__qualname__}(timeout)", f"{connect.__qualname__}(traces)"]
