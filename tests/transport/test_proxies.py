"""Proxies: which are used, which are refused, and that what they did is told of them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import APIConnectionError, AsyncClient, DeepSeekError, InvalidRequestError, RetryPolicy
from deepseek_async.transport import HTTPRequest
from deepseek_async.transport.network import AiohttpTransport
from deepseek_async.transport.proxies import is_exempt_from_proxies

from ..byte_server import ByteServer, Connection, answer
from .test_network import Log

FAR = "https://api.far.test"


@pytest.mark.parametrize(
    "proxy",
    [
        "",
        "   ",
        "localhost:3128",
        "http://",
        "http://:3128",
        "http://host:0",
        "http://host:65536",
        "http://host:port",
        "http://ho st:3128",
        "http://host:3128/path",
        "http://host:3128?x=1",
        "ftp://host:21",
        "http//host:3128",
        "http://[::1:3128",
    ],
)
def test_what_is_no_proxy(proxy: str) -> None:
    """Said when the client is made, not at the first request."""
    with pytest.raises(InvalidRequestError, match=r"proxy.*http://host:port") as caught:
        AsyncClient("k", proxy=proxy)
    assert caught.value.parameter == "proxy"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "SOCKS", "socks4a"])
def test_socks_needs_a_session(scheme: str) -> None:
    """And the words say how; no password is shown."""
    with pytest.raises(InvalidRequestError, match="session=") as caught:
        AsyncClient("k", proxy=f"{scheme}://user:hunter2@host:1080")
    assert "hunter2" not in repr((str(caught.value), vars(caught.value)))


@pytest.mark.parametrize("proxy", ["http://h:3128", "https://u:p%40@h", "http://[::1]:8080/", " http://h:3128 "])
def test_what_is_a_proxy(proxy: str) -> None:
    """Also with blanks around it, as environments have them."""
    AsyncClient("k", proxy=proxy)


@pytest.mark.parametrize(
    ("host", "port", "entry", "expected"),
    [
        ("10.1.2.3", 443, "10.0.0.0/8", True),
        ("11.1.2.3", 443, "10.0.0.0/8", False),
        ("10.1.2.3", 443, "10.0.0.7/8", True),
        ("fd00::7", 443, "fd00::/8", True),
        ("fd00::7", 443, "10.0.0.0/8", False),
        ("ten.test", 443, "10.0.0.0/8", False),
        ("192.168.1.9", 80, "192.168.1.9", True),
        ("192.168.1.9", 80, "192.168.1.9:80", True),
        ("192.168.1.9", 80, "192.168.1.9:81", False),
        ("::1", 8000, "[::1]:8000", True),
        ("::1", 8001, "[::1]:8000", False),
        ("::1", 8001, "[::1]", True),
        ("0:0:0:0:0:0:0:1", 1, "::1", True),
        ("api.far.test", 443, "*.far.test", True),
        ("a.b.far.test", 443, "*.far.test", True),
        ("far.test", 443, "*.far.test", False),
        ("nofar.test", 443, "*.far.test", False),
        ("far.test", 443, "far.test", True),
        ("api.far.test", 443, "far.test", True),
        ("nofar.test", 443, "far.test", False),
        ("api.far.test", 443, ".far.test", True),
        ("API.far.test.", 443, "api.FAR.test", True),
        ("api.far.test", 443, "api.far.test:443", True),
        ("api.far.test", 443, "api.far.test:8443", False),
        ("api.far.test", 8443, "*.far.test:8443", True),
        ("anything", 1, "*", True),
        ("anything", 1, "", False),
        ("anything", 1, ":1", False),
        ("anything", 1, "anything:99999999999999999999", False),
        ("anything", 1, "anything:²", False),
    ],
)
def test_no_proxy(host: str, port: int, entry: str, expected: bool) -> None:
    """Networks, addresses, names with all below them, stars, and each but a network for one port."""
    assert is_exempt_from_proxies(host, port, [entry]) is expected


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("no_proxy", "goes_direct"),
    [("*.far.test", True), ("other.test , api.far.test:443", True), ("api.far.test:80", False), ("10.0.0.0/8", False)],
)
async def test_no_proxy_of_the_environment(no_proxy: str, goes_direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for once an address."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", no_proxy)
    transport = AiohttpTransport()
    with pytest.raises(APIConnectionError) as caught:
        await transport.send(HTTPRequest("GET", FAR, {}), Log())
    assert ("the proxy" in str(caught.value)) is not goes_direct
    await transport.aclose()


async def failure_through(proxy: str, url: str = FAR) -> DeepSeekError:
    """How a request through a proxy ends."""
    async with AsyncClient("k", base_url=url, allow_insecure=True, proxy=proxy, retry=RetryPolicy(3, 0.0)) as client:
        with pytest.raises(DeepSeekError) as caught:
            await client.models.list()
    assert "hunter2" not in repr((str(caught.value), vars(caught.value)))
    return caught.value


@pytest.mark.anyio
@pytest.mark.parametrize("url", [FAR, "http://api.far.test"])
async def test_a_proxy_that_refuses_the_connection(url: str) -> None:
    """It is the one that is told of, without its password, and may be back in a moment."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error = await failure_through(f"http://user:hunter2@127.0.0.1:{port}", url)
    assert f"cannot connect to the proxy http://127.0.0.1:{port}: Connection refused" in str(error)
    assert (error.retryable, error.may_be_billed, error.attempts) == (True, False, 3)


