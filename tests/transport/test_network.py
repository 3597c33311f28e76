"""Bytes over real sockets: what aiohttp does to them, and what `AiohttpTransport` makes of it."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from pathlib import Path

import aiohttp
import pytest
import trustme

from deepseek_async import APIConnectionError, DeepSeekError, MalformedResponseError, ResponseTooLargeError
from deepseek_async.transport import HTTPRequest, Response
from deepseek_async.transport.network import MAX_HEADER_BYTES, AiohttpTransport, connections, direct
from deepseek_async.transport.network.failures import MAX_HEADER_FIELDS

from ..byte_server import (
    JSON_HEAD,
    LAST_CHUNK,
    STREAM_HEAD,
    ByteServer,
    Connection,
    answer,
    chunked,
    open_files,
    until_cut,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True, params=["direct", "session"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past aiohttp's session, and through it, as with an aiohttp that has not the parts for that."""
    assert not direct.lacking()
    if request.param == "session":
        monkeypatch.setattr(direct, "lacking", lambda: ["something"])
        monkeypatch.setattr(connections, "_has_warned", True)


class Log:
    """What the transport told of its progress."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_queued = asyncio.Event()

    def queued(self) -> None:
        self.told.append("queued")
        self.is_queued.set()

    def connecting(self) -> None:
        self.told.append("connecting")

    def connected(self, *, reused: bool) -> None:
        self.told.append("reused" if reused else "made")


def request_to(server: ByteServer, body: bytes | None = b"{}") -> HTTPRequest:
    return HTTPRequest("POST", f"{server.base_url}/x", {"content-type": "application/json"}, body)


async def read(response: Response) -> bytes:
    whole = b""
    while data := await response.receive():
        whole += data
    response.close()
    return whole


async def test_a_body_comes_as_it_was_sent_and_the_connection_serves_again() -> None:
    """Head and body arrive; the second request goes over the same connection."""
    async with ByteServer(lambda c: until_cut(c, lambda _: answer(b"hello", headers="X-A: b\r\n"))) as server:
        transport, log = AiohttpTransport(), Log()
        for _ in range(2):
            response = await transport.send(request_to(server), log)
            assert (response.status, response.headers["x-a"]) == (200, "b")
            assert await response.receive() == b"hello"
            assert [await response.receive(), await response.receive()] == [b"", b""]
            assert response.is_at_end
            response.close()
        assert log.told == ["connecting", "made", "reused"]
        assert len(server.connections) == 1
        await transport.aclose()


async def test_a_long_prompt_is_sent_without_a_warning() -> None:
    """3 MiB arrive whole. aiohttp warns of bytes beyond one; here warnings are errors."""
    body = b'{"a": "' + b"a" * 3 * 2**20 + b'"}'
    seen: list[int] = []

    def say(request: bytes) -> bytes:
        seen.append(len(request.partition(b"\r\n\r\n")[2]))
        return answer(b"ok")

    async with ByteServer(lambda c: until_cut(c, say)) as server:
        transport = AiohttpTransport()
        response = await transport.send(request_to(server, body), Log())
        assert await response.receive() == b"ok"
        response.close()
        await transport.aclose()
    assert seen == [len(body)]


async def test_the_head_that_goes_out() -> None:
    """Ours as given, once each; what HTTP wants besides; the length in bytes; none where there is no body."""

    def fields(head: bytes) -> list[str]:
        return sorted(line.decode().lower() for line in head.split(b"\r\n")[1:-2])

    async with ByteServer(lambda c: until_cut(c, lambda _: answer(b"ok"))) as server:
        transport, url = AiohttpTransport(), f"{server.base_url}/a%20b?c=d"
        given = {"authorization": "Bearer k", "content-type": "application/json", "accept-encoding": "identity"}
        for body in ("ä".encode(), b"", b"x" * 200_000, None):
            await read(await transport.send(HTTPRequest("GET" if body is None else "POST", url, given, body), Log()))
        others = {**given, "x-other": "ü"}
        await read(await transport.send(HTTPRequest("POST", url, others, b"1"), Log()))
        await transport.aclose()
    path = url.removeprefix(server.base_url).encode()
    assert [request.partition(b"\r\n")[0] for request in server.requests] == [
        *[b"POST %s HTTP/1.1" % path] * 3,
        b"GET %s HTTP/1.1" % path,
        b"POST %s HTTP/1.1" % path,
    ]
    heads = [fields(request.partition(b"\r\n\r\n")[0] + b"\r\n\r\n") for request in server.requests]
    host = server.base_url.removeprefix("http://")
    common = {f"host: {host}", "accept: */*", *(f"{name}: {value}".lower() for name, value in given.items())}
    for head in heads:
        names = [line.partition(":")[0] for line in head]
        assert len(names) == len(set(names))
        assert common <= set(head)
    lengths = [next((line for line in head if line.startswith("content-length")), None) for head in heads]
    assert lengths == ["content-length: 2", "content-length: 0", "content-length: 200000", None, "content-length: 1"]
    assert ["x-other: ü" in head for head in heads] == [False] * 4 + [True]


async def test_answers_before_the_answer() -> None:
    """100 Continue and 103 Early Hints say that more is to come."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        await asyncio.sleep(0)
        connection.send(answer(b"hello"))

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        response = await transport.send(request_to(server), Log())
        assert response.status == 200
        assert await read(response) == b"hello"
        await transport.aclose()


