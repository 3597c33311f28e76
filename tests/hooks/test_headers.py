"""What a hook may say: headers for the attempt that begins. And what it must not be: async."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any

import pytest

from deepseek_async import AsyncClient, BadRequestError, InvalidRequestError
from deepseek_async.hooks import AttemptStarted, Ended, Record
from deepseek_async.transport import Answer

from ..wire import HELLO, client_on, completion, hello, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def by_attempt(record: Record) -> dict[str, str] | None:
    return {"Traceparent": TRACE, "x-attempt": str(record.attempt)} if isinstance(record, AttemptStarted) else None


@pytest.mark.parametrize("streamed", [False, True])
async def test_each_attempt_has_its_headers(streamed: bool) -> None:
    """Beside those of the client and the call, in place of those of the same name."""
    good = Answer([hello()]) if streamed else whole(completion())
    client, transport = client_on(
        whole({"error": {"message": "busy"}}, 503), good, hooks=[by_attempt], headers={"x-team": "a", "x-attempt": "0"}
    )
    answer = await client.chat.completions.create(**ASK, stream=streamed, extra_headers={"x-call": "b"})
    if streamed:
        await answer.completion()
    assert [request.headers["x-attempt"] for request in transport.requests] == ["1", "2"]
    for request in transport.requests:
        assert request.headers["traceparent"] == TRACE
        assert (request.headers["x-team"], request.headers["x-call"]) == ("a", "b")


async def test_several_hooks_add_theirs_and_what_is_no_mapping_is_nothing() -> None:
    """A hook may answer whatever its function answers: a number, a list, a task."""
    tasks: list[Any] = []

    def starting(record: Record) -> Any:
        tasks.append(asyncio.create_task(asyncio.sleep(0)))
        return tasks[-1]

    hooks: list[Any] = [lambda _: {"a": "1"}, lambda _: 7, lambda _: [("b", "2")], starting, lambda _: {"c": "3"}]
    client, transport = client_on(whole(completion()), hooks=hooks)
    await client.chat.completions.create(**ASK)
    sent = transport.requests[0].headers
    assert (sent["a"], sent["c"], "b" in sent) == ("1", "3", False)
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    "headers", [{"a": "1\r\nx: y"}, {"a b": "1"}, {"a": 1}, {1: "a"}, {"content-length": "0"}, {"host": "evil"}]
)
async def test_headers_that_cannot_be_sent_are_logged_and_not_sent(
    headers: dict[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The call goes on: watching must not break it."""
    hooks: list[Any] = [lambda record: headers if isinstance(record, AttemptStarted) else None]
    client, transport = client_on(whole(completion()), hooks=hooks)
    with caplog.at_level(logging.ERROR, "deepseek_async"):
        assert (await client.chat.completions.create(**ASK)).text == "Hello."
    assert "cannot be sent" in caplog.text
    assert not {"a", "a b"} & set(transport.requests[0].headers)
    assert transport.requests[0].headers.get("host") != "evil"


async def test_a_key_that_a_hook_adds_is_a_secret() -> None:
    """What the server quotes of it is in no error."""
    key = "0123456789abcdefghij"
    hooks: list[Any] = [lambda _: {"X-API-Key": key}]
    client, _ = client_on(whole({"error": {"message": f"who is {key}?"}}, 400), hooks=hooks)
    with pytest.raises(BadRequestError) as raised:
        await client.chat.completions.create(**ASK)
    assert key not in f"{raised.value} {raised.value.body}"


async def watch(record: Record) -> None:
    """An async function."""


async def watch_and_yield(record: Record) -> Any:
    yield record


class Calls:
    async def __call__(self, record: Record) -> None: ...

    async def method(self, record: Record) -> None: ...

    @classmethod
    async def of_class(cls, record: Record) -> None: ...


@pytest.mark.parametrize(
    "hook",
    [
        watch,
        watch_and_yield,
        Calls(),
        Calls().method,
        Calls.of_class,
        functools.partial(watch),
        functools.partial(functools.partial(watch)),
        functools.partial(Calls().method),
    ],
)
def test_an_async_hook_is_refused_when_the_client_is_made(hook: Any) -> None:
    """By its place, with what to do instead."""
    with pytest.raises(InvalidRequestError, match=r"hooks\[1\].*plain function") as raised:
        AsyncClient("k", hooks=[print, hook])
    assert raised.value.parameter == "hooks[1]"


@pytest.mark.parametrize("streamed", [False, True])
async def test_one_that_only_turns_out_to_be_async_is_refused_before_a_byte_leaves(streamed: bool) -> None:
    """A function that hands on a coroutine."""
    hooks: list[Any] = [print, lambda record: watch(record)]
    client, transport = client_on(whole(completion()), hooks=hooks)
    with pytest.raises(InvalidRequestError, match=r"hooks\[1\].*plain function"):
        await client.chat.completions.create(**ASK, stream=streamed)
    assert transport.requests == []


async def test_a_late_coroutine_costs_no_answer_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """One that comes with a later record cannot be refused any more without losing an answer."""
    hooks: list[Any] = [lambda record: watch(record) if isinstance(record, Ended) else None]
    client, _ = client_on(whole(completion()), hooks=hooks)
    with caplog.at_level(logging.ERROR, "deepseek_async"):
        assert (await client.chat.completions.create(**ASK)).text == "Hello."
    assert "returned a coroutine for Ended" in caplog.text
