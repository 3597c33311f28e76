"""An answer as a stream: one chunk an emission, written from byte templates prepared once an answer.

Order and fields are the API's: the role first, ``content: null`` while thinking, usage on the chunk that carries the
finish reason, ``data: [DONE]`` after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from .answers import Answer, Called, Emission, Usage

__all__ = ["DONE", "chunk_events"]

DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


def chunk_events(answer: Answer, *, include_usage: bool) -> Iterator[tuple[bytes, int]]:
    """Yield (event, tokens in it), ``[DONE]`` not included."""
    head = _encode(
        {
            "id": answer.id,
            "object": "chat.completion.chunk",
            "created": answer.created,
            "model": answer.model,
            "system_fingerprint": answer.fingerprint,
        }
    )
    before = [b"data: " + head[:-1] + b',"choices":[{"index":%d,"delta":' % n for n in range(answer.choices)]
    no_usage = b',"usage":null}\n\n' if include_usage else b"}\n\n"
    going_on = b',"finish_reason":null}]' + no_usage
    no_logprobs = b',"logprobs":null'

    first = (
        b'{"role":"assistant","content":null,"reasoning_content":""}'
        if answer.thinking
        else (b'{"role":"assistant","content":""}')
    )
    for index in range(answer.choices):
        yield before[index] + first + no_logprobs + going_on, 0

    thinking_delta = b'{"content":null,"reasoning_content":'
    content_delta = b'{"reasoning_content":null,"content":' if answer.thinking else b'{"content":'
    completion_tokens = reasoning_tokens = 0
    left = answer.choices
    for index, emission in answer.emissions:
        completion_tokens += emission.count
        if isinstance(emission, Emission):
            logprobs = no_logprobs
            if emission.channel == "content":
                delta = content_delta + _encode(emission.text) + b"}"
                if emission.tokens is not None:
                    logprobs = b',"logprobs":{"content":' + _encode(emission.tokens) + b',"reasoning_content":null}'
            else:
                reasoning_tokens += emission.count
                delta = thinking_delta + _encode(emission.text) + b"}"
                if emission.tokens is not None:
                    logprobs = b',"logprobs":{"content":null,"reasoning_content":' + _encode(emission.tokens) + b"}"
            yield before[index] + delta + logprobs + going_on, emission.count
        elif isinstance(emission, Called):
            yield (
                before[index] + _encode({"tool_calls": [_fragment(emission)]}) + no_logprobs + going_on,
                emission.count,
            )
        else:
            left -= 1
            ending = b'{"content":""},"logprobs":null,"finish_reason":'.replace(b',"logprobs":null', no_logprobs)
            tail = no_usage
            if not left:
                usage = Usage(
                    answer.prompt_tokens,
                    answer.cached_tokens,
                    completion_tokens,
                    reasoning_tokens if answer.thinking else None,
                )
                tail = b',"usage":' + _encode(usage.to_wire()) + b"}\n\n"
            yield before[index] + ending + _encode(emission.reason) + b"}]" + tail, emission.count


def _fragment(call: Called) -> dict[str, Any]:
    function: dict[str, Any] = {"arguments": call.arguments}
    if call.id is None:
        return {"index": call.index, "function": function}
    return {"index": call.index, "id": call.id, "type": "function", "function": {"name": call.name, **function}}
