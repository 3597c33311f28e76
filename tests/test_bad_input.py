"""Bad input of every kind, over real sockets: a typed error that says what and where, and no line of a library's."""

from __future__ import annotations

import asyncio
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncClient,
    AuthenticationError,
    BadRequestError,
    DeepSeekError,
    InvalidRequestError,
    MalformedResponseError,
    NotFoundError,
    ResponseTooLargeError,
    RetryPolicy,
    StreamInterruptedError,
    Timeouts,
    UserMessage,
)
from deepseek_async.sandbox import Garbage, SandboxServer, Script

from .byte_server import ByteServer, Connection
from .wire import HELLO, chunk, completion, event, stream_of, to_json

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(attempts=1)
ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
LIBRARIES = ("aiohttp", "msgspec", "cattrs", "anyio", "asyncio/")


def assert_ours(error: DeepSeekError) -> None:
    """The traceback shows our lines and the caller's, and one exception: nothing of a library's, nothing under it."""
    shown = "".join(traceback.format_exception(error))
    for library in LIBRARIES:
        assert f"site-packages/{library}" not in shown
        assert f"/{library}" not in shown
    assert shown.count("Traceback (most recent call last)") == 1
    assert error.message
    assert "Hello?" not in shown


async def both_ways(client: AsyncClient, expected: type[DeepSeekError], **parameters: Any) -> list[DeepSeekError]:
    """The errors of the same request in one piece and streamed, each of the expected class."""
    errors: list[DeepSeekError] = []
    for ask in (
        lambda: client.chat.completions.create(**{**ASK, **parameters}),
        lambda: client.chat.completions.stream(**{**ASK, **parameters}).completion(),
    ):
        with pytest.raises(DeepSeekError) as raised:
            await ask()
        assert type(raised.value) is expected, repr(raised.value)
        assert_ours(raised.value)
        errors.append(raised.value)
    return errors


def saying(data: bytes) -> Callable[[Connection], Awaitable[None]]:
    """A server that answers every request with the same bytes, and closes."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(data)
        await connection.drained()
        connection.close()

    return play


@contextmanager
def unused_port() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@asynccontextmanager
async def serving(data: bytes) -> AsyncIterator[AsyncClient]:
    """A client, which tries once, of such a server."""
    async with ByteServer(saying(data)) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        yield client


def ok(body: bytes, content_type: str = "application/json", headers: bytes = b"") -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n".encode()
    return head + headers + b"\r\n" + body


# -- who does not answer ---------------------------------------------------------------------------------------------


async def test_a_host_that_cannot_be_reached() -> None:
    """Nobody listens: it says to which address, and that nothing was sent."""
    with unused_port() as port:
        async with AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", retry=ONCE) as client:
            for error in await both_ways(client, APIConnectionError):
                assert f"http://127.0.0.1:{port}" in error.message
                assert "cannot connect" in error.message
                assert error.retryable


async def test_a_name_that_nobody_has() -> None:
    """A host without an address (RFC 6761 keeps `.invalid` free): named, as one that cannot be connected to."""
    async with AsyncClient("k", base_url="https://nobody.invalid", retry=ONCE, trust_env=False) as client:
        for error in await both_ways(client, APIConnectionError):
            assert "nobody.invalid" in error.message


async def answering_at_once(connection: Connection) -> None:
    """As a plain server does that reads a TLS greeting."""
    connection.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    await connection.gone()


async def test_a_server_that_does_not_speak_tls() -> None:
    """https to a plain port: a connection error that names the place."""
    async with (
        ByteServer(answering_at_once) as server,
        AsyncClient("k", base_url=server.base_url.replace("http:", "https:"), retry=ONCE) as client,
    ):
        for error in await both_ways(client, APIConnectionError):
            assert "https://" in error.message


async def test_a_server_that_says_nothing() -> None:
    """In time: the phase and what it was set to."""

    async def play(connection: Connection) -> None:
        await connection.request()
        await connection.gone()

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        for error in await both_ways(client, APITimeoutError, timeouts=Timeouts(first_chunk=0.02)):
            assert "first_chunk timeout of 0.02 s" in error.message


# -- what is wrong with the request ----------------------------------------------------------------------------------


async def test_a_wrong_key() -> None:
    """Where to look for it, the server's words, and not the key."""
    async with (
        SandboxServer(seed=1, api_key="sk-right-0123456789") as server,
        AsyncClient("sk-wrong-0123456789", base_url=server.base_url) as client,
    ):
        for error in await both_ways(client, AuthenticationError):
            assert "DEEPSEEK_API_KEY" in error.message
            assert "Authentication Fails" in error.message
            assert "sk-wrong-0123456789" not in str(error)
            assert error.request_id
            assert error.attempts == 1


