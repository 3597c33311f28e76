"""The attempts of a call, over real sockets: what is sent again, how often, and what the last error tells."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    APIStatusError,
    AsyncClient,
    EmptyResponseError,
    RateLimitError,
    RetryPolicy,
    ServiceUnavailableError,
    StreamInterruptedError,
    UserMessage,
)
from deepseek_async.hooks import AttemptStarted, Ended, Record, RetryScheduled

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
AT_ONCE = RetryPolicy(attempts=3, wait_initial=0.0)


def whole_stream(*words: str) -> bytes:
    return STREAM_HEAD + chunked(*map(event, words), event("", "stop"), DONE) + LAST_CHUNK


def is_streamed(request: bytes) -> bool:
    return b'"stream":true' in request


def reply_to(request: bytes) -> bytes:
    return whole_stream("Hel", "lo") if is_streamed(request) else answer(completion("Hello"))


async def ask(client: AsyncClient, streamed: bool) -> str:
    if streamed:
        async with client.chat.completions.stream(**ASKED) as stream:
            return "".join([text async for text in stream.text_deltas()])
    return (await client.chat.completions.create(**ASKED)).text


BOTH = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])


@BOTH
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520])
async def test_a_refusal_that_passes(status: int, streamed: bool) -> None:
    """The answer comes with the third attempt; the caller sees nothing of the others."""

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            refused = len(server.requests) < 3
            connection.send(answer(b"<html>", f"{status} Sorry") if refused else reply_to(request))

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=AT_ONCE) as client:
        assert await ask(client, streamed) == "Hello"
        assert len(server.requests) == 3
        figures = client.statistics()
        assert (figures.calls, figures.attempts, figures.retries, figures.in_flight) == (1, 3, 2, 0)
        assert len(server.connections) == 1  # an error's body is read, so its connection serves again


@BOTH
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 415, 422])
async def test_a_refusal_that_stays(status: int, streamed: bool) -> None:
    """It is asked once."""
    async with (
        ByteServer(lambda c: until_cut(c, lambda _: answer(b"{}", f"{status} No", "retry-after: 0\r\n"))) as server,
        AsyncClient(base_url=server.base_url, retry=AT_ONCE) as client,
    ):
        with pytest.raises(APIStatusError) as caught:
            await ask(client, streamed)
        assert (caught.value.status, caught.value.attempts, len(server.requests)) == (status, 1, 1)


@BOTH
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_connection_that_breaks_before_the_answer(ending: str, streamed: bool) -> None:
    """Each time on a new connection, counted as an attempt."""

    async def play(connection: Connection) -> None:
        request = await connection.request()
        if connection.number < 2:
            getattr(connection, ending)()
        else:
            connection.send(reply_to(request))

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=AT_ONCE) as client:
        assert await ask(client, streamed) == "Hello"
        assert client.statistics().attempts == 3


@BOTH
async def test_nobody_listens(streamed: bool) -> None:
    """Every attempt is refused; the last error shows the history of all."""
    async with ByteServer(lambda c: until_cut(c, lambda _: b"")) as server:
        base_url = server.base_url
    async with AsyncClient(base_url=base_url, retry=AT_ONCE) as client:
        with pytest.raises(APIConnectionError) as caught:
            await ask(client, streamed)
        assert (caught.value.attempts, caught.value.during) == (3, "connect")
        assert caught.value.history == (
            (
                f"APIConnectionError: cannot connect to {base_url}: Connection refused "
                "(is the server running, and base_url its address?) (2 times)"
            ),
        )
        assert client.statistics().in_flight == 0


async def test_the_history_tells_each_attempt() -> None:
    """In order, each with its own reason."""

    async def play(connection: Connection) -> None:
        await connection.request()
        if connection.number == 0:
            connection.reset()
        elif connection.number == 1:
            connection.send(answer(b"", "502 Bad Gateway", "connection: close\r\n"))
        else:
            connection.send(
                answer(b'{"error":{"message":"Busy."}}', "503 Busy", "connection: close\r\nx-ds-trace-id: t3\r\n")
            )

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=AT_ONCE) as client:
        with pytest.raises(ServiceUnavailableError) as caught:
            await ask(client, streamed=True)
        first, second = caught.value.history
        assert first.startswith("APIConnectionError: the connection to")
        assert second.startswith("InternalServerError: HTTP 502")
        assert str(caught.value).startswith("HTTP 503: Busy. (request_id=t3, attempts=3); before: APIConnectionError")


@BOTH
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_stale_connection_costs_no_attempt(ending: str, streamed: bool) -> None:
    """With a policy of one attempt the answer still comes, over a fresh connection."""

    async def play(connection: Connection) -> None:
        request = await connection.request()
        connection.send(reply_to(request))
        if connection.number == 0 and await connection.request():
            getattr(connection, ending)()

    once = RetryPolicy(attempts=1)
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=once) as client:
        assert [await ask(client, streamed), await ask(client, streamed)] == ["Hello", "Hello"]
        figures = client.statistics()
        assert (figures.attempts, figures.retries, len(server.requests)) == (2, 0, 3)


@pytest.mark.parametrize(
    "nothing",
    [
        answer(b""),
        answer(b"\n\n\n\n"),
        STREAM_HEAD + LAST_CHUNK,
        STREAM_HEAD + chunked(b"\n", b"\n") + LAST_CHUNK,
        STREAM_HEAD + chunked(b": keep-alive\n\n") + LAST_CHUNK,
    ],
    ids=["length 0", "blank lines", "no chunk", "blank chunks", "keep-alives"],
)
@BOTH
async def test_a_200_with_nothing(nothing: bytes, streamed: bool) -> None:
    """An overloaded server's: asked again, and named if it stays so."""
    if not streamed and b"keep-alive\n\n" in nothing:
        pytest.skip("comments are a stream's")

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            connection.send(nothing if len(server.requests) != 3 else reply_to(request))

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=AT_ONCE) as client:
        assert await ask(client, streamed) == "Hello"
        with pytest.raises(EmptyResponseError) as caught:
            await ask(client, streamed)
        assert caught.value.attempts == 3


