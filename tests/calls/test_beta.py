"""`/beta` is asked for only where it is; where nobody knows, that is found out once. An error names the URL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from deepseek_async import AsyncClient, NotFoundError, Resume
from deepseek_async.transport import Answer
from deepseek_async.types import AssistantMessage

from ..wire import HELLO, chunk, client_on, completion, stream_of, whole

pytestmark = pytest.mark.anyio

NOTHING_HERE = whole({"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}}, 404)
FIM = whole({"id": "1", "choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]})
CUT = Answer([stream_of(chunk("Hel"), done=False)])
STRICT = {"type": "function", "function": {"name": "f", "strict": True, "parameters": {"type": "object"}}}

Ask = Callable[[AsyncClient], Awaitable[object]]


async def fim(client: AsyncClient) -> object:
    return await client.completions.create(model="m", prompt="p")


async def prefix(client: AsyncClient) -> object:
    messages = [*HELLO, AssistantMessage("Hel", prefix=True)]
    return await client.chat.completions.create(model="m", messages=messages)


async def strict(client: AsyncClient) -> object:
    return await client.chat.completions.create(model="m", messages=HELLO, tools=[STRICT])


async def resumed(client: AsyncClient) -> object:
    async with client.chat.completions.stream(model="m", messages=HELLO, resume=Resume()) as stream:
        return (await stream.completion()).text


ASKED: list[tuple[Ask, list[Answer], Answer]] = [
    (fim, [], FIM),
    (prefix, [], whole(completion("lo."))),
    (strict, [], whole(completion("Hello."))),
    (resumed, [CUT], Answer([stream_of(chunk("lo.", "stop"))])),
]


def paths(transport: Any) -> list[str]:
    return [urlsplit(request.url).path for request in transport.requests]


@pytest.mark.parametrize(("ask", "before", "answer"), ASKED)
async def test_a_server_without_it_is_asked_at_the_base_url(ask: Ask, before: list[Answer], answer: Answer) -> None:
    """llama.cpp at the root: the first request that needs it finds out, and those after it go there at once."""
    client, transport = client_on(*before, NOTHING_HERE, answer, *before, answer)
    await ask(client)
    await ask(client)
    place = "/completions" if ask is fim else "/chat/completions"
    first = [place] if before else []
    assert paths(transport) == [*first, "/beta" + place, place, *first, place]


@pytest.mark.parametrize(("ask", "before", "answer"), ASKED)
@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"base_url": "http://localhost:1/v1"}, "/v1"),
        ({"base_url": "http://localhost:1", "has_beta": False}, ""),
        ({"base_url": "http://localhost:1", "has_beta": True}, "/beta"),
        ({"base_url": "http://localhost:1/v1", "has_beta": True}, "/beta"),
        ({"base_url": "http://localhost:1/beta"}, "/beta"),
        ({"base_url": "https://api.deepseek.com", "api_key": "sk-0123456789abcdef"}, "/beta"),
    ],
)
async def test_where_it_is_known_nothing_is_tried(
    ask: Ask, before: list[Answer], answer: Answer, settings: dict[str, Any], where: str
) -> None:
    """By the address, or by the argument: one request, and a 404 there is a 404, which names its URL."""
    client, transport = client_on(*before, answer, **settings)
    await ask(client)
    assert paths(transport)[-1].startswith(where + "/c")
    assert len(transport.requests) == 1 + len(before)
    client, transport = client_on(*before, NOTHING_HERE, **settings)
    with pytest.raises(NotFoundError) as caught:
        await ask(client)
    assert transport.requests[-1].url in str(caught.value)
    assert len(transport.requests) == 1 + len(before)


async def test_a_model_that_is_not_there_is_no_missing_path() -> None:
    """The path is there, then: nothing is learned, and nothing tried twice."""
    unknown = whole({"error": {"message": "The model `m` does not exist.", "code": 404}}, 404)
    client, transport = client_on(unknown, FIM)
    with pytest.raises(NotFoundError, match="does not exist"):
        await fim(client)
    await fim(client)
    assert paths(transport) == ["/beta/completions"] * 2


async def test_the_first_part_of_a_refused_continuation_is_in_the_error() -> None:
    """A finished first part, too, after `length`."""
    first = Answer([stream_of(chunk("Hel"), chunk("lo", "length"))])
    client, transport = client_on(first, NOTHING_HERE, NOTHING_HERE)
    resume = Resume(on={"length"})  # type: ignore[arg-type]
    with pytest.raises(NotFoundError) as caught:
        await client.chat.completions.stream(model="m", messages=HELLO, resume=resume).completion()
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hello"
    assert paths(transport)[1:] == ["/beta/chat/completions", "/chat/completions"]
