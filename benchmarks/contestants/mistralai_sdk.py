"""Mistral's client, which speaks the same protocol. Answers with log probabilities it does not read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from mistralai.client import Mistral

from ..wire import Spec, request_of
from . import Tally


class _Clients:
    """A client for each base URL, since the URL names the answer."""

    def __init__(self, root: str, opened: AsyncExitStack) -> None:
        self._root, self._opened = root, opened
        self._clients: dict[str, Mistral] = {}

    async def _of(self, spec: Spec) -> Mistral:
        if spec.name not in self._clients:
            client = Mistral(api_key="sk-0", server_url=f"{self._root}/{spec.name}")
            self._clients[spec.name] = client
            await self._opened.enter_async_context(client)
        return self._clients[spec.name]

    async def stream(self, spec: Spec) -> Tally:
        characters = chunks = 0
        client = await self._of(spec)
        async with await client.chat.stream_async(**request_of(spec)) as events:
            async for event in events:
                chunks += 1
                for choice in event.data.choices:
                    characters += len(choice.delta.content or "")
        return Tally(characters, chunks)

    async def whole(self, spec: Spec) -> Tally:
        client = await self._of(spec)
        completion = await client.chat.complete_async(**request_of(spec))
        return Tally(len(completion.choices[0].message.content))


@asynccontextmanager
async def chat(root: str) -> AsyncIterator[_Clients]:
    async with AsyncExitStack() as opened:
        yield _Clients(root, opened)
