"""What a client is made of: where it sends, as whom, and what may not leave the machine."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from deepseek_async import AsyncClient, InvalidRequestError, RetryPolicy, Timeouts, __version__
from deepseek_async.calls.arguments.settings import Endpoint, endpoint_of, headers_of

from ...wire import HELLO, client_on, completion, whole

KEY = "sk-0123456789abcdef"
LOCAL = "http://localhost:1"


@pytest.mark.parametrize(
    ("base_url", "root", "beta"),
    [
        (None, "https://api.deepseek.com", "https://api.deepseek.com/beta"),
        ("https://api.deepseek.com/", "https://api.deepseek.com", "https://api.deepseek.com/beta"),
        ("https://api.deepseek.com/v1", "https://api.deepseek.com/v1", "https://api.deepseek.com/beta"),
        (
            "https://api.deepseek.com/v3.1_expires",
            "https://api.deepseek.com/v3.1_expires",
            "https://api.deepseek.com/v3.1_expires",
        ),
        ("  https://gateway.example  ", "https://gateway.example", "https://gateway.example"),
        (
            "https://gateway.example/openai/v1/",
            "https://gateway.example/openai/v1",
            "https://gateway.example/openai/v1",
        ),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://[::1]:8000", "http://[::1]:8000", "http://[::1]:8000"),
        ("http://model.localhost", "http://model.localhost", "http://model.localhost"),
    ],
)
def test_a_base_url_means_two_addresses(base_url: str | None, root: str, beta: str) -> None:
    """Beta features are beside the base URL on the official server; any other is taken to serve all itself."""
    endpoint = endpoint_of(base_url, allow_insecure=False)
    assert (endpoint.base_url, endpoint.beta_base_url) == (root, beta)
    assert endpoint.is_loopback == ("localhost" in root or "127." in root or "::1" in root)


@pytest.mark.parametrize(
    "base_url",
    [
        "", "   ", "api.deepseek.com", "ftp://api.deepseek.com", "https://", "http://[::1", "https://host:port",
        "https://h?key=secret", "https://h?a=1&access_token=secret", "https://h?sig=secret",
        "https://h#x", "https://user:secret@h", "https://user@h", "//h", "http://", "https://h:99999",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(base_url: str) -> None:
    """No scheme, no host, a key in the query, a password: the error names the parameter and shows no secret."""
    if not base_url.strip():
        return  # an empty one means the official server, as an unset variable does
    with pytest.raises(InvalidRequestError, match="base_url") as raised:
        endpoint_of(base_url, allow_insecure=True)
    assert "secret" not in str(raised.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("base_url", "path", "query"),
    [
        ("https://x.example/openai/d?api-version=2026-01-01", "/openai/d", "?api-version=2026-01-01"),
        ("https://x.example/v1/?a=1&b=%2F", "/v1", "?a=1&b=%2F"),
        ("https://x.example?api-version=1", "", "?api-version=1"),
        ("https://x.example/v1?", "/v1", ""),
    ],
)
async def test_a_query_follows_the_path_of_every_request(base_url: str, path: str, query: str) -> None:
    """As Azure wants it; a pickled client and a copy keep it."""
    gap = {"choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}
    models: dict[str, Any] = {"data": []}
    client, transport = client_on(whole(completion()), whole(models), whole(gap), api_key=KEY, base_url=base_url)
    await client.chat.completions.create(model="m", messages=HELLO)
    await client.models.list()
    await client.completions.create(model="m", prompt="p")
    root = f"https://x.example{path}"
    assert [request.url for request in transport.requests] == [
        f"{root}/chat/completions{query}",
        f"{root}/models{query}",
        f"{root}/completions{query}",
    ]
    assert client.base_url == root + query
    assert endpoint_of(client.base_url, allow_insecure=False) == endpoint_of(base_url, allow_insecure=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]"])
def test_this_machine_has_many_addresses(host: str) -> None:
    """Also as servers print their own, which is then copied: none needs a key, and none leaves the machine."""
    assert endpoint_of(f"http://{host}:8000/v1", allow_insecure=False).is_loopback
    for other in ("10.0.0.5", "[::2]", "[::ffff:10.0.0.5]", "[fe80::1]", "0.0.0.1"):
        assert not endpoint_of(f"https://{other}", allow_insecure=False).is_loopback


@pytest.mark.parametrize("added", ["/chat/completions", "/completions", "/models"])
@pytest.mark.parametrize("root", ["https://api.deepseek.com", "http://localhost:8000/v1", "https://x.example/openai/d"])
def test_the_address_of_an_endpoint_is_no_base(root: str, added: str) -> None:
    """As examples of requests show it: each request would go to ``…/chat/completions/chat/completions``."""
    for end in ("", "/", "/?api-version=1"):
        with pytest.raises(InvalidRequestError, match=f"base_url.*without {added}, which is added"):
            endpoint_of(root + added + end, allow_insecure=False)
    assert endpoint_of(f"{root}/chat", allow_insecure=False).url("chat/completions").count("completions") == 1


def test_plain_http_stays_on_the_machine() -> None:
    """To another machine it shows key and prompts to the network: only if that is asked for."""
    for host in ("10.0.0.5:8000", "gateway.example", "127.0.0.1.example", "localhost.example"):
        with pytest.raises(InvalidRequestError, match="allow_insecure=True"):
            endpoint_of(f"http://{host}", allow_insecure=False)
        assert endpoint_of(f"http://{host}", allow_insecure=True) == Endpoint(
            f"http://{host}", f"http://{host}", False, may_be_sandbox=True
        )


def test_the_environment_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """DEEPSEEK_BASE_URL and DEEPSEEK_API_KEY where the arguments are left out; an argument wins; blank is unset."""
    monkeypatch.setenv("DEEPSEEK_BASE_URL", " https://gateway.example/v1 ")
    monkeypatch.setenv("DEEPSEEK_API_KEY", f" {KEY}\n")
    assert AsyncClient().base_url == "https://gateway.example/v1"
    assert AsyncClient(base_url=LOCAL).base_url == LOCAL
    monkeypatch.setenv("DEEPSEEK_BASE_URL", "  ")
    assert AsyncClient().base_url == "https://api.deepseek.com"
    monkeypatch.setenv("DEEPSEEK_BASE_URL", "nonsense")
    with pytest.raises(InvalidRequestError, match="DEEPSEEK_BASE_URL"):
        AsyncClient()
    monkeypatch.setenv("DEEPSEEK_API_KEY", "two words")
    with pytest.raises(InvalidRequestError, match="DEEPSEEK_API_KEY"):
        AsyncClient(base_url="https://api.deepseek.com")


def test_a_key_is_needed_but_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the error says where it is looked for; a server on loopback wants none."""
    for key in (None, "", "  "):
        with pytest.raises(
            InvalidRequestError, match=r"no API key: .* api_key, or DEEPSEEK_API_KEY .* DEEPSEEK_BASE_URL"
        ):
            AsyncClient(key)
        assert AsyncClient(key, base_url=LOCAL).base_url == LOCAL


