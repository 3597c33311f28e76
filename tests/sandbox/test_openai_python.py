"""OpenAI's own Python package, unchanged, as an independent client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from deepseek_async.sandbox import (
    Call,
    Cut,
    EarlyEnd,
    InBandError,
    KeepAlives,
    LineEnds,
    Refuse,
    SandboxServer,
    Script,
    Split,
    in_background,
)

openai = pytest.importorskip("openai")

pytestmark = pytest.mark.anyio

MESSAGES: Any = [{"role": "user", "content": "Tell me about streams."}]
_BROKEN = r"Connection error|incomplete chunked read|had an error while processing"  # the second from its transport
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
            "required": ["city", "days"],
        },
    },
}


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    """A repeatable server with a key."""
    async with SandboxServer(seed=4, api_key="sk-test", prefix_cache=False) as server:
        yield server


@pytest.fixture
async def client(server: SandboxServer) -> AsyncIterator[Any]:
    """The client as DeepSeek's samples make it."""
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="sk-test", max_retries=0) as client:
        yield client


async def test_chat(client: Any) -> None:
    """A typed completion with the API's own fields beside OpenAI's."""
    completion = await client.chat.completions.create(model="deepseek-flash", messages=MESSAGES)
    assert completion.object == "chat.completion"
    assert completion.choices[0].message.content
    assert completion.choices[0].message.reasoning_content
    assert completion.usage.prompt_cache_miss_tokens == completion.usage.prompt_tokens
    assert completion.usage.completion_tokens_details.reasoning_tokens > 0
    assert completion._request_id is None  # the API sends x-ds-trace-id


async def test_a_stream_equals_the_whole(client: Any) -> None:
    """Its stream adds up to its completion, text, reasoning and usage."""
    whole = await client.chat.completions.create(model="deepseek-flash", messages=MESSAGES)
    content = reasoning = ""
    usage = None
    stream = await client.chat.completions.create(
        model="deepseek-flash", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    async for chunk in stream:
        content += chunk.choices[0].delta.content or ""
        reasoning += getattr(chunk.choices[0].delta, "reasoning_content", None) or ""
        usage = chunk.usage or usage
    message = whole.choices[0].message
    assert (content, reasoning, usage) == (message.content, message.reasoning_content, whole.usage)


async def test_its_stream_helper_folds_the_same(client: Any) -> None:
    """OpenAI's own fold of the stream, logprobs included, is the whole answer."""
    options: Any = {"model": "deepseek-chat", "messages": MESSAGES, "logprobs": True, "top_logprobs": 3}
    whole = await client.chat.completions.create(**options)
    async with client.chat.completions.stream(**options) as stream:
        folded = await stream.get_final_completion()
    assert folded.choices[0].message.content == whole.choices[0].message.content
    assert folded.choices[0].logprobs.content == whole.choices[0].logprobs.content
    assert folded.choices[0].finish_reason == whole.choices[0].finish_reason
    assert (folded.id, folded.usage) == (whole.id, whole.usage)


async def test_logprobs(client: Any) -> None:
    """Tokens with their bytes and alternatives, in types."""
    completion = await client.chat.completions.create(
        model="deepseek-chat", messages=MESSAGES, logprobs=True, top_logprobs=5, max_tokens=10
    )
    tokens = completion.choices[0].logprobs.content
    assert b"".join(bytes(token.bytes) for token in tokens).decode() == completion.choices[0].message.content
    assert all(len(token.top_logprobs) == 5 for token in tokens)


async def test_tools_round_trip(client: Any) -> None:
    """A call with arguments by the schema, whole and streamed; its result goes back; an answer comes."""
    ask: Any = [{"role": "user", "content": "How is the weather in Paris?"}]
    options: Any = {"model": "deepseek-flash", "tools": [WEATHER]}
    completion = await client.chat.completions.create(messages=ask, **options)
    call = completion.choices[0].message.tool_calls[0]
    arguments = json.loads(call.function.arguments)
    assert isinstance(arguments["city"], str)
    assert 1 <= arguments["days"] <= 7
    async with client.chat.completions.stream(messages=ask, **options) as stream:
        folded = await stream.get_final_completion()
    streamed = folded.choices[0].message.tool_calls[0]
    assert (streamed.id, streamed.function.arguments) == (call.id, call.function.arguments)
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    again = await client.chat.completions.create(messages=[*ask, completion.choices[0].message, result], **options)
    assert again.choices[0].finish_reason == "stop"
    assert again.choices[0].message.content


async def test_several_calls(client: Any, server: SandboxServer) -> None:
    """Interleaved fragments of two calls are put together."""
    server.script(Script(calls=(Call("a", {"x": 1}), Call("b", {"y": [2]})), interleave=True))
    async with client.chat.completions.stream(model="deepseek-chat", messages=MESSAGES) as stream:
        folded = await stream.get_final_completion()
    calls = folded.choices[0].message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("a", {"x": 1}),
        ("b", {"y": [2]}),
    ]


async def test_json_mode(client: Any) -> None:
    """JSON comes out."""
    completion = await client.chat.completions.create(
        model="deepseek-chat",
        messages=[{"role": "user", "content": "A JSON object with a name"}],
        response_format={"type": "json_object"},
    )
    assert isinstance(json.loads(completion.choices[0].message.content), dict)


