"""`AsyncClient` as a whole: its figures, its pickles, its loops, and that no key or prompt is ever shown."""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
import pickle
import pydoc
import queue
import ssl
import threading
import traceback
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from deepseek_async import (
    APIConnectionError,
    AsyncClient,
    Conversation,
    DeepSeekError,
    InvalidRequestError,
    RetryPolicy,
    Statistics,
    StreamInterruptedError,
    Timeouts,
    UserMessage,
)
from deepseek_async import client as client_module
from deepseek_async.sandbox import SandboxServer
from deepseek_async.transport import Answer, Pause, ScriptedTransport

from ..wire import HELLO, chunk, client_on, completion, hello, stream_of, whole

KEY = "sk-0123456789abcdef"
SECRET = "the secret prompt"
ASK: dict[str, Any] = {"model": "m", "messages": HELLO}


# -- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_slow_chunks_are_counted_and_most_of_them_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A server's own field is slow once; what is odd in every chunk is always, and why is logged."""
    own = [{**chunk("a"), "provider": "x"} for _ in range(150)]
    odd = [{**chunk("a"), "created": "1760000000"} for _ in range(150)]
    client, _ = client_on(*(Answer([stream_of(*chunks, chunk("", "stop"))]) for chunks in (own, odd, odd)))
    other, _ = client_on(Answer([hello()]))
    counts = []
    for _ in range(3):
        async with client.chat.completions.stream(**ASK) as stream:
            assert (await stream.completion()).text == "a" * 150
        counts.append(client.statistics().slow_chunks)
    assert counts == [1, 151, 301]
    (message,) = [record.getMessage() for record in caplog.records if "slowly" in record.getMessage()]
    assert "most chunks of http://localhost:1 are read slowly, 151 of 301;" in message
    assert "got `str` - at `$.created`" in message
    async with other.chat.completions.stream(**ASK) as stream:
        await stream.completion()
    assert other.statistics().slow_chunks == 0


@pytest.mark.anyio
async def test_statistics_count_calls_attempts_and_connections() -> None:
    """Since the client was made; in flight is what has not ended."""
    client, _ = client_on(APIConnectionError("refused"), whole(completion()), Answer([hello(), Pause()], reused=True))
    assert client.statistics() == Statistics()
    await client.chat.completions.create(**ASK)
    assert client.statistics() == Statistics(calls=1, attempts=2, retries=1, connections_made=1)
    async with client.chat.completions.stream(**ASK) as stream:
        await anext(stream)
        assert client.statistics().in_flight == 1
        now = client.statistics()
        await stream.completion()
    assert now.in_flight == 1, "a figure that was read does not change"
    end = client.statistics()
    assert (end.in_flight, end.calls, end.attempts, end.retries) == (0, 2, 3, 1)
    assert (end.connections_made, end.connections_reused, end.waiting_for_connection) == (1, 1, 0)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "failing", [APIConnectionError("refused", reason="untrusted"), Answer(status=401), Answer([b"<html>"])]
)
async def test_nothing_stays_in_flight_after_a_failure(failing: Any) -> None:
    """However a call ends, streamed or not."""
    client, transport = client_on(*[failing] * 4)
    for ask in (
        client.chat.completions.create(**ASK),
        client.chat.completions.create(**ASK, stream=True),
        client.chat.completions.stream(**ASK).completion(),
        client.models.list(),
    ):
        with pytest.raises(DeepSeekError):
            result = await ask
            await result.completion()  # type: ignore[union-attr]
    assert client.statistics().in_flight == 0
    assert all(response.is_closed for response in transport.responses)


# -- pickles ---------------------------------------------------------------------------------------------------------