async def test_an_answer_to_half_a_request() -> None:
    """A server that refuses a long body without reading it: its answer is read, and no other request goes there."""

    async def play(connection: Connection) -> None:
        await connection.head()
        connection.send(answer(b"too long", status="413 Content Too Large"))
        await connection.gone()

    async with ByteServer(play) as server:
        transport, log = AiohttpTransport(), Log()
        for _ in range(2):
            response = await transport.send(request_to(server, b" " * 30 * 2**20), log)
            assert response.status == 413
            assert await read(response) == b"too long"
        assert log.told == ["connecting", "made"] * 2
        await transport.aclose()


async def test_tls() -> None:
    """With the caller's trust in a certificate of its own: a body in many reads, and the connection serves again."""
    authority = trustme.CA()
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    authority.configure_trust(ours)
    whole = b"0123456789" * 100_000
    async with ByteServer(lambda c: until_cut(c, lambda _: answer(whole)), ssl=theirs) as server:
        transport, log = AiohttpTransport(ssl=ours), Log()
        url = server.base_url.replace("http://", "https://")
        for _ in range(2):
            response = await transport.send(HTTPRequest("POST", url, {}, b"{}"), log)
            assert await read(response) == whole
        assert log.told == ["connecting", "made", "reused"]
        await transport.aclose()

        transport = AiohttpTransport()
        with pytest.raises(APIConnectionError, match="is not trusted") as caught:
            await transport.send(HTTPRequest("POST", url, {}, b"{}"), Log())
        assert not caught.value.retryable
        await transport.aclose()


async def test_what_came_before_a_reset_is_not_lost() -> None:
    """Five reads' worth of body and a reset in the same breath: the bytes come first, then the error.

    aiohttp's reader raises at once and hides what it had buffered.
    """

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + chunked(b"1"))
        await first_was_read.wait()
        for part in (b"2", b"3", b"4", b"5"):
            connection.send(chunked(part))
            await asyncio.sleep(0)
        connection.reset()

    first_was_read = asyncio.Event()
    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        response = await transport.send(request_to(server), Log())
        assert await response.receive() == b"1"
        first_was_read.set()
        await server.all_closed()  # everything is in our buffers before we look
        await asyncio.sleep(0.01)
        assert await response.receive() == b"2345"
        for _ in range(2):
            with pytest.raises(APIConnectionError, match="broke while the answer came"):
                await response.receive()
        assert not response.is_at_end
        response.close()
        await transport.aclose()


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        (STREAM_HEAD + chunked(b"abc"), b""),
        (STREAM_HEAD + b"5\r\nabc", b""),
        (STREAM_HEAD + chunked(b"abc"), b"0\r\n"),
        (STREAM_HEAD + chunked(b"abc"), b"zz\r\n"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", b""),
    ],
    ids=["no last chunk", "inside a chunk", "inside the last chunk", "no chunk size", "too short"],
)
async def test_a_body_that_is_cut_is_told_from_one_that_ends(body: bytes, rest: bytes) -> None:
    """HTTP says that more should come: an error, after what came."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(body)
        await has_head.wait()
        connection.send(rest)

    has_head = asyncio.Event()
    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        response = await transport.send(request_to(server), Log())
        has_head.set()
        seen = b""
        with pytest.raises(APIConnectionError):
            while data := await response.receive():
                seen += data
        assert seen == b"abc"
        response.close()
        await transport.aclose()


async def test_a_body_without_length_ends_with_the_connection() -> None:
    """Of HTTP/1.0: the end is the end; who reads must know by the content whether it is whole."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(b"HTTP/1.0 200 OK\r\n\r\nabc")

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        assert await read(await transport.send(request_to(server), Log())) == b"abc"
        await transport.aclose()


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_stale_connection_is_replaced_once_in_silence(ending: str) -> None:
    """A kept-alive connection that breaks before any byte of the answer: the request goes over a fresh one."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(answer(b"first" if connection.number == 0 else b"fresh"))
        if await connection.request():  # the server had meant to close while this was on its way
            getattr(connection, ending)()

    async with ByteServer(play) as server:
        transport, log = AiohttpTransport(), Log()
        assert await read(await transport.send(request_to(server), log)) == b"first"
        assert await read(await transport.send(request_to(server, b'{"n": 2}'), log)) == b"fresh"
        assert log.told == ["connecting", "made", "reused", "connecting", "made"]
        assert [len(connection.requests) for connection in server.connections] == [2, 1]
        assert all(request.endswith(b'{"n": 2}') for request in server.requests[1:])
        await transport.aclose()


async def test_only_once() -> None:
    """The fresh connection breaks as well: that is the answer's failure, told to whom decides about attempts."""

    async def play(connection: Connection) -> None:
        await connection.request()
        if connection.number == 0:
            connection.send(answer(b"first"))
            await connection.request()
        connection.close()

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        await read(await transport.send(request_to(server), Log()))
        with pytest.raises(APIConnectionError) as caught:
            await transport.send(request_to(server), Log())
        assert caught.value.during == "request"
        assert caught.value.retryable
        assert len(server.connections) == 2
        await transport.aclose()


