"""What went wrong on the way, told in words of ours, and of whom; what nobody thought of, too."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from deepseek_async import (
    APIConnectionError,
    AsyncClient,
    DeepSeekError,
    InvalidRequestError,
    RetryPolicy,
    StreamInterruptedError,
)
from deepseek_async.transport.base import lowered
from deepseek_async.transport.network import AiohttpTransport

from ..byte_server import JSON_HEAD, STREAM_HEAD, ByteServer, Connection, answer, chunked, event, until_cut
from .test_network import Log, request_to

pytestmark = pytest.mark.anyio


def says(*parts: bytes, reset: bool = False) -> Callable[[Connection], Any]:
    async def play(connection: Connection) -> None:
        await connection.request()
        for part in parts:
            connection.send(part)
            await connection.drained()
        if reset:
            connection.reset()

    return play


async def failure(play: Callable[[Connection], Any], *, given: bool = False) -> DeepSeekError:
    """How one request ends, head and body."""
    session = aiohttp.ClientSession() if given else None
    transport = AiohttpTransport(session=session)
    try:
        async with ByteServer(play) as server:
            with pytest.raises(DeepSeekError) as caught:
                response = await transport.send(request_to(server), Log())
                try:
                    while await response.receive():
                        pass
                finally:
                    response.close()
        return caught.value
    finally:
        await transport.aclose()
        if session is not None:
            await session.close()


def without_ports(error: DeepSeekError) -> str:
    """What it says; any digits may stand in the number of a port."""
    return re.sub(r":[0-9]+", "", str(error))


@pytest.mark.parametrize("given", [False, True], ids=["ours", "given"])
@pytest.mark.parametrize("cut", [b"H", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nx-a: ", b"HTTP/1.1 200 OK\r\nx-a: b\r\n"])
async def test_a_cut_head(cut: bytes, given: bool) -> None:
    """Told in words, and not by the repr of an object that holds headers."""
    error = await failure(says(cut), given=given)
    assert isinstance(error, APIConnectionError)
    assert error.during == "request"
    for name in ("RawResponse", "CIMulti", "Message", "400"):
        assert name not in without_ports(error)


CUT_BODIES = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nabc",
    STREAM_HEAD + chunked(event("Hello")),
    STREAM_HEAD + b"ff\r\nabc",
    JSON_HEAD + chunked(b"{") + b"0\r\n",
]


@pytest.mark.parametrize("given", [False, True], ids=["ours", "given"])
@pytest.mark.parametrize("said", CUT_BODIES, ids=range(len(CUT_BODIES)))
async def test_a_cut_body_has_no_status(said: bytes, given: bool) -> None:
    """aiohttp says "TransferEncodingError: 400", which no server has sent."""
    error = await failure(says(said), given=given)
    assert isinstance(error, APIConnectionError)
    assert str(error).startswith("the connection broke while the answer came: ")
    assert "400" not in without_ports(error)
    assert "Error" not in str(error)


BAD_CHUNKS = [b"xyz\r\n", b"-1\r\n", b"5\r\nHelloXX", b"\r\n1\r\n"]


@pytest.mark.parametrize("given", [False, True], ids=["ours", "given"])
@pytest.mark.parametrize("apart", [False, True], ids=["in one packet", "apart"])
@pytest.mark.parametrize("bad", BAD_CHUNKS, ids=range(len(BAD_CHUNKS)))
async def test_a_bad_chunk_is_told_alike(bad: bytes, apart: bool, given: bool) -> None:
    """With the head or after it: the answer has begun, and its body is broken."""

    async def play(connection: Connection) -> None:
        await connection.request()
        if apart:
            connection.send(STREAM_HEAD + chunked(event("Hello")))
            await connection.drained()
            await asyncio.sleep(0.02)
            connection.send(bad)
        else:
            connection.send(STREAM_HEAD + bad)
        await connection.gone()

    error = await failure(play, given=given)
    assert isinstance(error, APIConnectionError)
    assert str(error) == "the connection broke while the answer came: the body is not framed as HTTP wants it"
    assert (error.retryable, error.during, error.reason) == (True, "request", "network")


@pytest.mark.parametrize("value", [b"\xff\xfe", b"caf\xe9", b"\xc3(", b"\x80abc"])
async def test_header_bytes_that_are_no_utf8(value: bytes) -> None:
    """They come out as text that can be written anywhere, a journal's line for instance."""
    head = b"HTTP/1.1 429 No\r\nx-ds-trace-id: " + value + b"\r\nx-a: " + value + b"\r\ncontent-length: 2\r\n\r\n{}"
    async with ByteServer(lambda c: until_cut(c, lambda _: head)) as server:
        transport = AiohttpTransport()
        response = await transport.send(request_to(server), Log())
        "".join(lowered(response.headers).values()).encode()
        response.close()
        await transport.aclose()
        async with AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1)) as client:
            with pytest.raises(DeepSeekError) as caught:
                await client.models.list()
        assert caught.value.request_id is not None
        (caught.value.request_id + repr(vars(caught.value)) + str(caught.value)).encode()


