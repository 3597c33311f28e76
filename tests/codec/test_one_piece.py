"""Answers that come in another form than was asked for, with another status, among other events, at another address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import AsyncClient, run_batch
from deepseek_async.codec.reading.one_piece import completion_in, text_completion_in
from deepseek_async.codec.reading.responses import completion_from_json
from deepseek_async.errors import (
    APIStatusError,
    BadRequestError,
    EmptyResponseError,
    MalformedResponseError,
    StreamInterruptedError,
)
from deepseek_async.transport import Answer
from deepseek_async.types import ChatCompletion

from ..byte_server import ByteServer, Connection
from ..byte_server import answer as http_answer
from ..wire import DONE, HELLO, chunk, client_on, completion, event, hello, stream_of, to_json, whole

WHOLE = to_json(completion("Hello."))


@pytest.mark.parametrize(
    "body",
    [
        hello(),
        b": keep-alive\n\n" + hello(),
        b"\n\n" + hello(),
        "\ufeff".encode() + hello(),
        hello().replace(b"data: ", b"data:").replace(b"\n", b"\r\n"),
        b"event: message\n" + hello(),
        b"data: " + WHOLE + b"\n\n" + DONE,
        b"data: " + WHOLE + b"\n\n",
        hello(done=False),
    ],
)
def test_a_stream_in_answer_to_no_stream(body: bytes) -> None:
    """Is read as one; and what is written down of it is JSON."""
    answer, text = completion_in(body, "t")
    assert (answer.text, answer.finish_reason, answer.complete, answer.request_id) == ("Hello.", "stop", True, "t")
    assert completion_from_json(text, "t") == answer


@pytest.mark.parametrize(
    "end", [b"data: [DONE]", b"\n\ndata: [DONE]\n\n", b"[DONE]", b"\r\ndata:[DONE]\r\n", b"\n", b""]
)
def test_json_that_done_follows(end: bytes) -> None:
    """Of a gateway that ends everything so; what is written down is the JSON alone."""
    answer, text = completion_in(WHOLE + end)
    assert answer.text == "Hello."
    assert json.loads(text)["choices"][0]["message"]["content"] == "Hello."
    gap = to_json({"choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]})
    assert text_completion_in(gap + end).text == "x"


def test_a_gap_that_is_streamed_all_the_same() -> None:
    """As for chat."""
    pieces = [
        {"choices": [{"index": 0, "text": text, "finish_reason": end}]} for text, end in (("x", None), ("y", "stop"))
    ]
    answer = text_completion_in(b"".join(map(event, pieces)) + DONE)
    assert (answer.text, answer.finish_reason, answer.complete) == ("xy", "stop", True)


@pytest.mark.parametrize(
    ("body", "error_class", "text"),
    [
        (stream_of(chunk("Hel"), done=False), StreamInterruptedError, "Hel"),
        (stream_of(chunk("Hel"), chunk(None, "error")), StreamInterruptedError, "Hel"),
        (event(chunk("Hel")) + event({"error": {"message": "no", "code": 400}}), StreamInterruptedError, "Hel"),
        (DONE, EmptyResponseError, None),
        (event(chunk("Hel")) + b"data: {nope\n\n", MalformedResponseError, "Hel"),
        (b"data: nope\n\n", MalformedResponseError, None),
    ],
)
def test_such_a_stream_that_ends_badly(body: bytes, error_class: type[Exception], text: str | None) -> None:
    """By the same errors, with what came."""
    with pytest.raises(error_class) as raised:
        completion_in(body)
    partial = getattr(raised.value, "partial", None)
    assert (partial.text if partial is not None and partial.choices else None) == text


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 201, 203, 206, 207, 226, 299])
async def test_an_answer_with_another_success(status: int) -> None:
    """Whole and streamed, in both endpoints."""
    gap = {"choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}
    client, transport = client_on(
        whole(completion("Hi"), status),
        Answer([stream_of(chunk("Hi"), chunk("", "stop"))], status),
        whole(gap, status),
        Answer([event(gap), DONE], status),
    )
    assert (await client.chat.completions.create(model="m", messages=HELLO)).text == "Hi"
    assert (await client.chat.completions.stream(model="m", messages=HELLO).completion()).text == "Hi"
    assert (await client.completions.create(model="m", prompt="p")).text == "x"
    assert (await (await client.completions.create(model="m", prompt="p", stream=True)).completion()).text == "x"
    assert len(transport.requests) == 4


@pytest.mark.anyio
@pytest.mark.parametrize("status", [202, 204, 205, 301, 304])
async def test_a_status_without_an_answer(status: int) -> None:
    """Is an error of its own, and asked once."""
    client, transport = client_on(Answer([], status))
    with pytest.raises(APIStatusError, match=str(status)):
        await client.chat.completions.create(model="m", messages=HELLO)
    assert len(transport.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["ping", "keepalive", "keep-alive", "heartbeat", "pong"])
@pytest.mark.parametrize("data", ['{"type": "ping"}', "", "ping", "12:30", "{nope", "[1]", "null"])
async def test_a_named_ping(name: str, data: str) -> None:
    """Keeps the stream alive, whatever its data, on both endpoints; it is no chunk."""
    ping = f"event: {name}\ndata: {data}\n\n".encode()
    gap = {"choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}
    client, _ = client_on(
        Answer([ping, event(chunk("Hi")), ping, event(chunk("", "stop")), ping, DONE]),
        Answer([ping, event(gap), ping, DONE]),
    )
    stream = client.chat.completions.stream(model="m", messages=HELLO)
    assert [c.choices[0].delta.content async for c in stream] == ["Hi", ""]
    assert stream.keepalives >= (3 if data else 0)
    gaps = await client.completions.create(model="m", prompt="p", stream=True)
    assert [piece.text async for piece in gaps] == ["x"]


USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "said",
    [
        {"usage": USAGE},
        {"usage": USAGE, "choices": []},
        {"usage": USAGE, "choices": None},
        {"type": "ping", "usage": USAGE},
    ],
)
async def test_chunks_without_choices(said: dict[str, Any]) -> None:
    """At the end and in the middle, on both endpoints: they bring what they bring, and nothing else."""
    gap = {"choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}
    client, _ = client_on(
        Answer([event({"type": "ping"}), event(chunk("Hi", "stop")), event(said), DONE]),
        Answer([event({"type": "ping"}), event(gap), event(said), DONE]),
    )
    answer = await client.chat.completions.stream(model="m", messages=HELLO).completion()
    filled = await (await client.completions.create(model="m", prompt="p", stream=True)).completion()
    for each in (answer, filled):
        assert each.usage is not None
        assert each.usage.total_tokens == 3
        assert each.complete
        assert each.extra == {}
    assert (answer.text, filled.text) == ("Hi", "x")


@pytest.mark.anyio
async def test_what_a_bad_chunk_says_is_delivered_before_its_error() -> None:
    """And is in the error's partial, on both endpoints; once."""
    bad = {"choices": [{"index": 0, "delta": {"content": "tide", "tool_calls": "f()"}}]}
    client, transport = client_on(Answer([event(chunk("Half ")), event(bad), DONE]))
    stream = client.chat.completions.stream(model="m", messages=HELLO)
    texts: list[Any] = []
    with pytest.raises(MalformedResponseError, match="tool_calls") as raised:
        async for text in stream.text_deltas():
            texts.append(text)  # noqa: PERF401 - what came before the error counts
    assert texts == ["Half ", "tide"]
    assert isinstance(raised.value.partial, ChatCompletion)
    assert raised.value.partial.text == "Half tide"
    assert len(transport.requests) == 1
    broken = {"choices": [{"index": 0, "text": "tide"}, {"index": 1, "text": 5}]}
    client, _ = client_on(Answer([event({"choices": [{"index": 0, "text": "Half "}]}), event(broken), DONE]))
    with pytest.raises(MalformedResponseError) as raised:
        await (await client.completions.create(model="m", prompt="p", stream=True)).completion()
    assert raised.value.partial is not None
    assert getattr(raised.value.partial, "text", None) == "Half tide"
    document = {"choices": [{"message": {"content": "Half tide", "tool_calls": "f()"}}]}
    client, _ = client_on(whole(document))
    with pytest.raises(MalformedResponseError) as raised:
        await client.chat.completions.stream(model="m", messages=HELLO).completion()
    assert getattr(raised.value.partial, "text", None) == "Half tide"