async def test_a_new_connection_that_breaks_is_not_replaced() -> None:
    """It cannot have been stale."""

    async def play(connection: Connection) -> None:
        await connection.request()

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        with pytest.raises(APIConnectionError, match="broke before the answer"):
            await transport.send(request_to(server), Log())
        assert len(server.connections) == 1
        await transport.aclose()


async def test_an_answer_that_had_begun_is_not_asked_for_again() -> None:
    """Half a head over a reused connection: the server is at work on the request already."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(answer(b"first"))
        await connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-ty")

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        await read(await transport.send(request_to(server), Log()))
        with pytest.raises(APIConnectionError):
            await transport.send(request_to(server), Log())
        assert len(server.requests) == 2
        await transport.aclose()


async def test_nobody_listens() -> None:
    """A refused connection says so, and that the server saw nothing."""
    async with ByteServer(lambda c: until_cut(c, lambda _: b"")) as server:
        request = request_to(server)
    transport = AiohttpTransport()
    with pytest.raises(
        APIConnectionError, match=r"cannot connect to http://127\.0\.0\.1:\d+: Connection refused"
    ) as caught:
        await transport.send(request, Log())
    assert caught.value.during == "connect"
    assert caught.value.retryable
    await transport.aclose()


async def test_what_is_not_http() -> None:
    """The error says so; another attempt would meet the same."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(b"SSH-2.0-OpenSSH_9.6\r\n")

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        with pytest.raises(APIConnectionError, match="does not answer in HTTP") as caught:
            await transport.send(request_to(server), Log())
        assert not caught.value.retryable
        await transport.aclose()


@pytest.mark.parametrize("field", ["x-a: %s\r\n", "%s: a\r\n"], ids=["value", "name"])
async def test_a_head_is_capped(field: str) -> None:
    """A field over the cap is refused; one under it is not. A head without end costs no memory."""

    async def play(connection: Connection) -> None:
        size = int((await connection.request()).rpartition(b"\r\n\r\n")[2])
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" + (field % ("a" * size)).encode() + b"\r\n")

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        small = str(MAX_HEADER_BYTES - 100).encode()
        assert (await transport.send(request_to(server, small), Log())).status == 200
        with pytest.raises(ResponseTooLargeError) as caught:
            await transport.send(request_to(server, str(2 * MAX_HEADER_BYTES).encode()), Log())
        assert caught.value.limit == MAX_HEADER_BYTES
        await transport.aclose()


async def test_the_fields_of_a_head_are_counted() -> None:
    """Sixty of a gateway's are none too many; what is refused is HTTP all the same, and told as what it is."""

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            count = int(request.rpartition(b"\r\n\r\n")[2])
            fields = "".join(f"x-{number}: a\r\n" for number in range(count))
            connection.send(f"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{fields}\r\n".encode())

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        for count in (0, 60, MAX_HEADER_FIELDS - 2):
            assert (await transport.send(request_to(server, str(count).encode()), Log())).status == 200
        for count in (MAX_HEADER_FIELDS + 1, 1000):
            with pytest.raises(ResponseTooLargeError, match="more than 128 fields") as caught:
                await transport.send(request_to(server, str(count).encode()), Log())
            assert caught.value.limit == MAX_HEADER_FIELDS
        await transport.aclose()