class SocksError(Exception):
    """As `python_socks.ProxyError`: neither of aiohttp's nor of the system's."""


@pytest.mark.parametrize(
    "error", [SocksError("0x05: refused"), ValueError("bad"), RuntimeError("odd"), KeyError("x"), OSError("no")]
)
async def test_a_connector_of_the_callers_raises_what_it_likes(error: Exception) -> None:
    """It comes out as an error of ours, which says that nothing was sent and has the exception as its cause."""

    class Socks(aiohttp.TCPConnector):
        async def _create_connection(self, *_: Any, **__: Any) -> Any:
            raise error

    async with aiohttp.ClientSession(connector=Socks()) as session:
        transport = AiohttpTransport(session=session)
        async with ByteServer(says(b"")) as server:
            with pytest.raises(APIConnectionError) as caught:
                await transport.send(request_to(server), Log())
    assert (caught.value.during, caught.value.may_be_billed) == ("connect", False)
    if not isinstance(error, OSError):
        assert caught.value.__cause__ is error
        assert type(error).__name__ in str(caught.value)


async def test_a_given_session_answers_in_our_way() -> None:
    """`raise_for_status` of the session's is overruled: the body is read, and its words are told."""
    said = answer(b'{"error": {"message": "The key is wrong."}}', "401 No")
    async with ByteServer(lambda c: until_cut(c, lambda _: said)) as server:
        for raising in (True, False):
            async with aiohttp.ClientSession(raise_for_status=raising) as session:
                client = AsyncClient("k", base_url=server.base_url, session=session)
                with pytest.raises(DeepSeekError, match=r"HTTP 401: The key is wrong\."):
                    await client.models.list()


async def _middleware(request: Any, handler: Any) -> Any:
    return await handler(request)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"auth": ("user", "hunter2")}, "without auth"),
        ({"auth": ("user", "")}, "without auth"),
        ({"middlewares": (_middleware,)}, "without middlewares"),
        ({"middlewares": [_middleware, _middleware]}, "without middlewares"),
    ],
)
async def test_a_given_session_that_would_go_its_own_way(arguments: dict[str, Any], said: str) -> None:
    """Refused when the client is made, in words that say what to do instead."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of aiohttp 3.14
        if "auth" in arguments:
            arguments = {"auth": aiohttp.BasicAuth(*arguments["auth"])}
        session = aiohttp.ClientSession(**arguments)
    async with session:
        with pytest.raises(InvalidRequestError, match=said) as caught:
            AsyncClient("k", base_url="http://127.0.0.1:1", session=session)
        assert "hunter2" not in str(caught.value)


async def test_errors_hold_nothing_of_aiohttps() -> None:
    """No exception of aiohttp's hangs below an error: it may hold the headers of a request or of an answer."""
    for play in (says(), says(b"HTTP/1.1 200 OK\r\nx-a: "), says(b"nonsense\r\n\r\n"), says(CUT_BODIES[0])):
        error = await failure(play)
        assert error.__context__ is None
        assert error.__cause__ is None


async def test_a_stream_is_told_the_same() -> None:
    """The bad chunk comes with the head, or later: the caller is told alike, and the first may be tried again."""
    ask: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    async with (
        ByteServer(says(STREAM_HEAD + b"xyz\r\n")) as server,
        AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1)) as client,
    ):
        with pytest.raises((APIConnectionError, StreamInterruptedError), match="not framed as HTTP") as caught:
            await client.chat.completions.stream(**ask).completion()
    assert caught.value.retryable