async def test_an_out_of_range_parameter() -> None:
    """Ours before it leaves; what only the server knows, by the server's words."""
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url) as client:
        for ask in (client.chat.completions.create, lambda **p: client.chat.completions.stream(**p).open()):
            with pytest.raises(InvalidRequestError, match=r"temperature is 2\.5; allowed: 0 to 2") as raised:
                await ask(**ASK, temperature=2.5)
            assert_ours(raised.value)
        assert server.requests == []
        for error in await both_ways(client, BadRequestError, extra_body={"temperature": 2.5}):
            assert "temperature" in error.message
        for error in await both_ways(client, BadRequestError, model="no-such-model"):
            assert "no-such-model" in error.message or "Model Not Exist" in error.message


async def test_half_a_character_in_a_prompt() -> None:
    """What DeepSeek answers with "unexpected end of hex escape" is refused here, by its place."""
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url) as client:
        with pytest.raises(InvalidRequestError, match=r"messages\[0\].content: the character at 5") as raised:
            await client.chat.completions.create(model="m", messages=[UserMessage("Hello\ud83e")])
        assert_ours(raised.value)
        assert server.requests == []


async def test_garbage_in_a_header_of_ours() -> None:
    """A line end in a value would be another header: refused, by its name."""
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url) as client:
        for value in ("a\r\nx-injected: 1", "a\nb", "a\0b", "a\x7fb"):
            with pytest.raises(InvalidRequestError, match=r"extra_headers\['x-mine'\]") as raised:
                await client.chat.completions.create(**ASK, extra_headers={"x-mine": value})
            assert_ours(raised.value)
        assert server.requests == []


async def test_a_path_that_nobody_serves() -> None:
    """404: the advice is to look at the base URL."""
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url + "/nowhere") as client:
        for error in await both_ways(client, NotFoundError):
            assert "base_url" in error.message


# -- what is wrong with the answer -----------------------------------------------------------------------------------

PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

