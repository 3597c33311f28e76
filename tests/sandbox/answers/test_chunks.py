"""Streams as the API sends them, byte for byte where it matters."""

from __future__ import annotations

import pytest

from deepseek_async.sandbox import Call, Script

from ..talking import HELLO, THINKING, Talk, fold

pytestmark = pytest.mark.anyio

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TIME = {"type": "function", "function": {"name": "local_time"}}
ASK_BOTH = [{"role": "user", "content": "What is the weather in Köln, and the time there?"}]


async def test_a_stream_byte_for_byte(talk: Talk) -> None:
    """Role first, a chunk a token, usage on the chunk with the finish reason, then [DONE]; headers as the API's."""
    answer = await talk.post(stream=True, script=Script(say="Hello there."))
    whole = await talk.post(script=Script(say="Hello there."))
    head = (
        f'data: {{"id":"{whole.json["id"]}","object":"chat.completion.chunk","created":{whole.json["created"]},'
        f'"model":"deepseek-chat","system_fingerprint":"{talk.server.model.fingerprint}","choices":[{{"index":0,"delta":'
    )
    middle = ',"logprobs":null,"finish_reason":null}]}\n\n'
    tokens = [
        talk.server.model.tokenizer.token_text(token) for token in talk.server.model.tokenizer.encode("Hello there.")
    ]
    usage = (
        f'"usage":{{"prompt_tokens":{whole.json["usage"]["prompt_tokens"]},"completion_tokens":{len(tokens)},'
        f'"total_tokens":{whole.json["usage"]["total_tokens"]},"prompt_tokens_details":{{"cached_tokens":0}},'
        f'"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":{whole.json["usage"]["prompt_tokens"]}}}'
    )
    expected = head + '{"role":"assistant","content":""}' + middle
    for token in tokens:
        expected += head + f'{{"content":"{token}"}}' + middle
    expected += head + '{"content":""},"logprobs":null,"finish_reason":"stop"}],' + usage + "}\n\ndata: [DONE]\n\n"
    assert answer.data.decode() == expected
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert len(answer.headers["x-ds-trace-id"]) == 32


async def test_thinking_comes_first_with_null_content(talk: Talk) -> None:
    """While it thinks content is null; once content begins reasoning_content is null."""
    answer = await talk.post(body=THINKING, stream=True, script=Script(think=("Hm", "."), say=("Hi",)))
    assert answer.deltas == [
        {"role": "assistant", "content": None, "reasoning_content": ""},
        {"content": None, "reasoning_content": "Hm"},
        {"content": None, "reasoning_content": "."},
        {"reasoning_content": None, "content": "Hi"},
        {"content": ""},
    ]
    assert answer.chunks[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


async def test_include_usage_puts_the_key_into_every_chunk(talk: Talk) -> None:
    """With include_usage each chunk has usage, null but in the last; without it only the last has the key."""
    plain = await talk.post(stream=True, max_tokens=3)
    assert ["usage" in chunk for chunk in plain.chunks] == [False] * (len(plain.chunks) - 1) + [True]
    asked = await talk.post(stream=True, max_tokens=3, stream_options={"include_usage": True})
    assert [chunk["usage"] is None for chunk in asked.chunks] == [True] * (len(asked.chunks) - 1) + [False]
    assert all(len(chunk["choices"]) == 1 for chunk in asked.chunks)


async def test_calls_come_in_fragments(talk: Talk) -> None:
    """The first fragment of a call has id, type and name, the rest only arguments; several calls follow each other."""
    script = Script(calls=(Call("a", {"x": 1}), Call("b", "{broken", id="call_mine")))
    answer = await talk.post(stream=True, script=script)
    fragments = [call for delta in answer.deltas for call in delta.get("tool_calls", ())]
    firsts = [fragment for fragment in fragments if "id" in fragment]
    assert [(call["index"], call["type"], call["function"]) for call in firsts] == [
        (0, "function", {"name": "a", "arguments": ""}),
        (1, "function", {"name": "b", "arguments": ""}),
    ]
    assert firsts[0]["id"].startswith("call_00_")
    assert firsts[1]["id"] == "call_mine"
    assert all(set(fragment) == {"index", "function"} for fragment in fragments if "id" not in fragment)
    arguments = ["".join(f["function"]["arguments"] for f in fragments if f["index"] == index) for index in (0, 1)]
    assert arguments == ['{"x": 1}', "{broken"]
    assert answer.chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_calls_can_interleave(talk: Talk) -> None:
    """A script can send the fragments of several calls in turn."""
    calls = (Call("a", {"x": 1}), Call("b", {"y": 2}))
    answer = await talk.post(stream=True, script=Script(calls=calls, interleave=True))
    indexes = [call["index"] for delta in answer.deltas for call in delta.get("tool_calls", ())]
    assert indexes[:4] == [0, 1, 0, 1]
    assert fold(answer.chunks)["choices"][0]["message"]["tool_calls"][1]["function"] == {
        "name": "b",
        "arguments": '{"y": 2}',
    }


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"logprobs": True, "top_logprobs": 5},
        {"logprobs": True},
        {"n": 3, "logprobs": True, "top_logprobs": 2},
        {"model": "deepseek-flash", "logprobs": True, "top_logprobs": 20},
        {"model": "deepseek-flash", "max_tokens": 4, "logprobs": True},
        {"model": "deepseek-flash", "n": 2, "max_tokens": 90},
        {"stop": ["the", "."], "logprobs": True},
        {
            "messages": [{"role": "user", "content": "Say: Grüße aus Köln 🙂 und 日本"}],
            "logprobs": True,
            "top_logprobs": 1,
        },
        {"messages": [{"role": "user", "content": "Say: Grüße aus Köln 🙂"}], "max_tokens": 4},
        {"tools": [WEATHER, TIME], "messages": ASK_BOTH},
        {"model": "deepseek-flash", "tools": [WEATHER, TIME], "messages": ASK_BOTH},
        {"tools": [WEATHER], "tool_choice": "required", "max_tokens": 6},
        {"messages": [{"role": "user", "content": "Some json please"}], "response_format": {"type": "json_object"}},
        {"temperature": 0, "frequency_penalty": 1.5, "presence_penalty": -1},
    ],
    ids=lambda fields: ",".join(fields) or "plain",
)
async def test_law_of_reassembly(talk: Talk, fields: dict[str, object]) -> None:
    """A seeded answer is the same value streamed and whole, field for field, id and created included."""
    body = {**HELLO, "seed": 11, **fields}
    talk.server.prefix_cache = None
    streamed, whole = await talk.post(body=body, stream=True), await talk.post(body=body)
    assert streamed.status == whole.status == 200
    assert fold(streamed.chunks) == whole.json