def test_a_pickle_finds_its_key_where_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It carries every setting but the key: the environment has to hold that, and the error says so."""
    client = AsyncClient(
        KEY, base_url="https://gateway.example/v1", timeouts=Timeouts(total=5), retry=RetryPolicy(attempts=7),
        max_connections=3, headers={"x-team": "a"}, proxy="http://proxy:1", trust_env=False, hooks=[print],
    )  # fmt: skip
    data = pickle.dumps(client)
    assert KEY.encode() not in data
    with pytest.raises(InvalidRequestError, match="carries no key: set DEEPSEEK_API_KEY") as raised:
        pickle.loads(data)  # noqa: S301
    assert raised.value.parameter == "api_key"
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-other-0123")
    again = pickle.loads(data)  # noqa: S301
    assert again.base_url == client.base_url
    assert again.__getstate__() == client.__getstate__()
    assert again._caller.timeouts == Timeouts(total=5)
    assert again._caller.retry == RetryPolicy(attempts=7)
    assert again.statistics() == Statistics()


@pytest.mark.anyio
async def test_a_pickled_client_of_a_local_server_works() -> None:
    """No key is needed there, and none is missed; a copy is as good."""
    async with SandboxServer(seed=1) as server:
        original = AsyncClient(base_url=server.base_url)
        for client in (pickle.loads(pickle.dumps(original)), copy.copy(original)):  # noqa: S301
            async with client:
                assert (
                    await client.chat.completions.create(model="deepseek-flash", messages=HELLO, max_tokens=3)
                ).choices


class Named(AsyncClient):
    """A user's own: with an argument of its own, and something it holds."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.before = [name]
        super().__init__(**settings)
        self.name = name


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"ssl": ssl.create_default_context()}, {"headers": {"x-api-key": KEY}}, {"transport": ScriptedTransport([])}],
    ids=["key", "ssl", "header", "transport"],
)
def test_a_copy_is_the_same_client(
    copied: Callable[[Any], Any], settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its key, also where the environment has another; so is that of what holds one. What pickles drop stays."""
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-other-0123")
    client = Named("mine", api_key=KEY, timeouts=Timeouts(total=5), **settings)
    for again in (copied(client), copied({"client": client})["client"], copied([client])[0]):
        assert isinstance(again, Named)
        assert (again.name, again.before, again.base_url) == ("mine", ["mine"], client.base_url)
        assert again._caller.timeouts == Timeouts(total=5)
        assert again._caller._headers == client._caller._headers
        assert again._transport is client._transport
    conversation = Conversation(client, model="deepseek-flash")
    assert len(copied(conversation).turns) == 0


def test_a_pickled_subclass_has_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made anew without its own arguments, as any pickled object is."""
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-other-0123")
    again = pickle.loads(pickle.dumps(Named("mine", api_key=KEY, max_connections=3)))  # noqa: S301
    assert (type(again), again.name, again.before) == (Named, "mine", ["mine"])
    assert again._settings["max_connections"] == 3


def test_what_a_client_has_is_known() -> None:
    """All else is a subclass's own, and goes into the pickle of one."""
    assert set(vars(AsyncClient(KEY))) == client_module._ATTRIBUTES


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_stream_has_no_copy(copied: Callable[[Any], Any]) -> None:
    """Two would read one connection, and the one that is dropped would close it."""
    stream = AsyncClient(KEY).chat.completions.stream(model="deepseek-flash", messages=HELLO)
    with pytest.raises(TypeError, match=r"cannot be copied or pickled.*snapshot"):
        copied(stream)
    copied(stream.snapshot())


@pytest.mark.anyio
async def test_what_belongs_to_one_process_cannot_be_pickled() -> None:
    """A session, an SSL context, a transport of the caller's: a clear TypeError, no half of a client."""
    async with aiohttp.ClientSession() as session:
        for settings in (
            {"session": session},
            {"ssl": ssl.create_default_context()},
            {"transport": ScriptedTransport([])},
        ):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(AsyncClient(KEY, **settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"headers": {"Authorization": f"Bearer {KEY}"}},
        {"headers": {"x-api-key": KEY}},
        {"headers": {"Cookie": f"session={KEY}"}},
        {"proxy": f"http://user:{KEY}@proxy:1"},
    ],
)
def test_no_pickle_carries_a_secret(settings: dict[str, Any]) -> None:
    """Not even by the way of a header or a proxy's URL; the error names the one, and shows it not."""
    with pytest.raises(TypeError, match="would carry the secret") as raised:
        pickle.dumps(AsyncClient("other", **settings))
    assert KEY not in str(raised.value)


# -- loops -----------------------------------------------------------------------------------------------------------


def test_one_client_serves_several_loops() -> None:
    """Made outside of any, used under one `asyncio.run` and then another: with `async with`, and without closing."""
    client = AsyncClient(
        base_url="http://localhost:1", transport=ScriptedTransport([whole(completion()) for _ in range(3)])
    )

    async def ask() -> str:
        return (await client.chat.completions.create(**ASK)).text

    async def ask_and_close() -> str:
        async with client as entered:
            assert entered is client
            return await ask()

    assert [asyncio.run(ask()), asyncio.run(ask_and_close()), asyncio.run(ask())] == ["Hello."] * 3


