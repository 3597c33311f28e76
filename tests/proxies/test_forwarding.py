"""Forward proxies with passwords: who is asked for what, how often, and who is told of when it fails."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from deepseek_async import APIConnectionError, APIStatusError, AsyncClient, DeepSeekError, RetryPolicy

from ..byte_server import DONE, STREAM_HEAD, ByteServer, Connection, answer, chunked, completion, event
from ..tables import Cell
from .forwarding import ASKED, FORWARD_PROXIES, PASSWORD, USER, prepare
from .seen import ASK
from .systems import Proxy, running

pytestmark = pytest.mark.anyio

NAME = "api.invalid"  # no such name, but the proxy knows better
SOON = RetryPolicy(attempts=3, wait_initial=0.01, wait_max=0.02)


@pytest.fixture(scope="module", params=[pytest.param(proxy, id=proxy.name) for proxy in FORWARD_PROXIES])
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forward]:
    """Each of them that is installed."""
    proxy: Proxy = request.param
    if not proxy.path:
        pytest.skip(f"{proxy.package} is not installed")
    with forwarding(proxy, tmp_path_factory.mktemp(proxy.executable)) as one:
        yield one


@pytest.fixture
def forward(started: Forward) -> Forward:
    """One that has not been asked yet, as far as it can tell."""
    started.forget()
    return started


class Forward:
    """A forward proxy that runs."""

    def __init__(self, proxy: Proxy, base_url: str, folder: Path) -> None:
        self.proxy = proxy
        self.base_url = base_url
        self._asked = folder / f"program.{ASKED}"

    def url(self, password: str | None = PASSWORD) -> str:
        """Its address as one writes it into ``proxy=`` or HTTPS_PROXY."""
        return self.base_url if password is None else self.base_url.replace("//", f"//{USER}:{password}@")

    @property
    def passwords(self) -> list[str]:
        """Those that were tried, where the proxy tells."""
        return [line.split(" ")[1] for line in self._asked.read_text().splitlines()]

    def forget(self) -> None:
        """Let the passwords be forgotten."""
        self._asked.write_text("")


@contextmanager
def forwarding(proxy: Proxy, folder: Path) -> Iterator[Forward]:
    """One that runs for the length of the block."""
    with running(proxy, 1, prepare(folder, NAME), streams=False) as one:
        yield Forward(proxy, one.base_url, folder)


class Server:
    """What stands behind: whole answers and streams, over TLS or plainly, and the requests that it has read."""

    def __init__(self) -> None:
        self.read = 0
        authority = trustme.CA()
        self.theirs, self.ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        authority.issue_cert("127.0.0.1", NAME).configure_cert(self.theirs)
        authority.configure_trust(self.ours)

    async def play(self, connection: Connection) -> None:
        while request := await connection.request():
            self.read += 1
            if b'"stream":true' in request.replace(b" ", b""):
                connection.send(STREAM_HEAD + chunked(event("He"), event("llo", "stop"), DONE) + b"0\r\n\r\n")
            else:
                connection.send(answer(completion("Hello")))

    def on(self, *, tls: bool) -> ByteServer:
        return ByteServer(self.play, ssl=self.theirs if tls else None)


@pytest.fixture
def cell(record_property: Any, forward: Forward) -> Callable[[str, bool], Cell]:
    """The test's place in the table."""

    def begin(case: str, tls: bool) -> Cell:
        cell = Cell(record_property)
        cell.of(f"{forward.proxy.label}, forward", f"{case}, {'CONNECT' if tls else 'plain http'}")
        return cell

    return begin


def client_of(server: Server, base_url: str, **settings: Any) -> AsyncClient:
    return AsyncClient("sk-0123456789abcdef", base_url=base_url, ssl=server.ours, retry=SOON, **settings)


def url_of(server: ByteServer, *, tls: bool, host: str = "127.0.0.1") -> str:
    scheme = "https" if tls else "http"
    return f"{scheme}://{host}:{server.port}"


async def failed(client: AsyncClient) -> DeepSeekError:
    async with client:
        with pytest.raises(DeepSeekError) as caught:
            await client.chat.completions.create(**ASK)
    return caught.value


@pytest.mark.parametrize("tls", [True, False], ids=["CONNECT", "plain"])
async def test_the_right_password_passes(forward: Forward, tls: bool, cell: Callable[[str, bool], Cell]) -> None:
    """Whole and streamed, each once; the stream is whole."""
    seen = cell("right password", tls)
    server = Server()
    async with (
        server.on(tls=tls) as listening,
        client_of(server, url_of(listening, tls=tls), proxy=forward.url()) as client,
    ):
        assert (await client.chat.completions.create(**ASK)).text == "Hello"
        async with client.chat.completions.stream(**ASK) as stream:
            assert (await stream.completion()).text == "Hello"
        assert client.statistics().attempts == server.read == 2
    seen.says("passes")


