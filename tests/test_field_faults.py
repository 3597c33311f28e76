"""What breaks in other clients, each as a regression test here: the number is that of the fault, the name the rule.

The faults of event streams themselves (11 to 13) have their tests beside the parser, in ``tests/sse``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from deepseek_async import (
    AssistantMessage,
    AsyncClient,
    EmptyResponseError,
    StreamInterruptedError,
    ToolMessage,
    Usage,
)
from deepseek_async.codec import Fold, chunk_from_json, completion_from_json, fold
from deepseek_async.codec.answer import StreamedAnswer
from deepseek_async.codec.dialects import CHAT
from deepseek_async.sandbox import Call, SandboxServer, Script
from deepseek_async.transport import Answer
from deepseek_async.types import ChatCompletion

from .byte_server import LAST_CHUNK, STREAM_HEAD, ByteServer, Connection, chunked, until_cut
from .byte_server import event as byte_event
from .wire import (
    DONE,
    HELLO,
    KEEP_ALIVE,
    chunk,
    client_on,
    completion,
    hello,
    of_choices,
    stream_of,
    to_json,
    whole,
)

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}


def folded(*chunks: dict[str, Any]) -> ChatCompletion:
    return fold(chunk_from_json(to_json(one)) for one in chunks)


def token(text: str, logprob: float = -0.5, alternatives: int = 0) -> dict[str, Any]:
    top = [{"token": f"t{n}", "logprob": -1.0 - n, "bytes": [116, 48 + n]} for n in range(alternatives)]
    return {"token": text, "logprob": logprob, "bytes": list(text.encode()), "top_logprobs": top}


async def streamed(*body: bytes) -> ChatCompletion:
    client, _ = client_on(Answer(body))
    return await client.chat.completions.stream(**ASK).completion()


# -- 1 ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def untraced() -> Iterator[None]:
    """Without a tracer, which would measure itself; and without a collection in the midst of measuring."""
    tracer = sys.gettrace()
    sys.settrace(None)
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    sys.settrace(tracer)


def cost_of(tokens: int, reads: int = 16_384) -> float:
    """CPU seconds from the bytes of a stream to a completion whose every token was looked at: the least of several."""
    body = stream_of(
        *(
            of_choices(
                {
                    "index": 0,
                    "delta": {"content": "word "},
                    "logprobs": {"content": [token("word ", alternatives=5)]},
                    "finish_reason": None,
                }
            )
            for _ in range(tokens)
        ),
        chunk("", "stop"),
    )
    parts = [body[start : start + reads] for start in range(0, len(body), reads)]
    least = float("inf")
    for _ in range(3):
        began = time.process_time()
        streamed = StreamedAnswer(CHAT)
        for part in parts:
            streamed.receive_data(part)
            while streamed.next_chunk() is not None:
                pass
        answer = streamed.completion()
        assert answer.logprobs is not None
        assert answer.logprobs.content is not None
        assert sum(len(one.top_logprobs) for one in answer.logprobs.content) == 5 * tokens
        least = min(least, time.process_time() - began)
        assert len(answer.text) == 5 * tokens
        assert answer.complete
    return least


def test_01_a_tokens_cost_does_not_grow_with_the_answer(untraced: None) -> None:
    """4,000 tokens with 5 alternatives each take less than a second of CPU, logprobs looked at; 8,000 twice that."""
    cost = {tokens: cost_of(tokens) for tokens in (1000, 4000, 8000)}
    print({tokens: f"{seconds:.3f} s" for tokens, seconds in cost.items()})
    assert cost[4000] < 1.0
    assert cost[8000] < 2 * cost[4000] * 1.5
    assert cost[8000] / 8 < cost[1000] * 1.6, "cost per token is constant"


def test_01_a_look_at_every_chunk_costs_no_square(untraced: None) -> None:
    """Deltas are made as they come: their cost does not depend on what has come before."""
    line = to_json(
        of_choices({"index": 0, "delta": {"content": "w"}, "logprobs": {"content": [token("w", alternatives=5)]}})
    )

    def cost(count: int) -> float:
        least = float("inf")
        for _ in range(3):
            folding = Fold()
            began = time.process_time()
            for _ in range(count):
                one = chunk_from_json(line)
                assert one.choices[0].logprobs is not None
                assert one.choices[0].logprobs.content
                folding.add(one)
            least = min(least, time.process_time() - began)
        return least

    assert cost(4000) < 4 * cost(1000) * 1.6


# -- 2 to 8: the fold ------------------------------------------------------------------------------------------------


def test_02_logprobs_of_the_reasoning_are_kept() -> None:
    """Both channels extend, per choice; not only the last chunk's, and neither lost."""
    answer = folded(
        of_choices(
            {
                "index": 0,
                "delta": {"reasoning_content": "H"},
                "logprobs": {"content": None, "reasoning_content": [token("H")]},
            }
        ),
        of_choices(
            {
                "index": 0,
                "delta": {"reasoning_content": "m"},
                "logprobs": {"content": None, "reasoning_content": [token("m")]},
            }
        ),
        of_choices(
            {"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [token("a")], "reasoning_content": None}}
        ),
        of_choices({"index": 0, "delta": {"content": "b"}, "logprobs": {"content": [token("b")]}}),
    )
    assert answer.logprobs is not None
    assert answer.logprobs.text == "ab"
    assert [one.token for one in answer.logprobs.reasoning_content or ()] == ["H", "m"]


def test_03_a_role_in_every_chunk_is_one_role() -> None:
    """DeepSeek's own sample repeats it, and ends with null: role, id, type and name are set once."""
    answer = folded(*(chunk("a", role="assistant") for _ in range(3)), chunk("", "stop", role=None))
    assert (answer.message.role, answer.text) == ("assistant", "aaa")


@pytest.mark.parametrize(
    "later", [{"id": "call_1", "name": "f"}, {"id": "", "name": ""}, {"id": None, "name": None}, {}]
)
def test_04_a_call_keeps_its_id_and_name(later: dict[str, Any]) -> None:
    """Repeated, empty or null in later fragments: set once, and empty never overwrites."""
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{"}}
    rest = {"index": 0, "function": {"arguments": "}"}}
    if "id" in later:
        rest = {"index": 0, "id": later["id"], "function": {"name": later["name"], "arguments": "}"}}
    calls = folded(chunk(tool_calls=[first]), chunk(tool_calls=[rest])).message.tool_calls
    assert calls is not None
    assert [(call.id, call.type, call.function.name, call.function.arguments) for call in calls] == [
        ("call_1", "function", "f", "{}")
    ]


def test_04_a_new_id_on_a_used_index_is_a_new_call() -> None:
    """A second call that reuses an index is not swallowed by the first."""
    fragments = [{"index": 0, "id": f"call_{n}", "function": {"name": "f", "arguments": f"[{n}]"}} for n in (1, 2)]
    calls = folded(*(chunk(tool_calls=[fragment]) for fragment in fragments)).message.tool_calls
    assert calls is not None
    assert [(call.id, call.function.arguments) for call in calls] == [("call_1", "[1]"), ("call_2", "[2]")]


def test_05_the_last_usage_counts_wherever_it_comes() -> None:
    """On the last chunk, on one before it, alone with `choices: []`, or growing in each: never summed, never lost."""
    counts = [{"prompt_tokens": 3, "completion_tokens": n, "total_tokens": 3 + n} for n in (1, 2)]
    last = Usage(3, 2, 5)
    assert folded(chunk("a"), {**chunk("", "stop"), "usage": counts[1]}).usage == last
    assert folded({**chunk("a"), "usage": counts[1]}, {**chunk("", "stop"), "usage": None}).usage == last
    assert folded(chunk("a", "stop"), of_choices(usage=counts[1])).usage == last
    assert folded({**chunk("a"), "usage": counts[0]}, {**chunk("b", "stop"), "usage": counts[1]}).usage == last


def test_06_choices_are_keyed_by_index() -> None:
    """Out of order, with gaps, interleaved: no IndexError, and no two texts merged."""
    answer = folded(chunk("c", index=2), chunk("a", index=0), chunk("C", "stop", index=2), chunk("A", "stop", index=0))
    assert [(choice.index, choice.message.content) for choice in answer.choices] == [(0, "aA"), (2, "cC")]


@pytest.mark.anyio
@pytest.mark.parametrize("ending", [b"", b"data: {", KEEP_ALIVE, b": keep-al"])
async def test_07_a_stream_cut_short_is_no_success(ending: bytes) -> None:
    """Amid an event not even with a `finish_reason` in hand: an interruption that carries what came."""
    for body in (hello(done=False), stream_of(chunk("Hel"), done=False)):
        if ending != b"data: {" and body == hello(done=False):
            continue  # ended in form after its finish reason: whole
        client, _ = client_on(Answer([body + ending]))
        stream = client.chat.completions.stream(**ASK)
        await anext(stream)
        with pytest.raises(StreamInterruptedError) as raised:
            await stream.completion()
        assert raised.value.partial is not None
        assert raised.value.partial.text in ("Hello.", "Hel")
        assert not raised.value.partial.complete


@pytest.mark.anyio
async def test_08_an_unknown_finish_reason_is_kept() -> None:
    """Streamed and not: the string it is, never `stop`."""
    assert (
        await streamed(stream_of(chunk("a"), chunk("", "repetition_truncation")))
    ).finish_reason == "repetition_truncation"
    assert (
        completion_from_json(to_json(completion("a", "repetition_truncation"))).finish_reason == "repetition_truncation"
    )


# -- 9, 10: what comes with a 200 ------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("body", [b"", b"\n", b"\n\n\n\n", b" \r\n\t"])
async def test_09_a_200_of_blank_lines_is_an_empty_response(body: bytes) -> None:
    """Retried, then said: not a JSONDecodeError. Streamed and not."""
    client, transport = client_on(*[whole(body) for _ in range(3)])
    with pytest.raises(EmptyResponseError) as raised:
        await client.chat.completions.create(**ASK)
    assert raised.value.retryable
    assert raised.value.attempts == len(transport.requests) == 3
    client, transport = client_on(*[Answer([body]) for _ in range(3)])
    with pytest.raises(EmptyResponseError):
        await client.chat.completions.stream(**ASK).completion()
    assert len(transport.requests) == 3


@pytest.mark.anyio
async def test_10_an_error_in_the_band_is_raised_with_what_came() -> None:
    """`data: {"error": …}` in mid-stream: neither ignored nor a KeyError."""
    client, _ = client_on(
        Answer([stream_of(chunk("Hel"), {"error": {"message": "overloaded", "type": "server_error"}})])
    )
    stream = client.chat.completions.stream(**ASK)
    assert (await anext(stream)).choices[0].delta.content == "Hel"
    with pytest.raises(StreamInterruptedError, match="overloaded") as raised:
        await anext(stream)
    assert raised.value.partial is not None
    assert (raised.value.partial.text, raised.value.delivered) == ("Hel", 1)


# -- 11 to 13, through the client ------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_11_bom_comments_and_cut_line_ends_change_nothing() -> None:
    """A BOM before the first event, blocks without data, an invalid byte, `\\r\\n` cut between reads."""
    body = b"\xef\xbb\xbf" + b"retry: 10\n\n: hi\n\nevent: x\n\n" + hello()
    assert (await streamed(body)).text == "Hello."
    body = hello().replace(b"\n", b"\r\n")
    assert (await streamed(*(body[at : at + 1] for at in range(len(body))))).text == "Hello."
    assert (await streamed(hello().replace(b"Hel", b"H\xffl"))).text == "H\ufffdllo."


@pytest.mark.anyio
async def test_12_line_separators_inside_a_text_stay_inside() -> None:
    """U+2028 and U+0085 end no line of an event stream."""
    assert (await streamed(stream_of(chunk("a\u2028b\u0085c", "stop")))).text == "a\u2028b\u0085c"


@pytest.mark.anyio
async def test_13_an_event_of_megabytes_is_one_event() -> None:
    """A whole reasoning trace at once, in reads of 64 KiB."""
    body = stream_of(chunk(None, reasoning_content="x" * 3_000_000), chunk("a", "stop"))
    answer = await streamed(*(body[at : at + 65_536] for at in range(0, len(body), 65_536)))
    assert (len(answer.reasoning), answer.text) == (3_000_000, "a")


# -- 14, 15: tokens --------------------------------------------------------------------------------------------------


def test_14_half_a_character_in_a_token_is_half_a_character() -> None:
    """The text is rebuilt from the bytes, over the borders of tokens; each token knows its span."""
    halves = [
        {"token": "\\xf0\\x9f", "logprob": -0.1, "bytes": [0xF0, 0x9F], "top_logprobs": []},
        {"token": "\\xa6\\x94", "logprob": -0.1, "bytes": [0xA6, 0x94], "top_logprobs": []},
    ]
    answer = folded(
        of_choices({"index": 0, "delta": {"content": ""}, "logprobs": {"content": halves[:1]}}),
        of_choices({"index": 0, "delta": {"content": "🦔!"}, "logprobs": {"content": [halves[1], token("!")]}}),
    )
    assert answer.logprobs is not None
    assert answer.logprobs.text == answer.text == "🦔!"
    assert answer.logprobs.spans == ((0, 1), (0, 1), (1, 2))


def test_15_minus_9999_is_no_probability() -> None:
    """It says "not among the 20 most likely", and stays out of every mean."""
    answer = folded(
        of_choices(
            {"index": 0, "delta": {"content": "ab"}, "logprobs": {"content": [token("a", -1.0), token("b", -9999.0)]}}
        )
    )
    assert answer.logprobs is not None
    assert answer.logprobs.content is not None
    assert [one.is_below_top for one in answer.logprobs.content] == [False, True]
    assert answer.logprobs.content[1].probability is None
    assert answer.logprobs.perplexity == pytest.approx(2.71828, abs=1e-4)


# -- 18 to 20: sockets -----------------------------------------------------------------------------------------------


def sockets_to(port: int) -> int:
    """Connections of this process to a port that are open at our end."""
    return sum(
        connection.raddr != () and connection.raddr.port == port and connection.status == psutil.CONN_ESTABLISHED
        for connection in psutil.Process().net_connections("tcp")
    )


@pytest.mark.anyio
async def test_18_a_break_leaves_no_socket_and_no_warning() -> None:
    """Five streams left in the midst: every connection is closed as the block is left, not when somebody collects."""

    async def play(connection: Connection) -> None:
        while await connection.request():
            connection.send(STREAM_HEAD + chunked(byte_event("a")))
            await connection.gone()

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        port = int(server.base_url.rpartition(":")[2])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(5):
                async with client.chat.completions.stream(**ASK) as stream:
                    async for _chunk in stream:
                        break
                await asyncio.sleep(0)  # asyncio closes a socket in the loop's next turn
                assert sockets_to(port) == 0
            gc.collect()
        assert client.statistics().in_flight == 0


@pytest.mark.anyio
async def test_19_twenty_streams_use_one_connection() -> None:
    """The tail behind `[DONE]` is read, so that the connection serves the next."""
    body = STREAM_HEAD + chunked(byte_event("a"), byte_event(None, "stop"), DONE) + LAST_CHUNK
    async with (
        ByteServer(lambda connection: until_cut(connection, lambda _: body)) as server,
        AsyncClient(base_url=server.base_url) as client,
    ):
        for _ in range(20):
            async with client.chat.completions.stream(**ASK) as stream:
                assert (await stream.completion()).text == "a"
        assert len(server.connections) == 1
        figures = client.statistics()
        assert (figures.connections_made, figures.connections_reused) == (1, 19)


@pytest.mark.anyio
async def test_20_a_stale_connection_is_replaced_in_silence() -> None:
    """Closed by the server while it was idle: the request goes out once more on a fresh one, which is no attempt."""

    async def play(connection: Connection) -> None:
        body = to_json(completion("a"))
        await connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        if connection.number == 0:
            await connection.request()  # the second request finds it closing
            connection.reset()

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url) as client:
        assert [(await client.chat.completions.create(**ASK)).text for _ in range(2)] == ["a", "a"]
        assert len(server.connections) == 2
        assert client.statistics().retries == 0


# -- 23, 25, 30: what comes along -------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_23_the_request_id_is_on_every_result_and_error() -> None:
    """DeepSeek calls it `x-ds-trace-id`."""
    headers = {"x-ds-trace-id": "trace-1"}
    client, _ = client_on(
        whole(completion(), **headers),
        Answer([hello()], headers=headers),
        Answer([b"data: nope\n\n"], headers=headers),
        whole({"error": {"message": "no"}}, 400, **headers),
    )
    assert (await client.chat.completions.create(**ASK)).request_id == "trace-1"
    assert (await client.chat.completions.stream(**ASK).completion()).request_id == "trace-1"
    for _ in range(2):
        with pytest.raises(Exception, match="trace-1") as raised:
            await client.chat.completions.stream(**ASK).completion()
        assert raised.value.request_id == "trace-1"  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_25_a_thinking_tool_turn_goes_back_whole() -> None:
    """`completion.message`, streamed, is put into the history as it is: `reasoning_content` is there, `""` too."""
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    for reasoning in ("Hm", ""):
        client, transport = client_on(
            Answer(
                [
                    stream_of(
                        chunk(None, reasoning_content=reasoning), chunk("", tool_calls=[call]), chunk("", "tool_calls")
                    )
                ]
            ),
            whole(completion()),
        )
        first = await client.chat.completions.stream(**ASK).completion()
        assert isinstance(first.message, AssistantMessage)
        await client.chat.completions.create(model="m", messages=[*HELLO, first.message, ToolMessage("42", "c1")])
        assert json.loads(transport.requests[1].body or b"")["messages"][1]["reasoning_content"] == reasoning


@pytest.mark.anyio
async def test_25_the_sandbox_takes_a_thinking_tool_turn_back() -> None:
    """The server that refuses a history without its reasoning accepts what came from us."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    async with SandboxServer(seed=5) as server, AsyncClient(base_url=server.base_url) as client:
        server.script(Script(think="Hm.", calls=[Call("f", {})]))
        async with client.chat.completions.stream(**ASK, tools=[tool]) as stream:
            first = await stream.completion()
        assert first.message.tool_calls
        answer = await client.chat.completions.create(
            model="deepseek-flash",
            tools=[tool],
            max_tokens=20,
            messages=[*HELLO, first.message, ToolMessage("42", first.message.tool_calls[0].id)],
        )
    assert answer.choices


@pytest.mark.anyio
async def test_30_unknown_fields_are_kept() -> None:
    """At every level, streamed and not: in `.extra`, where they stood."""
    extra = {"new": {"a": [1]}}
    one = {
        **of_choices(
            {
                "index": 0,
                "delta": {
                    "content": "a",
                    **extra,
                    "tool_calls": [
                        {"index": 0, "id": "c", "function": {"name": "f", "arguments": "", **extra}, **extra}
                    ],
                },
                "logprobs": {"content": [{**token("a"), **extra, "top_logprobs": [{**token("b"), **extra}]}], **extra},
                "finish_reason": "stop",
                **extra,
            }
        ),
        "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1, **extra}, **extra},
        **extra,
    }
    choice = one["choices"][0]
    piece = {**one, "object": "chat.completion", "choices": [{**choice, "message": choice["delta"]}]}
    del piece["choices"][0]["delta"]
    for answer in (await streamed(stream_of(one)), completion_from_json(to_json(piece))):
        message, logprobs, usage = answer.message, answer.logprobs, answer.usage
        assert message.tool_calls is not None
        assert logprobs is not None
        assert logprobs.content is not None
        assert usage is not None
        assert usage.prompt_tokens_details is not None
        places: list[Any] = [
            answer,
            answer.choices[0],
            message,
            message.tool_calls[0],
            message.tool_calls[0].function,
            logprobs,
            logprobs.content[0],
            usage,
            usage.prompt_tokens_details,
        ]
        for place in places:
            assert place.extra == extra, type(place).__name__


def test_every_row_that_is_ours_has_its_test() -> None:
    """Rows 2 to 14, 18, 19 and 30, and the bar on row 1."""
    names = " ".join(name for name in globals() if name.startswith("test_"))
    for row in (*range(1, 15), 18, 19, 30):
        assert f"test_{row:02d}_" in names
