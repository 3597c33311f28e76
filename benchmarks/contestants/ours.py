"""This library, in the ways that its page shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deepseek_async import AsyncClient, ChatCompletion, ChatCompletionStream, run_batch

from ..wire import Spec, request_of
from . import Connect, Tally


class _Client:
    def __init__(self, client: AsyncClient, read: Callable[[ChatCompletionStream], Awaitable[Tally]]) -> None:
        self._client = client
        self._read = read

    async def aclose(self) -> None:
        await self._client.aclose()

    async def stream(self, spec: Spec) -> Tally:
        async with self._client.chat.completions.stream(**request_of(spec)) as stream:
            return await self._read(stream)

    async def whole(self, spec: Spec) -> Tally:
        return Tally(len((await self._client.chat.completions.create(**request_of(spec))).text))

    async def rows(self, spec: Spec, count: int, at_once: int) -> int:
        """Every row's outcome is in the journal before the next of its place is sent."""
        request = request_of(spec)
        rows = ({"custom_id": f"row-{number}", **request} for number in range(count))
        with TemporaryDirectory() as folder:
            report = await run_batch(
                self._client, rows, Path(folder, "answers.jsonl"), max_concurrency=at_once, durability="process"
            )
        return report.succeeded


class _ReadingClient(_Client):
    async def whole(self, spec: Spec) -> Tally:
        return _read_logprobs(await self._client.chat.completions.create(**request_of(spec)))


def _read_logprobs(completion: ChatCompletion) -> Tally:
    tokens = completion.logprobs.content or () if completion.logprobs else ()
    # One by one: a list of them would be measured with the rest.
    seen = sum(top.logprob <= 0 for token in tokens for top in token.top_logprobs)
    return Tally(len(completion.text), alternatives=seen)


async def _iterate(stream: ChatCompletionStream) -> Tally:
    characters = chunks = 0
    async for chunk in stream:
        chunks += 1
        for choice in chunk.choices:
            characters += len(choice.delta.content or "")
    return Tally(characters, chunks)


async def _fold(stream: ChatCompletionStream) -> Tally:
    iterated = await _iterate(stream)
    completion = await stream.completion()
    assert completion.complete
    return Tally(len(completion.text), iterated.chunks)


async def _fold_and_read(stream: ChatCompletionStream) -> Tally:
    await _iterate(stream)
    return _read_logprobs(await stream.completion())


async def _fold_and_read_chosen(stream: ChatCompletionStream) -> Tally:
    iterated = await _iterate(stream)
    completion = await stream.completion()
    tokens = completion.logprobs.content or () if completion.logprobs else ()
    assert sum(token.logprob for token in tokens) <= 0
    assert len(tokens) == iterated.chunks - 2
    return Tally(len(completion.text), iterated.chunks)


async def _text_only(stream: ChatCompletionStream) -> Tally:
    characters = 0
    async for text in stream.text_deltas():
        characters += len(text)
    return Tally(characters)


class _Routes:
    """A client for each base URL, since the URL names the answer; they share nothing else."""

    def __init__(
        self, root: str, read: Callable[[ChatCompletionStream], Awaitable[Tally]], kind: type[_Client]
    ) -> None:
        self._root, self._read, self._kind = root, read, kind
        self._clients: dict[str, _Client] = {}

    def _of(self, name: str) -> _Client:
        client = AsyncClient("sk-0", base_url=f"{self._root}/{name}")
        made = self._clients[name] = self._kind(client, self._read)
        return made

    # Not `async def`: one coroutine more than the others have would be measured with ours.

    def stream(self, spec: Spec) -> Coroutine[Any, Any, Tally]:
        return (self._clients.get(spec.name) or self._of(spec.name)).stream(spec)

    def whole(self, spec: Spec) -> Coroutine[Any, Any, Tally]:
        return (self._clients.get(spec.name) or self._of(spec.name)).whole(spec)

    def rows(self, spec: Spec, count: int, at_once: int) -> Coroutine[Any, Any, int]:
        return (self._clients.get(spec.name) or self._of(spec.name)).rows(spec, count, at_once)

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()


def _way(read: Callable[[ChatCompletionStream], Awaitable[Tally]], kind: type[_Client] = _Client) -> Connect:
    @asynccontextmanager
    async def connect(root: str) -> AsyncIterator[_Routes]:
        routes = _Routes(root, read, kind)
        try:
            yield routes
        finally:
            await routes.aclose()

    return connect


iterate = _way(_iterate)
fold = _way(_fold)
fold_and_read = _way(_fold_and_read, _ReadingClient)
fold_and_read_chosen = _way(_fold_and_read_chosen)
text_only = _way(_text_only)
