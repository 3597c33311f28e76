"""The sandbox's own paths, for tests in other processes."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from deepseek_async.sandbox import SandboxServer, Schedule

from .talking import Talk

pytestmark = pytest.mark.anyio


async def test_scripts_over_http(talk: Talk) -> None:
    """Added, counted, played, forgotten."""
    added = await talk.send("POST", "/sandbox/scripts", json={"scripts": [{"say": "a"}, {"say": "b"}], "times": 2})
    assert (added.status, added.json) == (200, {"scripts": 2})
    assert [(await talk.post()).text for _ in range(3)] == ["a", "a", "b"]
    assert (await talk.send("DELETE", "/sandbox/scripts")).json == {"scripts": 0}
    assert (await talk.post()).text != "b"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/sandbox/scripts", {"scripts": [{"sya": 1}]}, "Invalid scripts: script: there is no field 'sya'"),
        ("POST", "/sandbox/scripts", {"scripts": [{}], "times": 0}, "Invalid scripts: times must be at least 1"),
        ("POST", "/sandbox/scripts", {"script": {}}, "Object contains unknown field `script`"),
        ("PUT", "/sandbox/ceiling", {"ceiling": "low"}, "Expected `int | object | array | null`, got `str`"),
        ("PUT", "/sandbox/ceiling", {"ceiling": [[9, 1], [1, 1]]}, "Invalid ceiling: steps must be in ascending order"),
    ],
)
async def test_bad_input(talk: Talk, method: str, path: str, body: Any, message: str) -> None:
    """400, and why."""
    answer = await talk.send(method, path, json=body)
    assert answer.status == 400
    assert message in answer.error["message"]


async def test_counts(talk: Talk) -> None:
    """What is in flight, what was refused, billed and spent."""
    await talk.post(headers={"x-sandbox-row": "r1"}, max_tokens=3)
    await talk.send("PUT", "/sandbox/ceiling", json={"ceiling": 0})
    assert (await talk.post()).status == 429
    state = (await talk.send("GET", "/sandbox")).json
    assert state.pop("spent") > "0"
    assert state == {
        "in_flight": {"deepseek-chat": 0},
        "peak": {"deepseek-chat": 1},
        "admitted": 1,
        "refused": 1,
        "billed": {"r1": 1},
        "balance": None,
        "requests": 2,
        "scripts": 0,
    }


@pytest.mark.parametrize(
    ("ceiling", "expected"),
    [
        (25, 25),
        (None, None),
        ({"deepseek-flash": 3}, {"deepseek-flash": 3}),
        ([[0, 9], [2.5, 3]], Schedule([(0, 9), (2.5, 3)])),
    ],
)
async def test_the_ceiling(talk: Talk, ceiling: Any, expected: Any) -> None:
    """A number, a number for each model, a schedule, or none."""
    assert (await talk.send("PUT", "/sandbox/ceiling", json={"ceiling": ceiling})).json == {"ceiling": ceiling}
    assert talk.server.admission.ceiling == expected


async def test_requests_over_http(talk: Talk) -> None:
    """Everything that was seen but the keys; the control's own requests are not among them."""
    await talk.post(headers={"Authorization": "Bearer sk-secret"}, max_tokens=1)
    await talk.post(data=b"\xff")
    seen = (await talk.send("GET", "/sandbox/requests")).json["requests"]
    assert [(one["method"], one["path"], one["status"]) for one in seen] == [
        ("POST", "/chat/completions", status) for status in (200, 400)
    ]
    assert seen[0]["body"]["max_tokens"] == 1
    assert seen[0]["headers"]["Authorization"] == "…"
    assert seen[1]["body"] == "\ufffd"
    await talk.send("DELETE", "/sandbox/requests")
    assert talk.server.requests == []


async def test_a_key_protects_them_too(session: aiohttp.ClientSession) -> None:
    """A server with a key shows nothing to those without it."""
    async with SandboxServer(api_key="sk-1") as server:
        talk = Talk(server, session)
        assert (await talk.send("GET", "/sandbox/requests")).status == 401
        assert (await talk.send("GET", "/sandbox", headers={"Authorization": "Bearer sk-1"})).status == 200
