"""What a server can make the client hold: capped everywhere, with an error that names the cap."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncClient,
    ChatCompletion,
    DeepSeekError,
    MalformedResponseError,
    ResponseTooLargeError,
    RetryPolicy,
    StreamInterruptedError,
    Timeouts,
    UserMessage,
)
from deepseek_async.transport.compression import MAX_INFLATED_BYTES

from ..byte_server import DONE, JSON_HEAD, LAST_CHUNK, STREAM_HEAD, ByteServer, Connection, chunked, completion, event

pytestmark = pytest.mark.anyio

ASKED: dict[str, Any] = {"model": "m", "messages": [UserMessage("Hello")]}
ONCE = RetryPolicy(attempts=1)
MIB = 2**20
BOTH = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])


def saying(head: bytes, parts: Iterator[bytes], after: bytes = b"") -> ByteServer:
    """A server that goes on for as long as anybody reads and there is something to say."""

    async def play(connection: Connection) -> None:
        await connection.request()
        connection.send(head)
        for part in parts:
            if connection.is_gone:
                return
            connection.send(part)
            await connection.drained()
        connection.send(after)

    return ByteServer(play)


async def failing(server: ByteServer, *, streamed: bool, **settings: Any) -> DeepSeekError:
    """The error that an answer ends with."""
    settings = {"retry": ONCE, **settings}
    async with server, AsyncClient(base_url=server.base_url, **settings) as client:
        with pytest.raises(DeepSeekError) as caught:
            if streamed:
                await client.chat.completions.stream(**ASKED).completion()
            else:
                await client.chat.completions.create(**ASKED)
        assert client.statistics().in_flight == 0
        await server.all_closed()
    return caught.value


def repeated(part: bytes, times: int = 10**9) -> Iterator[bytes]:
    return (part for _ in range(times))


# -- sizes -------------------------------------------------------------------------------------------------------------


async def test_an_event() -> None:
    """One that is larger than the cap ends the stream, after the chunks before it."""
    large = event("x" * 5000)
    server = saying(STREAM_HEAD, iter([chunked(event("Hel"), large, DONE)]), LAST_CHUNK)
    error = await failing(server, streamed=True, max_event_bytes=2000)
    assert isinstance(error, ResponseTooLargeError)
    assert (error.limit, "2,000 bytes" in str(error), "max_event_bytes" in str(error)) == (2000, True, True)
    assert isinstance(error.partial, ChatCompletion)
    assert error.partial.text == "Hel"


@pytest.mark.parametrize("start", [b"data: ", b": ", b"event: ", b"id: ", b"nonsense"])
async def test_a_line_without_end(start: bytes) -> None:
    """Of any field, and of a comment: what is never dispatched is held no longer than the cap."""
    server = saying(STREAM_HEAD + chunked(start), repeated(chunked(b"x" * 4096)))
    error = await failing(server, streamed=True, max_event_bytes=100_000)
    assert isinstance(error, ResponseTooLargeError)


async def test_a_line_as_long_as_reasoning_traces_are() -> None:
    """Below the default cap of 16 MiB an event is only large: aiohttp's reader of lines would have refused it."""
    server = saying(STREAM_HEAD, iter([chunked(event("x" * 3 * MIB), event("", "stop"), DONE)]), LAST_CHUNK)
    async with server, AsyncClient(base_url=server.base_url) as client:
        assert len((await client.chat.completions.stream(**ASKED).completion()).text) == 3 * MIB


@BOTH
@pytest.mark.parametrize("filling", [b" " * 4096, b"\n" * 4096, b"1" * 4096], ids=["spaces", "lines", "digits"])
async def test_a_body(filling: bytes, streamed: bool) -> None:
    """A whole body that goes on and on, also with blanks that mean nothing."""
    server = saying(JSON_HEAD + chunked(b'{"id": '), repeated(chunked(filling)))
    error = await failing(server, streamed=streamed, max_body_bytes=100_000)
    assert isinstance(error, ResponseTooLargeError)
    assert error.limit == 100_000


@BOTH
async def test_an_errors_body(streamed: bool) -> None:
    """It is read for a while, and the status is what is told."""
    server = saying(JSON_HEAD.replace(b"200 OK", b"400 No") + chunked(b"Oh "), repeated(chunked(b"no " * 2000)))
    error = await failing(server, streamed=streamed)
    assert isinstance(error, APIStatusError)
    assert len(error.body) <= 65_536
    assert len(str(error)) < 1000


@BOTH
async def test_a_head(streamed: bool) -> None:
    """One field that is too large; a status line that is; and more fields than anybody sends."""
    one = saying(b"HTTP/1.1 200 OK\r\nx: ", repeated(b"x" * 4096))
    assert isinstance(await failing(one, streamed=streamed), ResponseTooLargeError)
    status = saying(b"HTTP/1.1 200 ", repeated(b"O" * 4096))
    assert isinstance(await failing(status, streamed=streamed), ResponseTooLargeError)
    many = saying(b"HTTP/1.1 200 OK\r\n", (b"x%d: y\r\n" % number for number in range(10**9)))
    assert isinstance(await failing(many, streamed=streamed), APIConnectionError | ResponseTooLargeError)


