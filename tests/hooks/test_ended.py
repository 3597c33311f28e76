"""The last record of a call: what the answer said of itself, and how long its parts took, however the call ended."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from deepseek_async import APITimeoutError, DeepSeekError, Resume, StreamInterruptedError, Usage
from deepseek_async.hooks import AttemptStarted, ChunkIntervals, Content, Ended, FirstChunk, Record
from deepseek_async.transport import Answer, Pause

from ..wire import DONE, HELLO, chunk, client_on, completion, event, hello, stream_of, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
TOLD = Usage(3, 2, 5)
PROMPT = "Hello?"


def watched(*answers: Any, **settings: Any) -> tuple[Any, list[Record]]:
    records: list[Record] = []
    client, _ = client_on(*answers, hooks=[records.append], **settings)
    return client, records


def end_of(records: list[Record]) -> Ended:
    (ended,) = [record for record in records if isinstance(record, Ended)]
    return ended


def facts_in(ended: Ended) -> tuple[Any, ...]:
    return ended.status, ended.usage, ended.finish_reasons, ended.response_id, ended.response_model


async def test_a_whole_answer() -> None:
    """Its model, its usage, its finish reason, its id; and no intervals, since there are no chunks."""
    client, records = watched(whole({**completion(), "model": "deepseek-flash-2", "usage": USAGE}))
    await client.chat.completions.create(**ASK)
    ended = end_of(records)
    assert facts_in(ended) == (200, TOLD, ("stop",), "7f", "deepseek-flash-2")
    assert ended.model == "deepseek-flash"
    assert ended.first_chunk == next(record.elapsed for record in records if isinstance(record, FirstChunk))
    assert ended.intervals == ChunkIntervals()


@pytest.mark.parametrize("way", ["stream", "via", "deltas", "batch"])
async def test_a_streamed_answer(way: str) -> None:
    """The same, whichever way it is read, and an interval for each chunk but the first."""
    body = [stream_of(chunk("Hel"), done=False), stream_of(chunk("lo."), chunk("", "stop"), done=False)]
    client, records = watched(Answer([*body, event({**chunk(), "choices": [], "usage": USAGE}) + DONE]))
    if way == "via":
        await client.chat.completions.create(**ASK, via="stream")
    elif way == "batch":
        client._caller.goes_on_alone = True
        async with client.batch([{"custom_id": "a", **ASK}]) as outcomes:
            assert [outcome.custom_id async for outcome in outcomes] == ["a"]
    else:
        async with client.chat.completions.stream(**ASK) as stream:
            async for _ in stream if way == "stream" else stream.deltas():
                pass
    ended = end_of(records)
    assert facts_in(ended) == (200, TOLD, ("stop",), "7f", "deepseek-flash")
    assert (ended.chunks, ended.intervals.count) == (4, 3)
    assert ended.intervals.max <= ended.intervals.total <= ended.elapsed


async def test_fill_in_the_middle_and_lists() -> None:
    """A text completion says as much as a chat's; a list of models has no such facts."""
    text = {"id": "1", "model": "m", "choices": [{"index": 0, "text": "a", "finish_reason": "length"}], "usage": USAGE}
    client, records = watched(whole(text), Answer([stream_of(text)]), whole({"data": []}))
    await client.completions.create(model="m", prompt="p")
    assert facts_in(end_of(records)) == (200, TOLD, ("length",), "1", "m")
    records.clear()
    await (await client.completions.create(model="m", prompt="p", stream=True)).completion()
    assert facts_in(end_of(records)) == (200, TOLD, ("length",), "1", "m")
    records.clear()
    await client.models.list()
    assert (*facts_in(end_of(records)), end_of(records).model) == (200, None, (), None, None, None)
    assert records[0].parameters is None  # type: ignore[union-attr]


async def test_several_choices_have_several_reasons() -> None:
    """In order of arrival."""
    body = stream_of(chunk("a", "stop"), chunk("b", "length", index=1))
    client, records = watched(Answer([body]))
    async with client.chat.completions.stream(**ASK, n=2) as stream:
        await stream.completion()
    assert end_of(records).finish_reasons == ("stop", "length")
    started = records[0]
    assert isinstance(started, AttemptStarted)
    assert started.parameters is not None
    assert (started.parameters.n, started.parameters.stream) == (2, True)


