"""What a hook is called with: one frozen record for each thing that happens to a call.

Records carry counts, times and names; never a key, a prompt or an answer. Times are seconds.
"""

from __future__ import annotations

import attrs

from ..errors import DeepSeekError


@attrs.frozen
class AttemptStarted:
    """An attempt begins. ``attempt`` counts from 1; ``call`` is the same number for all attempts of one call."""

    call: int
    attempt: int
    method: str
    url: str
    model: str | None


@attrs.frozen
class FirstChunk:
    """The answer begins: its first chunk, or the first byte of a body. ``elapsed`` since the attempt's start."""

    call: int
    attempt: int
    elapsed: float
    request_id: str | None


@attrs.frozen
class RetryScheduled:
    """An attempt failed and another will follow after ``wait`` seconds."""

    call: int
    attempt: int
    wait: float
    error: DeepSeekError


@attrs.frozen
class Held:
    """An attempt is about to wait ``wait`` seconds because of what other calls were told; ``why`` says what."""

    call: int
    attempt: int
    wait: float
    why: str


@attrs.frozen
class Ended:
    """A call is over.

    Attributes:
        outcome: ``"completed"``, ``"failed"``, ``"cancelled"``, or ``"closed"`` (the caller left a stream early).
        elapsed: Seconds since the call's start, waits included.
        chunks: Chunks received in the last attempt; 0 if not streamed.
        error: How it failed.
    """

    call: int
    attempts: int
    outcome: str
    elapsed: float
    chunks: int = 0
    request_id: str | None = None
    error: DeepSeekError | None = None


Record = AttemptStarted | FirstChunk | RetryScheduled | Held | Ended
