"""A page in a browser may call the API; what tests have asked is not for it."""

from __future__ import annotations

import pytest

from deepseek_async.sandbox import Refuse, Script

from ..talking import Talk

pytestmark = pytest.mark.anyio

ORIGIN = {"Origin": "http://localhost:5173"}


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions", "/caller/a/beta/completions", "/models"])
async def test_a_preflight(talk: Talk, path: str) -> None:
    """Allows the path's method and the headers that are asked for; it is no request of its own."""
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
    }
    answer = await talk.send("OPTIONS", path, headers=asked)
    assert (answer.status, answer.data) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == ("GET" if path == "/models" else "POST")
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization,content-type,x-stainless-os"
    assert talk.server.requests == []


@pytest.mark.parametrize("stream", [False, True])
async def test_answers_and_errors_can_be_read(talk: Talk, stream: bool) -> None:
    """Also refusals, scripted and not; without an origin nothing is said."""
    allowed = "Access-Control-Allow-Origin"
    assert (await talk.post(headers=ORIGIN, stream=stream)).headers[allowed] == "*"
    assert (await talk.post(headers=ORIGIN, stream=stream, max_tokens=0)).headers[allowed] == "*"
    refused = await talk.post(headers=ORIGIN, script=Script(faults=(Refuse(status=429),)))
    assert (refused.status, refused.headers[allowed]) == (429, "*")
    assert allowed not in (await talk.post(stream=stream)).headers


async def test_the_control_paths_stay_closed(talk: Talk) -> None:
    """No other origin reads the prompts of tests."""
    for path in ("/sandbox/requests", "/sandbox", "/"):
        assert "Access-Control-Allow-Origin" not in (await talk.send("GET", path, headers=ORIGIN)).headers
    assert (await talk.send("OPTIONS", "/sandbox/requests", headers=ORIGIN)).status == 405
