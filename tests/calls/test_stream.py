"""`ChatCompletionStream`: each of its members, in each of its states."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    AsyncClient,
    ChatCompletion,
    ChatCompletionStream,
    InvalidRequestError,
    RateLimitError,
    Resume,
    RetryPolicy,
    StreamInterruptedError,
)
from deepseek_async.hooks import Ended, Record, RetryScheduled
from deepseek_async.transport import Answer, Pause, ScriptedTransport
from deepseek_async.types import ChatCompletionChunk, Delta, FunctionCallFragment, TextCompletion, ToolCallFragment

from ..wire import DONE, HELLO, KEEP_ALIVE, chunk, client_on, completion, event, hello, of_choices, stream_of, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "m", "messages": HELLO}
HEAD = {"content-type": "text/event-stream", "x-ds-trace-id": "trace-1"}


def streaming(
    *body: bytes | BaseException | Pause, **settings: Any
) -> tuple[ChatCompletionStream, ScriptedTransport, AsyncClient]:
    """A stream that has not begun, what it will be played by, and its client."""
    client, transport = client_on(Answer(body, headers=HEAD), **settings)
    return client.chat.completions.stream(**ASK), transport, client


def token(text: str) -> dict[str, Any]:
    return {"token": text, "logprob": -0.5, "bytes": list(text.encode()), "top_logprobs": []}


# -- reading ---------------------------------------------------------------------------------------------------------


async def test_it_iterates_over_chunks() -> None:
    """Each chunk of the server's is one `ChatCompletionChunk`, in order, the first and the last included."""
    stream, _, _ = streaming(hello())
    async with stream:
        chunks = [chunk async for chunk in stream]
    assert all(type(chunk) is ChatCompletionChunk for chunk in chunks)
    assert [c.choices[0].delta.content for c in chunks] == ["", "Hel", "lo.", ""]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert stream.delivered == 4


async def test_a_chunk_is_there_as_soon_as_it_has_come() -> None:
    """Nothing waits for the end, nor for the chunk after it."""
    pause = Pause()
    stream, _, _ = streaming(
        stream_of(chunk("", role="assistant"), chunk("Hel"), done=False), pause, stream_of(chunk("lo.", "stop"))
    )
    async with stream:
        assert [(await anext(stream)).choices[0].delta.content for _ in range(2)] == ["", "Hel"]
        assert stream.snapshot().text == "Hel"
        pause.proceed.set()
        assert (await stream.completion()).text == "Hello."


