"""The law of reassembly.

For one and the same answer, the completion folded from a stream equals the one that came in one piece, field for
field, however the answer was cut into chunks and the chunks into bytes.
"""

from __future__ import annotations

import json
import pickle
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepseek_async import AsyncClient, ChatCompletion
from deepseek_async.codec import chunk_from_json, completion_from_json, fold
from deepseek_async.sandbox import Call, SandboxServer, Script
from deepseek_async.transport import Answer
from deepseek_async.types import TextCompletion

from .answering import State, fed_chat
from .cutting import chunkings, completions, reads, streams
from .examples import examples
from .wire import HELLO, client_on, to_json

Json = dict[str, Any]
LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def in_one_piece(answer: Json) -> ChatCompletion:
    """What the answer is where it was not streamed."""
    return completion_from_json(to_json(answer))


def assert_same(folded: ChatCompletion, answer: Json) -> None:
    """The same, field for field; also to whoever looks at it by its hash or in a pickle."""
    expected = in_one_piece(answer)
    assert attrs.asdict(attrs.evolve(folded, request_id=None)) == attrs.asdict(expected)
    assert folded == expected
    assert hash(folded) == hash(expected)
    assert pickle.loads(pickle.dumps(folded)) == expected  # noqa: S301


@given(st.data())
@settings(LAW, max_examples=examples(30))
def test_chunks_fold_to_the_answer(data: st.DataObject) -> None:
    """Any answer in any chunks: choices, tools, both logprob channels, usage anywhere, null and empty strings."""
    answer = data.draw(completions())
    chunks = data.draw(chunkings(answer))
    assert_same(fold(chunk_from_json(json.dumps(chunk).encode()) for chunk in chunks), answer)


@given(st.data())
@settings(LAW, max_examples=examples(50))
def test_bytes_fold_to_the_answer(data: st.DataObject) -> None:
    """The same through the decoder of streams: any framing, cut into any reads."""
    answer = data.draw(completions())
    body = data.draw(streams(data.draw(chunkings(answer))))
    decoder = fed_chat()
    chunks = [chunk for part in data.draw(reads(body)) for chunk in decoder.receive_data(part)]
    assert decoder.receive_eof() == []
    assert (decoder.state, decoder.failure) == (State.DONE, None)
    assert_same(fold(chunks), answer)


@pytest.mark.anyio
@given(st.data(), st.sampled_from(["completion", "chunks", "some chunks", "deltas"]))
@settings(LAW, max_examples=examples(25))
async def test_a_stream_is_the_answer(data: st.DataObject, way: str) -> None:
    """The same through the client, whichever way the stream is read; what was delivered folds to it as well."""
    answer = data.draw(completions())
    body = data.draw(streams(data.draw(chunkings(answer))))
    client, transport = client_on(Answer(data.draw(reads(body)), headers={"x-ds-trace-id": "t"}))
    async with client.chat.completions.stream(model="m", messages=HELLO, n=len(answer["choices"])) as stream:
        delivered = []
        if way == "deltas":
            async for _ in stream.deltas():
                pass
        elif way != "completion":
            async for chunk in stream:
                delivered.append(chunk)
                if way == "some chunks" and len(delivered) == 2:
                    break
        completion = await stream.completion()
    assert_same(completion, answer)
    assert completion.complete
    assert completion.request_id == "t"
    assert stream.snapshot() == completion
    if way == "chunks":
        assert_same(fold(delivered), answer)
    assert transport.responses[0].is_closed


@pytest.mark.anyio
@given(completions())
@settings(LAW, max_examples=examples(10))
async def test_an_answer_in_one_piece_to_a_stream_is_the_answer(answer: Json) -> None:
    """A server that does not stream answers a streamed request in one piece: the law holds for that, too."""
    client, _ = client_on(Answer([to_json(answer)]), Answer([to_json(answer)]))
    async with client.chat.completions.stream(model="m", messages=HELLO, n=len(answer["choices"])) as stream:
        streamed = await stream.completion()
    assert_same(streamed, answer)
    assert_same(await client.chat.completions.create(model="m", messages=HELLO), answer)


@given(st.data())
@settings(LAW, max_examples=examples(20))
def test_every_part_of_a_stream_is_a_part_of_the_answer(data: st.DataObject) -> None:
    """What has arrived at any moment is a prefix of the whole: no text, token or call is ever taken back."""
    answer = data.draw(completions())
    chunks = [chunk_from_json(json.dumps(chunk).encode()) for chunk in data.draw(chunkings(answer))]
    whole = in_one_piece(answer)
    for count in range(len(chunks)):
        partial = fold(chunks[:count])
        for choice in partial.choices:
            (end,) = (c for c in whole.choices if c.index == choice.index)
            # A character may arrive in halves, the last of which is still to come.
            assert (end.message.content or "").startswith((choice.message.content or "").rstrip("\ufffd"))
            assert (end.message.reasoning_content or "").startswith(
                (choice.message.reasoning_content or "").rstrip("\ufffd")
            )
            if choice.logprobs is not None:
                assert end.logprobs is not None
                sofar = choice.logprobs.content or ()
                assert (end.logprobs.content or ())[: len(sofar)] == sofar


