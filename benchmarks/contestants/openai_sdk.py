"""OpenAI's client, which DeepSeek's own samples use: both ways to stream, over both transports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import openai

from ..wire import Spec, request_of
from . import Connect, Tally

_Read = Callable[[openai.AsyncOpenAI, Spec], Awaitable[Tally]]


async def _create(client: openai.AsyncOpenAI, spec: Spec) -> Tally:
    characters = chunks = 0
    async for chunk in await client.chat.completions.create(**request_of(spec), stream=True):
        chunks += 1
        for choice in chunk.choices:
            characters += len(choice.delta.content or "")
    return Tally(characters, chunks)


async def _stream_helper(client: openai.AsyncOpenAI, spec: Spec) -> Tally:
    chunks = 0
    async with client.chat.completions.stream(**request_of(spec)) as stream:
        async for event in stream:
            chunks += event.type == "chunk"
        completion = await stream.get_final_completion()
    return Tally(len(completion.choices[0].message.content or ""), chunks)


class _Client:
    def __init__(self, root: str, client: openai.AsyncOpenAI, read: _Read) -> None:
        self._root, self._client, self._read = root, client, read
        self._clients: dict[str, openai.AsyncOpenAI] = {}

    def _of(self, spec: Spec) -> openai.AsyncOpenAI:
        client = self._clients.get(spec.name)
        if client is None:  # a copy on the same transport
            client = self._clients[spec.name] = self._client.with_options(base_url=f"{self._root}/{spec.name}")
        return client

    async def stream(self, spec: Spec) -> Tally:
        return await self._read(self._of(spec), spec)

    async def whole(self, spec: Spec) -> Tally:
        completion = await self._of(spec).chat.completions.create(**request_of(spec))
        self.kept = completion  # as long as the next is not there, as a caller would
        return Tally(len(completion.choices[0].message.content or ""))


def _way(read: _Read, make_http_client: Callable[[], openai.DefaultAsyncHttpxClient]) -> Connect:
    @asynccontextmanager
    async def connect(root: str) -> AsyncIterator[_Client]:
        async with openai.AsyncOpenAI(api_key="sk-0", base_url=root, http_client=make_http_client()) as client:
            yield _Client(root, client, read)

    return connect


create = _way(_create, openai.DefaultAsyncHttpxClient)
create_over_aiohttp = _way(_create, openai.DefaultAioHttpClient)
stream_helper = _way(_stream_helper, openai.DefaultAsyncHttpxClient)
stream_helper_over_aiohttp = _way(_stream_helper, openai.DefaultAioHttpClient)
