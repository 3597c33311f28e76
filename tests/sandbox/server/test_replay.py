"""A recording of the sandbox, served again: the same answers to any client."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepseek_async import (
    APIConnectionError,
    AsyncClient,
    BadRequestError,
    NotFoundError,
    StreamInterruptedError,
    UserMessage,
)
from deepseek_async.sandbox import SandboxServer
from deepseek_async.sandbox.server.replay import ReplayServer
from deepseek_async.transport import Answer, Recorder, ScriptedTransport
from deepseek_async.transport.network import AiohttpTransport

pytestmark = pytest.mark.anyio


async def ask(client: AsyncClient, text: str = "Say something.") -> tuple[str, str]:
    parameters = {"model": "deepseek-flash", "messages": [UserMessage(text)], "max_tokens": 20}
    whole = await client.chat.completions.create(**parameters)  # type: ignore[arg-type]
    async with client.chat.completions.stream(**parameters) as stream:  # type: ignore[arg-type]
        return whole.text, (await stream.completion()).text


async def test_a_replay_server_answers_like_the_server_it_recorded(tmp_path: Path) -> None:
    """Streamed and whole answers, an error status, and a clear refusal of what was not recorded."""
    path = tmp_path / "exchanges.jsonl"
    async with (
        SandboxServer() as server,
        AsyncClient(base_url=server.base_url, transport=Recorder(AiohttpTransport(), path)) as client,
    ):
        said = await ask(client)
        with pytest.raises(BadRequestError):
            await client.chat.completions.create(model="none", messages=[UserMessage("x")])
    async with ReplayServer(path) as replay, AsyncClient(base_url=replay.base_url) as client:
        assert await ask(client) == said
        with pytest.raises(BadRequestError):
            await client.chat.completions.create(model="none", messages=[UserMessage("x")])
        with pytest.raises(NotFoundError, match="differs in"):
            await ask(client, "Something else.")


async def test_a_recorded_break_breaks_again(tmp_path: Path) -> None:
    """The partial is the recorded one."""
    path = tmp_path / "exchanges.jsonl"
    chunk = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}\n\n'
    transport = Recorder(ScriptedTransport([Answer([chunk, APIConnectionError("reset")])]), path)
    parameters = {"model": "m", "messages": [UserMessage("x")]}
    stream = AsyncClient(base_url="http://localhost:1", transport=transport).chat.completions.stream(**parameters)  # type: ignore[arg-type]
    with pytest.raises(StreamInterruptedError):
        [_ async for _ in stream]
    async with ReplayServer(path) as replay, AsyncClient(base_url=replay.base_url) as client:
        with pytest.raises(StreamInterruptedError) as caught:
            [_ async for _ in client.chat.completions.stream(**parameters)]  # type: ignore[arg-type]
    assert caught.value.partial is not None
    assert caught.value.partial.text == "half"
