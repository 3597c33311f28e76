"""What a user meets who writes a wrong first program: what is wrong, where, what is allowed, what to do."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import deepseek_async
from deepseek_async import (
    APIConnectionError,
    AsyncClient,
    ChatCompletion,
    Conversation,
    InvalidRequestError,
    RetryPolicy,
    StreamInterruptedError,
    Timeouts,
    UserMessage,
)
from deepseek_async.sandbox import SandboxServer
from deepseek_async.transport import Answer, ScriptedTransport

from .byte_server import ByteServer, Connection, answer
from .wire import HELLO, chunk, completion, event, stream_of

KEY = "sk-0123456789abcdef"
ONCE = RetryPolicy(attempts=1)


def client_on(*answers: Any, **settings: Any) -> AsyncClient:
    return AsyncClient(KEY, base_url="http://localhost:1", transport=ScriptedTransport(answers), **settings)


_ANSWER = ChatCompletion.from_dict(completion("a"))


def weather(city: str) -> str:
    return city


# -- the client --------------------------------------------------------------------------------------------------------

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "a header's value as the key": ({"api_key": f"Bearer {KEY}"}, "the key alone: 'Bearer ' is put before it"),
    "a whole address": (
        {"base_url": "http://localhost:8000/v1/chat/completions"},
        "a URL without /chat/completions, which is added to it: http://localhost:8000/v1",
    ),
    "a whole address with a slash": (
        {"base_url": "https://llm.test/v1/completions/"},
        "which is added to it: https://llm.test/v1",
    ),
    "no scheme": ({"base_url": "localhost:8000"}, "did you mean http://localhost:8000?"),
    "no scheme, another machine": ({"base_url": "llm.test/v1"}, "did you mean https://llm.test/v1?"),
    "no scheme, an address": ({"base_url": "127.0.0.1:8000/v1"}, "did you mean http://127.0.0.1:8000/v1?"),
    "no scheme, IPv6": ({"base_url": "[::1]:8000"}, "did you mean http://[::1]:8000?"),
    "another scheme": ({"base_url": "htp://localhost"}, "an http:// or https:// URL with a host"),
    "a number of retries": ({"retry": 3}, "max_retries=2, a mapping such as {'attempts': 3}, not int"),
    "a number of seconds": ({"timeouts": 20}, "timeout=20, a mapping such as {'total': 20}, not int"),
    "an unknown word": ({"retry": {"tries": 3}}, "retry: tries is unknown; allowed: attempts, "),
    "a word out of range": ({"timeouts": {"total": -1}}, "timeouts.total is -1"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings(case: str) -> None:
    """The likely meaning is told, and no key."""
    settings, words = SETTINGS[case]
    with pytest.raises(InvalidRequestError) as caught:
        AsyncClient(**{"api_key": KEY, **settings})
    assert words in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("base_url", ["word", "a b", "http//x", "", "::", "user:pass@host:1/x", "a" * 5000, "x:y:z"])
def test_no_address_is_guessed_at(base_url: str) -> None:
    """What is no address is refused without a guess, and quickly."""
    with pytest.raises(InvalidRequestError) as caught:
        AsyncClient(KEY, base_url=base_url)
    assert "did you mean" not in str(caught.value)
    assert "pass" not in str(caught.value)


def test_mappings_are_taken_as_in_a_call() -> None:
    """For the client as for one call of it: what they do not name stays as it is."""
    client = AsyncClient(KEY, retry={"attempts": 7}, timeouts={"total": 9})
    assert (client._caller.retry, client._caller.timeouts) == (RetryPolicy(attempts=7), Timeouts(total=9.0))
    client = AsyncClient(KEY, retry={"attempts": 7}, timeouts={"idle": 5}, timeout=9)
    assert (client._caller.timeouts.total, client._caller.timeouts.idle) == (9.0, 5.0)


@pytest.mark.parametrize("name", ["OpenAI", "AsyncOpenAI", "DeepSeek", "AsyncDeepSeek", "Client"])
def test_the_client_by_another_name(name: str) -> None:
    """An import fails as imports do, and an attribute says the name."""
    with pytest.raises(AttributeError, match="it is AsyncClient here"):
        getattr(deepseek_async, name)
    assert not hasattr(deepseek_async, name)


# -- a request ---------------------------------------------------------------------------------------------------------

PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "a text for messages": ({"messages": "Hello"}, "a list of messages, such as [{'role': 'user', 'content': '…'}]"),
    "one message": ({"messages": HELLO[0]}, "a list of messages, such as [{'role': 'user'"),
    "texts for messages": ({"messages": ["Hello"]}, "messages[0]; allowed: a message or a mapping, such as {'role'"),
    "pairs for messages": ({"messages": [("user", "Hello")]}, "such as {'role': 'user', 'content': '…'}, not tuple"),
    "no content": ({"messages": [{"role": "user", "text": "Hello"}]}, "a list of parts; it is None, or not there"),
    "a text among parts": ({"messages": [UserMessage(["Hello"])]}, "such as TextPart(…) or ImagePart.from_path(…)"),  # type: ignore[list-item]
    "a function as a tool": ({"tools": [weather]}, "a function itself goes to run_tools(tools=[…])"),
    "one tool": ({"tools": {"type": "function"}}, "a list of tools, not dict"),
    "a prompt": ({"prompt": "Hello"}, "prompt is unknown; write messages=[UserMessage(prompt)]"),
    "a system text": ({"system": "Be brief"}, "write messages=[SystemMessage(…), UserMessage(…)]"),
    "an input": ({"input": "Hello"}, "write messages=[UserMessage(…)]"),
    "a key": ({"api_key": KEY}, "write AsyncClient(api_key=…)"),
    "an answer among messages": ({"messages": [_ANSWER]}, "not ChatCompletion: give its .message"),
    "a choice among messages": ({"messages": [_ANSWER.choices[0]]}, "not Choice: give its .message"),
    "a budget as a number": ({"budget": 5}, "Budget or None, such as Budget(max_cost=5), not int"),
    "a limit by another name": ({"max_output_tokens": 5}, "write max_tokens=…"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", PARAMETERS)
async def test_parameters(case: str) -> None:
    """Before anything is sent; no text of theirs is in the words."""
    parameters, words = PARAMETERS[case]
    for ask in (client_on().chat.completions.create, client_on().chat.completions.stream):
        with pytest.raises(InvalidRequestError) as caught:
            result = ask(**{"model": "m", "messages": HELLO, **parameters})
            if isinstance(result, Awaitable):
                await result
        assert words in str(caught.value)
        assert KEY not in str(caught.value)
        assert "Hello" not in str(caught.value)


def test_a_stream_is_a_stream() -> None:
    """Who says so twice is told that it is so."""
    with pytest.raises(InvalidRequestError, match=r"stream is unknown; write nothing: this always streams"):
        client_on().chat.completions.stream(model="m", messages=HELLO, stream=True)  # type: ignore[call-arg]
    with pytest.raises(InvalidRequestError, match=r"such as \[hook\], not builtin_function_or_method"):
        client_on(hooks=print)


@pytest.mark.anyio
async def test_the_other_endpoints_words() -> None:
    """Fill in the middle has a prompt, and is told of messages."""
    with pytest.raises(InvalidRequestError, match=r"messages is unknown; write prompt=…"):
        await client_on().completions.create(model="m", prompt="a", messages=HELLO)  # type: ignore[call-overload]
    with pytest.raises(InvalidRequestError, match=r"a function, not 'weather'"):
        client_on().chat.completions.run_tools(model="m", messages=HELLO, tools=["weather"])  # type: ignore[list-item]


@pytest.mark.anyio
async def test_a_text_for_a_batch() -> None:
    """It is a path; one that looks like none is told so."""
    with pytest.raises(InvalidRequestError, match="requests themselves stand in a list"):
        async with client_on().batch("Hello there") as outcomes:
            _ = [outcome async for outcome in outcomes]
    with pytest.raises(InvalidRequestError, match=r"^no/such\.jsonl: No such file or directory$"):
        async with client_on().batch("no/such.jsonl") as outcomes:
            _ = [outcome async for outcome in outcomes]


# -- what comes back ---------------------------------------------------------------------------------------------------

NAMES: dict[str, tuple[Callable[[AsyncClient], Any], str]] = {
    "create on the client": (lambda client: client.create, r"use client\.chat\.completions\.create"),  # type: ignore[attr-defined]
    "acompletion": (lambda client: client.acompletion, r"use client\.chat\.completions\.create"),  # type: ignore[attr-defined]
    "create on chat": (lambda client: client.chat.create, r"use client\.chat\.completions\.create"),  # type: ignore[attr-defined]
    "stream on chat": (lambda client: client.chat.stream, r"use client\.chat\.completions\.stream"),  # type: ignore[attr-defined]
    "the balance": (lambda client: client.balance, r"use await client\.user\.balance\(\)"),  # type: ignore[attr-defined]
    "a run's text": (
        lambda client: client.chat.completions.run_tools(model="m", messages=HELLO, tools=[weather]).text,  # type: ignore[attr-defined]
        r"use \(await run\.completion\(\)\)\.text",
    ),
    "a conversation's question": (
        lambda client: Conversation(client, model="m").send,  # type: ignore[attr-defined]
        r"use await conversation\.say",
    ),
    "an answer of a stream": (
        lambda client: client.chat.completions.stream(model="m", messages=HELLO).choices,  # type: ignore[attr-defined]
        r"use async for … in stream, or \(await stream\.completion\(\)\)",
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_names(case: str) -> None:
    """They stay attribute errors, so that `hasattr` tells the truth."""
    ask, words = NAMES[case]
    with pytest.raises(AttributeError, match=words):
        ask(client_on())


@pytest.mark.anyio
async def test_names_of_values() -> None:
    """A chunk has deltas, an answer messages."""
    client = client_on(Answer([stream_of(event(chunk("a")), event(chunk("", "stop")))]))
    async with client.chat.completions.stream(model="m", messages=HELLO) as stream:
        first = await anext(stream)
        with pytest.raises(AttributeError, match=r"use \.delta"):
            _ = first.choices[0].message  # type: ignore[attr-defined]
        with pytest.raises(AttributeError, match=r"use \.choices\[0\]\.delta\.content"):
            _ = first.content  # type: ignore[attr-defined]
        completion = await stream.completion()
    with pytest.raises(AttributeError, match=r"use \.message"):
        _ = completion.choices[0].delta  # type: ignore[attr-defined]


ASYNCHRONOUS: dict[str, Callable[[AsyncClient], Any]] = {
    "client": lambda client: client,
    "stream": lambda client: client.chat.completions.stream(model="m", messages=HELLO),
    "text_deltas": lambda client: client.chat.completions.stream(model="m", messages=HELLO).text_deltas(),
    "stream_parse": lambda client: client.chat.completions.stream_parse(response_type=int, model="m", messages=HELLO),
    "partial_objects": lambda client: client.chat.completions.stream_parse(
        response_type=int, model="m", messages=HELLO
    ).partial_objects(),
    "run_tools": lambda client: client.chat.completions.run_tools(tools=[weather], model="m", messages=HELLO),
    "batch": lambda client: client.batch([]),
    "conversation": lambda client: Conversation(client, model="m").stream("Hi"),
    "models": lambda client: client.models.list(),
    "files": lambda client: client.files.list(),
    "server": lambda _: SandboxServer(),
}


@pytest.mark.parametrize("case", ASYNCHRONOUS)
def test_what_is_not_synchronous(case: str) -> None:
    """`with` and `for` say what they should have been; each thing has the one that its asynchronous half has."""
    thing = ASYNCHRONOUS[case](client_on())
    told = []
    if hasattr(thing, "__aenter__"):
        with (
            pytest.raises(TypeError, match="is asynchronous; use `async with`, within an `async def`") as caught,
            thing,
        ):
            pass
        told.append(caught)
    if hasattr(thing, "__aiter__"):
        with pytest.raises(TypeError, match="is asynchronous; use `async for`, within an `async def`") as caught:
            list(thing)
        told.append(caught)
    assert told
    assert all(f"{type(thing).__name__!r} object" in str(caught.value) for caught in told)
    assert hasattr(thing, "__enter__") == hasattr(thing, "__aenter__")
    assert hasattr(thing, "__iter__") == hasattr(thing, "__aiter__")


def test_what_a_program_without_a_loop_has() -> None:
    """A server that is asked synchronously names its synchronous way; what is not awaited yet, what it will have."""
    server: Any = SandboxServer()
    with pytest.raises(TypeError, match=r"or `with in_background\(SandboxServer\(…\)\)`"), server:
        pass
    models: Any = client_on().models.list()
    with pytest.raises(AttributeError, match=r"use \(await client\.models\.list\(\)\)\.data"):
        _ = models.data
    files: Any = client_on().files.list()
    with pytest.raises(AttributeError, match=r"use \(await client\.files\.list\(\)\)\.has_more"):
        _ = files.has_more


# -- the network -------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_where_nobody_listens() -> None:
    """The advice names what to look at; the facts are as before."""
    async with ByteServer(lambda c: c.gone()) as server:
        address = server.base_url
    async with AsyncClient(base_url=address, retry=ONCE) as client:
        with pytest.raises(APIConnectionError, match=r"Connection refused \(is the server running") as caught:
            await client.models.list()
    assert (caught.value.during, caught.value.reason) == ("connect", "network")


@pytest.mark.anyio
async def test_tls_to_a_port_without() -> None:
    """The URL to set is told."""

    async def play(connection: Connection) -> None:
        connection.send(answer(b"", "400 Bad"))
        connection.close()

    async with ByteServer(play) as server:
        async with AsyncClient(base_url=server.base_url.replace("http:", "https:"), retry=ONCE) as client:
            with pytest.raises(APIConnectionError) as caught:
                await client.models.list()
        assert f"set base_url to {server.base_url}" in str(caught.value)


@pytest.mark.anyio
async def test_a_proxy_of_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not know of it learns where it comes from."""
    async with ByteServer(lambda c: c.gone()) as server:
        proxy = server.base_url
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with AsyncClient(KEY, base_url="https://llm.invalid", retry=ONCE) as client:
        with pytest.raises(APIConnectionError, match="HTTPS_PROXY and HTTP_PROXY, and trust_env=False"):
            await client.models.list()


def test_a_stream_in_another_loop() -> None:
    """Is an error of ours with what had come, and nothing is left that was never awaited."""

    async def begin(address: str) -> Any:
        client = AsyncClient(base_url=address, retry=ONCE)
        stream = client.chat.completions.stream(model="deepseek-flash", messages=HELLO, max_tokens=50)
        await anext(stream)
        return stream

    async def play() -> None:
        async with SandboxServer(seed=1, rate=20) as server:
            stream = await asyncio.to_thread(lambda: asyncio.run(begin(server.base_url)))
            with pytest.raises(StreamInterruptedError, match="in the event loop in which it was opened") as caught:
                await stream.completion()
            assert not caught.value.retryable
            assert caught.value.partial is not None
            await stream.aclose()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(play())