@pytest.mark.parametrize("key", ["schlüssel", "sk 1", "sk\n1", "sk\x001", 5, b"sk-1", ["sk-1"]])
def test_a_key_that_no_header_carries_is_refused(key: Any) -> None:
    """And not shown."""
    with pytest.raises(InvalidRequestError, match="api_key") as raised:
        AsyncClient(key)
    assert str(key) not in str(raised.value)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"base_url": 5}, "base_url"),
    ({"base_url": b"http://localhost"}, "base_url"),
    ({"timeouts": 5}, "timeouts"),
    ({"timeouts": None}, "timeouts"),
    ({"timeouts": Timeouts}, "timeouts"),
    ({"retry": 3}, "retry"),
    ({"retry": None}, "retry"),
    ({"max_connections": 0}, "max_connections"),
    ({"max_connections": -1}, "max_connections"),
    ({"max_connections": 1.5}, "max_connections"),
    ({"max_connections": "5"}, "max_connections"),
    ({"max_connections": True}, "max_connections"),
    ({"session": object()}, "session"),
    ({"headers": ["a"]}, "headers"),
    ({"headers": "a: b"}, "headers"),
    ({"headers": {5: "a"}}, "headers"),
    ({"headers": {"": "a"}}, "headers"),
    ({"headers": {"a b": "c"}}, "headers"),
    ({"headers": {"ä": "c"}}, "headers"),
    ({"headers": {"a:": "c"}}, "headers"),
    ({"headers": {"x": "garbage\r\nx-injected: 1"}}, "headers['x']"),
    ({"headers": {"x": "garbage\0"}}, "headers['x']"),
    ({"headers": {"x": "garbage\x1b[0m"}}, "headers['x']"),
    ({"headers": {"x": b"bytes"}}, "headers['x']"),
    ({"headers": {"x": 5}}, "headers['x']"),
    ({"headers": {"x": None}}, "headers['x']"),
    ({"headers": {"Content-Type": "text/plain"}}, "headers['Content-Type']"),
    ({"headers": {"Host": "elsewhere"}}, "headers['Host']"),
    ({"proxy": 5}, "proxy"),
    ({"proxy": ["http://p"]}, "proxy"),
    ({"ssl": "no"}, "ssl"),
    ({"ssl": False}, "ssl"),
    ({"trust_env": "yes"}, "trust_env"),
    ({"trust_env": None}, "trust_env"),
    ({"hooks": 5}, "hooks"),
    ({"hooks": print}, "hooks"),
    ({"hooks": "print"}, "hooks"),
    ({"hooks": [print, 5]}, "hooks[1]"),
    ({"allow_insecure": 1}, "allow_insecure"),
    ({"transport": object()}, "transport"),
    ({"transport": "http"}, "transport"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "parameter"), WRONG, ids=[f"{number}-{name}" for number, (_, name) in enumerate(WRONG)]
)
def test_every_argument_of_a_wrong_type_is_named(arguments: dict[str, Any], parameter: str) -> None:
    """Before anything is sent, by a typed error that says which argument and what it may be."""
    with pytest.raises(InvalidRequestError) as raised:
        AsyncClient(KEY, **{"base_url": LOCAL, **arguments})
    assert raised.value.parameter == parameter
    assert raised.value.allowed
    assert "garbage" not in str(raised.value)


