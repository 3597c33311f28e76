"""The sandbox's own paths, for tests in other processes."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from deepseek_async.sandbox import SandboxServer, Schedule, Script

from ...talking import Talk

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
        ("PUT", "/sandbox/ceiling", {"ceiling": -1}, "Invalid ceiling: a ceiling must not be negative"),
        ("PUT", "/sandbox/ceiling", {"ceiling": [[0, 5], [1, -5]]}, "Invalid ceiling: a ceiling must not be negative"),
    ],
)
async def test_bad_input(talk: Talk, method: str, path: str, body: Any, message: str) -> None:
    """400, and why."""
    answer = await talk.send(method, path, json=body)
    assert answer.status == 400
    assert message in answer.error["message"]


def nested(levels: int, around: str) -> str:
    return around.replace("…", "[" * levels + "]" * levels)


STRANGE = {
    "nested over the limit": nested(200_000, '{"usage": {"a": …}}'),
    "nested near the limit": nested(960, '{"usage": {"a": …}}'),
    "nested arguments": nested(940, '{"calls": [{"name": "f", "arguments": {"a": …}}]}'),
    "no script": nested(100_000, "…"),
    "half a surrogate pair": '{"say": "\\ud800"}',
    "a number too large": '{"rate": 1e999}',
    "another number too large": '{"faults": [{"split": {"size": 1e400}}]}',
    "a header of two lines": '{"headers": {"x": "a\\r\\nSet-Cookie: b"}}',
    "a header's name of two lines": '{"headers": {"a\\nb": "x"}}',
    "a content type of two lines": '{"faults": [{"content_type": {"value": "a\\nb"}}]}',
    "a date of two lines": '{"faults": [{"refuse": {"retry_after": "a\\r\\nb"}}]}',
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("stream", [False, True])
async def test_strange_scripts_are_refused(talk: Talk, text: str, stream: bool) -> None:
    """In the header and over HTTP: 400, and the server goes on."""
    data = text.encode("latin-1")
    if len(data) < 8000:  # what aiohttp takes in a header
        in_header = await talk.post(headers={"x-sandbox-script": text}, stream=stream)
        assert in_header.status == 400, in_header.data
    posted = await talk.send("POST", "/sandbox/scripts", data=b'{"scripts": [%b]}' % data)
    assert (posted.status, (await talk.post(stream=stream)).status) == (400, 200)


async def test_strange_requests_are_listed(talk: Talk) -> None:
    """Whatever came, the list of requests can be read."""
    bodies = [
        b"[" * 100_000,
        nested(950, '{"model": "deepseek-chat", "messages": …}').encode(),
        b'{"a": "\\ud800"}',
        b"\xff",
        b"NaN",
    ]
    for body in bodies:
        assert (await talk.post(data=body, headers={"x-strange": "\udcff"})).status in (400, 422)
    assert (await talk.send("GET", "/%ff%00")).status == 404
    answer = await talk.send("GET", "/sandbox/requests")
    assert (answer.status, len(answer.json["requests"])) == (200, 6)


@pytest.mark.parametrize(("method", "path"), [("PUT", "/sandbox/ceiling"), ("POST", "/sandbox/scripts")])
@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff", b"", b"{", b'{"ceiling": 1e999, "times": 1e999}'])
async def test_strange_bodies(talk: Talk, method: str, path: str, body: bytes) -> None:
    """400, not 500."""
    assert (await talk.send(method, path, data=body)).status == 400


async def test_a_slow_rate_is_no_error(talk: Talk) -> None:
    """The slowest rate there is ends with the client's patience, and not with a broken server."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await talk.post(script=Script(say=("a", "b"), rate=5e-324), stream=True)
    assert (await talk.post()).status == 200


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
    assert seen[0]["headers"]["Authorization"] == "[redacted]"
    assert seen[1]["body"] == "\ufffd"
    await talk.send("DELETE", "/sandbox/requests")
    assert talk.server.requests == []


async def test_a_key_protects_them_too(session: aiohttp.ClientSession) -> None:
    """A server with a key shows nothing to those without it."""
    async with SandboxServer(api_key="sk-1") as server:
        talk = Talk(server, session)
        assert (await talk.send("GET", "/sandbox/requests")).status == 401
        assert (await talk.send("GET", "/sandbox", headers={"Authorization": "Bearer sk-1"})).status == 200
