"""What servers send, and a client that is fed with it: what most tests of the codec and the client begin with."""

from __future__ import annotations

import json
from typing import Any

from deepseek_async import AsyncClient, RetryPolicy, UserMessage
from deepseek_async.transport import Answer, ScriptedTransport

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
HELLO = [UserMessage("Hello?")]
AT_ONCE = RetryPolicy(wait_initial=0.0)
JSON = {"content-type": "application/json"}


def to_json(value: Any) -> bytes:
    """A value as a server writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def event(value: Any) -> bytes:
    """A value as the data of one event."""
    return b"data: " + to_json(value) + b"\n\n"


def chunk(
    content: str | None = None, finish_reason: str | None = None, *, index: int = 0, **said: Any
) -> dict[str, Any]:
    """A chunk of one choice; further fields of its delta as keywords."""
    delta = {"content": content, **said}
    return of_choices({"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason})


def of_choices(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A chunk of given choices."""
    head = {"id": "7f", "object": "chat.completion.chunk", "created": 1760000000, "model": "deepseek-flash"}
    return {**head, "system_fingerprint": "fp_x", "choices": list(choices), **fields}


def stream_of(*chunks: dict[str, Any] | bytes, done: bool = True) -> bytes:
    """The body of a streamed answer."""
    events = [part if isinstance(part, bytes) else event(part) for part in chunks]
    return b"".join(events) + (DONE if done else b"")


def hello(*, done: bool = True) -> bytes:
    """The body of a streamed "Hello."."""
    return stream_of(chunk("", role="assistant"), chunk("Hel"), chunk("lo."), chunk("", "stop"), done=done)


def completion(content: str | None = "Hello.", finish_reason: str | None = "stop", **said: Any) -> dict[str, Any]:
    """A whole completion of one choice; further fields of its message as keywords."""
    message = {"role": "assistant", "content": content, **said}
    return {
        "id": "7f",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "deepseek-flash",
        "system_fingerprint": "fp_x",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
    }


def whole(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in one piece: a value as JSON, or bytes as they are."""
    body = value if isinstance(value, bytes) else to_json(value)
    return Answer([body], status, {**JSON, **headers})


def client_on(*answers: Answer | BaseException, **settings: Any) -> tuple[AsyncClient, ScriptedTransport]:
    """A client that plays the answers instead of using a network; it retries at once, and knows of ``/beta``."""
    transport = ScriptedTransport(answers)
    known = {} if "base_url" in settings else {"base_url": "http://localhost:1", "has_beta": True}
    settings = {**known, "retry": AT_ONCE, **settings}
    return AsyncClient(transport=transport, **settings), transport