@pytest.mark.anyio
async def test_a_proxy_of_an_unknown_name() -> None:
    """The name that is not found is the proxy's."""
    error = await failure_through("http://user:hunter2@no-such-proxy.invalid:3128")
    assert "cannot connect to the proxy http://no-such-proxy.invalid:3128" in str(error)
    assert (error.may_be_billed, isinstance(error, APIConnectionError)) == (False, True)


def says(reply: bytes) -> Callable[[Connection], Any]:
    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(reply)

    return play


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reply", "said", "retryable"),
    [
        (answer(b"", "407 Proxy Authentication Required"), "407 Proxy Authentication Required (user and pass", False),
        (answer(b"no", "403 Forbidden"), "403 Forbidden", False),
        (answer(b"no", "401 Who"), "401 Who (user and password go into the proxy's URL)", False),
        (answer(b"no", "502 Bad Gateway"), "502 Bad Gateway", True),
        (answer(b"no", "503 Busy"), "503 Busy", True),
        (answer(b"no", "504 Late"), "504 Late", True),
        (b"nonsense\r\n\r\n", "does not answer in HTTP", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer in HTTP", False),
        (b"", "broke the connection while it was to connect to https://api.far.test", True),
        (b"HTTP/1.1 2", "broke the connection while it was to connect to https://api.far.test", True),
    ],
    ids=["407", "403", "401", "502", "503", "504", "nonsense", "ssh", "closed", "cut"],
)
async def test_what_a_proxy_says_to_connect(reply: bytes, said: str, retryable: bool) -> None:
    """Told of the proxy; nothing reached the server, so nothing is billed; a refusal is not asked for twice."""
    async with ByteServer(says(reply)) as proxy:
        error = await failure_through(f"http://user:hunter2@127.0.0.1:{proxy.port}")
        assert isinstance(error, APIConnectionError)
        assert f"the proxy http://127.0.0.1:{proxy.port}" in str(error)
        assert said in str(error)
        assert (error.during, error.retryable, error.may_be_billed) == ("connect", retryable, False)
        assert len(proxy.requests) == (3 if retryable else 1)


@pytest.mark.anyio
@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
async def test_what_a_proxy_says_to_a_plain_request(status: str) -> None:
    """Once, by its status: accounts are locked after three wrong passwords."""
    async with ByteServer(says(answer(b"no", status))) as proxy:
        error = await failure_through(f"http://user:hunter2@127.0.0.1:{proxy.port}", "http://api.far.test")
        assert f"HTTP {status[:3]}" in str(error)
        assert (error.retryable, len(proxy.requests)) == (False, 1)


@pytest.mark.anyio
async def test_no_http_of_a_plain_proxy() -> None:
    """The one that answers is the proxy."""
    async with ByteServer(says(b"SSH-2.0-OpenSSH_9.2\r\n")) as proxy:
        error = await failure_through(f"http://127.0.0.1:{proxy.port}", "http://api.far.test")
        assert f"the proxy http://127.0.0.1:{proxy.port} does not answer in HTTP" in str(error)