async def test_deltas_are_those_of_one_choice_with_their_logprobs() -> None:
    """Empty ones are left out; the tokens, which stand beside the delta on the wire, are on it."""
    body = stream_of(
        of_choices(
            {"index": 0, "delta": {"role": "assistant", "content": ""}}, {"index": 1, "delta": {"role": "assistant"}}
        ),
        of_choices({"index": 1, "delta": {"content": "other"}}),
        of_choices({"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [token("a")]}}),
        of_choices({"index": 0, "delta": {"content": ""}, "logprobs": {"content": [token("")]}}),
        of_choices({"index": 0, "delta": {"reasoning_content": "r"}}, {"index": 1, "delta": {"content": "x"}}),
        of_choices(
            {"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}}
        ),
        of_choices({"index": 0, "delta": {"audio": 1}}),
        of_choices(
            {"index": 0, "delta": {}, "finish_reason": "stop"}, {"index": 1, "delta": {}, "finish_reason": "stop"}
        ),
        of_choices(usage={"prompt_tokens": 1}),
    )
    stream, _, _ = streaming(body)
    async with stream:
        deltas = [delta async for delta in stream.deltas()]
    assert [d.content for d in deltas] == ["a", "", None, None, None]
    assert [d.logprobs.text if d.logprobs else None for d in deltas] == ["a", "", None, None, None]
    assert deltas[2] == Delta(reasoning_content="r")
    assert deltas[3].tool_calls == (ToolCallFragment(0, "c", None, FunctionCallFragment("f", "")),)
    assert deltas[4].extra == {"audio": 1}

    stream, _, _ = streaming(body)
    async with stream:
        assert [delta.content async for delta in stream.deltas(1)] == ["other", "x"]
        assert (await stream.completion()).choices[0].message.content == "a"


async def test_text_deltas_are_strings_that_are_not_empty() -> None:
    """The content of one choice, without reasoning, calls and empty pieces."""
    body = stream_of(
        chunk("", role="assistant"), chunk(None, reasoning_content="Hm"), chunk("Hel"), chunk(""), chunk("lo."),
        of_choices({"index": 1, "delta": {"content": "other"}}), chunk("", "stop"),
    )  # fmt: skip
    several = {**ASK, "extra_body": {"n": 2}}
    client, _ = client_on(*[Answer([body])] * 2)
    async with client.chat.completions.stream(**several) as stream:
        assert [text async for text in stream.text_deltas()] == ["Hel", "lo."]
    async with client.chat.completions.stream(**several) as stream:
        assert [text async for text in stream.text_deltas(1)] == ["other"]


@pytest.mark.parametrize("index", ["0", 1.0, None, True, -1])
async def test_an_index_is_a_number_of_a_choice(index: Any) -> None:
    """A wrong type would silently be no choice at all."""
    stream, _, _ = streaming(hello())
    for read in (stream.deltas, stream.text_deltas):
        with pytest.raises(InvalidRequestError, match="index"):
            read(index)
    await stream.aclose()


async def test_the_ways_of_reading_can_change_midway() -> None:
    """Each chunk is delivered once: what one way has taken, the next does not bring again; the fold has all."""
    stream, _, _ = streaming(hello())
    async with stream:
        first = await anext(stream)
        assert first.choices[0].delta.role == "assistant"
        texts = stream.text_deltas()
        assert await anext(texts) == "Hel"
        assert [delta.content async for delta in stream.deltas()] == ["lo."]
        with pytest.raises(StopAsyncIteration):
            await anext(texts)
        assert (await stream.completion()).text == "Hello."


async def test_it_opens_itself_at_its_first_use() -> None:
    """Without `async with`, by whichever member is asked first; before, nothing is sent."""
    for read in (anext, lambda s: s.completion(), lambda s: anext(s.deltas()), lambda s: s.open()):
        stream, transport, _ = streaming(hello())
        assert transport.requests == []
        await read(stream)
        assert len(transport.requests) == 1
        await stream.aclose()
        assert transport.responses[0].is_closed


async def test_opening_twice_is_opening_once() -> None:
    """`create(stream=True)` has opened it; `async with` over it sends nothing again."""
    client, transport = client_on(Answer([hello()]))
    stream = await client.chat.completions.create(**ASK, stream=True)
    async with stream:
        await stream.open()
        assert [text async for text in stream.text_deltas()] == ["Hel", "lo."]
    assert len(transport.requests) == 1
    assert json.loads(transport.requests[0].body or b"")["stream"] is True


async def test_it_is_for_single_use() -> None:
    """Read to its end it stays at its end: iterating again brings nothing, nor is anything sent again."""
    stream, transport, _ = streaming(hello())
    async with stream:
        assert len([chunk async for chunk in stream]) == 4
    async with stream:
        assert [chunk async for chunk in stream] == []
    assert aiter(stream) is stream
    assert (await stream.completion()).text == "Hello."
    assert (await stream.completion()) == stream.snapshot()
    assert len(transport.requests) == 1


async def test_two_tasks_cannot_read_one_stream() -> None:
    """The second is told so, and the first goes on unharmed."""
    pause = Pause()
    stream, _, _ = streaming(pause, hello())
    async with stream:
        first = asyncio.ensure_future(stream.completion())
        await pause.reached.wait()
        with pytest.raises(RuntimeError, match="two tasks"):
            await anext(stream)
        pause.proceed.set()
        assert (await first).text == "Hello."


# -- what is known of it ---------------------------------------------------------------------------------------------


async def test_its_head_is_known_once_it_came() -> None:
    """Request id, status and headers are of the answer; before it there are none, after the end they stay."""
    stream, _, _ = streaming(b"\n\n" + KEEP_ALIVE + KEEP_ALIVE + hello())
    assert (stream.request_id, stream.status, dict(stream.headers), stream.keepalives, stream.attempts) == (
        None,
        None,
        {},
        0,
        0,
    )
    async with stream:
        assert (stream.request_id, stream.status, stream.attempts) == ("trace-1", 200, 1)
        assert stream.headers["content-type"] == "text/event-stream"
        await anext(stream)
        assert stream.keepalives == 4
    assert (stream.request_id, stream.status) == ("trace-1", 200)


async def test_a_snapshot_is_what_has_come() -> None:
    """At any moment, before the first byte too; not complete before the end, and never changed afterwards."""
    stream, _, _ = streaming(hello())
    assert stream.snapshot() == ChatCompletion(complete=False)
    snapshots = []
    async with stream:
        async for _ in stream:
            snapshots.append(stream.snapshot())  # noqa: PERF401 - one after each chunk
        assert all(not snapshot.complete for snapshot in snapshots)
        assert snapshots[-1].text == "Hello."
    assert stream.snapshot().complete
    assert stream.snapshot().request_id == "trace-1"


async def test_its_repr_tells_its_state_and_no_text() -> None:
    """For a log line."""
    stream, _, _ = streaming(hello())
    assert repr(stream) == "<ChatCompletionStream waiting, 0 chunks delivered, request_id=None>"
    async with stream:
        await anext(stream)
        assert "1 chunks delivered, request_id=trace-1" in repr(stream)
    assert "closed" in repr(stream)
    assert "Hel" not in repr(stream)


# -- leaving ---------------------------------------------------------------------------------------------------------


async def test_a_break_frees_the_connection() -> None:
    """Leaving the block closes it, at once, and what had come can still be seen; reading on says what happened."""
    pause = Pause()
    stream, transport, client = streaming(stream_of(chunk("Hel"), done=False), pause)
    async with stream:
        async for _ in stream:
            break
    assert transport.responses[0].is_closed
    assert client.statistics().in_flight == 0
    assert stream.snapshot().text == "Hel"
    assert not stream.snapshot().complete
    with pytest.raises(StreamInterruptedError, match="closed before its end"):
        await anext(stream)
    with pytest.raises(StreamInterruptedError, match="closed before its end") as raised:
        await stream.completion()
    assert raised.value.partial is not None
    assert (raised.value.partial.text, raised.value.delivered, raised.value.retryable) == ("Hel", 1, False)
    assert raised.value.request_id == "trace-1"


async def test_aclose_before_the_first_use_sends_nothing() -> None:
    """A stream that was never read costs nothing and needs no closing."""
    stream, transport, _ = streaming(hello())
    await stream.aclose()
    await stream.aclose()
    assert transport.requests == []
    with pytest.raises(StreamInterruptedError, match="closed before its end"):
        await anext(stream)


async def test_aclose_from_another_task_wakes_the_reader() -> None:
    """The reader, in the midst of waiting, gets an error that says so, with what had come."""
    pause = Pause()
    stream, transport, client = streaming(stream_of(chunk("Hel"), done=False), pause)
    reader = asyncio.ensure_future(stream.completion())
    await pause.reached.wait()
    await stream.aclose()
    with pytest.raises(StreamInterruptedError, match="closed before its end") as raised:
        await reader
    assert raised.value.partial is not None
    assert raised.value.partial.text == "Hel"
    assert transport.responses[0].is_closed
    assert client.statistics().in_flight == 0


@pytest.mark.parametrize("failing", [APIConnectionError("refused"), Answer(status=503), Answer([b""])])
async def test_aclose_while_it_waits_to_try_again(failing: Any) -> None:
    """Between two attempts nothing is open: closing ends the wait, and the reader is told the same as ever."""
    scheduled = asyncio.Event()

    def watch(record: Record) -> None:
        if isinstance(record, RetryScheduled):
            scheduled.set()

    retry = RetryPolicy(wait_initial=1000.0, wait_max=1000.0)
    client, transport = client_on(failing, Answer([hello()]), retry=retry, hooks=[watch])
    stream = client.chat.completions.stream(**ASK)
    reader = asyncio.ensure_future(stream.completion())
    await scheduled.wait()
    await asyncio.sleep(0)
    await stream.aclose()
    with pytest.raises(StreamInterruptedError, match="closed before its end") as raised:
        await reader
    assert not raised.value.retryable
    assert len(transport.requests) == 1
    assert client.statistics().in_flight == 0


async def test_an_error_of_the_callers_passes_and_frees_the_connection() -> None:
    """What the body of the block raises is not dressed up."""
    stream, transport, _ = streaming(stream_of(chunk("Hel"), done=False), Pause())
    with pytest.raises(ZeroDivisionError):
        async with stream:
            await anext(stream)
            _ = 1 / 0
    assert transport.responses[0].is_closed


async def test_a_stream_that_is_forgotten_is_closed() -> None:
    """Left without closing, it lets its connection go as soon as it is collected, and says nothing."""
    stream, transport, client = streaming(stream_of(chunk("Hel"), done=False), Pause())
    await anext(stream)
    del stream
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert transport.responses[0].is_closed
    assert client.statistics().in_flight == 0


@pytest.mark.parametrize(
    "body",
    [
        stream_of(chunk("Hel"), event({"error": {"message": "gone"}})),
        stream_of(chunk("Hel"), b"data: {nonsense\n\n"),
        stream_of(chunk("Hel"), event({"choices": 5})),
        stream_of(chunk("Hel"), chunk("", "insufficient_system_resource")),
        stream_of(chunk("Hel"), done=False),
    ],
    ids=["error", "no JSON", "no chunk", "broken off", "silence"],
)
async def test_a_dropped_stream_is_freed_without_the_collector(body: bytes) -> None:
    """Also when its failure was decoded and not yet raised: no error holds the stream that holds it."""
    records: list[Record] = []
    stream, transport, client = streaming(body, Pause(), hooks=[records.append])
    gc.disable()
    try:
        await anext(stream)
        del stream
        for _ in range(3):
            await asyncio.sleep(0)
        assert transport.responses[0].is_closed
        assert client.statistics().in_flight == 0
        (ended,) = (record for record in records if isinstance(record, Ended))
        assert (ended.outcome, ended.request_id) == ("closed", "trace-1")
        assert ended.chunks >= 1
    finally:
        gc.enable()


async def test_an_error_is_raised_again_by_open() -> None:
    """By whatever is asked, the same one."""
    stream, _, _ = streaming(stream_of(chunk("Hel"), event({"error": {"message": "gone"}})))
    await anext(stream)
    with pytest.raises(StreamInterruptedError) as first:
        await stream.completion()
    for again in (stream.open, stream.__aenter__, stream.completion, stream.__anext__):
        with pytest.raises(StreamInterruptedError) as raised:
            await again()
        assert raised.value is first.value


@pytest.mark.parametrize("resume", [None, Resume(), Resume(on={"length", "interrupted"})])  # type: ignore[arg-type]
@pytest.mark.parametrize("reason", ["stop", "length"])
async def test_closing_after_the_end_takes_nothing(resume: Resume | None, reason: str) -> None:
    """Once `[DONE]` has come, `aclose` from another task loses no chunk, continuable or not."""
    client, transport = client_on(Answer([stream_of(chunk("Hel"), chunk("lo."), chunk("", reason))], headers=HEAD))
    stream = client.chat.completions.stream(**ASK, resume=resume)
    got = [await anext(stream)]
    await asyncio.ensure_future(stream.aclose())
    got += [one async for one in stream]
    assert [c.choices[0].delta.content for c in got] == ["Hel", "lo.", ""]
    assert (await stream.completion()).finish_reason == reason
    assert len(transport.requests) == 1


async def test_one_request_whoever_comes_together() -> None:
    """Two readers, two `open`, a reader during the wait between attempts: the late one is told so."""
    scheduled = asyncio.Event()

    def watch(record: Record) -> None:
        if isinstance(record, RetryScheduled):
            scheduled.set()

    pause = Pause()
    retry = RetryPolicy(wait_initial=0.05, wait_max=0.05)
    client, transport = client_on(Answer(status=503), Answer([pause, hello()]), retry=retry, hooks=[watch])
    stream = client.chat.completions.stream(**ASK)
    first = asyncio.ensure_future(stream.completion())
    await scheduled.wait()
    for late in (stream.open, stream.completion, stream.__anext__):
        with pytest.raises(RuntimeError, match="two tasks"):
            await late()
    assert len(transport.requests) == 1
    await pause.reached.wait()
    with pytest.raises(RuntimeError, match="two tasks"):
        await stream.completion()
    pause.proceed.set()
    assert (await first).text == "Hello."
    assert len(transport.requests) == 2


async def test_a_refused_completion_takes_nothing_from_the_first_reader() -> None:
    """Who reads chunk by chunk gets each of them."""
    pause = Pause()
    stream, _, _ = streaming(stream_of(chunk("", role="assistant"), done=False), pause, hello())

    async def read() -> list[str | None]:
        return [one.choices[0].delta.content async for one in stream]

    first = asyncio.ensure_future(read())
    await pause.reached.wait()
    with pytest.raises(RuntimeError, match="two tasks"):
        await stream.completion()
    pause.proceed.set()
    assert await first == ["", "", "Hel", "lo.", ""]


async def test_cancellation_is_cancellation() -> None:
    """Not an error of ours: the task is cancelled, and the connection free."""
    pause = Pause()
    stream, transport, client = streaming(stream_of(chunk("Hel"), done=False), pause)

    async def read() -> None:
        async with stream:
            await stream.completion()

    task = asyncio.ensure_future(read())
    await pause.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert transport.responses[0].is_closed
    assert client.statistics().in_flight == 0


# -- failing ---------------------------------------------------------------------------------------------------------


async def test_a_failure_comes_after_what_came_before_it_and_again_when_asked_again() -> None:
    """Every chunk first, then the error, the same whenever the stream is asked, whatever the way."""
    body = stream_of(chunk("Hel"), chunk("lo"), event({"error": {"message": "gone"}}))
    stream, _, _ = streaming(body)
    got = []
    with pytest.raises(StreamInterruptedError, match="gone") as first:
        async for one in stream:
            got.append(one.choices[0].delta.content)  # noqa: PERF401 - until the error
    assert got == ["Hel", "lo"]
    assert first.value.delivered == 2
    for read in (lambda: anext(stream), stream.completion, lambda: anext(stream.deltas())):
        with pytest.raises(StreamInterruptedError) as again:
            await read()
        assert again.value is first.value
    assert first.value.partial == stream.snapshot()
    assert not stream.snapshot().complete


async def test_chunks_without_text_are_delivered_before_the_failure() -> None:
    """The role came, nothing else: no other attempt is left to bring it, so it is not kept back."""
    client, _ = client_on(*[Answer([stream_of(chunk("", role="assistant"), done=False)]) for _ in range(3)])
    stream = client.chat.completions.stream(**ASK)
    got = []
    with pytest.raises(StreamInterruptedError):
        async for one in stream:
            got.append(one)  # noqa: PERF401 - until the error
    assert len(got) == 1
    assert stream.attempts == 3


async def test_a_refusal_is_raised_on_entering() -> None:
    """An error status is known with the head: `async with` and `create` raise it, reading never begins."""
    for enter in (
        lambda c: c.chat.completions.create(**ASK, stream=True),
        lambda c: c.chat.completions.stream(**ASK).__aenter__(),
        lambda c: c.chat.completions.stream(**ASK).completion(),
    ):
        client, transport = client_on(
            *[whole({"error": {"message": "slow down"}}, 429, **{"x-ds-trace-id": "t"}) for _ in range(3)]
        )
        with pytest.raises(RateLimitError, match="slow down") as raised:
            await enter(client)
        assert (raised.value.request_id, raised.value.attempts) == ("t", 3)
        assert all(response.is_closed for response in transport.responses)
        assert client.statistics().in_flight == 0


async def test_an_answer_without_text_is_an_answer() -> None:
    """A stop with reasoning only, or with nothing but a role, was ended by the server: complete, and empty."""
    for said in ({"reasoning_content": "Hm"}, {"role": "assistant"}):
        stream, _, _ = streaming(stream_of(chunk(None, **said), chunk(None, "stop")))
        answer = await stream.completion()
        assert (answer.text, answer.complete, answer.finish_reason) == ("", True, "stop")


async def test_what_breaks_after_the_end_breaks_nothing() -> None:
    """Behind `[DONE]` only the connection is at stake: an error there, or junk without end, costs no answer."""
    for tail in (APIConnectionError("reset"), b"x" * 10_000_000):
        stream, transport, _ = streaming(hello(), tail)
        assert (await stream.completion()).text == "Hello."
        assert transport.responses[0].is_closed


@pytest.mark.parametrize("resume", [True, 2, "length", {"on": {"length"}}])
async def test_resume_is_a_value_of_its_own(resume: Any) -> None:
    """Another type is refused by name."""
    client, transport = client_on()
    with pytest.raises(InvalidRequestError, match="resume"):
        client.chat.completions.stream(**ASK, resume=resume)
    assert transport.requests == []


# -- fill in the middle ----------------------------------------------------------------------------------------------


def piece(text: str, finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "id": "1",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "text": text, "finish_reason": finish_reason}],
    }


async def test_a_text_stream_has_the_same_members() -> None:
    """Pieces, text deltas, the whole; interruption with its partial."""
    body = b"".join(map(event, (piece("a"), piece(""), piece("b", "stop"))))
    client, transport = client_on(
        *[Answer([body + DONE], headers=HEAD) for _ in range(2)], Answer([body + event({"error": "gone"})])
    )
    stream = await client.completions.create(model="m", prompt="p", stream=True)
    assert [p.text async for p in stream] == ["a", "", "b"]
    assert stream.request_id == "trace-1"
    stream = await client.completions.create(model="m", prompt="p", stream=True)
    assert [text async for text in stream.text_deltas()] == ["a", "b"]
    answer = await stream.completion()
    assert isinstance(answer, TextCompletion)
    assert (answer.text, answer.complete, answer.finish_reason) == ("ab", True, "stop")
    stream = await client.completions.create(model="m", prompt="p", stream=True)
    assert (await anext(stream)).text == "a"
    with pytest.raises(StreamInterruptedError) as raised:
        await stream.completion()
    assert raised.value.partial is not None
    assert raised.value.partial.text == "ab"
    assert transport.requests[0].url == "http://localhost:1/beta/completions"


async def test_a_whole_completion_is_delivered_as_one_chunk() -> None:
    """From a server that does not stream: one chunk, one text, the same answer."""
    client, _ = client_on(whole(completion("Hello.")), whole(completion("Hello.")))
    async with client.chat.completions.stream(**ASK) as stream:
        assert [text async for text in stream.text_deltas()] == ["Hello."]
    async with client.chat.completions.stream(**ASK) as stream:
        assert (await stream.completion()).text == "Hello."
