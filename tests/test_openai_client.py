"""The official `openai` package as an independent witness: it and ours read the same answer off the same server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from deepseek_async import AsyncClient, ChatCompletion, RateLimitError, RetryPolicy
from deepseek_async.codec import completion_from_json
from deepseek_async.sandbox import Call, Refuse, SandboxServer, Script

pytestmark = pytest.mark.anyio

MESSAGES: Any = [{"role": "user", "content": "Tell me about the json module, in JSON. 中文 🦔"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "f",
        "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    },
}
OFF: Any = {"type": "disabled"}


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    """A repeatable server: the same request gets the same answer, whoever asks."""
    async with SandboxServer(seed=21, prefix_cache=False) as server:
        yield server


@pytest.fixture
async def theirs(server: SandboxServer) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's client."""
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="sk-test", max_retries=0) as client:
        yield client


@pytest.fixture
async def ours(server: SandboxServer) -> AsyncIterator[AsyncClient]:
    """Our client."""
    async with AsyncClient("sk-test", base_url=server.base_url, retry=RetryPolicy(attempts=1)) as client:
        yield client


def as_ours(completion: Any) -> ChatCompletion:
    """What the other client has read, as the JSON that it stands for, read by ours."""
    return completion_from_json(json.dumps(completion.to_dict(mode="json", exclude_unset=True)).encode())


ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "thinking": ({}, {}),
    "not thinking": ({"max_tokens": 30}, {"thinking": OFF}),
    "logprobs": ({"logprobs": True, "top_logprobs": 4, "max_tokens": 30}, {"thinking": OFF}),
    "a tool": ({"tools": [TOOL], "tool_choice": "required"}, {"thinking": OFF}),
    "JSON": ({"response_format": {"type": "json_object"}, "max_tokens": 300}, {"thinking": OFF}),
    "two choices": ({"max_tokens": 20}, {"thinking": OFF, "n": 2}),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_both_read_the_same_answer(asked: str, theirs: openai.AsyncOpenAI, ours: AsyncClient) -> None:
    """Field for field: what it has of the whole answer, and what we have, streamed and not."""
    parameters, beyond = ASKED[asked]
    request = {"model": "deepseek-flash", "messages": MESSAGES, **parameters}
    other = as_ours(await theirs.chat.completions.create(**request, extra_body=beyond))
    assert await ours.chat.completions.create(**request, extra_body=beyond) == other
    async with ours.chat.completions.stream(**request, extra_body=beyond) as stream:
        assert await stream.completion() == other


async def test_both_see_the_same_chunks(theirs: openai.AsyncOpenAI, ours: AsyncClient) -> None:
    """One after the other: content, reasoning, role, end and usage of each."""

    def seen(chunk: Any) -> Any:
        choice = chunk.choices[0]
        delta = choice.delta
        usage = chunk.usage.total_tokens if chunk.usage else None
        return delta.role, delta.content, getattr(delta, "reasoning_content", None), choice.finish_reason, usage

    request: dict[str, Any] = {"model": "deepseek-flash", "messages": MESSAGES, "max_tokens": 60, "stream": True}
    other = [seen(chunk) async for chunk in await theirs.chat.completions.create(**request)]
    assert [seen(chunk) async for chunk in await ours.chat.completions.create(**request)] == other
    assert len(other) > 10


async def test_both_fold_the_same_calls(server: SandboxServer, theirs: openai.AsyncOpenAI, ours: AsyncClient) -> None:
    """Fragments of two calls, sent in turn."""
    calls = [Call("f", {"n": 1}), Call("f", {"n": 22})]
    server.script(Script(calls=calls, interleave=True), times=None)
    request: dict[str, Any] = {
        "model": "deepseek-flash",
        "messages": MESSAGES,
        "tools": [TOOL],
        "extra_body": {"thinking": OFF},
    }
    async with theirs.chat.completions.stream(**request) as stream:
        other = (await stream.get_final_completion()).choices[0].message.tool_calls
    async with ours.chat.completions.stream(**request) as mine:
        own = (await mine.completion()).message.tool_calls
    assert own is not None
    assert other is not None
    assert [(c.id, c.type, c.function.name, c.function.arguments) for c in own] == [
        (c.id, c.type, c.function.name, c.function.arguments) for c in other
    ]


async def test_both_meet_the_same_error(server: SandboxServer, theirs: openai.AsyncOpenAI, ours: AsyncClient) -> None:
    """Names of classes and fields are the ecosystem's; ours reads the limit out of the text besides."""
    server.script(Script(faults=(Refuse(status=429),)), times=None)
    request: dict[str, Any] = {"model": "deepseek-flash", "messages": MESSAGES}
    with pytest.raises(openai.RateLimitError) as other:
        await theirs.chat.completions.create(**request)
    with pytest.raises(RateLimitError) as own:
        await ours.chat.completions.create(**request)
    assert type(own.value).__name__ == type(other.value).__name__
    assert own.value.status == other.value.status_code == 429
    assert (own.value.type, own.value.code) == (other.value.type, other.value.code)
    assert (own.value.current, own.value.limit) == (26, 25)
    assert str(other.value.body["message"]) in own.value.message  # type: ignore[index]


async def test_both_list_the_same_models(theirs: openai.AsyncOpenAI, ours: AsyncClient) -> None:
    """By id, owner and kind."""
    other = [(model.id, model.owned_by, model.object) async for model in theirs.models.list()]
    assert [(model.id, model.owned_by, model.object) for model in await ours.models.list()] == other
