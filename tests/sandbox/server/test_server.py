"""The server as a thing that is started, scripted, watched and stopped."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from deepseek_async import Usage, cost_of
from deepseek_async.sandbox import Cut, Refuse, SandboxServer, Script, Stall

from ..talking import HELLO, Talk

pytestmark = pytest.mark.anyio


async def test_it_listens_on_loopback_and_nowhere_else() -> None:
    """Another host needs expose=True, and the error says so."""
    async with SandboxServer() as server:
        assert server.base_url.startswith("http://127.0.0.1:")
    with pytest.raises(ValueError, match=r"host '0\.0\.0\.0' is not loopback.*pass expose=True"):
        SandboxServer(host="0.0.0.0")
    async with SandboxServer(host="0.0.0.0", expose=True) as server:
        assert server.base_url.startswith("http://0.0.0.0:")


async def test_ipv6_and_a_given_port(session: aiohttp.ClientSession) -> None:
    """An IPv6 address is written in brackets; a port can be chosen."""
    async with SandboxServer() as server:
        port = int(server.base_url.rsplit(":", 1)[1])
    async with SandboxServer(host="::1", port=port) as server:
        assert server.base_url == f"http://[::1]:{port}"
        assert (await Talk(server, session).send("GET", "/models")).status == 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0}, "rate must be over 0 tokens a second, got 0"),
        ({"latency": -1}, "latency must not be negative, got -1"),
        ({"balance": "much"}, "balance must be an amount in US dollars, got 'much'"),
        ({"balance": "inf"}, "balance must be an amount in US dollars, got 'inf'"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    """Where the server is made, not when the first request comes."""
    with pytest.raises(ValueError, match=message):
        SandboxServer(**options)


def test_before_the_start() -> None:
    """What needs a started server says so."""
    with pytest.raises(RuntimeError, match="async with SandboxServer"):
        _ = SandboxServer().model
    with pytest.raises(RuntimeError, match="async with SandboxServer"):
        _ = SandboxServer().wheel


async def test_stopping_does_not_wait_for_stalled_answers(session: aiohttp.ClientSession) -> None:
    """Open streams are broken off."""
    loop = asyncio.get_running_loop()
    async with SandboxServer() as server:
        server.script(Script(faults=(Stall(seconds=60),)))
        answer = await session.post(server.base_url + "/chat/completions", json={**HELLO, "stream": True})
        began = loop.time()
    assert loop.time() - began < 10.0
    with pytest.raises(aiohttp.ClientError):
        await answer.read()


async def test_requests_are_recorded(talk: Talk) -> None:
    """All of them, in order, with everything that was sent and what it was answered."""
    await talk.post("/v1/chat/completions", headers={"Authorization": "Bearer sk-secret", "X-Mine": "1"})
    await talk.send("GET", "/models?x=1")
    await talk.post(data=b"no json")
    first, second, third = talk.server.requests
    assert (first.method, first.path, first.status) == ("POST", "/v1/chat/completions", 200)
    assert first.json["messages"] == HELLO["messages"]
    assert (first.headers["x-mine"], first.headers["authorization"]) == ("1", "Bearer sk-secret")
    assert (second.method, second.path) == ("GET", "/models")
    assert (third.body, third.status) == (b"no json", 400)
    with pytest.raises(ValueError):
        _ = third.json
    assert first.at <= second.at <= third.at


async def test_a_record_shows_neither_key_nor_prompt(talk: Talk) -> None:
    """Its repr can go into a log."""
    await talk.post(headers={"Authorization": "Bearer sk-secret"})
    shown = repr(talk.server.requests[-1])
    assert "sk-secret" not in shown
    assert "Hello!" not in shown
    assert "'Authorization': '[redacted]'" in shown


async def test_only_the_latest_are_kept_if_asked(session: aiohttp.ClientSession) -> None:
    """A server that runs for long needs not remember everything."""
    async with SandboxServer(keep_requests=2) as server:
        for seed in range(4):
            await Talk(server, session).post(seed=seed, max_tokens=1)
        assert [seen.json["seed"] for seen in server.requests] == [2, 3]


async def test_scripts_are_played_in_order(talk: Talk) -> None:
    """One a request, then the model again; each so often as asked."""
    talk.server.script(Script(say="one"), Script(say="two"))
    talk.server.script(Script(say="three"), times=2)
    texts = [(await talk.post()).text for _ in range(6)]
    assert texts[:4] == ["one", "two", "three", "three"]
    assert texts[4] == texts[5] not in ("three", "")
    assert [seen.script and seen.script.say for seen in talk.server.requests[3:]] == ["three", None, None]


async def test_scripts_by_predicate(talk: Talk) -> None:
    """A script can wait for its request, for ever if it likes."""
    talk.server.script(Script(say="to ada"), times=None, when=lambda seen: seen.json.get("user_id") == "ada")
    assert (await talk.post()).text != "to ada"
    assert [(await talk.post(user_id="ada")).text for _ in range(3)] == ["to ada"] * 3
    talk.server.scripts.clear()
    assert (await talk.post(user_id="ada")).text != "to ada"


async def test_a_header_goes_first(talk: Talk) -> None:
    """A request's own script leaves those waiting alone."""
    talk.server.script(Script(say="waiting"))
    assert (await talk.post(headers={"x-sandbox-script": '{"say": "mine"}'})).text == "mine"
    assert (await talk.post()).text == "waiting"


async def test_a_header_in_any_encoding(talk: Talk) -> None:
    """Escaped, in UTF-8, or in Latin-1 as fetch() sends it."""
    port = int(talk.server.base_url.rsplit(":", 1)[1])
    for said in (b"sch\\u00f6n", "schön".encode(), "schön".encode("latin-1")):
        body = json.dumps(HELLO).encode()
        head = b"POST /chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        head += b'x-sandbox-script: {"say": "%b"}\r\nContent-Length: %d\r\n\r\n' % (said, len(body))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body)
        assert '"content":"schön"' in (await reader.read()).decode()
        writer.close()


