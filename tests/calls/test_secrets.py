"""The key and the prompts stay where they belong: in the request, on its way to the server that was named."""

from __future__ import annotations

import asyncio
import gc
import html
import io
import json
import logging
import pickle
import traceback
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from deepseek_async import (
    APIStatusError,
    AsyncClient,
    DeepSeekError,
    InvalidRequestError,
    Resume,
    RetryPolicy,
    StreamInterruptedError,
    SystemMessage,
    Timeouts,
    UserMessage,
)
from deepseek_async.hooks import Ended, Record
from deepseek_async.transport import HTTPRequest

from ..byte_server import DONE, LAST_CHUNK, STREAM_HEAD, ByteServer, Connection, answer, chunked, event, until_cut

KEY = "tok-7f3a9c5e1b2d4f60"  # not shaped like a key of DeepSeek's, so that no pattern can know it
PROMPT = 'The launch code of the "Möwe" rocket is 0000,\nbut nobody in the whole department may know of it.'
SYSTEM = "You are Jeeves, and you work for Bertram Wooster in Berkeley Mansions."
ASKED: dict[str, Any] = {"model": "m", "messages": [SystemMessage(SYSTEM), {"role": "user", "content": PROMPT}]}
TRACES = (KEY, KEY[:12], "launch code", "department may know", "Jeeves", "Berkeley Mansions")
ONCE = RetryPolicy(attempts=1)

Play = Callable[[Connection], Awaitable[None]]


def assert_silent(text: str | bytes) -> None:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    shown = urllib.parse.unquote(shown).casefold()
    assert [trace for trace in TRACES if trace.casefold() in shown] == []


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged by anybody, at any level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


# -- servers that tell what they were told -----------------------------------------------------------------------------


def says(make: Callable[[bytes, str], bytes]) -> Play:
    """Answers with something made of the whole request, and of its body."""

    async def play(connection: Connection) -> None:
        request = await connection.request()
        connection.send(make(request, request.partition(b"\r\n\r\n")[2].decode()))

    return play


def in_error(request: bytes, body: str) -> bytes:
    said = {"error": {"message": f"cannot read {body}", "type": body[:90], "param": body, "code": KEY}}
    return answer(json.dumps(said).encode(), "400 Bad", f"x-echo: Bearer {KEY}\r\nconnection: close\r\n")


def in_prose(request: bytes, body: str) -> bytes:
    content = json.loads(body)["messages"][1]["content"]
    said = f"Authentication Fails, Your api key: {KEY} is invalid. You said: {content!s} Goodbye."
    return answer(said.encode(), "401 No", "connection: close\r\n")


def as_validator(request: bytes, body: str) -> bytes:
    said = {"detail": [{"loc": ["body", "messages"], "msg": "too odd", "input": json.loads(body)["messages"]}]}
    return answer(json.dumps(said).encode(), "422 Odd", "connection: close\r\n")


def in_success(request: bytes, body: str) -> bytes:
    said = {"error": {"message": f"{KEY} asked: {body}"}}
    return answer(json.dumps(said).encode())


def as_page(request: bytes, body: str) -> bytes:
    return answer(b"<html><title>" + KEY.encode() + b"</title>" + request, "502 Bad", "connection: close\r\n")


def in_band(request: bytes, body: str) -> bytes:
    said = {"error": {"message": f"{KEY}: {json.loads(body)['messages'][1]['content']}"}}
    return STREAM_HEAD + chunked(event("Hel"), b"data: " + json.dumps(said).encode() + b"\n\n") + LAST_CHUNK


def as_garbage(request: bytes, body: str) -> bytes:
    return STREAM_HEAD + chunked(event("Hel"), b"data: {" + json.dumps(body).encode() + b"\n\n", DONE) + LAST_CHUNK


def as_echo(request: bytes, body: str) -> bytes:
    return request


def as_redirect(request: bytes, body: str) -> bytes:
    return answer(b"", "307 Elsewhere", f"location: http://127.0.0.1:1/?key={KEY}\r\nconnection: close\r\n")