@pytest.mark.parametrize("password", ["wrong-horse", None, ""], ids=["wrong", "none", "empty"])
@pytest.mark.parametrize("tls", [True, False], ids=["CONNECT", "plain"])
async def test_a_wrong_password_is_tried_once(
    forward: Forward, tls: bool, password: str | None, cell: Callable[[str, bool], Cell]
) -> None:
    """Three would lock an account. The proxy is named, without the password; the server has read nothing."""
    seen = cell({None: "no password", "": "empty password"}.get(password, "wrong password"), tls)
    server = Server()
    async with server.on(tls=tls) as listening:
        client = client_of(server, url_of(listening, tls=tls), proxy=forward.url(password))
        error = await failed(client)
    assert not error.retryable
    assert not error.may_be_billed
    assert client.statistics().attempts == error.attempts == 1
    assert server.read == 0
    # tinyproxy's 407 is for no password, its 401 for a wrong one.
    status = "401" if forward.proxy.name == "tinyproxy" and password is not None else "407"
    assert status in str(error)
    assert "the proxy's URL" in str(error)
    assert "api_key" not in str(error)
    assert not password or password not in f"{error!r} {error} {error.__cause__!r} {vars(error)}"
    if tls:
        assert isinstance(error, APIConnectionError)
        assert (error.reason, error.during) == ("proxy", "connect")
        assert forward.base_url in str(error)
        seen.says(f"{type(error).__name__} of {status}, once, told of the proxy")
    else:
        assert isinstance(error, APIStatusError)
        seen.says(f"{type(error).__name__} {status}, once, told of the proxy")
    if forward.proxy.name == "Squid":  # which does not ask again for what it has just refused
        assert forward.passwords in ([], [password])


@pytest.mark.parametrize("tls", [True, False], ids=["CONNECT", "plain"])
async def test_nothing_listens_behind(forward: Forward, tls: bool, cell: Callable[[str, bool], Cell]) -> None:
    """Tried again, as without a proxy; nothing is billed."""
    seen = cell("nothing listens behind it", tls)
    scheme = "https" if tls else "http"
    error = await failed(client_of(Server(), f"{scheme}://127.0.0.1:1", proxy=forward.url()))
    assert error.retryable
    assert error.attempts == SOON.attempts
    if tls:
        assert forward.base_url in str(error)
        assert not error.may_be_billed
    seen.says(f"{error}".partition(" (")[0].replace(forward.base_url, "http://proxy").partition(";")[0])


@pytest.mark.parametrize("tls", [True, False], ids=["CONNECT", "plain"])
async def test_a_proxy_that_is_not_there(forward: Forward, tls: bool) -> None:
    """Told of the proxy, without its password."""
    scheme = "https" if tls else "http"
    gone = f"http://{USER}:{PASSWORD}@127.0.0.1:1"
    error = await failed(client_of(Server(), f"{scheme}://127.0.0.1:2", proxy=gone))
    assert "cannot connect to the proxy http://127.0.0.1:1" in str(error)
    assert PASSWORD not in str(error)
    assert not error.may_be_billed


@pytest.mark.parametrize(
    ("kept_out", "is_direct"),
    [
        ("", False), ("other.invalid", False), (f"{NAME}:1", False), ("10.0.0.0/8,192.168.0.0/16", False),
        ("pi.invalid", False), (NAME, True), (NAME.upper(), True), (".invalid", True), ("*.invalid", True),
        (f" other.example , {NAME}:$port ", True), ("*", True),
    ],
)  # fmt: skip
async def test_no_proxy_of_the_environment(
    forward: Forward, kept_out: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY with the password in it; what NO_PROXY names, in each of its forms, is not asked through it."""
    if forward.proxy.name != "Squid":
        pytest.skip("has no hosts of its own")
    server = Server()
    async with server.on(tls=True) as listening:
        for name in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", forward.url())
        monkeypatch.setenv("NO_PROXY", kept_out.replace("$port", str(listening.port)))
        client = client_of(server, url_of(listening, tls=True, host=NAME))
        if is_direct:
            error = await failed(client)
            assert isinstance(error, APIConnectionError)
            assert "proxy" not in str(error)
        else:
            async with client:
                assert (await client.chat.completions.create(**ASK)).text == "Hello"
    assert server.read == (not is_direct)