@BOTH
async def test_an_endless_prelude(streamed: bool) -> None:
    """Interim answers (100 Continue) and keep-alives hold nobody for ever: `first_chunk` ends them."""
    timeouts = Timeouts(first_chunk=0.2)
    interim = saying(b"", repeated(b"HTTP/1.1 100 Continue\r\n\r\n"))
    assert isinstance(await failing(interim, streamed=streamed, timeouts=timeouts), APITimeoutError)
    filler = b": keep-alive\n\n" if streamed else b"\n"
    alive = saying(STREAM_HEAD, repeated(chunked(filler * 100)))
    error = await failing(alive, streamed=streamed, timeouts=timeouts)
    assert isinstance(error, APITimeoutError)
    assert error.keepalives > 100


# -- bombs -------------------------------------------------------------------------------------------------------------

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def bomb(plain: bytes, gigabytes: float = 10) -> bytes:
    """Gzip that inflates to so many gigabytes: one block, flushed, over and over."""
    compressor = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = compressor.compress(plain * (MIB // len(plain))) + compressor.flush(zlib.Z_FULL_FLUSH)
    return GZIP_HEADER + block * int(gigabytes * 1000)


@BOTH
@pytest.mark.parametrize("plain", [b"0", b"\n", b": x\n", b" "], ids=["zeros", "lines", "comments", "spaces"])
@pytest.mark.parametrize("seconds", [0.3, pytest.param(3.0, marks=pytest.mark.soak)])
async def test_a_bomb(plain: bytes, streamed: bool, seconds: float) -> None:
    """Ten gigabytes in ten megabytes, sent to a client that had asked for plain: an error, at the cost of some."""
    packed = bomb(plain)
    assert len(packed) < 50 * MIB
    head = STREAM_HEAD[:-2] + b"content-encoding: gzip\r\n\r\n"
    server = saying(head, (chunked(packed[at : at + 65_536]) for at in range(0, len(packed), 65_536)))
    # Zeros come to the cap in any case; what takes no room may go on and on.
    timeouts = Timeouts(first_chunk=30.0 if plain == b"0" else seconds)
    tracemalloc.start()
    started = time.process_time()
    try:
        error = await failing(server, streamed=streamed, max_body_bytes=MIB, timeouts=timeouts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if isinstance(error, APITimeoutError):
        assert plain != b"0"  # blanks and keep-alives take no room: the cap or the deadline, whichever comes first
    else:
        assert isinstance(error, ResponseTooLargeError)
        assert error.limit in (MIB, 16 * MIB, MAX_INFLATED_BYTES)
    print(f"bomb: {peak / MIB:.1f} MiB at most, {time.process_time() - started:.2f} s of CPU")
    assert peak < 24 * MIB


async def test_a_bomb_does_not_block_the_loop() -> None:
    """While it is inflated others get their turn: no step takes a good part of the whole."""
    head = STREAM_HEAD[:-2] + b"content-encoding: gzip\r\n\r\n"
    server = saying(head + chunked(bomb(b"\n", gigabytes=0.1)), iter(()))
    late = 0.0

    async def beat() -> None:
        nonlocal late
        while True:
            before = time.thread_time()  # what others of this machine do takes no turn of ours
            await asyncio.sleep(0)
            late = max(late, time.thread_time() - before)

    started = time.thread_time()
    beating = asyncio.ensure_future(beat())
    await failing(server, streamed=True)
    beating.cancel()
    assert late < (time.thread_time() - started) / 4


async def test_a_whole_answer_compressed_without_being_asked() -> None:
    """Inflated in many slices, and every one of them is read."""
    packed = gzip.compress(completion("x" * 2 * MIB))
    head = JSON_HEAD[:-2] + b"content-encoding: gzip\r\n\r\n"
    for streamed in (True, False):
        server = saying(head, iter([chunked(packed)]), LAST_CHUNK)
        async with server, AsyncClient(base_url=server.base_url) as client:
            if streamed:
                answered = await client.chat.completions.stream(**ASKED).completion()
            else:
                answered = await client.chat.completions.create(**ASKED)
            assert answered.text == "x" * 2 * MIB


@BOTH
@pytest.mark.parametrize(
    "value",
    ["[" * 100_000, '{"a":' * 100_000, "9" * 100_000, '"' + "\\ud800" * 1000 + '"', "1e999999"],
    ids=["lists", "objects", "digits", "surrogates", "exponent"],
)
async def test_json_that_is_made_to_hurt(value: str, streamed: bool) -> None:
    """Depth, digits and halves of characters: read, or refused as malformed; never a RecursionError of ours."""
    body = b'{"choices": [], "x": ' + value.encode()
    body = b"data: " + body + b"\n\n" if streamed else body
    server = saying(STREAM_HEAD, iter([chunked(body)]), LAST_CHUNK)
    error = await failing(server, streamed=streamed)
    assert isinstance(error, MalformedResponseError | StreamInterruptedError)
    assert len(str(error)) < 500


async def test_what_is_odd_but_whole_is_read() -> None:
    """Numbers out of range and unknown fields of any depth below the parser's are no reason to fail."""
    fields = {"system_fingerprint": "", "x": 10**300, "y": json.loads("[" * 200 + "]" * 200)}
    body = json.loads(completion("Hello")) | fields
    server = saying(JSON_HEAD, iter([chunked(json.dumps(body).encode())]), LAST_CHUNK)
    async with server, AsyncClient(base_url=server.base_url) as client:
        answered = await client.chat.completions.create(**ASKED)
    assert (answered.text, answered.extra["x"]) == ("Hello", 10**300)