def as_nothing(request: bytes, body: str) -> bytes:
    return b""


def in_capitals(request: bytes, body: str) -> bytes:
    said = {"error": {"message": f"{KEY.upper()} ASKED: {body.upper()}", "code": KEY[:16] + "..."}}
    return answer(json.dumps(said).encode(), "400 Bad", f"x-echo: {KEY.upper()}\r\nconnection: close\r\n")


def as_html(request: bytes, body: str) -> bytes:
    said = html.escape(request.decode("latin-1") + json.loads(body)["messages"][1]["content"])
    return answer(f"<pre>{said}</pre>".encode(), "400 Bad", "connection: close\r\n")


def as_address(request: bytes, body: str) -> bytes:
    said = urllib.parse.quote(json.loads(body)["messages"][1]["content"])
    return answer(f"not found: /?key={KEY}&q={said}".encode(), "404 No", "connection: close\r\n")


def cut_in_the_middle(request: bytes, body: str) -> bytes:
    said = {"detail": f"value: {PROMPT[:25]}...{PROMPT[-24:]}, key: {KEY[:14]}..."}
    return answer(json.dumps(said).encode(), "422 Odd", "connection: close\r\n")


TELLTALES = [
    in_capitals,
    as_html,
    as_address,
    cut_in_the_middle,
    in_error,
    in_prose,
    as_validator,
    in_success,
    as_page,
    in_band,
    as_garbage,
    as_echo,
    as_redirect,
    as_nothing,
]


@pytest.mark.anyio
@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("tells", TELLTALES, ids=lambda tells: tells.__name__)
async def test_what_a_server_quotes_is_not_passed_on(tells: Any, streamed: bool, log: io.StringIO) -> None:
    """No error, record, log line or pickle has it, whatever the server says, with asyncio telling all it can."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0  # every step of every task is logged
    records: list[Record] = []
    async with ByteServer(says(tells)) as server:
        retry = RetryPolicy(attempts=2, wait_initial=0.0)
        client = AsyncClient(KEY, base_url=server.base_url, retry=retry, hooks=[records.append])
        opened = client.chat.completions.stream(**ASKED)
        with pytest.raises(DeepSeekError) as caught:
            await (opened.completion() if streamed else client.chat.completions.create(**ASKED))
        assert_silent(repr((client, opened, client.statistics(), client.chat, client.chat.completions)))
        await client.aclose()
    loop.set_debug(False)
    error = caught.value
    told = (str(error), repr(error), repr(vars(error)), *error.history, *map(repr, records))
    assert_silent("\n".join(told))
    assert_silent(pickle.dumps(error))
    assert_silent("".join(traceback.format_exception(error)))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own
    for record in records:
        if isinstance(record, Ended) and record.error is not None:
            assert_silent(pickle.dumps(record.error))
    assert "Executing" in log.getvalue()
    assert_silent(log.getvalue())


STEERING = "\x1b[2J\x07red\x9b1m\u202egnp\x7f"
ODD_JSON = json.dumps({"error": {"message": STEERING, "code": STEERING, "type": STEERING}}).encode()
ODD_HEAD = b"content-length: 0\r\n\r\n"


@pytest.mark.anyio
@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    "said",
    [
        answer(ODD_JSON, "400 Bad"),
        answer(STEERING.encode(), "500 Bad"),
        answer(json.dumps({"detail": [{"loc": [STEERING], "msg": STEERING}]}).encode(), "422 Odd"),
        STREAM_HEAD + chunked(b"data: " + ODD_JSON + b"\n\n"),
        STREAM_HEAD + chunked(STEERING.encode() + b"\n\n") + LAST_CHUNK,
        b"HTTP/1.1 302 Found\r\nlocation: http://a\x1b[2J/\r\n" + ODD_HEAD,
        b"HTTP/1.1 400 Bad\r\nx-ds-trace-id: a\x1b[2J\r\n" + ODD_HEAD,
        b"HTTP/1.1 200 OK\r\ncontent-encoding: br\x1b[2J\r\ncontent-length: 1\r\n\r\n\n",
    ],
    ids=["json", "text", "detail", "in-band", "no-events", "redirect", "request-id", "encoding"],
)
async def test_what_a_server_says_steers_no_terminal(said: bytes, streamed: bool) -> None:
    """A traceback prints an error's text as it is; the body stays as it came."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(said)

    async with ByteServer(play) as server:
        client = AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1))
        opened = client.chat.completions.stream(**ASKED)
        with pytest.raises(DeepSeekError) as caught:
            await (opened.completion() if streamed else client.chat.completions.create(**ASKED))
        await client.aclose()
    error = caught.value
    assert str(error).isprintable()
    assert str(error) in "".join(traceback.format_exception(error))
    assert not said.startswith(answer(b"", "500 Bad")[:12]) or STEERING in vars(error)["body"]


