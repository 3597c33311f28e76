"""Every bad ending of an answer, over real sockets: a typed error that carries what arrived, never a silent success."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncClient,
    ChatCompletion,
    DeepSeekError,
    InternalServerError,
    MalformedResponseError,
    RateLimitError,
    RetryPolicy,
    ServiceUnavailableError,
    StreamInterruptedError,
    Timeouts,
    UserMessage,
)

from ..byte_server import (
    DONE,
    LAST_CHUNK,
    STREAM_HEAD,
    ByteServer,
    Connection,
    answer,
    chunked,
    completion,
    event,
    until_cut,
)

pytestmark = pytest.mark.anyio

ASKED: dict[str, Any] = {"model": "m", "messages": [UserMessage("Hello")]}
ONCE = RetryPolicy(attempts=1)
WORDS = ("Hel", "lo ", "wor", "ld", "!")
FIVE = [event(word) for word in WORDS]
ERROR = b'{"error": {"message": "The server had an error", "type": "server_error", "code": null}}'

Play = Callable[[Connection], Awaitable[None]]


def says(*parts: bytes, then: str = "close") -> Play:
    """One answer in one write, and how the connection ends."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(b"".join(parts))
        if then == "reset":
            connection.reset()

    return play


async def read(play: Play, *, drain: bool = False) -> tuple[list[str], DeepSeekError]:
    """The deltas that a caller received, and the error that ended them."""
    texts: list[str] = []
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        stream = client.chat.completions.stream(**ASKED)
        with pytest.raises(DeepSeekError) as caught:
            if drain:
                await stream.completion()
            async for chunk in stream:
                texts += [choice.delta.content or "" for choice in chunk.choices]
        assert client.statistics().in_flight == 0
        with pytest.raises(type(caught.value)) as again:  # and it stays so
            await stream.completion()
        assert again.value is caught.value
        await server.all_closed()
    return texts, caught.value


def partial_of(error: DeepSeekError) -> ChatCompletion:
    assert isinstance(error.partial, ChatCompletion)
    assert not error.partial.complete
    return error.partial


@pytest.mark.parametrize("drain", [False, True], ids=["chunk by chunk", "drained"])
@pytest.mark.parametrize(
    ("play", "words"),
    [
        (says(STREAM_HEAD, chunked(*FIVE), LAST_CHUNK), "ended without [DONE] after 5 chunks"),
        (says(STREAM_HEAD, chunked(*FIVE)), "the stream was cut"),
        (says(STREAM_HEAD, chunked(*FIVE), b"1a4\r\ndata: {"), "the stream was cut"),
        (says(STREAM_HEAD, chunked(*FIVE, b'data: {"id": "1", "cho')), "the stream was cut"),
        (says(STREAM_HEAD, chunked(*FIVE, b'data: {"id": "1", "cho'), LAST_CHUNK), "ended without [DONE]"),
        (says(STREAM_HEAD, chunked(*FIVE), then="reset"), "the stream was cut"),
        (says(STREAM_HEAD.replace(b"chunked", b"identity"), *FIVE), "ended without [DONE]"),
        (says(STREAM_HEAD, chunked(*FIVE, b"data: " + ERROR + b"\n\n"), LAST_CHUNK), "broke the stream off"),
        (says(STREAM_HEAD, chunked(*FIVE, b"event: error\ndata: Busy\n\n"), LAST_CHUNK), "Busy"),
        (says(STREAM_HEAD, chunked(*FIVE, ERROR), LAST_CHUNK), "broke the stream off"),
        (says(STREAM_HEAD, chunked(*FIVE, b"data: " + ERROR)), "broke the stream off|the stream was cut"),
    ],
    ids=[
        "no done",
        "no last chunk",
        "inside a chunk",
        "inside an event",
        "an event unfinished",
        "reset",
        "without length",
        "error in the band",
        "error event",
        "bare error after chunks",
        "error cut",
    ],
)
async def test_a_stream_that_breaks(play: Play, words: str, drain: bool) -> None:
    """All five chunks are delivered first; the error's partial holds them, and `delivered` counts them."""
    texts, error = await read(play, drain=drain)
    assert isinstance(error, StreamInterruptedError)
    assert any(word in str(error) for word in words.split("|"))
    assert partial_of(error).text == "Hello world!"
    assert (texts, error.delivered) == (([], 0) if drain else (list(WORDS), 5))


