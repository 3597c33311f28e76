"""Half a JSON text in a 200 that ends in form is a cut, which several proxies make of a server that broke off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deepseek_async import RetryPolicy
from deepseek_async.codec import completion_from_json
from deepseek_async.codec.reading.beginnings import beginning_in
from deepseek_async.codec.reading.responses import text_completion_from_json
from deepseek_async.errors import MalformedResponseError, StreamInterruptedError

from ..wire import HELLO, client_on, completion, to_json, whole

TEXT = 'He said "hé\\o" 雨🦄\n and left'
CHOICE = {"index": 0, "text": TEXT, "finish_reason": "stop"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": [1, 2.5e3, true]}'}}
ANSWERS: dict[str, Any] = {
    "text": completion(TEXT, usage={"total_tokens": 3}),
    "calls": completion("", "tool_calls", tool_calls=[CALL]),
    "reasoning": completion(TEXT, reasoning_content="Hm\t\u2028"),
    "fields of its own": {"timings": {"a": [[], {}, -1.5e-7, None, False]}, **completion(TEXT)},
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("escaped", [True, False])
def test_every_beginning_is_a_cut(name: str, escaped: bool) -> None:
    """Wherever it ends, inside a character too: retryable, maybe billed, with the text so far."""
    body = json.dumps(ANSWERS[name], ensure_ascii=escaped).encode()
    text = completion_from_json(body).text or ""
    seen = set()
    for end in range(1, len(body)):
        with pytest.raises(StreamInterruptedError, match="was cut") as caught:
            completion_from_json(body[:end])
        error = caught.value
        assert error.retryable
        assert error.may_be_billed
        partial = error.partial.text or "" if error.partial is not None else ""
        assert text.startswith(partial)
        assert error.partial is None or not error.partial.complete
        seen.add(partial)
    assert not text or len(seen) > 10


def told(text: str, reasoning: str) -> dict[str, Any]:
    """An answer that has everything."""
    tokens = {
        channel: [
            {"token": word, "logprob": -0.125 * n, "bytes": [*word.encode()],
             "top_logprobs": [{"token": word, "logprob": -0.125 * n, "bytes": None}, {"token": "x", "logprob": -7.25}]}
            for n, word in enumerate(said)
        ]
        for channel, said in (("content", text), ("reasoning_content", reasoning))
    }  # fmt: skip
    call = {"id": "call-12", "type": "function", "index": 0, "function": {"name": "look_up", "arguments": '{"a": "b"}'}}
    calls = [call, {**call, "id": "c2"}]
    message = {"role": "assistant", "content": text, "reasoning_content": reasoning, "tool_calls": calls}
    choice = {"index": 0, "finish_reason": "tool_calls", "logprobs": tokens, "message": message}
    return {**completion(text), "choices": [choice], "usage": {"prompt_tokens": 31, "completion_tokens": 42,
            "total_tokens": 73, "completion_tokens_details": {"reasoning_tokens": 17}}}  # fmt: skip


def turned(value: Any) -> Any:
    """The same with the members of each object in the other order."""
    if isinstance(value, dict):
        return {name: turned(item) for name, item in reversed(value.items())}
    return [turned(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("order", [lambda value: value, turned], ids=["forth", "back"])
@pytest.mark.parametrize("envelope", [None, "data"])
def test_nothing_half_said_is_invented(order: Any, envelope: str | None) -> None:
    """Texts are beginnings of the true ones; ids, names, counts, reasons and tokens are the true ones, or not there."""
    document = told("né", "Hm so")
    true = completion_from_json(json.dumps(document).encode())
    body = json.dumps(order(document if envelope is None else {"code": 0, envelope: document})).encode()
    most = 0
    for end in range(1, len(body), 3):
        with pytest.raises(StreamInterruptedError) as caught:
            completion_from_json(body[:end])
        partial: Any = caught.value.partial
        if partial is None:
            continue
        assert partial.id in ("", true.id)
        assert partial.model in ("", true.model)
        assert partial.system_fingerprint in (None, true.system_fingerprint)
        assert partial.created in (0, true.created)
        assert partial.usage in (None, true.usage)
        assert partial.finish_reason in (None, true.finish_reason)
        assert true.text.startswith(partial.text)
        assert true.reasoning.startswith(partial.reasoning)
        for channel in ("content", "reasoning_content"):
            tokens = getattr(partial.logprobs, channel, None) or ()
            assert tokens == getattr(true.logprobs, channel)[: len(tokens)]
            most += len(tokens)
        for call, true_call in zip(partial.message.tool_calls or (), true.message.tool_calls, strict=False):
            assert call.id in ("", true_call.id)
            assert call.function.name in ("", true_call.function.name)
            assert true_call.function.arguments.startswith(call.function.arguments)
    assert most > 50


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[1, 2",
        b"null",
        b'{"id": tru, "choices": [{"a": 1',
        b'{"id" "7"',
        b'{"a": 1}}',
        b"{]",
        b"Hello {",
    ],
)
def test_what_is_no_beginning_is_no_cut(body: bytes) -> None:
    """Broken in its middle, or something else: not JSON, as before."""
    with pytest.raises(MalformedResponseError):
        completion_from_json(body)


def test_the_other_endpoint() -> None:
    """Fill in the middle likewise."""
    body = to_json(
        {"id": "1", "created": 1, "model": "m", "choices": [{"index": 0, "text": TEXT, "finish_reason": "stop"}]}
    )
    with pytest.raises(StreamInterruptedError) as caught:
        text_completion_from_json(body[:-40])
    assert caught.value.partial is not None
    assert TEXT.startswith(caught.value.partial.text)


@pytest.mark.anyio
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_next_attempt_brings_it(streamed: bool) -> None:
    """Asked again, whole or in place of a stream."""
    body = to_json(completion(TEXT))
    client, transport = client_on(whole(body[: len(body) // 2]), whole(body[:20]), whole(body))
    if streamed:
        async with client.chat.completions.stream(model="m", messages=HELLO) as stream:
            answer = await stream.completion()
    else:
        answer = await client.chat.completions.create(model="m", messages=HELLO)
    assert answer.text == TEXT
    assert len(transport.requests) == 3
    client, _ = client_on(whole(body[:-3]), retry=RetryPolicy(attempts=1))
    with pytest.raises(StreamInterruptedError, match="was cut") as caught:
        await client.chat.completions.create(model="m", messages=HELLO)
    assert caught.value.partial is not None
    assert caught.value.partial.text == TEXT


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (r'{"choices": [{"text": "a\\', {"choices": [{"text": "a\\"}]}),
        (r'{"choices": [{"text": "a\u00', {"choices": [{"text": "a"}]}),
        (r'{"choices": [{"text": "a\\\ud83d', {"choices": [{"text": "a\\"}]}),
        (r'{"choices": [{"text": "a\\ud83d', {"choices": [{"text": "a\\ud83d"}]}),
        (r'{"choices": [{"text": "a\ud83d\ude', {"choices": [{"text": "a"}]}),
        ('{"choices": [{"text": "a, \\"b", "index": 1', {"choices": [{"text": 'a, "b'}]}),
        ('{"a, \\": {": 1, "choices": [{"te', {"a, \": {": 1, "choices": [{}]}),
        ('{"usage": {"a": [1, {"b": "', {}),
        ('{"id": "x", "usage" : {"a": [1], ', {"id": "x"}),
        ('{"choices": [{"index": 0}, {"text": "b"}, ', {"choices": [{"index": 0}, {"text": "b"}]}),
        ('{"data": {"choices": [{"text": "b', {"choices": [{"text": "b"}]}),
        ("{", {}),
        ('{"a" : ', {}),
        ('{"a": 12', {}),
        ('{"a": 12,', {"a": 12}),
        ('{"a": {"b": 1} x', None),
        ('{"a": [1}', None),
        ('{"a": 1}', None),
        ('{"a": "\t', {}),
        ('{"a": "\t", "b": 1, ', None),
        ("[1, ", None),
    ],
)  # fmt: skip
def test_what_a_beginning_says(body: str, said: Any) -> None:
    """Half an escape, half a pair, commas and brackets in texts, what is no JSON at all."""
    assert beginning_in(body.encode()) == said


@pytest.mark.parametrize("deep", ["{", "[", '{"choices":', '{"choices":[', "[[],"])
def test_depth_without_end(deep: str) -> None:
    """A million brackets cost no recursion."""
    assert beginning_in(("{" + '"a":' * (deep[0] == "[") + deep * 100_000).encode()) in (None, {})