@pytest.mark.anyio
async def test_the_words_that_are_the_servers_stay() -> None:
    """What is wrong is still said."""
    async with ByteServer(says(as_validator)) as server, AsyncClient(KEY, base_url=server.base_url) as client:
        with pytest.raises(APIStatusError, match=r"HTTP 422: body\.messages: too odd") as caught:
            await client.chat.completions.create(**ASKED)
        assert '"content": "[redacted]"' in caught.value.body
    async with ByteServer(says(in_prose)) as server, AsyncClient(KEY, base_url=server.base_url) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.chat.completions.create(**ASKED)
        said = "Authentication Fails, Your api key: [redacted] is invalid. You said: [redacted] Goodbye."
        assert said in str(caught.value)


@pytest.mark.anyio
async def test_a_seam_tells_no_more() -> None:
    """The error that a continued stream went over is cleaned as well."""

    async def play(connection: Connection) -> None:
        request = await connection.request()
        if connection.number == 0:
            connection.send(in_band(request, request.partition(b"\r\n\r\n")[2].decode()))
        else:
            connection.send(STREAM_HEAD + chunked(event("lo", "stop"), DONE) + LAST_CHUNK)

    async with ByteServer(play) as server, AsyncClient(KEY, base_url=server.base_url) as client:
        async with client.chat.completions.stream(resume=Resume(), **ASKED) as stream:
            assert (await stream.completion()).text == "Hello"
        (seam,) = stream.seams
        assert isinstance(seam.cause, StreamInterruptedError)
        assert_silent(repr((seam, str(seam.cause), vars(seam.cause), vars(seam.cause.cause))))  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_deadlines_and_refused_connections_tell_nothing(log: io.StringIO) -> None:
    """Nor do the errors that are our own words."""
    async with ByteServer(lambda connection: connection.gone()) as server:
        client = AsyncClient(KEY, base_url=server.base_url, retry=ONCE, timeouts=Timeouts(first_chunk=0.05))
        with pytest.raises(DeepSeekError) as late:
            await client.chat.completions.create(**ASKED)
    with pytest.raises(DeepSeekError) as refused:
        await client.chat.completions.create(**ASKED)
    await client.aclose()
    for error in (late.value, refused.value):
        assert_silent(str(error) + repr(vars(error)) + "".join(traceback.format_exception(error)))
    assert_silent(log.getvalue())


# -- wrong requests ----------------------------------------------------------------------------------------------------

WRONG: list[dict[str, Any]] = [
    {"messages": PROMPT},
    {"messages": [PROMPT]},
    {"messages": [{"role": "user", "content": PROMPT + "\ud800"}]},
    {"messages": [{"role": "user", "content": {"text": PROMPT}}]},
    {"messages": [{"role": PROMPT, "content": "x"}]},
    {"messages": [{PROMPT: "x"}]},
    {"messages": [UserMessage(PROMPT)], "temperature": 9},
    {"messages": [UserMessage(PROMPT)], "stop": [PROMPT] * 99},
    {"messages": [UserMessage(PROMPT)], "stop": {PROMPT: 1}},
    {"messages": [UserMessage(PROMPT)], "extra_body": {"x": object(), "prompt": PROMPT}},
    {"messages": [UserMessage(PROMPT)], "extra_headers": {"authorization": f"Bearer {KEY}\n"}},
    {"messages": [UserMessage(PROMPT)], "extra_headers": KEY},
    {"messages": [UserMessage(PROMPT)], "tools": [PROMPT]},
    {"messages": [UserMessage(PROMPT)], "user_id": KEY * 99},
]


