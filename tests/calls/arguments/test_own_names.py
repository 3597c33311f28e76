"""A method that takes arguments of its own beside a request's: for a name that is none, both may have been meant."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from deepseek_async import AsyncClient, Conversation, InvalidRequestError, Resume
from deepseek_async.testing import Answer, ScriptedTransport

CLIENT = AsyncClient("k", base_url="http://127.0.0.1:9")
CHAT: dict[str, Any] = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Hi"}]}
NEEDED: dict[str, dict[str, Any]] = {
    "chat.completions.create": CHAT,
    "chat.completions.stream": CHAT,
    "chat.completions.parse": {**CHAT, "response_type": int},
    "chat.completions.stream_parse": {**CHAT, "response_type": int},
    "chat.completions.run_tools": {**CHAT, "tools": [len]},
    "completions.create": {"model": "deepseek-flash", "prompt": "a"},
    "files.create": {"file": b"a"},
    "files.upload": {"file": b"a"},
    "files.list": {},
    "files.retrieve": {"file_id": "f"},
    "files.get": {"file_id": "f"},
    "files.delete": {"file_id": "f"},
    "models.list": {},
    "models.retrieve": {"model": "m"},
    "user.balance": {},
}


def weather(city: str) -> str:
    """The weather in a city."""
    return city


NEEDED["chat.completions.run_tools"]["tools"] = [weather]


def method_at(path: str) -> Any:
    found: Any = CLIENT
    for name in path.split("."):
        found = getattr(found, name)
    return found


async def call(method: Any, **given: Any) -> Any:
    found = method(**given)
    return await found if inspect.isawaitable(found) else found


def test_no_method_is_forgotten() -> None:
    """Each public one of a client's resources that takes more than it names."""
    resources = ("chat.completions", "completions", "files", "models", "user")
    methods = {
        f"{place}.{name}"
        for place in resources
        for name, member in inspect.getmembers(type(method_at(place)), inspect.isfunction)
        if not name.startswith("_")
        if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(member).parameters.values())
    }
    assert methods == set(NEEDED)


@pytest.mark.anyio
@pytest.mark.parametrize("path", NEEDED)
async def test_its_own_names_are_meant_too(path: str) -> None:
    """Each of them, with a letter too much; they are in the list of all there is; nothing is sent."""
    method = method_at(path)
    own = [p.name for p in inspect.signature(method).parameters.values() if p.kind is not p.VAR_KEYWORD]
    for name in (*own, "timeouts"):
        wrong = f"{name}x"
        with pytest.raises(InvalidRequestError) as caught:
            await call(method, **{**NEEDED[path], wrong: 1})
        assert f"{wrong} is unknown (did you mean {name}?)" in str(caught.value)
        assert name in caught.value.allowed
        assert caught.value.parameter == wrong


@pytest.mark.parametrize(
    ("given", "meant"), [("sytem", "system"), ("trimm", "trim"), ("tool", "tools"), ("temprature", "temperature")]
)
def test_a_conversation_tells_it_when_it_is_made(given: str, meant: str) -> None:
    """And not with its first question; names of other packages are taken as ever."""
    with pytest.raises(InvalidRequestError, match=rf"^{given} is unknown \(did you mean {meant}\?\)"):
        Conversation(CLIENT, model="deepseek-flash", **{given: "x"})  # type: ignore[arg-type]
    assert Conversation(CLIENT, model="deepseek-flash", seed=3, max_completion_tokens=9).parameters["seed"] == 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"response_type": int}, "parse(response_type=…)"),
        ({"resume": Resume()}, "stream(resume=…)"),
        ({"max_turns": 3}, "run_tools(max_turns=…)"),
        ({"consent": print}, "run_tools(consent=…)"),
        ({"attempts": 3}, "retry=RetryPolicy(attempts=…)"),
    ],
)
async def test_what_another_method_takes_is_told_of_it(given: dict[str, Any], advice: str) -> None:
    """By the name under which it is there."""
    with pytest.raises(InvalidRequestError) as caught:
        await CLIENT.chat.completions.create(**CHAT, **given)
    assert caught.value.allowed.startswith(advice)


@pytest.mark.anyio
async def test_other_spellings_hold_where_nothing_is_asked_of_a_model() -> None:
    """``timeout`` and ``max_retries`` were taken there, and had no effect."""
    broken = [Answer(status=503), Answer([b'{"data":[{"id":"m"}]}'])]
    async with AsyncClient("k", transport=ScriptedTransport(broken), retry={"wait_initial": 0}) as client:  # type: ignore[arg-type]
        assert [model.id for model in await client.models.list(timeout=5, max_retries=1)] == ["m"]
