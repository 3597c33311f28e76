"""What a hook is called with: one frozen record for each thing that happens to a call.

Records carry counts, times and names; never a key, a prompt or an answer. Times are seconds. The one record with texts
in it is `Content`, and only a hook that asks for it is called with it.

Each has ``call``, which counts a client's calls from 1, and ``client``, which counts the clients of the process from 1:
a hook of several clients tells calls apart by the two.
"""

from __future__ import annotations

import attrs

from ..errors import DeepSeekError
from ..types import ChatCompletion, TextCompletion, Usage
from .intervals import ChunkIntervals


@attrs.frozen
class RequestParameters:
    """What a request asks for, without any of its texts. ``None``: the request does not say.

    Read from the body as it is sent, ``extra_body`` included.

    Attributes:
        messages, tools: How many.
        stream: Whether the answer is asked for as a stream.
        stop: How many stop sequences.
        thinking, response_format, tool_choice: Their type or word; ``"function"`` for a tool that is named.
        n, seed: As other servers know them.
        size: Bytes of the body.
    """

    messages: int = 0
    tools: int = 0
    stream: bool = False
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop: int = 0
    logprobs: bool | None = None
    top_logprobs: int | None = None
    thinking: str | None = None
    reasoning_effort: str | None = None
    response_format: str | None = None
    tool_choice: str | None = None
    n: int | None = None
    seed: int | None = None
    size: int = 0


@attrs.frozen
class AttemptStarted:
    """An attempt begins. A hook may return a mapping of headers for this attempt's request.

    Attributes:
        call: Counts the client's calls from 1; the same for all attempts of one call.
        attempt: Counts from 1.
        parameters: What the body asks for; ``None`` where there is no body.
    """

    call: int
    attempt: int
    method: str
    url: str
    model: str | None
    parameters: RequestParameters | None = None
    client: int = 0


@attrs.frozen
class Connected:
    """There is a connection, and the request goes out. Comes again if the request does, because a kept one was stale.

    Attributes:
        waited: Seconds until a connection was free, because ``max_connections`` were busy.
        connecting: Seconds that making a new one took, TLS included; 0 for one that was kept.
        reused: Whether it was kept from an earlier request.
    """

    call: int
    attempt: int
    waited: float
    connecting: float
    reused: bool
    client: int = 0


@attrs.frozen
class FirstChunk:
    """The answer begins: its first chunk, or the first byte of a body.

    Attributes:
        elapsed: Seconds that the client waited for it since the request went out; see `Connected` for the time before.
            What a caller does between opening a stream and reading it is left out.
    """

    call: int
    attempt: int
    elapsed: float
    request_id: str | None
    client: int = 0


@attrs.frozen
class RetryScheduled:
    """An attempt failed and another will follow after ``wait`` seconds."""

    call: int
    attempt: int
    wait: float
    error: DeepSeekError
    client: int = 0


@attrs.frozen
class Held:
    """An attempt is about to wait ``wait`` seconds because of what other calls were told; ``why`` says what."""

    call: int
    attempt: int
    wait: float
    why: str
    model: str | None = None
    client: int = 0


@attrs.frozen
class Content:
    """The texts of a call that is about to end, for hooks whose ``wants_content`` is True, and for no others.

    Attributes:
        request: The body that was sent last; ``None``: none was.
        answer: The answer, or as much of it as came; ``None``: nothing came, or no completion.
    """

    call: int
    request: bytes | None = attrs.field(repr=lambda body: f"<{len(body or b'')} bytes>")
    answer: ChatCompletion | TextCompletion | None = attrs.field(
        repr=lambda answer: "None" if answer is None else f"<{type(answer).__name__}>"
    )
    client: int = 0


@attrs.frozen
class Ended:
    """A call is over. Comes once for each call, also for a stream that is dropped.

    Attributes:
        outcome: ``"completed"``, ``"failed"``, ``"cancelled"``, or ``"closed"`` (the caller left a stream early).
        elapsed: Seconds since the call's start, waits included.
        chunks: Chunks received in the last attempt; 0 if not streamed.
        error: How it failed.
        model: As it was asked for.
        status: HTTP status of the last attempt; ``None``: its head never came.
        usage: As the server told it, if it did before the end.
        finish_reasons: Those that came, in order of the choices' arrival.
        response_id, response_model: The answer's ``id`` and ``model``.
        first_chunk: `FirstChunk.elapsed` of the last attempt; ``None``: nothing came.
        intervals: The times between its chunks.
    """

    call: int
    attempts: int
    outcome: str
    elapsed: float
    chunks: int = 0
    request_id: str | None = None
    error: DeepSeekError | None = None
    model: str | None = None
    status: int | None = None
    usage: Usage | None = None
    finish_reasons: tuple[str, ...] = ()
    response_id: str | None = None
    response_model: str | None = None
    first_chunk: float | None = None
    intervals: ChunkIntervals = ChunkIntervals()
    client: int = 0


Record = AttemptStarted | Connected | FirstChunk | RetryScheduled | Held | Content | Ended
