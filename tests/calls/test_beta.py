"""`/beta` is asked for only where it is known to be, and never found out by a 404. An error names the URL."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from deepseek_async import AsyncClient, BadRequestError, NotFoundError, Resume
from deepseek_async.sandbox import Cut, SandboxServer, Script
from deepseek_async.transport import Answer
from deepseek_async.types import AssistantMessage

from ..wire import AT_ONCE, HELLO, chunk, client_on, completion, stream_of, whole

pytestmark = pytest.mark.anyio

NOTHING_HERE = whole({"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}}, 404)
FIM = whole({"id": "1", "choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]})
CUT = Answer([stream_of(chunk("Hel"), done=False)])
STRICT = {"type": "function", "function": {"name": "f", "strict": True, "parameters": {"type": "object"}}}

Ask = Callable[[AsyncClient], Awaitable[object]]


async def fim(client: AsyncClient) -> object:
    return await client.completions.create(model="deepseek-chat", prompt="p")


async def prefix(client: AsyncClient) -> object:
    messages = [*HELLO, AssistantMessage("Hel", prefix=True)]
    return await client.chat.completions.create(model="deepseek-chat", messages=messages)


async def strict(client: AsyncClient) -> object:
    return await client.chat.completions.create(model="deepseek-chat", messages=HELLO, tools=[STRICT])


async def resumed(client: AsyncClient) -> object:
    async with client.chat.completions.stream(model="deepseek-chat", messages=HELLO, resume=Resume()) as stream:
        return (await stream.completion()).text


ASKED: list[tuple[Ask, list[Answer], Answer]] = [
    (fim, [], FIM),
    (prefix, [], whole(completion("lo."))),
    (strict, [], whole(completion("Hello."))),
    (resumed, [CUT], Answer([stream_of(chunk("lo.", "stop"))])),
]


def paths(transport: Any) -> list[str]:
    return [urlsplit(request.url).path for request in transport.requests]


KEY = "sk-0123456789abcdef"
ASKING = pytest.mark.parametrize(("ask", "before", "answer"), ASKED)

# Where a client is told to go, and where what needs ``/beta`` goes.
PLACES: list[tuple[dict[str, Any], str]] = [
    ({"base_url": "http://localhost:1"}, "http://localhost:1"),
    ({"base_url": "http://localhost:1/"}, "http://localhost:1"),
    ({"base_url": "http://127.0.0.1:8080"}, "http://127.0.0.1:8080"),
    ({"base_url": "https://gateway.example", "api_key": KEY}, "https://gateway.example"),
    ({"base_url": "https://api.deepseek.com.example", "api_key": KEY}, "https://api.deepseek.com.example"),
    ({"base_url": "http://localhost:1/v1"}, "http://localhost:1/v1"),
    ({"base_url": "http://localhost:1/v1/"}, "http://localhost:1/v1"),
    ({"base_url": "https://gateway.example/deepseek/v1", "api_key": KEY}, "https://gateway.example/deepseek/v1"),
    ({"base_url": "http://localhost:1", "has_beta": False}, "http://localhost:1"),
    (
        {"base_url": "https://api.deepseek.com", "has_beta": False, "api_key": KEY, "official_rules": False},
        "https://api.deepseek.com",
    ),
    ({"base_url": "http://localhost:1", "has_beta": True}, "http://localhost:1/beta"),
    ({"base_url": "http://localhost:1/v1", "has_beta": True}, "http://localhost:1/beta"),
    ({"base_url": "http://localhost:1/a/v1/", "has_beta": True}, "http://localhost:1/a/beta"),
    ({"base_url": "http://localhost:1/beta"}, "http://localhost:1/beta"),
    ({"base_url": "http://localhost:1/beta/", "has_beta": True}, "http://localhost:1/beta"),
    ({"base_url": "https://api.deepseek.com", "api_key": KEY}, "https://api.deepseek.com/beta"),
    ({"base_url": "https://api.deepseek.com/v1/", "api_key": KEY}, "https://api.deepseek.com/beta"),
    ({"base_url": "HTTPS://API.DeepSeek.COM/", "api_key": KEY}, "https://API.DeepSeek.COM/beta"),
    ({"base_url": "https://api.deepseek.com:443/v1", "api_key": KEY}, "https://api.deepseek.com:443/beta"),
]


@ASKING
@pytest.mark.parametrize("query", ["", "?api-version=2026-01-01"])
@pytest.mark.parametrize(("settings", "where"), PLACES, ids=lambda value: str(value)[:60])
async def test_beta_is_asked_only_where_it_is_known_to_be(
    ask: Ask, before: list[Answer], answer: Answer, settings: dict[str, Any], where: str, query: str
) -> None:
    """One request at the one place, however the address is spelled; a 404 there is a 404, and names its URL."""
    settings = {**settings, "base_url": settings["base_url"] + query}
    client, transport = client_on(*before, answer, **settings)
    await ask(client)
    place = "/completions" if ask is fim else "/chat/completions"
    assert [request.url for request in transport.requests][len(before) :] == [where + place + query]
    client, transport = client_on(*before, NOTHING_HERE, **settings)
    with pytest.raises(NotFoundError) as caught:
        await ask(client)
    assert [request.url for request in transport.requests][len(before) :] == [where + place + query]
    assert where + place in str(caught.value)


async def test_strict_functions_give_way_to_json_mode_where_nobody_knows_of_beta() -> None:
    """At the first request, with the word that would change it."""
    client, transport = client_on(whole(completion('{"a": 1}')), base_url="http://localhost:8080")
    result = await client.chat.completions.parse(
        response_type=dict[str, int], model="deepseek-chat", messages=HELLO, thinking={"type": "disabled"}
    )
    assert (result.mode, paths(transport)) == ("json", ["/chat/completions"])
    assert "has_beta=True" in result.fallback


async def test_a_gateway_that_repeats_the_api_s_words_is_not_asked_at_beta() -> None:
    """They are DeepSeek's, not its own; whoever reads the error sees what was asked, and nothing was asked twice."""
    words = 'prefix is only available when using beta api (set base_url="https://api.deepseek.com/beta")'
    client, transport = client_on(whole({"error": {"message": words}}, 400), base_url="http://localhost:4000")
    with pytest.raises(BadRequestError, match="asked at http://localhost:4000/chat/completions; has_beta=True"):
        await prefix(client)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("as_text", [False, True], ids=["its own", "as text"])