async def test_a_bad_header_is_refused_with_the_reason(talk: Talk) -> None:
    """It names the header, the field and what there is."""
    answer = await talk.post(headers={"x-sandbox-script": '{"faults": ["explode"]}'})
    assert answer.status == 400
    assert answer.error["message"].startswith("Invalid x-sandbox-script header: faults[0]: there is no fault 'explode'")


async def test_words_wait_for_an_endpoint_that_speaks(talk: Talk) -> None:
    """GET /models does not use up a script that says something; it does use up a fault."""
    talk.server.script(Script(say="hello"))
    assert (await talk.send("GET", "/models")).status == 200
    talk.server.script(Script(faults=(Refuse(status=500),)))
    assert (await talk.send("GET", "/user/balance")).status == 500
    assert (await talk.post()).text == "hello"


def test_a_script_is_played_at_least_once() -> None:
    """times=0 is a mistake."""
    with pytest.raises(ValueError, match="times must be at least 1, got 0"):
        SandboxServer().script(Script(), times=0)


async def test_a_script_changes_what_the_end_says(talk: Talk) -> None:
    """Finish reason, usage and headers, over the model's own answer."""
    script = Script(finish_reason="content_filter", usage={"total_tokens": 1, "extra": 2}, headers={"X-Mine": "yes"})
    for stream in (False, True):
        answer = await talk.post(script=script, stream=stream, max_tokens=3)
        last = answer.chunks[-1] if stream else answer.json
        assert last["choices"][0]["finish_reason"] == "content_filter"
        assert (last["usage"]["total_tokens"], last["usage"]["extra"]) == (1, 2)
        assert answer.headers["X-Mine"] == "yes"


async def test_a_seed_makes_it_byte_for_byte_repeatable(session: aiohttp.ClientSession) -> None:
    """Two servers of one seed send the same bytes, whenever they were started."""
    clocks = itertools.count(1_760_000_000.5, 7.0)

    async def answers() -> list[bytes]:
        async with SandboxServer(seed=3, clock=lambda: next(clocks)) as server:
            talk = Talk(server, session)
            return [(await talk.post(stream=stream, logprobs=True)).data for stream in (True, False)]

    assert await answers() == await answers()


async def test_created_is_now_or_the_requests_own(session: aiohttp.ClientSession) -> None:
    """The clock's without a seed; with one a time for which prices are known, another for another request."""
    clock = itertools.count(1000.0, 1000.0)
    async with SandboxServer(clock=lambda: next(clock)) as server:
        talk = Talk(server, session)
        assert [(await talk.post()).json["created"] for _ in range(2)] == [1000, 2000]
        times = [(await talk.post(seed=seed, stream=False)).json["created"] for seed in (1, 1, 2)]
    assert times[0] == times[1] != times[2]
    assert all(1_788_220_800 <= time < 1_798_761_600 for time in times)
    sent = [datetime.fromtimestamp(time, UTC) for time in times]
    assert all(cost_of(Usage(10, 10, 20), "deepseek-flash", at=at) for at in sent)


async def test_a_failure_of_ours_is_a_500(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged without the prompt, the client gets an error object; once an answer began it breaks off."""

    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR, "deepseek_async.sandbox"):
        patched.setattr(type(talk.server.model), "render", fail)
        answer = await talk.post()
        assert (answer.status, answer.error["message"]) == (500, "Internal Server Error")
    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR, "deepseek_async.sandbox"):
        patched.setattr(type(talk.server.model), "generate", fail)
        with pytest.raises(aiohttp.ClientError):
            await talk.post(stream=True)
    assert "Hello!" not in caplog.text
    assert (await talk.post()).status == 200


async def test_cutting_faults_are_not_failures(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged about what a script asked for."""
    await talk.post(stream=True, script=Script(faults=(Cut(after_chunk=1),)))
    assert not caplog.records


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda server: server.script("Hi."), TypeError, r"takes Script values, got str; write Script\(say='Hi.'\)"),
        (lambda server: server.script({"say": "Hello."}), TypeError, "takes Script values, got dict"),
        (lambda server: server.script(Cut()), TypeError, "takes Script values, got Cut"),
        (lambda server: server.script(Script(), when="POST"), TypeError, "when must be a function of a SeenRequest"),
        (lambda server: server.script(Script(), times=True), ValueError, "times must be at least 1, got True"),
        (lambda _: Script(faults=Cut()), TypeError, r"faults must be a sequence of faults such as Cut\(\).*, got Cut"),
        (lambda _: Script(faults=("cut",)), TypeError, r"faults must hold faults such as Cut\(\).*, got 'cut'"),
        (lambda _: Script(faults=(Cut,)), TypeError, r"faults must hold faults such as .*, got <class"),
        (lambda _: Script(say=5), TypeError, "say must be a sequence of strings or one string, got int"),
        (lambda _: Script(think=("a", None)), TypeError, "think must hold strings, got None"),
        (lambda _: Script(calls=("f",)), TypeError, "calls must hold Call values, got 'f'"),
    ],
)
def test_what_is_no_script_is_told_at_once(make: Any, kind: type[Exception], message: str) -> None:
    """With what was given, and what is wanted."""
    with pytest.raises(kind, match=message):
        make(SandboxServer())


def test_under_another_event_loop_it_says_what_to_do() -> None:
    """trio, or none at all: no coroutine of ours can run there."""
    starting = SandboxServer().__aenter__()
    with pytest.raises(RuntimeError, match=r"runs on asyncio only; under trio.*in_background"):
        starting.send(None)
