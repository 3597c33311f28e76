"""The words of the openai package: taken where they mean the same, else answered with ours."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import attrs
import pytest

from deepseek_async import NOT_GIVEN, AsyncClient, InvalidRequestError, RetryPolicy, ServiceUnavailableError, Timeouts
from deepseek_async.calls.spellings import SPELLINGS, translate
from deepseek_async.sandbox import Refuse, SandboxServer, Script

pytestmark = pytest.mark.anyio

ASKED: Any = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Say: one"}]}


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(seed=1) as server:
        yield server


@pytest.fixture
async def client(server: SandboxServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=server.base_url, retry=RetryPolicy(wait_initial=0.001)) as client:
        yield client


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ({"max_completion_tokens": 9}, {"max_tokens": 9}),
        ({"user": "ada"}, {"user_id": "ada"}),
        ({"seed": 3}, {"seed": 3}),
        ({"n": 1}, {"n": 1}),
        ({"seed": 3, "extra_body": {"top_k": 2}}, {"seed": 3, "top_k": 2}),
        ({"seed": 3, "extra_body": {"seed": 4}}, {"seed": 4}),
        ({"temperature": NOT_GIVEN, "stop": NOT_GIVEN}, {}),
        ({"user": NOT_GIVEN, "max_completion_tokens": None}, {}),
        ({"parallel_tool_calls": True}, {"parallel_tool_calls": True}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_words_that_mean_the_same(
    server: SandboxServer, client: AsyncClient, written: Any, sent: Any, stream: bool
) -> None:
    """What goes out is in the API's words, and nothing else is."""
    answer = await client.chat.completions.create(stream=stream, **ASKED, **written)
    if stream:
        await answer.completion()
    body = dict(server.requests[-1].json)
    for name in ("stream", "stream_options", *ASKED):
        body.pop(name, None)
    assert body == sent


async def test_retries_count_without_the_first(server: SandboxServer, client: AsyncClient) -> None:
    """``max_retries=1`` is two attempts; the client's waits hold."""
    for _ in range(2):
        server.script(Script(faults=(Refuse(status=503),)))
    with pytest.raises(ServiceUnavailableError) as caught:
        await client.chat.completions.create(**ASKED, max_retries=1)
    assert caught.value.attempts == len(server.requests) == 2


@pytest.mark.parametrize("written", [{"timeout": 9}, {"timeouts": {"total": 9}}, {"timeouts": Timeouts(total=9)}])
async def test_a_calls_timeouts_change_what_they_name(server: SandboxServer, written: Any) -> None:
    """The client's hold for the rest."""
    mine = Timeouts(connect=1.5, idle=7)
    async with AsyncClient(base_url=server.base_url, timeouts=mine) as client:
        seen: list[Timeouts] = []
        make = client._caller.call
        client._caller.call = lambda *args, **kwargs: _note(make(*args, **kwargs), seen)  # type: ignore[method-assign]
        await client.chat.completions.create(**ASKED, **written)
    assert seen == [Timeouts(connect=1.5, idle=7, total=9)]


def _note(call: Any, seen: list[Timeouts]) -> Any:
    seen.append(call._timeouts)
    return call


def test_timeouts_know_what_they_name() -> None:
    """Also one that names the default; copies and pickles are equal values."""
    assert Timeouts(idle=120.0).over(Timeouts(idle=3, total=4)) == Timeouts(idle=120.0, total=4)
    assert Timeouts().over(Timeouts(idle=3)) == Timeouts(idle=3)
    assert Timeouts() == Timeouts(10.0, None, 120.0, None)
    for value in (Timeouts(), Timeouts(total=3)):
        assert pickle.loads(pickle.dumps(value)) == copy.copy(value) == value  # noqa: S301
        assert pickle.loads(pickle.dumps(value)).over(Timeouts(idle=1)) == value.over(Timeouts(idle=1))  # noqa: S301
    assert attrs.evolve(Timeouts(total=3), idle=2) == Timeouts(total=3, idle=2)
    with pytest.raises(TypeError):
        Timeouts(read=3)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"functions": []}, "tools="),
        ({"function_call": "auto"}, "tool_choice"),
        ({"response_format": dict}, "parse(response_type=dict)"),
        ({"extra_query": {}}, "base_url"),
        ({"user": "ada", "user_id": "ada"}, "not both"),
        ({"timeout": 3, "timeouts": Timeouts()}, "not both"),
        ({"max_retries": -1}, "at least 0"),
        ({"timeout": -1}, "seconds above 0"),
        ({"timeouts": {"read": 3}}, "timeouts"),
        ({"retry": {"tries": 3}}, "retry"),
        ({"prediction": {}}, "none"),
        ({"best_of": 3}, "extra_body"),
    ],
)
async def test_words_without_counterpart_name_ours(
    server: SandboxServer, client: AsyncClient, written: Any, told: str
) -> None:
    """Before anything is sent, never a bare TypeError."""
    with pytest.raises(InvalidRequestError) as caught:
        await client.chat.completions.create(**ASKED, **written)
    assert told in str(caught.value)
    assert server.requests == []


def test_every_word_is_translated_or_refused() -> None:
    """None is left for the request to stumble over."""
    for name in SPELLINGS:
        parameters: dict[str, Any] = {name: 1}
        with suppress(InvalidRequestError):
            translate(parameters)
        assert name not in parameters


def test_not_given_is_one_value() -> None:
    """False, and itself after a pickle."""
    assert not NOT_GIVEN
    assert pickle.loads(pickle.dumps(NOT_GIVEN)) is NOT_GIVEN  # noqa: S301
    assert repr(NOT_GIVEN) == "NOT_GIVEN"