async def test_a_reset_in_the_same_breath() -> None:
    """Five chunks and a reset before the reader looks: aiohttp hides what it had buffered, and here it is delivered."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD)
        await is_open.wait()
        for data in FIVE:
            connection.send(chunked(data))
            await asyncio.sleep(0)
        connection.reset()

    is_open = asyncio.Event()
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        stream = client.chat.completions.stream(**ASKED)
        await stream.open()
        is_open.set()
        await server.all_closed()
        await asyncio.sleep(0.01)
        texts = []
        with pytest.raises(StreamInterruptedError) as caught:
            async for text in stream.text_deltas():
                texts.append(text)  # noqa: PERF401 - it raises
        assert texts == list(WORDS)
        assert caught.value.delivered == 5


async def test_an_error_in_the_band_is_the_cause() -> None:
    """Its class, words and worth of another attempt are those of the error that the server sent."""
    refusal = b'{"error": {"message": "Too many", "type": "rate_limit_error", "code": "429"}}'
    _, error = await read(says(STREAM_HEAD, chunked(*FIVE, b"data: " + refusal + b"\n\n"), LAST_CHUNK))
    assert isinstance(error, StreamInterruptedError)
    assert isinstance(error.cause, RateLimitError)
    assert error.cause is error.__cause__
    assert error.retryable
    filtered = b'{"error": {"message": "Content Exists Risk", "code": "400"}}'
    _, error = await read(says(STREAM_HEAD, chunked(*FIVE, b"data: " + filtered + b"\n\n"), LAST_CHUNK))
    assert not error.retryable


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", "application/octet-stream"])
async def test_a_bare_error_for_a_stream(content_type: str) -> None:
    """A JSON error as the whole body of a 200, whatever it is called: raised, with an empty partial."""
    texts, error = await read(
        says(STREAM_HEAD.replace(b"text/event-stream", content_type.encode()), chunked(ERROR), LAST_CHUNK)
    )
    assert isinstance(error, StreamInterruptedError)
    assert isinstance(error.cause, APIStatusError)
    assert "The server had an error" in str(error)
    assert (texts, error.delivered, partial_of(error).text) == ([], 0, "")


@pytest.mark.parametrize("content_type", [b"text/event-stream", b"application/json"])
async def test_a_whole_completion_for_a_stream(content_type: bytes) -> None:
    """A server without streaming: taken as a stream of one chunk, equal to the answer in one piece."""
    body = completion("Hello world!")
    head = STREAM_HEAD.replace(b"text/event-stream", content_type)

    def reply(request: bytes) -> bytes:
        return head + chunked(body[:50], body[50:]) + LAST_CHUNK if b'"stream":true' in request else answer(body)

    async with ByteServer(lambda c: until_cut(c, reply)) as server, AsyncClient(base_url=server.base_url) as client:
        stream = client.chat.completions.stream(**ASKED)
        chunks = [chunk async for chunk in stream]
        assert len(chunks) == 1
        assert await stream.completion() == await client.chat.completions.create(**ASKED)
        assert len(server.connections) == 1


async def test_a_whole_completion_that_is_cut() -> None:
    """It is no stream of one chunk then."""
    body = completion("Hello world!")
    texts, error = await read(says(STREAM_HEAD, chunked(body[:-9])))
    assert isinstance(error, StreamInterruptedError)
    assert texts == []
    _, error = await read(says(STREAM_HEAD, chunked(body[:-9]), LAST_CHUNK))
    assert isinstance(error, StreamInterruptedError)
    assert error.retryable
    assert partial_of(error).text == "Hello world!"


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"data: {nonsense\n\n", ""),
        (b'data: {"choices": 5}\n\n', "$.choices"),
        (b'data: {"choices": [{"index": 0, "delta": {"content": 7}}]}\n\n', "$.choices[0].delta.content"),
        (b"data: 42\n\n", "$"),
    ],
)
async def test_a_chunk_that_is_none(data: bytes, path: str) -> None:
    """What cannot be understood is named with its place; what came before is delivered and kept."""
    texts, error = await read(says(STREAM_HEAD, chunked(*FIVE, data, event("more"), DONE), LAST_CHUNK))
    assert isinstance(error, MalformedResponseError)
    assert error.path == path
    assert (texts, partial_of(error).text) == (list(WORDS), "Hello world!")


async def test_generation_broken_off_in_form() -> None:
    """`insufficient_system_resource` after text, with [DONE]: the text is there, and it is no success."""
    closing = event(
        "", "insufficient_system_resource", usage={"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6}
    )
    _, error = await read(says(STREAM_HEAD, chunked(*FIVE, closing, DONE), LAST_CHUNK))
    assert isinstance(error, StreamInterruptedError)
    assert "insufficient_system_resource" in str(error)
    assert error.retryable
    assert (partial_of(error).text, partial_of(error).usage is not None) == ("Hello world!", True)


async def test_a_stream_that_falls_silent() -> None:
    """The deadline keeps its name, and carries what arrived."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + chunked(*FIVE))
        await connection.gone()

    async with ByteServer(play) as server:
        timeouts = Timeouts(idle=0.05)
        async with AsyncClient(base_url=server.base_url, retry=ONCE, timeouts=timeouts) as client:
            stream = client.chat.completions.stream(**ASKED)
            with pytest.raises(APITimeoutError) as caught:
                async for _ in stream:
                    pass
        assert (caught.value.phase, caught.value.delivered, partial_of(caught.value).text) == (
            "idle",
            5,
            "Hello world!",
        )
        await server.all_closed()