def test_every_argument_of_the_right_type_is_taken() -> None:
    """All of them together."""
    context = ssl.create_default_context()
    client = AsyncClient(
        KEY, base_url="https://h", timeouts=Timeouts(total=5), retry=RetryPolicy(attempts=1), max_connections=5,
        headers={"x": "ä\t1"}, proxy="http://p:1", ssl=context, trust_env=False, hooks=(print,), allow_insecure=True,
    )  # fmt: skip
    assert client.base_url == "https://h"
    assert AsyncClient(KEY, hooks=[print]).base_url == "https://api.deepseek.com"


def test_headers_of_the_callers_are_in_lower_case() -> None:
    """So that a caller's name in any case replaces ours."""
    assert headers_of({"X-Mine": "1", "USER-Agent": "me"}, "headers") == {"x-mine": "1", "user-agent": "me"}
    assert headers_of(None, "headers") == {}


@pytest.mark.anyio
async def test_the_headers_that_go_out() -> None:
    """Key, type, no compression, who asks; the client's own headers, and over them the call's."""
    client, transport = client_on(
        whole(completion()),
        whole(completion()),
        whole({"data": []}),
        api_key=KEY,
        headers={"X-Team": "a", "x-run": "1"},
    )
    await client.chat.completions.create(model="m", messages=HELLO)
    await client.chat.completions.create(model="m", messages=HELLO, extra_headers={"X-Run": "2", "User-Agent": "me"})
    await client.models.list(extra_headers={"authorization": "Bearer other"})
    first, second, third = (dict(request.headers) for request in transport.requests)
    assert first["authorization"] == f"Bearer {KEY}"
    assert first["content-type"] == "application/json"
    assert first["accept-encoding"] == "identity"
    assert first["user-agent"].startswith(f"deepseek_async/{__version__} Python/3.")
    assert (first["x-team"], first["x-run"]) == ("a", "1")
    assert (second["x-team"], second["x-run"], second["user-agent"]) == ("a", "2", "me")
    assert third["authorization"] == "Bearer other"
    assert "content-type" not in third


@pytest.mark.anyio
async def test_without_a_key_there_is_no_authorization() -> None:
    """A local server may refuse an empty one."""
    client, transport = client_on(whole(completion()))
    await client.chat.completions.create(model="m", messages=HELLO)
    assert "authorization" not in transport.requests[0].headers
