"""Records: what is told, in which order, with which figures; and that watching never breaks a call."""

from __future__ import annotations

import asyncio
import logging
import pickle
from typing import Any

import attrs
import pytest

from deepseek_async import APIConnectionError, BadRequestError, RateLimitError, StreamInterruptedError
from deepseek_async.hooks import (
    AttemptStarted,
    Connected,
    Ended,
    FirstChunk,
    Record,
    RequestParameters,
    RetryScheduled,
    call_hooks,
)
from deepseek_async.transport import Answer, Pause

from ..wire import HELLO, chunk, client_on, completion, hello, stream_of, whole

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
BROKEN = APIConnectionError("refused")
KEY = "sk-0123456789abcdef"


def watched(*answers: Any, **settings: Any) -> tuple[Any, list[Record]]:
    records: list[Record] = []
    client, _ = client_on(*answers, hooks=[records.append], **settings)
    return client, records


def kinds(records: list[Record]) -> list[str]:
    return [type(record).__name__ for record in records]


@pytest.mark.anyio
async def test_a_call_tells_its_beginning_its_answer_and_its_end() -> None:
    """In that order, with what was asked where, in which time, under which id."""
    client, records = watched(whole(completion(), **{"x-ds-trace-id": "t"}))
    await client.chat.completions.create(**ASK)
    started, connected, first, ended = records
    asked = RequestParameters(messages=1, size=74)
    url = "http://localhost:1/chat/completions"
    assert started == AttemptStarted(1, 1, "POST", url, "deepseek-flash", asked, started.client)
    assert isinstance(connected, Connected)
    assert (connected.call, connected.attempt, connected.waited, connected.reused) == (1, 1, 0.0, False)
    assert isinstance(first, FirstChunk)
    assert (first.call, first.attempt, first.request_id) == (1, 1, "t")
    assert isinstance(ended, Ended)
    assert (ended.call, ended.attempts, ended.outcome, ended.chunks, ended.request_id, ended.error) == (
        1,
        1,
        "completed",
        0,
        "t",
        None,
    )
    assert 0 <= first.elapsed <= ended.elapsed < 5


@pytest.mark.anyio
async def test_a_stream_tells_its_first_chunk_once_and_its_chunks_at_the_end() -> None:
    """However many chunks one read brings."""
    client, records = watched(Answer([hello()], headers={"x-ds-trace-id": "t"}))
    async with client.chat.completions.stream(**ASK) as stream:
        assert kinds(records) == ["AttemptStarted", "Connected"]
        await anext(stream)
        assert kinds(records) == ["AttemptStarted", "Connected", "FirstChunk"]
        await stream.completion()
    assert kinds(records) == ["AttemptStarted", "Connected", "FirstChunk", "Ended"]
    assert records[-1].chunks == 4
    assert records[-1].outcome == "completed"
    assert records[-1].request_id == "t"


@pytest.mark.anyio
async def test_retries_tell_why_and_how_long() -> None:
    """Each attempt begins with its number; between two stands the wait, and the error that it follows."""
    client, records = watched(BROKEN, whole({"error": {"message": "slow down"}}, 429), whole(completion()))
    await client.chat.completions.create(**ASK)
    assert kinds(records) == [
        "AttemptStarted",
        "RetryScheduled",
        "AttemptStarted",
        "Connected",
        "RetryScheduled",
        "AttemptStarted",
        "Connected",
        "FirstChunk",
        "Ended",
    ]
    assert [record.attempt for record in records if isinstance(record, AttemptStarted)] == [1, 2, 3]
    first, second = (record for record in records if isinstance(record, RetryScheduled))
    assert first.error is BROKEN
    assert first.wait == 0.0
    assert isinstance(second.error, RateLimitError)
    assert records[-1].attempts == 3
    assert len({record.call for record in records}) == 1


@pytest.mark.anyio
async def test_a_failure_is_told_with_its_error() -> None:
    """The same object that the caller gets."""
    client, records = watched(whole({"error": {"message": "no"}}, 400, **{"x-ds-trace-id": "t"}))
    with pytest.raises(BadRequestError) as raised:
        await client.chat.completions.create(**ASK)
    assert kinds(records) == ["AttemptStarted", "Connected", "Ended"]
    assert (records[-1].outcome, records[-1].error, records[-1].request_id) == ("failed", raised.value, "t")

    client, records = watched(Answer([stream_of(chunk("Hel"), done=False)]))
    stream = client.chat.completions.stream(**ASK)
    await anext(stream)
    with pytest.raises(StreamInterruptedError) as cut:
        await stream.completion()
    assert kinds(records) == ["AttemptStarted", "Connected", "FirstChunk", "Ended"]
    assert (records[-1].outcome, records[-1].error, records[-1].chunks) == ("failed", cut.value, 1)