async def test_waiting_for_a_connection_is_told() -> None:
    """With all connections busy a request queues, and goes on as soon as one is free."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(JSON_HEAD)
        await may_end.wait()
        connection.send(chunked(b"1") + LAST_CHUNK)
        await until_cut(connection, lambda _: answer(b"2"))

    may_end = asyncio.Event()
    async with ByteServer(play) as server:
        transport = AiohttpTransport(max_connections=1)
        first, second = Log(), Log()
        response = await transport.send(request_to(server), first)
        waiting = asyncio.ensure_future(transport.send(request_to(server), second))
        await second.is_queued.wait()
        assert second.told == ["queued"]
        may_end.set()
        assert await read(response) == b"1"
        assert await read(await waiting) == b"2"
        assert second.told == ["queued", "reused"]
        assert len(server.connections) == 1
        await transport.aclose()


async def silent(connection: Connection) -> None:
    """A head, one byte, and then nothing."""
    await connection.request()
    connection.send(STREAM_HEAD + chunked(b"1"))
    await connection.gone()


async def test_closing_wakes_whoever_waits_for_bytes() -> None:
    """aiohttp would let the reader wait for ever; here it is told, and nothing stays open."""
    async with ByteServer(silent) as server:
        transport = AiohttpTransport()
        response = await transport.send(request_to(server), Log())
        assert await response.receive() == b"1"
        reading = asyncio.ensure_future(response.receive())
        await asyncio.sleep(0)
        await transport.aclose()
        with pytest.raises(APIConnectionError, match="the client was closed") as caught:
            await reading
        assert not caught.value.retryable
        with pytest.raises(APIConnectionError, match="the client was closed"):
            await response.receive()
        await server.all_closed()


async def test_closing_wakes_whoever_waits_for_a_head() -> None:
    """Likewise while the request waits for an answer."""

    async def play(connection: Connection) -> None:
        await connection.request()
        is_asked.set()
        await connection.gone()

    is_asked = asyncio.Event()
    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        sending = asyncio.ensure_future(transport.send(request_to(server), Log()))
        await is_asked.wait()
        await transport.aclose()
        with pytest.raises(APIConnectionError, match="the client was closed"):
            await sending
        await server.all_closed()


async def test_closing_wakes_whoever_waits_for_a_connection() -> None:
    """aiohttp raises CancelledError there, in a task that nobody has cancelled."""
    async with ByteServer(silent) as server:
        transport = AiohttpTransport(max_connections=1)
        response, log = await transport.send(request_to(server), Log()), Log()
        waiting = asyncio.ensure_future(transport.send(request_to(server), log))
        await log.is_queued.wait()
        await transport.aclose()
        with pytest.raises(APIConnectionError, match="the client was closed"):
            await waiting
        response.close()
        await server.all_closed()


async def test_a_given_session_is_used_and_left_open() -> None:
    """Its own headers go out, its connections are watched like ours, and closing us leaves it open."""
    async with (
        ByteServer(lambda c: until_cut(c, lambda _: answer(b"hello"))) as server,
        aiohttp.ClientSession(headers={"x-mine": "1"}) as session,
    ):
        log = Log()
        for transport in (AiohttpTransport(session=session), AiohttpTransport(session=session)):
            assert await read(await transport.send(request_to(server), log)) == b"hello"
            await transport.aclose()
        assert not session.closed
        assert log.told == ["connecting", "made", "reused"]
        assert b"x-mine: 1" in server.requests[0].lower()
        assert len(session.trace_configs) == 1
        async with session.get(server.base_url) as response:  # requests that are not ours are none of our business
            assert await response.read() == b"hello"
        assert len(log.told) == 3


async def test_a_given_session_that_is_closed() -> None:
    """It says what is wrong instead of aiohttp's RuntimeError."""
    async with aiohttp.ClientSession() as session:
        transport = AiohttpTransport(session=session)
    with pytest.raises(APIConnectionError, match="session that was given is closed"):
        await transport.send(HTTPRequest("GET", "http://127.0.0.1:1/", {}), Log())


def _raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