@BOTH
async def test_capacity_that_ran_out_before_any_text(streamed: bool) -> None:
    """`insufficient_system_resource` with nothing said is asked again."""

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            if len(server.requests) == 3:
                connection.send(reply_to(request))
            elif is_streamed(request):
                events = event(""), event("", "insufficient_system_resource"), DONE
                connection.send(STREAM_HEAD + chunked(*events) + LAST_CHUNK)
            else:
                connection.send(answer(completion("", "insufficient_system_resource")))

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=AT_ONCE) as client:
        assert await ask(client, streamed) == "Hello"
        assert client.statistics().attempts == 3


async def test_a_stream_is_repeated_only_before_its_first_text() -> None:
    """A cut after the role alone is asked again; after text it is the caller's to decide."""

    async def play(connection: Connection) -> None:
        await connection.request()
        words = ("",) if connection.number == 0 else ("", "Hel")
        connection.send(STREAM_HEAD + chunked(*map(event, words)))

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=AT_ONCE) as client:
        stream, texts = client.chat.completions.stream(**ASKED), []
        with pytest.raises(StreamInterruptedError) as caught:
            async for chunk in stream:
                texts.append(chunk.choices[0].delta.content)  # noqa: PERF401 - it raises
        assert texts == ["", "Hel"]
        assert (caught.value.attempts, caught.value.delivered, len(server.connections)) == (2, 2, 2)
        assert len(caught.value.history) == 1
        assert caught.value.partial is not None
        assert caught.value.partial.text == "Hel"


async def test_retry_after_is_waited_for_by_all() -> None:
    """One call learns of it; another, begun meanwhile, waits with it. Both then succeed."""
    told = answer(b"{}", "429 Slow down", "retry-after: 0.2\r\n")

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            times.append(loop.time())
            connection.send(told if len(times) == 1 else reply_to(request))

    loop, times, learned = asyncio.get_running_loop(), [], asyncio.Event()

    def hook(record: Record) -> None:
        if isinstance(record, RetryScheduled):
            learned.set()

    async with (
        ByteServer(play) as server,
        AsyncClient(base_url=server.base_url, retry=AT_ONCE, hooks=[hook]) as client,
    ):
        first = asyncio.ensure_future(ask(client, streamed=False))
        await learned.wait()
        assert await ask(client, streamed=True) == "Hello"
        assert await first == "Hello"
        assert all(later - times[0] >= 0.19 for later in times[1:])


async def test_hooks_see_every_attempt() -> None:
    """Started, scheduled, started, ended: with the same call's number and the wait that was decided."""
    records: list[Record] = []

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            connection.send(answer(b"", "500 Oops") if len(server.requests) == 1 else reply_to(request))

    async with (
        ByteServer(play) as server,
        AsyncClient(base_url=server.base_url, retry=AT_ONCE, hooks=[records.append]) as client,
    ):
        await ask(client, streamed=True)
    kinds = [type(record).__name__ for record in records]
    assert kinds == [
        "AttemptStarted",
        "Connected",
        "RetryScheduled",
        "AttemptStarted",
        "Connected",
        "FirstChunk",
        "Ended",
    ]
    assert {record.call for record in records} == {1}
    assert [r.attempt for r in records if isinstance(r, AttemptStarted)] == [1, 2]
    ended = records[-1]
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.attempts, ended.error) == ("completed", 2, None)


@BOTH
async def test_a_quota_that_is_used_up_is_asked_for_once(streamed: bool) -> None:
    """No attempt follows and no other call is held; the same words about a minute are tried again."""
    used_up = {"error": {"message": "You exceeded your current quota.", "code": "insufficient_quota", "type": "x"}}
    minute = {"error": {"message": "Quota exceeded: 3 requests per minute.", "code": "rate_limit_exceeded"}}

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            refusal = {1: used_up, 2: minute}.get(len(server.requests))
            connection.send(answer(json.dumps(refusal).encode(), "429 No") if refusal else reply_to(request))

    retry = RetryPolicy(wait_initial=0.0)
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=retry) as client:
        with pytest.raises(RateLimitError, match="not tried again") as caught:
            await ask(client, streamed)
        assert (caught.value.is_exhausted, caught.value.attempts, caught.value.may_be_billed) == (True, 1, False)
        assert (len(server.requests), client.statistics().held) == (1, 0)
        assert await ask(client, streamed) == "Hello"
        assert len(server.requests) == 3


async def test_a_wait_in_words_is_heeded_by_its_length() -> None:
    """One that is too long is not waited for, as of a header."""
    said = {"error": {"message": "Rate limit reached. Please try again in 2h5m."}}

    async def play(connection: Connection) -> None:
        await until_cut(connection, lambda _: answer(json.dumps(said).encode(), "429 No"))

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        with pytest.raises(RateLimitError) as caught:
            await ask(client, streamed=False)
        assert (caught.value.retry_after, caught.value.is_exhausted, len(server.requests)) == (7500.0, False, 1)
