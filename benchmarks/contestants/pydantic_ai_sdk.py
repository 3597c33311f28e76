"""Pydantic AI: an agent without tools, its text as it comes, and its run to the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.providers.deepseek import DeepSeekProvider

from ..wire import Spec, request_of
from . import Tally


def _agent(spec: Spec, client: openai.AsyncOpenAI) -> tuple[Agent[None, str], str]:
    """The agent that asks what everybody asks, and its question."""
    request = request_of(spec)
    system, user = (message["content"] for message in request["messages"])
    settings = OpenAIChatModelSettings(temperature=request["temperature"], max_tokens=request["max_tokens"])
    if "logprobs" in request:
        settings |= {"openai_logprobs": True, "openai_top_logprobs": request["top_logprobs"]}
    model = OpenAIChatModel(request["model"], provider=DeepSeekProvider(openai_client=client))
    return Agent(model, model_settings=settings, instructions=system), user


class _Agents:
    """An agent for each base URL, since the URL names the answer; on one transport."""

    def __init__(self, root: str, client: openai.AsyncOpenAI) -> None:
        self._root, self._client = root, client
        self._agents: dict[str, tuple[Agent[None, str], str]] = {}

    def _of(self, spec: Spec) -> tuple[Agent[None, str], str]:
        if spec.name not in self._agents:
            client = self._client.with_options(base_url=f"{self._root}/{spec.name}")
            self._agents[spec.name] = _agent(spec, client)
        return self._agents[spec.name]

    async def stream(self, spec: Spec) -> Tally:
        agent, question = self._of(spec)
        characters = 0
        async with agent.run_stream(question) as result:
            async for text in result.stream_text(delta=True, debounce_by=None):
                characters += len(text)
        return Tally(characters)

    async def whole(self, spec: Spec) -> Tally:
        agent, question = self._of(spec)
        return Tally(len((await agent.run(question)).output))


@asynccontextmanager
async def agent(root: str) -> AsyncIterator[_Agents]:
    async with openai.AsyncOpenAI(api_key="sk-0", base_url=root) as client:
        yield _Agents(root, client)