async def test_closing_the_client_ends_its_streams() -> None:
    """A reader in another task is told, with what it had; nothing is asked for again."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(STREAM_HEAD + chunked(*FIVE))
        await connection.gone()

    async with ByteServer(play) as server:
        client = AsyncClient(base_url=server.base_url)
        stream = client.chat.completions.stream(**ASKED)
        for _ in WORDS:
            await anext(stream)
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        await client.aclose()
        with pytest.raises(StreamInterruptedError, match="the client was closed") as caught:
            await reading
        assert (caught.value.retryable, partial_of(caught.value).text) == (False, "Hello world!")
        assert (client.statistics().in_flight, len(server.connections)) == (0, 1)


async def test_a_closed_stream_says_so() -> None:
    """Reading on after `aclose` is no good end: neither by chunks nor by `completion`."""
    async with ByteServer(says(STREAM_HEAD, chunked(*FIVE))) as server:
        client = AsyncClient(base_url=server.base_url)
        async with client.chat.completions.stream(**ASKED) as stream:
            await anext(stream)
        with pytest.raises(StreamInterruptedError, match="closed before its end"):
            await anext(stream)
        with pytest.raises(StreamInterruptedError, match="closed before its end"):
            await stream.completion()
        assert stream.snapshot().text.startswith("Hel")
        await client.aclose()


async def test_closing_a_stream_that_is_whole_loses_nothing() -> None:
    """Once [DONE] has come, another task that closes takes no chunk from the reader."""
    async with ByteServer(says(STREAM_HEAD, chunked(*FIVE, DONE), LAST_CHUNK)) as server:
        client = AsyncClient(base_url=server.base_url)
        async with client.chat.completions.stream(**ASKED) as stream:
            texts = [(await anext(stream)).choices[0].delta.content]
        texts += [text async for text in stream.text_deltas()]
        assert texts == list(WORDS)
        assert (await stream.completion()).complete
        await client.aclose()


# -- not streamed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "error_class", "words"),
    [
        (answer(ERROR), InternalServerError, "The server had an error"),
        (answer(b"<html><title>Gateway</title></html>"), MalformedResponseError, "HTML page|not JSON"),
        (answer(b"[]"), MalformedResponseError, "the completion"),
        (answer(b"{}"), MalformedResponseError, "choices"),
        (answer(completion("Hello"))[:-20], APIConnectionError, "broke while the answer came"),
        (STREAM_HEAD + chunked(completion("Hello")[:40]), APIConnectionError, "broke while the answer came"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + completion("Hello")[:40], StreamInterruptedError, "was cut"),
        (answer(completion("Hello")[:-1]), StreamInterruptedError, "was cut"),
        (answer(completion("Hel", "insufficient_system_resource")), ServiceUnavailableError, "insufficient_system_"),
        (answer(b'"nothing found"', "404 Not Found"), APIStatusError, "nothing found"),
        (answer(json.dumps({"choices": []}).encode() + b" x"), MalformedResponseError, "not JSON"),
    ],
    ids=[
        "error",
        "html",
        "list",
        "empty object",
        "short",
        "cut",
        "cut, no length",
        "cut, ended in form",
        "capacity",
        "status",
        "more than JSON",
    ],
)
async def test_a_whole_answer_that_is_none(reply: bytes, error_class: type[DeepSeekError], words: str) -> None:
    """The error says what came instead."""
    async with ByteServer(says(reply)) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        with pytest.raises(error_class) as caught:
            await client.chat.completions.create(**ASKED)
        assert any(word in str(caught.value) for word in words.split("|")), str(caught.value)
        assert client.statistics().in_flight == 0
        await server.all_closed()


async def test_a_whole_answer_broken_off_carries_its_part() -> None:
    """`insufficient_system_resource` in one piece: the text is in the error."""
    reply = answer(completion("Hel", "insufficient_system_resource"))
    async with ByteServer(says(reply)) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        with pytest.raises(ServiceUnavailableError) as caught:
            await client.chat.completions.create(**ASKED)
        assert partial_of(caught.value).text == "Hel"
        assert caught.value.retryable
