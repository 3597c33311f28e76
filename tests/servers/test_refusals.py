"""What a real server refuses, and what it says: each is the right error, asked once, with the server's own words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import (
    APIStatusError,
    AsyncClient,
    AuthenticationError,
    BadRequestError,
    DeepSeekError,
    NotFoundError,
    RetryPolicy,
    StreamInterruptedError,
    UnprocessableEntityError,
)

from ..tables import Cell
from .conftest import Serve
from .engines import Engine, RealServer
from .relay import Relay

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]
HELLO = [{"role": "user", "content": "Hello!"}]


async def refusal(client: AsyncClient, engine: Engine, *, streamed: bool, **ask: Any) -> APIStatusError:
    """The error of a request that the server must refuse."""
    ask = {"model": engine.model, "messages": HELLO, "max_tokens": 4, **ask}
    with pytest.raises(APIStatusError) as caught:
        if streamed:
            async with client.chat.completions.stream(**ask) as stream:
                await stream.completion()
        else:
            await client.chat.completions.create(**ask)
    return caught.value


BAD: dict[str, dict[str, Any]] = {
    "a number that is a word": {"extra_body": {"temperature": "hot"}},
    "a response format that is none": {"extra_body": {"response_format": {"type": "nonsense"}}},
    "messages that are a word": {"extra_body": {"messages": "hello"}},
    "a stream option that is a word": {"extra_body": {"max_tokens": "many"}},
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", BAD)
async def test_bad_parameters(server: RealServer, engine: Engine, case: Case, name: str, *, streamed: bool) -> None:
    """A 4xx with the server's words; sent once."""
    cell = case(f"refused: {name}", needs="overflow")
    async with Relay(server.base_url) as relay, server.client(base_url=f"{relay.base_url}/v1") as client:
        error = await refusal(client, engine, streamed=streamed, **BAD[name])
        assert relay.requests == 1
    assert isinstance(error, (BadRequestError, UnprocessableEntityError, APIStatusError))
    assert 400 <= error.status < 500 or not error.retryable
    assert error.attempts == 1
    assert len(error.message) > 20
    cell.says(f"{error.status}")


@pytest.mark.parametrize("streamed", [False, True])
async def test_context_overflow(server: RealServer, engine: Engine, case: Case, *, streamed: bool) -> None:
    """A prompt that is too long is refused, once, in words that name tokens or context."""
    cell = case("refused: more than the context", needs="overflow")
    long = [{"role": "user", "content": "lighthouse " * 9000}]
    async with Relay(server.base_url) as relay, server.client(base_url=f"{relay.base_url}/v1") as client:
        error = await refusal(client, engine, streamed=streamed, messages=long)
        assert relay.requests == 1
    assert error.status == 400
    assert "token" in error.message or "context" in error.message
    assert "lighthouse lighthouse" not in str(error)
    cell.says(f"{error.status}")


async def test_wrong_key(serve: Serve, engine: Engine, case: Case) -> None:
    """401, once, and the key is not in the words."""
    cell = case("a wrong key", needs="key")
    server = serve(template="tools.jinja", key="sk-real-server")
    async with server.client(api_key="sk-wrong-0123456789") as client:
        error = await refusal(client, engine, streamed=False)
    assert isinstance(error, AuthenticationError)
    assert error.attempts == 1
    assert "sk-wrong" not in repr(error) + str(error)
    async with server.client() as client:
        assert await client.chat.completions.create(model=engine.model, messages=HELLO, max_tokens=1)
    cell.says(f"{error.status}")


async def test_an_address_that_is_not_served(server: RealServer, engine: Engine, case: Case) -> None:
    """A 404 names the URL that was asked."""
    case("a wrong base_url")
    async with server.client(base_url=f"{server.base_url}/nowhere") as client:
        with pytest.raises(NotFoundError) as caught:
            await client.chat.completions.create(model=engine.model, messages=HELLO, max_tokens=1)
    assert "/nowhere/chat/completions" in str(caught.value)
    assert caught.value.attempts == 1


async def test_an_error_in_mid_stream(serve: Serve, engine: Engine, case: Case) -> None:
    """Four long answers share a context that is too small: the server breaks some off, each with what had come."""
    cell = case("an error in mid-stream", needs="shared-context")
    if engine.name != "llama.cpp":
        pytest.skip("only llama.cpp can be made to")
    server = serve(template="tools.jinja", ctx="512", kv_unified="1")
    broken: list[tuple[DeepSeekError, str]] = []
    async with server.client(retry=RetryPolicy(attempts=1)) as client:

        async def read() -> None:
            pieces: list[str] = []
            try:
                async with client.chat.completions.stream(
                    model=engine.model, messages=HELLO, max_tokens=400, extra_body={"ignore_eos": True}
                ) as stream:
                    async for piece in stream.text_deltas():
                        pieces.append(piece)  # noqa: PERF401 - what came before an error counts
            except DeepSeekError as error:
                broken.append((error, "".join(pieces)))

        await asyncio.gather(*(read() for _ in range(4)))
    interrupted = [(error, text) for error, text in broken if isinstance(error, StreamInterruptedError)]
    assert interrupted
    for error, text in interrupted:
        assert error.partial is not None
        assert (error.partial.text or "") == text != ""
        assert not error.partial.complete
    # Whom the server could give no place at all, it refused before the first token.
    assert all(isinstance(error, (StreamInterruptedError, APIStatusError)) for error, _ in broken)
    cell.says(f"{len(broken)} of 4 broken off, typed, with their partials")
