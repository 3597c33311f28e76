"""The lines of the log. None holds a key, a prompt or an answer: errors are redacted before they come here."""

from __future__ import annotations

from typing import Final

from ...hooks.records import RequestParameters
from ...transport import HTTPRequest
from ...types.secrecy import in_one_line, secrets_in, without, without_keys

_SHOWN: Final = ("max_tokens", "temperature", "top_p", "thinking", "reasoning_effort", "response_format", "tools")


def attempt_line(
    request: HTTPRequest,
    parameters: RequestParameters | None,
    *,
    model: str | None,
    client: int,
    call: int,
    attempt: int,
    status: int | None,
    outcome: str,
    elapsed: float,
    way: str,
    first_chunk: float | None,
    chunks: int,
    request_id: str | None,
) -> str:
    """One attempt in one line, e.g.

    ``POST https://…/chat/completions 200 completed in 1.204 s (client 1, call 3, attempt 1; deepseek-flash,
    2 messages, stream, max_tokens=50; a kept connection, first chunk after 0.310 s, 41 chunks; request_id …)``
    """
    asked = [] if model is None else [model]
    if parameters is not None:
        if parameters.messages:
            asked.append(f"{parameters.messages} message{'' if parameters.messages == 1 else 's'}")
        if parameters.stream:
            asked.append("stream")
        asked += [
            f"{name}={value}" for name in _SHOWN if (value := getattr(parameters, name)) is not None and value != 0
        ]
    came = [way]
    if first_chunk is not None:
        came.append(f"first {'chunk' if chunks else 'byte'} after {first_chunk:.3f} s")
    if chunks:
        came.append(f"{chunks} chunk{'' if chunks == 1 else 's'}")
    facts = [f"client {client}, call {call}, attempt {attempt}", ", ".join(asked), ", ".join(came)]
    if request_id:
        facts.append(f"request_id {request_id}")
    line = (
        f"{request.method} {request.url} {'no answer' if status is None else status}, {outcome}, in {elapsed:.3f} s "
        f"({'; '.join(filter(None, facts))})"
    )
    return without_keys(without(secrets_in(request.headers), in_one_line(line)))