async def test_fim_and_prefix_on_the_beta_url(server: SandboxServer) -> None:
    """The beta base URL is another client, as in DeepSeek's guides."""
    async with openai.AsyncOpenAI(base_url=server.base_url + "/beta", api_key="sk-test") as beta:
        fim = await beta.completions.create(
            model="deepseek-chat", prompt="def f(", suffix="return", max_tokens=8, logprobs=2
        )
        assert "".join(fim.choices[0].logprobs.tokens) == fim.choices[0].text
        prefixed: Any = [*MESSAGES, {"role": "assistant", "content": "```python\n", "prefix": True}]
        completion = await beta.chat.completions.create(model="deepseek-chat", messages=prefixed, stop=["```"])
        assert "```" not in completion.choices[0].message.content


async def test_models_and_more(client: Any) -> None:
    """The list of models; DeepSeek's own parameters through extra_body."""
    models = await client.models.list()
    assert [model.id for model in models.data] == ["deepseek-flash", "deepseek-v4-pro"]
    quiet = await client.chat.completions.create(
        model="deepseek-flash", messages=MESSAGES, extra_body={"thinking": {"type": "disabled"}}, n=2
    )
    assert len(quiet.choices) == 2
    assert not hasattr(quiet.choices[0].message, "reasoning_content")


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (402, "APIStatusError"),
        (404, "NotFoundError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (503, "InternalServerError"),
    ],
)
async def test_error_cases(client: Any, server: SandboxServer, status: int, name: str) -> None:
    """Each status is the exception it should be, with the error object as its body."""
    server.script(Script(faults=(Refuse(status=status),)))
    with pytest.raises(getattr(openai, name)) as caught:
        await client.chat.completions.create(model="deepseek-chat", messages=MESSAGES)
    assert caught.value.status_code == status
    assert caught.value.body["message"]


async def test_real_refusals(client: Any, server: SandboxServer) -> None:
    """Not scripted: a wrong key, a model that does not exist, a value out of range, a role that is unknown."""
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="sk-bad0", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError, match=r"Your api key: \*\*\*\*bad0 is invalid"):
            await stranger.chat.completions.create(model="deepseek-chat", messages=MESSAGES)
    with pytest.raises(openai.BadRequestError, match="Model Not Exist"):
        await client.chat.completions.create(model="gpt-5", messages=MESSAGES)
    with pytest.raises(openai.BadRequestError, match=r"valid range of max_tokens is \[1, 393216\]"):
        await client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, max_tokens=0)
    with pytest.raises(openai.UnprocessableEntityError, match="unknown variant `developer`"):
        await client.chat.completions.create(model="deepseek-chat", messages=[{"role": "developer", "content": "x"}])


async def test_it_retries_by_our_retry_after(server: SandboxServer) -> None:
    """429 with Retry-After, then 503, then an answer: three requests."""
    server.script(
        Script(faults=(Refuse(status=429, retry_after=0.01),)), Script(faults=(Refuse(status=503, retry_after=0.01),))
    )
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="sk-test", max_retries=2) as client:
        completion = await client.chat.completions.create(model="deepseek-chat", messages=MESSAGES)
    assert completion.choices[0].message.content
    assert [seen.status for seen in server.requests] == [429, 503, 200]


async def test_faults_it_survives(client: Any, server: SandboxServer) -> None:
    """Keep-alives, other line ends and torn writes are no faults to it."""
    for faults in ((KeepAlives(count=3),), (LineEnds(ends="crlf"),), (Split(size=3),)):
        server.script(Script(say="Hi there.", faults=faults))
        stream = await client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, stream=True)
        assert "".join([chunk.choices[0].delta.content async for chunk in stream]) == "Hi there."


async def test_faults_it_notices(client: Any, server: SandboxServer) -> None:
    """A cut body and an error in the band raise; a stream that ends early does not: it passes for an answer."""
    for fault in (Cut(after_chunk=2), InBandError()):
        server.script(Script(say="Hi there.", faults=(fault,)))
        stream = await client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, stream=True)
        with pytest.raises(Exception, match=_BROKEN):
            [chunk async for chunk in stream]
    server.script(Script(say="Hi there.", faults=(EarlyEnd(before="last_chunk"),)))
    stream = await client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, stream=True)
    assert [chunk async for chunk in stream][-1].choices[0].finish_reason is None


@pytest.fixture
def background() -> Iterator[SandboxServer]:
    """A server for the synchronous client."""
    with in_background(SandboxServer(seed=4)) as server:
        yield server


def test_the_synchronous_client(background: SandboxServer) -> None:
    """Streams too."""
    with openai.OpenAI(base_url=background.base_url, api_key="any") as client:
        stream = client.chat.completions.create(model="deepseek-chat", messages=MESSAGES, stream=True)
        text = "".join(chunk.choices[0].delta.content for chunk in stream)
        whole = client.chat.completions.create(model="deepseek-chat", messages=MESSAGES)
    assert text == whole.choices[0].message.content
