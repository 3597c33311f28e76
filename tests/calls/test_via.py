"""`via="stream"`: an answer in one piece, asked for as a stream: the same, and what is given up is freed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import attrs
import pytest

from deepseek_async import APIConnectionError, AsyncClient, DeepSeekError, InvalidRequestError, RetryPolicy
from deepseek_async.sandbox import SandboxServer
from deepseek_async.transport import Answer, Pause

from ..wire import HELLO, chunk, client_on, completion, event, hello, stream_of, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "m", "messages": HELLO}
ONCE = RetryPolicy(attempts=1)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"logprobs": True, "top_logprobs": 3},
        {"thinking": {"type": "disabled"}, "stop": ["."]},
        {"extra_body": {"n": 2}},
        {"max_tokens": 1},
    ],
)
async def test_the_value_is_the_same(parameters: dict[str, Any]) -> None:
    """Field for field, usage included."""
    asked: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO, "max_tokens": 60, **parameters}
    async with SandboxServer(seed=3, prefix_cache=False) as server, AsyncClient(base_url=server.base_url) as client:
        in_one_piece = await client.chat.completions.create(**asked)
        assert await client.chat.completions.create(**asked, via="stream") == in_one_piece


async def test_a_client_may_ask_so_always() -> None:
    """The client's own setting holds for each call that says nothing else."""
    client, transport = client_on(Answer([hello()]), whole(completion("Hello.")), via="stream")
    assert (await client.chat.completions.create(**ASK)).text == "Hello."
    assert (await client.chat.completions.create(**ASK, via="whole")).text == "Hello."
    first, second = (json.loads(request.body or b"") for request in transport.requests)
    assert (first["stream"], first["stream_options"]) == (True, {"include_usage": True})
    assert "stream" not in second


ERROR = {"error": {"message": "busy", "type": "server_error", "code": 500}}
BOTH: list[tuple[Answer | DeepSeekError, Answer | DeepSeekError]] = [
    (whole(ERROR, 500), whole(ERROR, 500)),
    (whole(ERROR), Answer([stream_of(chunk("Hel"), event(ERROR))])),
    (
        whole(completion("Hel", "insufficient_system_resource")),
        Answer([stream_of(chunk("Hel"), chunk("", "insufficient_system_resource"))]),
    ),
    (
        Answer([b"{", APIConnectionError("reset")]),
        Answer([stream_of(chunk("Hel"), done=False), APIConnectionError("reset")]),
    ),
    (APIConnectionError("refused", during="connect"), APIConnectionError("refused", during="connect")),
    (whole(b"\n"), Answer([b"\n"])),
]


@pytest.mark.parametrize(("in_one_piece", "streamed"), BOTH)
async def test_the_errors_are_the_same(in_one_piece: Any, streamed: Any) -> None:
    """Class, words worth another attempt, attempts; with what of the answer there is."""
    seen = []
    for answer, via in ((in_one_piece, "whole"), (streamed, "stream")):
        answers = [attrs.evolve(answer) if isinstance(answer, Answer) else answer for _ in range(2)]
        client, transport = client_on(*answers, retry=RetryPolicy(attempts=2, wait_initial=0.0))
        with pytest.raises(DeepSeekError) as caught:
            await client.chat.completions.create(**ASK, via=via)  # type: ignore[call-overload]
        error = caught.value
        seen.append((type(error), error.retryable, error.attempts, error.delivered, len(transport.requests)))
    assert seen[0] == seen[1]


async def test_what_is_given_up_is_freed() -> None:
    """A cancelled call closes its connection at once."""
    pause = Pause()
    client, transport = client_on(Answer([stream_of(chunk("Hel"), done=False), pause]))
    asking = asyncio.ensure_future(client.chat.completions.create(**ASK, via="stream"))
    await pause.reached.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert transport.responses[0].is_closed


async def test_auto_learns_who_needs_it() -> None:
    """llama.cpp says its name in each head: from the second request on it is asked for streams."""
    first = whole(completion("Hello."), server="llama.cpp")
    client, transport = client_on(first, Answer([hello()]))
    for _ in range(2):
        assert (await client.chat.completions.create(**ASK, via="auto")).text == "Hello."
    assert [b'"stream":true' in (request.body or b"") for request in transport.requests] == [False, True]


async def test_a_batch_asks_so_by_itself() -> None:
    """Its rows are freed when they are given up, where the server is known to go on otherwise."""
    first = whole(completion("Hello."), server="llama.cpp")
    client, transport = client_on(first, Answer([hello()]), Answer([hello()]))
    async with client.batch([{"messages": [{"role": "user", "content": str(n)}], "model": "m"} for n in range(3)],
                            max_concurrency=1) as outcomes:  # fmt: skip
        assert [outcome.completion.text async for outcome in outcomes] == ["Hello."] * 3  # type: ignore[union-attr]
    assert [b'"stream":true' in (request.body or b"") for request in transport.requests] == [False, True, True]


@pytest.mark.parametrize("via", ["Stream", "", 1, True])
async def test_another_way_is_refused(via: Any) -> None:
    """Before anything is sent, by the client as by the call."""
    client, transport = client_on()
    with pytest.raises(InvalidRequestError, match="via"):
        await client.chat.completions.create(**ASK, via=via)
    with pytest.raises(InvalidRequestError, match="via"):
        client_on(via=via)
    assert not transport.requests