@pytest.mark.anyio
@pytest.mark.parametrize("parameters", WRONG, ids=range(len(WRONG)))
async def test_a_wrong_request_is_named_without_its_text(parameters: dict[str, Any]) -> None:
    """Where, and what is allowed; never what a prompt or a key says. What is not refused here goes out as it is."""

    def reply(request: bytes) -> bytes:
        return answer(b'{"error": {"message": "No."}}', "400 Bad")

    async with (
        ByteServer(lambda c: until_cut(c, reply)) as server,
        AsyncClient(KEY, base_url=server.base_url) as client,
    ):
        with pytest.raises(DeepSeekError) as caught:
            await client.chat.completions.create(**{"model": "m", **parameters})
        assert_silent(str(caught.value) + repr(caught.value) + repr(vars(caught.value)))
        assert_silent(pickle.dumps(caught.value))


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": KEY + "\n\u00e9"},
        {"api_key": KEY + " two"},
        {"api_key": KEY, "base_url": f"https://{KEY}@api.deepseek.com"},
        {"api_key": KEY, "base_url": f"https://user:{KEY}@api.deepseek.com"},
        {"api_key": KEY, "base_url": f"https://api.deepseek.com?key={KEY}"},
        {"api_key": KEY, "base_url": f"ftp://user:{KEY}@api.deepseek.com"},
        {"api_key": KEY, "base_url": "http://api.deepseek.com"},
        {"api_key": KEY, "headers": {"x-key": KEY + "\n"}},
        {"api_key": KEY, "headers": {"host": KEY}},
    ],
    ids=["no ASCII", "space", "user", "password", "query", "scheme", "insecure", "header", "own header"],
)
def test_a_wrong_setting_is_named_without_its_value(arguments: dict[str, Any]) -> None:
    """The message of a client that cannot be made is often the first to be pasted somewhere."""
    with pytest.raises(InvalidRequestError) as caught:
        AsyncClient(**arguments)
    assert_silent(str(caught.value) + repr(vars(caught.value)))


# -- where the key goes ------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_redirects_are_not_followed(status: int, streamed: bool) -> None:
    """Another host is not even connected to; the error names it, for whom it is right to set `base_url`."""
    async with ByteServer(lambda c: until_cut(c, lambda _: answer(b"{}"))) as other:
        location = f"{other.base_url.replace('127.0.0.1', 'localhost')}/chat/completions?k={KEY}"
        redirect = answer(b"", f"{status} Elsewhere", f"location: {location}\r\n")
        async with ByteServer(lambda c: until_cut(c, lambda _: redirect)) as server:
            async with AsyncClient(KEY, base_url=server.base_url) as client:
                with pytest.raises(APIStatusError, match="a redirect to http://localhost") as caught:
                    if streamed:
                        await client.chat.completions.stream(**ASKED).open()
                    else:
                        await client.chat.completions.create(**ASKED)
            assert (caught.value.status, caught.value.retryable, len(server.requests)) == (status, False, 1)
        assert other.connections == []


