"""`stream_events` writes an answer as a stream: one chunk for each emission.

All that chunks of one answer have in common is encoded once.

Order and fields are the API's: the role first, ``content: null`` while thinking, usage on the chunk that carries the
last finish reason, ``data: [DONE]`` after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..scripts.actions import Event
from ..scripts.playback import DONE
from .answer import Answer, Called, Emission, Token

__all__ = ["stream_events"]

_encode = msgspec.json.Encoder().encode

_ROLE = b'{"role":"assistant","content":""}'
_ROLE_THINKING = b'{"role":"assistant","content":null,"reasoning_content":""}'
_THOUGHT = b'{"content":null,"reasoning_content":'
_CONTENT = b'{"content":'
_CONTENT_AFTER_THOUGHT = b'{"reasoning_content":null,"content":'
_NOTHING = b'{"content":""}'
_NO_LOGPROBS = b',"logprobs":null'
_UNFINISHED = b',"finish_reason":null}]'


def stream_events(answer: Answer, *, include_usage: bool) -> Iterator[Event]:
    """The events of a stream, ``[DONE]`` included.

    Args:
        include_usage: Whether chunks before the last one say ``usage: null``.
    """
    head = _encode(
        {
            "id": answer.id,
            "object": "chat.completion.chunk",
            "created": answer.created,
            "model": answer.model,
            "system_fingerprint": answer.fingerprint,
        }
    )
    # Everything but the text is the same in every chunk of a choice: two templates, one concatenation.
    before = [b'data: %b,"choices":[{"index":%d,"delta":' % (head[:-1], index) for index in range(answer.choices)]
    no_usage = b',"usage":null}\n\n' if include_usage else b"}\n\n"
    going_on = _UNFINISHED + no_usage
    after = b"}" + _NO_LOGPROBS + going_on
    content = _CONTENT_AFTER_THOUGHT if answer.thinking else _CONTENT
    role = _ROLE_THINKING if answer.thinking else _ROLE

    for index in range(answer.choices):
        yield Event(before[index] + role + _NO_LOGPROBS + going_on)
    completion_tokens = reasoning_tokens = 0
    left = answer.choices
    for index, said in answer.emissions:
        completion_tokens += said.count
        if isinstance(said, Emission):
            thought = said.channel == "reasoning_content"
            if thought:
                reasoning_tokens += said.count
            delta = (_THOUGHT if thought else content) + _encode(said.text)
            if said.tokens:
                yield Event(
                    before[index] + delta + b"}" + _logprobs(said.tokens, thought=thought) + going_on,
                    "chunk",
                    said.count,
                )
            else:
                yield Event(before[index] + delta + after, "chunk", said.count)
        elif isinstance(said, Called):
            delta = _encode({"tool_calls": [_fragment(said)]})
            yield Event(before[index] + delta + _NO_LOGPROBS + going_on, "chunk", said.count)
        else:
            left -= 1
            tail = no_usage
            if not left:
                usage = answer.usage(completion_tokens, reasoning_tokens)
                tail = b',"usage":' + _encode(usage.to_wire()) + b"}\n\n"
            ending = _NO_LOGPROBS + b',"finish_reason":' + _encode(said.reason) + b"}]" + tail
            yield Event(before[index] + _NOTHING + ending, "chunk" if left else "last", said.count)
    yield Event(DONE, "done")


def _logprobs(tokens: tuple[Token, ...], *, thought: bool) -> bytes:
    if thought:
        return b',"logprobs":{"content":null,"reasoning_content":%b}' % _encode(tokens)
    return b',"logprobs":{"content":%b,"reasoning_content":null}' % _encode(tokens)


def _fragment(call: Called) -> dict[str, Any]:
    function = {"arguments": call.arguments}
    if call.id is None:
        return {"index": call.index, "function": function}
    return {"index": call.index, "id": call.id, "type": "function", "function": {"name": call.name, **function}}
