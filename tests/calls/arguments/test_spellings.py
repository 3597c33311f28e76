"""The words of the openai package: taken where they mean the same, else answered with ours."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import attrs
import pytest

from deepseek_async import (
    NOT_GIVEN,
    AsyncClient,
    InvalidRequestError,
    RetryPolicy,
    ServiceUnavailableError,
    StreamInterruptedError,
    Timeouts,
)
from deepseek_async.calls.arguments.spellings import SPELLINGS, translate
from deepseek_async.sandbox import Cut, Refuse, SandboxServer, Script
from deepseek_async.types import ChatCompletion, Choice

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
    assert Timeouts() == Timeouts(connect=10.0, first_chunk=None, idle=120.0, total=None)
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


async def test_a_clients_settings_in_their_words(server: SandboxServer) -> None:
    """``timeout``, ``max_retries``, ``default_headers``; ours beside them."""
    spelled: Any = {"timeout": 9, "max_retries": 1, "default_headers": {"x-a": "1", "x-b": "1"}}
    async with AsyncClient(
        base_url=server.base_url, headers={"x-b": "2"}, timeouts=Timeouts(idle=7), **spelled
    ) as client:
        assert client._caller.timeouts == Timeouts(idle=7, total=9)
        assert client._caller.retry == RetryPolicy(attempts=2)
        await client.chat.completions.create(**ASKED)
    sent = server.requests[-1].headers
    assert (sent["x-a"], sent["x-b"]) == ("1", "2")
    for name in ("organization", "http_client", "tomeout"):
        with pytest.raises(InvalidRequestError, match=name):
            AsyncClient(base_url=server.base_url, **{name: 1})  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["with_options", "copy"])
async def test_the_same_client_with_other_settings(server: SandboxServer, way: str) -> None:
    """Connections and statistics are shared; what is not named stays; the first client is as it was."""
    async with AsyncClient(base_url=server.base_url, headers={"x-a": "1"}, timeouts=Timeouts(idle=7)) as client:
        other = getattr(client, way)(timeouts={"total": 9}, retry={"attempts": 5}, headers={"x-b": "2"})
        await client.chat.completions.create(**ASKED)
        await other.chat.completions.create(**ASKED)
        await other.with_options(timeout=3).models.list()
        assert other.statistics() == client.statistics()
        assert client.statistics().connections_made == 1
        assert other._caller.timeouts == Timeouts(idle=7, total=9)
        assert client._caller.timeouts == Timeouts(idle=7)
        assert pickle.loads(pickle.dumps(other))._caller.timeouts == Timeouts(idle=7, total=9)  # noqa: S301
        await client.close()
    heads = [(request.headers.get("x-a"), request.headers.get("x-b")) for request in server.requests]
    assert heads == [("1", None), ("1", "2"), ("1", "2")]


async def test_models_are_iterated_awaited_and_found(client: AsyncClient) -> None:
    """Each a request; one that is not there is named with those that are."""
    listed = [model.id async for model in client.models.list()]
    assert listed == [model.id for model in await client.models.list()]
    assert (await client.models.retrieve(listed[0])).id == listed[0]
    with pytest.raises(InvalidRequestError, match=listed[0]):
        await client.models.retrieve("gpt-5")


async def test_an_errors_facts(server: SandboxServer, client: AsyncClient) -> None:
    """Under the names that handlers know."""
    server.script(Script(faults=(Refuse(status=503),)))
    with pytest.raises(ServiceUnavailableError) as caught:
        await client.chat.completions.create(**ASKED, max_retries=0)
    error = caught.value
    assert (error.status_code, error.response.status_code) == (503, 503)
    assert error.response.headers["content-type"] == "application/json"
    assert error.response.text == error.body


async def test_a_stream_to_its_end(client: AsyncClient) -> None:
    """``get_final_completion``, ``until_done``, ``close``."""
    async with client.chat.completions.stream(**ASKED) as stream:
        assert (await stream.get_final_completion()).text == "one"
    async with client.chat.completions.stream(**ASKED) as stream:
        assert (await stream.until_done()).snapshot().text == "one"
        await stream.close()


@pytest.mark.parametrize("until", ["head", "first_text"])
async def test_a_stream_that_is_opened_until_its_first_text(server: SandboxServer, until: Any) -> None:
    """A cut before any text is raised while a relay can still say 502; the text is then delivered as usual."""
    async with AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1)) as client:
        for script in (Script(say="One.", faults=(Cut(after_chunk=1),)), Script(say="One.")):
            server.script(script)
        asked = {**ASKED, "thinking": {"type": "disabled"}}
        stream = client.chat.completions.stream(**asked)
        if until == "head":
            await stream.open(until=until)
        with pytest.raises(StreamInterruptedError):
            await (stream.open(until=until) if until == "first_text" else stream.completion())
        stream = client.chat.completions.stream(**asked)
        await stream.open(until=until)
        assert "".join([text async for text in stream.text_deltas()]) == "One."


@pytest.mark.parametrize("name", ["with_raw_response", "beta", "responses", "api_key", "images"])
def test_attributes_without_counterpart_name_ours(name: str) -> None:
    """An AttributeError, so that `hasattr` works, with our word in it; any other name is a plain one."""
    client = AsyncClient("sk-test")
    assert not hasattr(client, name)
    with pytest.raises(AttributeError, match="; use "):
        getattr(client, name)
    with pytest.raises(AttributeError, match="no attribute 'chatt'"):
        client.chatt  # type: ignore[attr-defined]  # noqa: B018


ELSEWHERE = [
    "client.with_raw_response",
    "client.with_streaming_response",
    "client.beta",
    "client.responses",
    "client.conversations",
    "client.batches",
    "client.api_key",
    "client.is_closed",
    "client.timeout",
    "client.max_retries",
    "client.default_headers",
    "client.default_query",
    "client.organization",
    "client.project",
    "client.get",
    "client.post",
    "client.request",
    "client.embeddings",
    "client.images",
    "client.audio",
    "client.moderations",
    "client.fine_tuning",
    "client.vector_stores",
    "client.uploads",
    "client.realtime",
    "client.evals",
    "client.containers",
    "client.webhooks",
    "client.videos",
    "client.skills",
    "client.chat.with_raw_response",
    "client.chat.completions.with_raw_response",
    "client.chat.completions.with_streaming_response",
    "client.chat.completions.list",
    "client.chat.completions.retrieve",
    "client.chat.completions.update",
    "client.chat.completions.delete",
    "client.chat.completions.messages",
    "client.models.with_raw_response",
    "client.completions.with_raw_response",
    "client.files.with_raw_response",
    "answer.output_text",
    "answer.json",
    "answer.dict",
    "answer.copy",
    "answer.model_copy",
    "answer.model_extra",
    "answer.model_fields_set",
    "answer._request_id",
    "answer.message.parsed",
    "answer.choices[0].message.parsed",
    "answer.usage.model_copy",
    "chunk.model_copy",
    "stream.response",
    "stream.get_final_message",
    "stream.get_final_text",
    "stream.current_completion_snapshot",
    "stream.text_stream",
    "error.http_status",
    "error.json_body",
    "error.user_message",
    "error.request",
]


@pytest.fixture
async def there(client: AsyncClient) -> AsyncIterator[dict[str, Any]]:
    """One of each thing that has attributes."""
    answer = await client.chat.completions.create(**ASKED)
    async with client.chat.completions.stream(**ASKED) as stream:
        chunk = await anext(stream)
        error = ServiceUnavailableError("busy", status=503)
        yield {"client": client, "answer": answer, "stream": stream, "chunk": chunk, "error": error}


async def test_names_of_the_openai_package_are_answered_with_ours(there: dict[str, Any]) -> None:
    """Of clients, resources, answers, chunks, streams and errors: an AttributeError that says what to use."""
    for written in ELSEWHERE:
        with pytest.raises(AttributeError, match="; use "):
            eval(written, there)  # noqa: S307 - our own text
        owner, _, name = written.rpartition(".")
        assert not hasattr(eval(owner, there), name)  # noqa: S307


async def test_fields_that_only_others_send(client: AsyncClient) -> None:
    """``None``, as in the openai package; where a server sends one, what it sent. What has no such fields has none."""
    answer: Any = await client.chat.completions.create(**ASKED)
    assert (answer.message.refusal, answer.message.function_call, answer.service_tier) == (None, None, None)
    refusing: Any = attrs.evolve(answer.message, extra={"refusal": "no"})
    assert (refusing.refusal, refusing.annotations) == ("no", None)
    assert attrs.evolve(answer, extra={"service_tier": "flex"}).service_tier == "flex"
    assert not hasattr(answer.message, "refused")
    assert pickle.loads(pickle.dumps(refusing)) == copy.deepcopy(refusing) == refusing  # noqa: S301


@pytest.mark.parametrize("written", ['answer["choices"]', 'answer.message["content"]', "answer[0]", "chunk['id']"])
async def test_values_are_no_mappings(there: dict[str, Any], written: str) -> None:
    """The message says how to get at it; and they are not iterated by their indices."""
    with pytest.raises(TypeError, match=r"no mapping; use .*to_dict\(\)"):
        eval(written, there)  # noqa: S307 - our own text
    with pytest.raises(TypeError, match="not iterable"):
        iter(there["answer"])


async def test_a_class_as_a_format(client: AsyncClient) -> None:
    """`parse` takes it by either name; without one it says which."""
    asked: Any = {**ASKED, "thinking": {"type": "disabled"}}
    completions: Any = client.chat.completions
    for spelled in ({"response_format": _City}, {"response_type": _City}):
        assert isinstance((await completions.parse(**asked, **spelled)).parsed, _City)
    async with completions.stream_parse(**asked, response_format=_City) as stream:
        assert isinstance((await stream.parsed()).parsed, _City)
    with pytest.raises(InvalidRequestError, match="response_type"):
        await completions.parse(**asked)
    with pytest.raises(InvalidRequestError, match="response_type"):
        completions.stream_parse(**asked)


@attrs.frozen
class _City:
    name: str


@pytest.mark.parametrize("variable", ["DEEPSEEK_BASE_URL", "DEEPSEEK_API_BASE"])
def test_the_base_url_in_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Under either name; ours first."""
    monkeypatch.delenv("DEEPSEEK_BASE_URL", raising=False)
    monkeypatch.setenv(variable, "http://127.0.0.1:9/v1")
    assert AsyncClient("k").base_url == "http://127.0.0.1:9/v1"
    monkeypatch.setenv("DEEPSEEK_BASE_URL", "http://127.0.0.1:8")
    assert AsyncClient("k").base_url == "http://127.0.0.1:8"


@pytest.mark.parametrize(
    ("value", "name", "word"),
    [
        (ChatCompletion(), "content", ".text, or .message.content"),
        (ChatCompletion(), "reasoning_content", ".reasoning"),
        (ChatCompletion(), "tokens", ".usage"),
        (Choice(), "text", ".message.content"),
        (Choice(), "tool_calls", ".message.tool_calls"),
    ],
)
def test_what_is_sought_a_step_too_high_is_named(value: Any, name: str, word: str) -> None:
    """Where it is instead; for `hasattr` it is not there."""
    with pytest.raises(AttributeError) as caught:
        getattr(value, name)
    assert str(caught.value).endswith(f"has no attribute {name!r}; use {word}")
    assert not hasattr(value, name)


def test_timeouts_tell_what_there_is() -> None:
    """And by our class's name."""
    with pytest.raises(TypeError, match=r"^Timeouts has no 'read'; it has connect, first_chunk, idle, total$"):
        Timeouts(read=5)