@pytest.mark.parametrize(
    "base_url", ["http://api.deepseek.com", "http://10.0.0.7:8000", "http://[fd00::1]", "http://127.0.0.1.evil.test"]
)
def test_plain_http_to_another_machine_must_be_allowed(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument and by environment alike; the message says how, and what is at stake."""
    with pytest.raises(InvalidRequestError, match="allow_insecure=True"):
        AsyncClient(KEY, base_url=base_url)
    monkeypatch.setenv("DEEPSEEK_BASE_URL", base_url)
    with pytest.raises(InvalidRequestError, match="DEEPSEEK_BASE_URL"):
        AsyncClient(KEY)
    assert AsyncClient(KEY, allow_insecure=True).base_url == base_url


@pytest.mark.parametrize("base_url", ["http://localhost:1", "http://127.9.9.9", "http://[::1]:1", "https://10.0.0.7"])
def test_this_machine_and_tls_need_no_leave(base_url: str) -> None:
    """Loopback by name and by address, and any host over TLS."""
    assert AsyncClient(KEY, base_url=base_url).base_url == base_url


@pytest.mark.anyio
async def test_a_server_on_this_machine_is_reached_without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment's would carry prompts out of the machine that were to stay in it."""
    async with (
        ByteServer(lambda c: until_cut(c, lambda _: answer(b'{"data": []}'))) as proxy,
        ByteServer(lambda c: until_cut(c, lambda _: answer(b'{"data": []}'))) as server,
    ):
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.setenv("all_proxy", proxy.base_url)
        async with AsyncClient(KEY, base_url=server.base_url) as client:
            await client.models.list()
        assert proxy.connections == []
        async with AsyncClient(KEY, base_url=server.base_url, proxy=proxy.base_url) as client:  # asked for by name
            await client.models.list()
        assert len(proxy.requests) == 1


# -- pickles -----------------------------------------------------------------------------------------------------------


def test_a_pickled_client_knows_where_the_key_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the key: it is looked up where the pickle is loaded, and missed there by name."""
    client = AsyncClient(KEY, base_url="https://llm.test", retry=ONCE, timeouts=Timeouts(total=5.0), max_event_bytes=9)
    data = pickle.dumps(client)
    assert KEY.encode() not in data
    with pytest.raises(InvalidRequestError, match="set DEEPSEEK_API_KEY where it is loaded"):
        pickle.loads(data)  # noqa: S301
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-of-the-worker")
    loaded = pickle.loads(data)  # noqa: S301
    connection = loaded._caller
    assert connection._headers["authorization"] == "Bearer sk-of-the-worker"
    assert (loaded.base_url, connection.retry, connection.timeouts.total) == ("https://llm.test", ONCE, 5.0)
    assert connection.max_event_bytes == 9


def test_a_pickle_carries_the_key_if_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes on doing so when it is pickled again; secret headers and a proxy's password too."""
    secrets: dict[str, Any] = {"headers": {"x-api-key": "also secret"}, "proxy": "http://user:word@127.0.0.1:3128"}
    with pytest.raises(TypeError, match="pickle_key=True"):
        pickle.dumps(AsyncClient(KEY, base_url="https://llm.test", **secrets))
    client = AsyncClient(KEY, base_url="https://llm.test", pickle_key=True, **secrets)
    for _ in range(2):
        client = pickle.loads(pickle.dumps(client))  # noqa: S301
        assert client._caller._headers["authorization"] == f"Bearer {KEY}"
        assert client._caller._headers["x-api-key"] == "also secret"
    assert_silent(repr(client))


def test_values_show_neither() -> None:
    """Reprs of what is made of a request: sizes and names."""
    body = json.dumps({"messages": [{"content": PROMPT}]}).encode()
    request = HTTPRequest("POST", "https://llm.test/x", {"authorization": f"Bearer {KEY}"}, body)
    assert_silent(repr((request, UserMessage(PROMPT), SystemMessage(SYSTEM))))


@pytest.mark.anyio
async def test_no_value_of_the_client_shows_them() -> None:
    """Every object of the package's that is alive in the middle of a call, asked for its repr."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + chunked(event("Hel")))
        await connection.gone()

    async with (
        ByteServer(play) as server,
        AsyncClient(KEY, base_url=server.base_url) as client,
        client.chat.completions.stream(resume=Resume(), **ASKED) as stream,
    ):
        await anext(stream)
        gc.collect()  # clients that other tests failed to make have no repr
        ours = [thing for thing in gc.get_objects() if str(type(thing).__module__).startswith("deepseek_async.")]
        assert len(ours) > 20
        for thing in ours:
            assert_silent(repr(thing))
