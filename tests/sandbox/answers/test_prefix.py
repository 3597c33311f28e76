"""Chat prefix completion: the answer goes on where the prefix ends, deterministically."""

from __future__ import annotations

from typing import Any

import pytest

from ..talking import HELLO, THINKING, Talk

pytestmark = pytest.mark.anyio

ASK = {**HELLO, "messages": [{"role": "user", "content": "Say something long about Käse and 日本."}], "min_tokens": 30}
BETA = "/beta/chat/completions"


def going_on(body: dict[str, Any], content: str, **fields: Any) -> dict[str, Any]:
    """The same request with the beginning of its answer."""
    begun = {"role": "assistant", "content": content, "prefix": True, **fields}
    return {**body, "messages": [*body["messages"], begun]}


async def test_an_answer_cut_anywhere_goes_on_alike(talk: Talk) -> None:
    """The continuation of every beginning of an answer is the rest of it, logprobs or not, in the middle of tokens."""
    whole = (await talk.post(BETA, body=ASK)).text
    for cut in range(0, len(whole), 7):
        rest = await talk.post(BETA, body=going_on(ASK, whole[:cut]), logprobs=bool(cut % 2))
        assert whole[:cut] + rest.text == whole


async def test_thinking_goes_on_too(talk: Talk) -> None:
    """Cut in the reasoning: what there is as reasoning_content. Cut in the content: all of it, and the content."""
    body = {**ASK, "model": "deepseek-flash"}
    message = (await talk.post(BETA, body=body)).json["choices"][0]["message"]
    reasoning, content = message["reasoning_content"], message["content"]
    for cut in (1, len(reasoning) // 2, len(reasoning)):
        rest = await talk.post(BETA, body=going_on(body, "", reasoning_content=reasoning[:cut]))
        got = rest.json["choices"][0]["message"]
        assert (reasoning[:cut] + got["reasoning_content"], got["content"]) == (reasoning, content)
    for cut in (1, len(content) // 2, len(content)):
        rest = await talk.post(BETA, body=going_on(body, content[:cut], reasoning_content=reasoning))
        got = rest.json["choices"][0]["message"]
        assert (got["reasoning_content"], content[:cut] + got["content"]) == ("", content)


async def test_a_prefix_of_ones_own_is_continued(talk: Talk) -> None:
    """A beginning that the model would not have chosen is taken as given; usage does not count it as completion."""
    answer = await talk.post(BETA, body=going_on(ASK, "```python\n"), max_tokens=5)
    assert answer.status == 200
    assert answer.json["usage"]["completion_tokens"] == 5


async def test_it_is_a_beta_feature(talk: Talk) -> None:
    """Elsewhere it is refused, unless the server is lenient; content must be set; no calls."""
    body = going_on(ASK, "So")
    refused = await talk.post(body=body)
    assert refused.status == 400
    assert "is only available when using beta api" in refused.error["message"]
    assert (await talk.post("/v1/chat/completions", body=body)).status == 400
    talk.server.beta_everywhere = True
    assert (await talk.post(body=body)).status == 200
    missing = {**ASK, "messages": [*ASK["messages"], {"role": "assistant", "content": None, "prefix": True}]}
    assert (await talk.post(BETA, body=missing)).error["message"].startswith("Invalid assistant message: content must")
    calls = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert (await talk.post(BETA, body=going_on(ASK, "x", tool_calls=calls))).status == 400


async def test_no_call_in_the_middle_of_a_text(talk: Talk) -> None:
    """An answer that has begun with text goes on with text."""
    tools = [{"type": "function", "function": {"name": "get_weather"}}]
    body = {**THINKING, "messages": [{"role": "user", "content": "The weather?"}], "tools": tools}
    answer = await talk.post(BETA, body=going_on(body, "It is", reasoning_content="hm"))
    assert answer.json["choices"][0]["finish_reason"] == "stop"