def test_one_client_serves_several_loops_over_sockets() -> None:
    """The same over the network: each loop makes its own connections, and none is left to the next."""
    ready: queue.Queue[str] = queue.Queue()
    over = threading.Event()

    async def serve() -> None:
        async with SandboxServer(seed=1) as server:
            ready.put(server.base_url)
            await asyncio.to_thread(over.wait)

    server = threading.Thread(target=asyncio.run, args=(serve(),))
    server.start()
    client = AsyncClient(base_url=ready.get(timeout=30))

    async def ask() -> bool:
        async with client.chat.completions.stream(model="deepseek-flash", messages=HELLO, max_tokens=3) as stream:
            return (await stream.completion()).complete

    try:
        assert [asyncio.run(ask(), debug=True) for _ in range(3)] == [True, True, True]
        assert client.statistics().connections_made == 3
    finally:
        over.set()
        server.join()


# -- secrets ---------------------------------------------------------------------------------------------------------

REFUSED = {"error": {"message": f"wrong key {KEY}", "input": SECRET}}
FAILING: dict[str, list[Any]] = {
    "refused by the server": [whole(REFUSED, 401)],
    "refused with the request quoted": [whole({"detail": [{"loc": ["body"], "msg": "bad", "input": SECRET}]}, 422)],
    "no connection": [APIConnectionError("cannot connect")] * 3,
    "cut": [Answer([stream_of(chunk("Hel"), done=False)])] * 3,
    "no JSON": [Answer([b"data: nope\n\n"])],
    "a page": [Answer([b"<html><title>Gone</title>"])],
    "late": [Answer([Pause()])],
}


@pytest.mark.anyio
@pytest.mark.parametrize("failure", FAILING)
@pytest.mark.parametrize("streamed", [True, False])
async def test_no_failure_shows_a_key_or_a_prompt(
    failure: str, streamed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """In its message, its repr, its traceback, its pickle, or a log; nor do the client, the stream and the records."""
    records: list[Any] = []
    client, transport = client_on(
        *FAILING[failure], api_key=KEY, hooks=[records.append], timeouts=Timeouts(first_chunk=0.01)
    )
    stream = client.chat.completions.stream(model="m", messages=[UserMessage(SECRET)], user_id=SECRET, stop=[SECRET])
    with caplog.at_level(logging.DEBUG), pytest.raises(DeepSeekError) as raised:
        if streamed:
            await stream.completion()
        else:
            await client.chat.completions.create(model="m", messages=[UserMessage(SECRET)], extra_body={"x": SECRET})
    error = raised.value
    shown = [str(error), repr(error), "".join(traceback.format_exception(error)), caplog.text]
    shown += [repr(client), repr(stream), repr(records), repr(transport.requests), repr(client.statistics())]
    shown += [str(pickle.dumps(error)), str(pickle.dumps(records))]
    for text in shown:
        assert KEY not in text
        assert SECRET not in text


@pytest.mark.anyio
async def test_the_partial_answer_is_the_callers() -> None:
    """What the model said so far is no secret: the error carries it, and its message does not repeat it."""
    client, _ = client_on(Answer([stream_of(chunk("Hel"), done=False)]))
    stream = client.chat.completions.stream(**ASK)
    await anext(stream)
    with pytest.raises(StreamInterruptedError) as raised:
        await stream.completion()
    assert raised.value.partial is not None
    assert raised.value.partial.text == "Hel"
    assert "Hel" not in str(raised.value)


@pytest.mark.anyio
async def test_a_session_of_the_callers_is_used_and_left_open() -> None:
    """Its pool and settings hold, and closing the client does not close it."""
    async with SandboxServer(seed=1) as server, aiohttp.ClientSession(headers={"x-from-session": "1"}) as session:
        async with AsyncClient(base_url=server.base_url, session=session) as client:
            await client.chat.completions.create(model="deepseek-flash", messages=HELLO, max_tokens=3)
            async with client.chat.completions.stream(model="deepseek-flash", messages=HELLO, max_tokens=3) as stream:
                assert (await stream.completion()).complete
        assert not session.closed
        assert [request.headers["x-from-session"] for request in server.requests] == ["1", "1"]


@pytest.mark.parametrize("name", ["chat", "completions", "models", "user", "batch"])
def test_help_shows_what_a_client_has(name: str) -> None:
    """Each with a type and a docstring: `help(AsyncClient)` is where many begin."""
    member = inspect.getattr_static(AsyncClient, name)
    function = member.fget if isinstance(member, property) else member
    assert function.__doc__
    assert function.__annotations__["return"]
    shown = pydoc.render_doc(AsyncClient, renderer=pydoc.plaintext)
    assert function.__doc__.splitlines()[0] in shown