@pytest.mark.anyio
async def test_a_stream_that_is_left_is_closed_and_one_whose_task_is_cancelled_cancelled() -> None:
    """Two ways to end early, told apart; each ends once."""
    client, records = watched(*[Answer([stream_of(chunk("Hel"), done=False), Pause()]) for _ in range(2)])
    async with client.chat.completions.stream(**ASK) as stream:
        await anext(stream)
    await stream.aclose()
    assert kinds(records) == ["AttemptStarted", "Connected", "FirstChunk", "Ended"]
    assert records[-1].outcome == "closed"

    reading = asyncio.Event()

    async def read() -> None:
        async with client.chat.completions.stream(**ASK) as stream:
            await anext(stream)
            reading.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(read())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kinds(records)[4:] == ["AttemptStarted", "Connected", "FirstChunk", "Ended"]
    assert (records[-1].outcome, records[-1].call) == ("cancelled", records[0].call + 1)


@pytest.mark.anyio
async def test_every_endpoint_tells_its_answer() -> None:
    """Not only chat: a list of models begins and ends too."""
    text = {"id": "1", "choices": [{"index": 0, "text": "a"}]}
    client, records = watched(whole({"data": []}), whole({"balance_infos": []}), whole(text))
    await client.models.list()
    await client.user.balance()
    await client.completions.create(model="m", prompt="p")
    assert kinds(records) == ["AttemptStarted", "Connected", "FirstChunk", "Ended"] * 3
    assert [(r.method, r.url, r.model) for r in records if isinstance(r, AttemptStarted)] == [
        ("GET", "http://localhost:1/models", None),
        ("GET", "http://localhost:1/user/balance", None),
        ("POST", "http://localhost:1/beta/completions", "m"),
    ]


@pytest.mark.anyio
async def test_the_answers_first_byte_is_its_beginning() -> None:
    """Of an answer in one piece: not the blank lines before it, and not its end."""
    blank, begun = Pause(), Pause()
    rest = b':[{"message":{"content":"x"}}]}'
    client, records = watched(Answer([b"\n\n", blank, b'{"choices"', begun, rest], headers={}))
    task = asyncio.ensure_future(client.chat.completions.create(**ASK))
    await blank.reached.wait()
    assert kinds(records) == ["AttemptStarted", "Connected"]
    blank.proceed.set()
    await begun.reached.wait()
    assert kinds(records) == ["AttemptStarted", "Connected", "FirstChunk"]
    begun.proceed.set()
    await task
    assert kinds(records) == ["AttemptStarted", "Connected", "FirstChunk", "Ended"]


@pytest.mark.anyio
async def test_a_hook_that_fails_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, with the record's name and not its contents; the other hooks and the call go on."""

    def failing(record: Record) -> None:
        raise RuntimeError("no room")

    records: list[Record] = []
    client, _ = client_on(whole(completion()), hooks=[failing, records.append], api_key=KEY)
    with caplog.at_level(logging.ERROR, "deepseek_async"):
        assert (await client.chat.completions.create(**ASK)).text == "Hello."
    assert kinds(records) == ["AttemptStarted", "Connected", "FirstChunk", "Ended"]
    assert caplog.text.count("failed on AttemptStarted") == 1
    assert "no room" in caplog.text
    assert KEY not in caplog.text
    assert "Hello?" not in caplog.text


def test_cancellation_is_not_held_up_by_a_hook() -> None:
    """Only errors are logged; what ends the program passes."""

    def leaving(record: Record) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_hooks([leaving], FirstChunk(1, 1, 0.0, None))


def test_records_are_frozen_values_without_secrets() -> None:
    """They can be kept, compared and sent to another process; none has room for a key, a prompt or an answer."""
    records: list[Record] = [
        AttemptStarted(1, 1, "POST", "http://h/chat/completions", "m"),
        Connected(1, 1, 0.0, 0.1, reused=False),
        FirstChunk(1, 1, 0.5, "t"),
        RetryScheduled(1, 1, 0.5, BROKEN),
        Ended(1, 2, "failed", 1.5, 3, "t", BROKEN),
    ]
    for record in records:
        again = pickle.loads(pickle.dumps(record))  # noqa: S301
        assert type(again) is type(record)
        assert attrs.fields(type(record))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            record.call = 2  # type: ignore[misc]
        assert not {"body", "headers", "messages", "completion", "key"} & set(attrs.fields_dict(type(record)))