@pytest.mark.anyio
async def test_an_index_that_moves_is_one_answer_however_it_is_read() -> None:
    """One choice was asked for; with ``n`` each index is a choice."""
    body = [event(chunk(text, index=index)) for index, text in enumerate(("Low", " water"))]
    body += [event(chunk("", "stop", index=2)), DONE]
    client, _ = client_on(*[Answer(body)] * 4)
    ask: dict[str, Any] = {"model": "m", "messages": HELLO}
    assert (await client.chat.completions.stream(**ask).completion()).text == "Low water"
    assert [text async for text in client.chat.completions.stream(**ask).text_deltas()] == ["Low", " water"]
    assert [d.content async for d in client.chat.completions.stream(**ask).deltas()] == ["Low", " water"]
    several = client.chat.completions.stream(**ask, extra_body={"n": 3})
    assert [text async for text in several.text_deltas(1)] == [" water"]


@pytest.mark.anyio
async def test_a_batch_writes_json_whatever_came(tmp_path: Path) -> None:
    """A row whose answer came as a stream, or with more after it, is a line of JSON like any other."""
    source = tmp_path / "in.jsonl"
    rows = [
        {"custom_id": str(n), "body": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}} for n in range(3)
    ]
    source.write_text("\n".join(map(json.dumps, rows)))
    client, _ = client_on(Answer([hello()]), Answer([WHOLE + b"\n\ndata: [DONE]\n\n"]), Answer([WHOLE]))
    async with client:
        report = await run_batch(client, source, tmp_path / "out.jsonl", max_concurrency=1)
    assert report.succeeded == 3
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    texts = [line["response"]["body"]["choices"][0]["message"]["content"] for line in lines if "response" in line]
    assert texts == ["Hello."] * 3


def test_an_error_in_such_a_body_is_the_error() -> None:
    """Whatever form it has."""
    with pytest.raises(BadRequestError):
        completion_in(to_json({"error": {"message": "no", "code": 400}}))


@pytest.mark.anyio
async def test_a_query_reaches_the_server() -> None:
    """Over real sockets, whole and streamed, on a fresh connection and on one that is used again."""
    lines: list[bytes] = []

    async def play(connection: Connection) -> None:
        while request := await connection.request():
            lines.append(request.split(b"\r\n")[0])
            connection.send(http_answer(WHOLE))

    async with ByteServer(play) as server:
        base_url = f"{server.base_url}/openai/d?api-version=2026-01-01"
        async with AsyncClient("any", base_url=base_url, trust_env=False) as client:
            for _ in range(2):
                await client.chat.completions.create(model="m", messages=HELLO)
            await client.chat.completions.stream(model="m", messages=HELLO).completion()
    assert lines == [b"POST /openai/d/chat/completions?api-version=2026-01-01 HTTP/1.1"] * 3