MALFORMED: dict[str, tuple[bytes, str]] = {
    "HTML": (PAGE, "502 Bad Gateway"),
    "text": (b"upstream connect error", "not JSON|upstream connect error"),
    "a wrong type": (to_json({**completion(), "choices": "none"}), r"\$.choices"),
    "a wrong type deep inside": (
        to_json({"choices": [{"index": 0, "message": {"content": 5}, "delta": {"content": 5}}]}),
        r"\$.choices\[0\].message.content",
    ),
    "no choices": (b'{"id": "1"}', "no field `choices`"),
    "a list": (b"[]", r"at \$"),
    "nesting without end": (b"[" * 100_000, "not JSON"),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_an_answer_that_is_none(name: str) -> None:
    """HTML instead of JSON, half a JSON, a wrong type: what it is and where, and the text in `body`."""
    body, words = MALFORMED[name]
    async with serving(ok(body)) as client:
        for error in await both_ways(client, MalformedResponseError):
            with pytest.raises(MalformedResponseError, match=words):
                raise error
            assert isinstance(error, MalformedResponseError)
            assert error.body


async def test_half_a_json() -> None:
    """What proxies make of a server that broke off, ended in form: a cut, which can be tried again."""
    async with serving(ok(b'{"choices": [{"index": 0, "mess')) as client:
        for error in await both_ways(client, StreamInterruptedError):
            assert error.retryable
            assert "its JSON ends in the middle" in str(error)


async def test_an_event_that_is_no_chunk() -> None:
    """A wrong type inside an event: the path; no JSON: the character."""
    for data, words in (
        (b'{"choices":[{"delta":{"content":5}}]}', r"\$.choices\[0\].delta.content"),
        (b"{nope", "character 1"),
    ):
        body = b"data: " + data + b"\n\n"
        async with serving(ok(body, "text/event-stream")) as client:
            with pytest.raises(MalformedResponseError, match=words) as raised:
                await client.chat.completions.stream(**ASK).completion()
            assert_ours(raised.value)


async def test_an_event_of_three_megabytes() -> None:
    """Passes: it is no bad input at all. One over the cap is an error that names the cap."""
    text = "x" * 3_000_000
    body = stream_of(chunk(text), chunk("", "stop"))
    async with (
        ByteServer(saying(ok(body, "text/event-stream"))) as server,
        AsyncClient(base_url=server.base_url) as client,
    ):
        assert (await client.chat.completions.stream(**ASK).completion()).text == text
    body = b"data: " + b"x" * (17 * 2**20)
    async with (
        ByteServer(saying(ok(body, "text/event-stream"))) as server,
        AsyncClient(base_url=server.base_url, retry=ONCE) as client,
    ):
        with pytest.raises(ResponseTooLargeError, match="16,777,216 bytes") as raised:
            await client.chat.completions.stream(**ASK).completion()
        assert_ours(raised.value)


GARBLED: dict[str, bytes] = {
    "a length that is no number": b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\nx",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
    "a head without a name": b"HTTP/1.1 200 OK\r\n: value\r\n\r\n",
    "bytes that are no text in a name": b"HTTP/1.1 200 OK\r\n\xff\xfe: 1\r\ncontent-length: 0\r\n\r\n",
    "no HTTP at all": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a status that is none": b"HTTP/1.1 nope OK\r\n\r\n",
    "a line without end": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("name", GARBLED)
async def test_a_garbled_head(name: str) -> None:
    """Whatever the server says instead of HTTP: a typed error, never aiohttp's."""
    async with serving(GARBLED[name]) as client:
        for ask in (client.chat.completions.create(**ASK), client.chat.completions.stream(**ASK).completion()):
            with pytest.raises(DeepSeekError) as raised:
                await ask
            assert_ours(raised.value)


async def test_garbage_in_the_headers_of_an_answer() -> None:
    """A `Retry-After`, a content type and a trace id that are none change nothing about the answer."""
    garbage = b"retry-after: \xff\xfesoon\r\nx-ds-trace-id: \xf0\x9f\r\nx-a: \x01\r\nset-cookie: ;;;=\r\n"
    async with (
        ByteServer(saying(ok(to_json(completion()), ";;;", garbage))) as server,
        AsyncClient(base_url=server.base_url) as client,
    ):
        answer = await client.chat.completions.create(**ASK)
    assert answer.text == "Hello."
    refusal = b"HTTP/1.1 429 \xff\xfe\r\nretry-after: \xff\r\ncontent-length: 2\r\n\r\n\xff\xfe"
    async with serving(refusal) as client:
        with pytest.raises(APIStatusError) as raised:
            await client.chat.completions.create(**ASK)
        assert_ours(raised.value)
        assert raised.value.retry_after is None
        str(raised.value).encode()


async def test_a_broken_connection_is_told_without_its_library() -> None:
    """Cut amid the head, amid a chunk, reset: the cause in words."""
    for data in (b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + event(chunk("Hel"))[:40]):
        async with serving(data) as client:
            for ask in (client.chat.completions.create(**ASK), client.chat.completions.stream(**ASK).completion()):
                with pytest.raises(DeepSeekError) as raised:
                    await ask
                shown = "".join(traceback.format_exception(raised.value))
                assert not any(f"site-packages/{library}" in shown for library in LIBRARIES)


async def test_a_certificate_that_nobody_trusts() -> None:
    """Said as such, and not tried again: it will not be trusted the next time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert context.verify_mode is ssl.CERT_REQUIRED
    client = AsyncClient("k", base_url="https://127.0.0.1:1", ssl=context, retry=ONCE)
    for error in await both_ways(client, APIConnectionError):
        assert "https://127.0.0.1:1" in error.message
    await client.aclose()


async def test_a_script_of_the_sandboxes_own_garbage() -> None:
    """The sandbox's garbage fault is a malformed response here."""
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        server.script(Script(say="Hello.", faults=(Garbage(after_chunk=1),)))
        stream = client.chat.completions.stream(**ASK)
        with pytest.raises(MalformedResponseError) as raised:
            await stream.completion()
        assert_ours(raised.value)
        assert raised.value.partial is not None


def test_asyncio_is_not_needed_to_be_told() -> None:
    """Before any loop runs, wrong arguments are refused as well."""
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    with pytest.raises(InvalidRequestError) as raised:
        AsyncClient("k").chat.completions.stream(model="m", messages="hello")  # type: ignore[arg-type]
    assert_ours(raised.value)
