"""Several callers share a server: each has scripts of its own, and sees its own requests."""

from __future__ import annotations

from typing import Any

import pytest

from deepseek_async.sandbox import Refuse, Script

from ..talking import Talk

pytestmark = pytest.mark.anyio

WAYS: dict[str, tuple[str, dict[str, str]]] = {
    "header": ("/chat/completions", {"x-sandbox-caller": "a"}),
    "path": ("/caller/a/chat/completions", {}),
    "path with a prefix": ("/caller/a/v1/chat/completions", {}),
    "key": ("/chat/completions", {"Authorization": "Bearer a"}),
    "header over path": ("/caller/b/beta/chat/completions", {"x-sandbox-caller": "a"}),
}


@pytest.mark.parametrize(("path", "headers"), WAYS.values(), ids=WAYS)
async def test_a_callers_script_waits_for_its_caller(talk: Talk, path: str, headers: dict[str, str]) -> None:
    """However the caller is named; others, and those without a name, get the next one that is for anybody."""
    talk.server.script(Script(say="for a"), caller="a")
    talk.server.script(Script(say="for b"), caller="b")
    talk.server.script(Script(say="for anybody"), times=None)
    assert (await talk.post()).text == "for anybody"
    assert (await talk.post(path, headers=headers)).text == "for a"
    assert (await talk.post(path, headers=headers)).text == "for anybody"
    assert (await talk.post("/caller/b/chat/completions")).text == "for b"
    assert len(talk.server.scripts) == 1


async def test_two_processes_over_http(talk: Talk) -> None:
    """Scripts, requests and forgetting are each one's own, if the path or header says whose; else everybody's."""
    for caller in ("a", "b"):
        given: dict[str, Any] = {"scripts": [{"say": caller}, {"say": "more"}]}
        if caller == "a":
            await talk.send("POST", "/caller/a/sandbox/scripts", json=given)
        else:
            await talk.send("POST", "/sandbox/scripts", json={**given, "caller": "b"})
    assert (await talk.post("/caller/b/chat/completions")).text == "b"
    assert (await talk.post("/chat/completions", headers={"x-sandbox-caller": "a"})).text == "a"
    await talk.send("DELETE", "/caller/a/sandbox/scripts")
    assert (await talk.post("/caller/a/chat/completions")).text != "more"
    assert (await talk.post("/caller/b/chat/completions")).text == "more"
    seen = (await talk.send("GET", "/caller/a/sandbox/requests")).json["requests"]
    assert [one["caller"] for one in seen] == ["a", "a"]
    await talk.send("DELETE", "/sandbox/requests", headers={"x-sandbox-caller": "b"})
    assert [one["caller"] for one in (await talk.send("GET", "/sandbox/requests")).json["requests"]] == ["a", "a"]


async def test_the_url_of_a_caller(talk: Talk) -> None:
    """A base URL for any client; a name that no path can hold is refused."""
    url = talk.server.caller_url("job-7.x_y")
    assert url == talk.server.base_url + "/caller/job-7.x_y"
    talk.server.script(Script(faults=(Refuse(status=429),)), caller="job-7.x_y")
    assert (await talk.send("GET", "/caller/job-7.x_y/models")).status == 429
    for name in ("", "a/b", "a b", "ä", "./"):
        with pytest.raises(ValueError, match="a caller's name is made of letters"):
            talk.server.caller_url(name)
    assert (await talk.send("GET", "/caller/")).status == 404
    assert (await talk.send("GET", "/caller/a")).status == 200  # the page