TEXT = b"".join(b"%d " % number for number in range(100_000))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip, identity", gzip.compress(TEXT)),
        ("GZIP", gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", _raw_deflate(TEXT)),
        ("identity", TEXT),
        ("", TEXT),
    ],
    ids=["gzip", "x-gzip", "two members", "deflate", "raw deflate", "identity", "empty"],
)
@pytest.mark.parametrize("size", [1, 70_000])
async def test_a_body_compressed_without_being_asked(encoding: str, body: bytes, size: int) -> None:
    """Some gateways do so; it is read, wherever it is cut."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\n".encode() + STREAM_HEAD[17:])
        cut = body[:200] if size == 1 else body
        for start in range(0, len(cut), size):
            connection.send(chunked(cut[start : start + size]))
            await asyncio.sleep(0)
        connection.send(chunked(body[len(cut) :]) if cut != body else b"")
        connection.send(LAST_CHUNK)

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        assert await read(await transport.send(request_to(server), Log())) == TEXT
        await transport.aclose()


@pytest.mark.parametrize(
    ("encoding", "body", "error", "words"),
    [
        ("br", b"abc", MalformedResponseError, "compressed \\(br\\) although plain was asked for"),
        ("gzip, gzip", b"abc", MalformedResponseError, "compressed \\(gzip, gzip\\)"),
        ("gzip", b"abc", MalformedResponseError, "not gzip as its header says"),
        ("gzip", gzip.compress(TEXT)[:-9], APIConnectionError, "compressed body is cut"),
    ],
)
async def test_a_body_that_cannot_be_inflated(
    encoding: str, body: bytes, error: type[DeepSeekError], words: str
) -> None:
    """The error names the encoding, and comes when the body is read: the status is there before."""
    async with ByteServer(
        lambda c: until_cut(c, lambda _: answer(body, headers=f"content-encoding: {encoding}\r\n"))
    ) as server:
        transport = AiohttpTransport()
        response = await transport.send(request_to(server), Log())
        assert response.status == 200
        with pytest.raises(error, match=words):
            await read(response)
        response.close()
        await transport.aclose()


async def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is used, with its password and without ours; NO_PROXY is heeded; ~/.netrc is not read."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with ByteServer(lambda c: until_cut(c, lambda _: answer(b"by the proxy"))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{proxy.port}")
        request = HTTPRequest("POST", "http://far.test/x", {"authorization": "Bearer sk-1"}, b"{}")
        transport = AiohttpTransport()
        assert await read(await transport.send(request, Log())) == b"by the proxy"
        seen = proxy.requests[0]
        assert seen.startswith(b"POST http://far.test/x HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in seen
        assert b"authorization: bearer sk-1" in seen.lower()
        await transport.aclose()

        monkeypatch.setenv("NO_PROXY", "far.test")
        transport = AiohttpTransport()
        with pytest.raises(APIConnectionError):
            await transport.send(request, Log())
        await transport.aclose()

        transport = AiohttpTransport(trust_env=False)
        with pytest.raises(APIConnectionError):
            await transport.send(request, Log())
        assert len(proxy.requests) == 1
        await transport.aclose()


async def test_a_proxy_that_is_none_of_https(monkeypatch: pytest.MonkeyPatch) -> None:
    """Going around it would be worse than failing; its password is not shown."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:hunter2@127.0.0.1:1080")
    transport = AiohttpTransport()
    with pytest.raises(APIConnectionError, match=r"environment's proxy socks5://127\.0\.0\.1:1080 can") as caught:
        await transport.send(HTTPRequest("GET", "https://far.test/", {}), Log())
    assert "hunter2" not in str(caught.value)
    await transport.aclose()


async def test_the_certificate_is_checked() -> None:
    """No plain connection, and no other attempt, where a TLS handshake fails."""

    async def play(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with ByteServer(play) as server:
        transport = AiohttpTransport()
        url = server.base_url.replace("http://", "https://")
        with pytest.raises(APIConnectionError, match="cannot connect to https://"):
            await transport.send(HTTPRequest("GET", url, {}), Log())
        await transport.aclose()


async def test_nothing_is_open_afterwards() -> None:
    """After closing, this process has as many open files as before."""
    before = open_files()
    async with ByteServer(silent) as server:
        transport = AiohttpTransport()
        responses = [await transport.send(request_to(server), Log()) for _ in range(5)]
        for response in responses[:3]:
            response.close()
            response.close()
        await transport.aclose()
        await server.all_closed()
    await asyncio.sleep(0)
    assert open_files() == before