@pytest.mark.parametrize("ask", [fim, prefix, resumed])
async def test_a_sandbox_says_what_it_is(ask: Ask, as_text: bool) -> None:
    """By its address in the same process; by its refusal where the address came as text, asked once more, and kept."""
    async with SandboxServer(seed=1) as server:
        base_url = f"{server.base_url}" if as_text else server.base_url
        async with AsyncClient(base_url=base_url, retry=AT_ONCE) as client:
            for _ in range(2):
                if ask is resumed:
                    server.script(Script(say=["Hel", "lo."], faults=(Cut(after_chunk=2),)))
                await ask(client)
        needing = [request.path for request in server.requests]
        plain = [path for path in needing if not path.startswith("/beta/")]
        assert len(needing) - len(plain) == 2
        assert len(plain) == as_text + 2 * (ask is resumed)


async def test_a_client_of_a_sandbox_is_pickled_with_what_it_knows() -> None:
    """The address becomes text on the way."""
    async with SandboxServer(seed=1) as server:
        client = pickle.loads(pickle.dumps(AsyncClient(base_url=server.base_url)))  # noqa: S301 - our own
        async with client:
            await prefix(client)
        assert [request.path for request in server.requests] == ["/beta/chat/completions"]


async def test_the_first_part_of_a_refused_continuation_is_in_the_error() -> None:
    """A finished first part, too, after `length`."""
    first = Answer([stream_of(chunk("Hel"), chunk("lo", "length"))])
    client, transport = client_on(first, NOTHING_HERE, base_url="http://localhost:8080")
    resume = Resume(on={"length"})  # type: ignore[arg-type]
    with pytest.raises(NotFoundError) as caught:
        await client.chat.completions.stream(model="deepseek-chat", messages=HELLO, resume=resume).completion()
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hello"
    assert paths(transport)[1:] == ["/chat/completions"]