async def test_a_call_that_fails_says_how_far_it_came() -> None:
    """A refusal has its status; a cut stream the id of what came; a deadline in silence nothing at all."""
    client, records = watched(whole({"error": {"message": "no"}}, 400))
    with pytest.raises(DeepSeekError):
        await client.chat.completions.create(**ASK)
    assert facts_in(end_of(records)) == (400, None, (), None, None)

    client, records = watched(Answer([stream_of(chunk("Hel"), done=False)]))
    with pytest.raises(StreamInterruptedError):
        await client.chat.completions.create(**ASK, via="stream", retry={"attempts": 1})
    ended = end_of(records)
    assert facts_in(ended) == (200, None, (), "7f", "deepseek-flash")
    assert ended.first_chunk is not None

    client, records = watched(Answer([], before_head=[Pause()]))
    with pytest.raises(APITimeoutError):
        await client.chat.completions.create(**ASK, timeouts={"total": 0.02}, retry={"attempts": 1})
    assert (facts_in(end_of(records)), end_of(records).first_chunk) == ((None, None, (), None, None), None)

    broken = completion("half", "insufficient_system_resource")
    client, records = watched(whole({**broken, "usage": USAGE}))
    with pytest.raises(DeepSeekError):
        await client.chat.completions.create(**ASK, retry={"attempts": 1})
    assert facts_in(end_of(records)) == (200, TOLD, ("insufficient_system_resource",), "7f", "deepseek-flash")


@pytest.mark.parametrize("way", ["dropped", "closed", "cancelled"])
async def test_a_stream_that_is_left_says_how_far_it_came(way: str) -> None:
    """Once, whoever leaves it how."""
    client, records = watched(Answer([stream_of(chunk("Hel"), chunk("lo"), done=False), Pause()]))

    async def read() -> Any:
        stream = await client.chat.completions.create(**ASK, stream=True)
        await anext(stream)
        if way == "closed":
            await stream.aclose()
        if way == "cancelled":
            async with stream:
                raise asyncio.CancelledError
        del stream

    if way == "cancelled":
        with pytest.raises(asyncio.CancelledError):
            await read()
    else:
        await read()
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    ended = end_of(records)
    assert ended.outcome == ("cancelled" if way == "cancelled" else "closed")
    assert facts_in(ended) == (200, None, (), "7f", "deepseek-flash")
    assert (ended.chunks, ended.intervals.count) == (2, 1)


async def test_a_continued_answer_counts_the_usage_of_its_parts() -> None:
    """As its completion does."""
    first = stream_of(chunk("Hel"), chunk("", "length"), {**chunk(), "choices": [], "usage": USAGE})
    second = stream_of(chunk("lo."), chunk("", "stop"), {**chunk(), "choices": [], "usage": USAGE})
    client, records = watched(Answer([first]), Answer([second]))
    async with client.chat.completions.stream(**ASK, resume=Resume(on={"length"}, attempts=1)) as stream:
        completion = await stream.completion()
    assert completion.text == "Hello."
    assert end_of(records).usage == completion.usage == TOLD + TOLD
    assert [record.attempt for record in records if isinstance(record, FirstChunk)] == [1, 2]


class Reader:
    """A hook that asks for texts, or does not."""

    def __init__(self, wants_content: Any) -> None:
        self.wants_content = wants_content
        self.records: list[Record] = []

    def __call__(self, record: Record) -> None:
        self.records.append(record)


async def test_texts_are_shown_to_who_asks_and_to_nobody_else() -> None:
    """Just before the end: what was sent, and what came, be it half an answer."""
    reader, other, truthy = Reader(True), Reader(False), Reader("yes")
    half = Answer([stream_of(chunk("Hel"), done=False), Pause()])
    client, _ = client_on(whole(completion()), Answer([hello()]), half, hooks=[other, reader, truthy])
    await client.chat.completions.create(**ASK)
    await (await client.chat.completions.create(**ASK, stream=True)).completion()
    async with client.chat.completions.stream(**ASK) as stream:
        await anext(stream)
    shown = [record for record in reader.records if isinstance(record, Content)]
    assert [type(record) for record in reader.records][-2:] == [Content, Ended]
    assert [record.answer.text for record in shown if record.answer is not None] == ["Hello.", "Hello.", "Hel"]
    assert all(record.request is not None and PROMPT.encode() in record.request for record in shown)
    assert PROMPT not in repr(shown)
    assert "Hello" not in repr(shown)
    for silent in (other, truthy):
        assert not any(isinstance(record, Content) for record in silent.records)
        assert PROMPT not in repr(silent.records)