# -- against a server ------------------------------------------------------------------------------------------------

WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}
PLAIN: Json = {"model": "deepseek-flash", "thinking": {"type": "disabled"}, "max_tokens": 40}

ASKED: dict[str, Json] = {
    "plain": PLAIN,
    "logprobs": {**PLAIN, "logprobs": True, "top_logprobs": 5},
    "all twenty alternatives": {**PLAIN, "logprobs": True, "top_logprobs": 20, "temperature": 2.0},
    "thinking": {"model": "deepseek-flash", "max_tokens": 60},
    "thinking with logprobs": {"model": "deepseek-flash", "max_tokens": 60, "logprobs": True, "top_logprobs": 3},
    "one token": {**PLAIN, "max_tokens": 1, "logprobs": True},
    "a stop sequence": {**PLAIN, "max_tokens": 200, "stop": [" the", "."]},
    "JSON": {**PLAIN, "response_format": {"type": "json_object"}, "max_tokens": 400},
    "a tool": {**PLAIN, "tools": [WEATHER], "tool_choice": "required", "max_tokens": 400},
    "a tool while thinking": {"model": "deepseek-flash", "tools": [WEATHER], "max_tokens": 400},
    "two choices": {**PLAIN, "extra_body": {"n": 2}, "logprobs": True},
    "three choices while thinking": {"model": "deepseek-flash", "max_tokens": 50, "extra_body": {"n": 3}},
    "characters of several bytes": {
        **PLAIN,
        "logprobs": True,
        "messages": [{"role": "user", "content": "Say: 中文 🦔 é"}],
    },
    "a prefix": {
        **PLAIN,
        "messages": [{"role": "user", "content": "Count."}, {"role": "assistant", "content": "One, ", "prefix": True}],
    },
}


@pytest.mark.anyio
@pytest.mark.parametrize("asked", ASKED)
async def test_the_sandbox_says_the_same_either_way(asked: str) -> None:
    """For the same seed and request, what is streamed folds to what is not."""
    parameters = {"messages": [{"role": "user", "content": "Describe JSON objects to me."}], **ASKED[asked]}
    async with SandboxServer(seed=11, prefix_cache=False) as server, AsyncClient(base_url=server.base_url) as client:
        whole = await client.chat.completions.create(**parameters)
        for options in (None, {"include_usage": True}):
            async with client.chat.completions.stream(**parameters, stream_options=options) as stream:
                chunks = [chunk async for chunk in stream]
                assert await stream.completion() == whole
            assert fold(chunks) == whole
            assert len(chunks) > 1
    assert whole.complete
    assert whole.usage is not None
    assert whole.choices[-1].finish_reason is not None


@pytest.mark.anyio
async def test_calls_in_turn_are_the_calls_in_one_piece() -> None:
    """Fragments of several calls sent in turn fold to the calls of the whole message, beside reasoning and text."""
    script = Script(
        think="Hm.", say="Let me see.", interleave=True,
        calls=[Call("get_weather", {"city": "Zürich", "days": 2}), Call("get_weather", {"city": "中", "days": 1})],
    )  # fmt: skip
    async with SandboxServer(seed=11, prefix_cache=False) as server, AsyncClient(base_url=server.base_url) as client:
        server.script(script, times=None)
        asked: Json = {"model": "deepseek-flash", "messages": HELLO, "tools": [WEATHER], "logprobs": True}
        whole = await client.chat.completions.create(**asked)
        async with client.chat.completions.stream(**asked) as stream:
            assert await stream.completion() == whole
    assert whole.message.tool_calls is not None
    assert [json.loads(call.function.arguments)["city"] for call in whole.message.tool_calls] == ["Zürich", "中"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "parameters",
    [{}, {"suffix": "\n    return total"}, {"logprobs": 3}, {"stop": ["\n"]}, {"max_tokens": 1, "logprobs": 0}],
)
async def test_fill_in_the_middle_is_the_same_either_way(parameters: Json) -> None:
    """Text, logprobs, end and usage of the streamed answer are those of the whole one."""
    asked: Json = {"model": "deepseek-flash", "prompt": "def add(numbers):\n", "max_tokens": 40, **parameters}
    async with SandboxServer(seed=11, prefix_cache=False) as server, AsyncClient(base_url=server.base_url) as client:
        whole = await client.completions.create(**asked)
        stream = await client.completions.create(**asked, stream=True)
        streamed = await stream.completion()
    assert isinstance(whole, TextCompletion)
    assert streamed == whole
    assert whole.usage is not None
