"""How a stream came through a proxy, in words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import attrs

from deepseek_async import AsyncClient, DeepSeekError, RetryPolicy
from deepseek_async.errors import APIStatusError, APITimeoutError, StreamInterruptedError

ONCE = RetryPolicy(attempts=1)
ASK: dict[str, Any] = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Count."}]}


@attrs.define
class Read:
    """One stream as its reader had it.

    Attributes:
        times: When each delta came, seconds from the first byte asked for.
        text: What was delivered.
        error: How it failed, if it did.
    """

    times: list[float] = attrs.field(factory=list)
    text: str = ""
    error: DeepSeekError | None = None

    @property
    def bursts(self) -> int:
        """How many times something came after nothing had come for 25 ms."""
        pauses = zip(self.times, self.times[1:], strict=False)
        return bool(self.times) + sum(later - earlier > 0.025 for earlier, later in pauses)


async def read(client: AsyncClient, **more: Any) -> Read:
    """Ask for a stream and read it to its end."""
    seen = Read()
    began = time.monotonic()
    try:
        async with client.chat.completions.stream(**{**ASK, "retry": ONCE, **more}) as stream:
            async for piece in stream.text_deltas():
                seen.times.append(time.monotonic() - began)
                seen.text += piece
            await stream.completion()
    except DeepSeekError as error:
        seen.error = error
    return seen


def how_it_came(seen: Read, events: int, seconds: float) -> str:
    """Whether events that the server spread over so many seconds came one by one, in lumps, or were held to the end."""
    if not seen.times or seen.times[-1] - seen.times[0] < seconds * 0.4:
        return "held to the end"
    return "one by one" if seen.bursts >= events * 0.6 else f"in {seen.bursts} lumps of {events}"


def how_it_ended(seen: Read, texts: Sequence[str]) -> str:
    """What a proxy made of an answer that its server broke off: by the error, and how much came."""
    error = seen.error
    assert error is not None, f"a broken answer was told as whole: {seen.text!r}"
    if isinstance(error, APIStatusError):
        return f"{error.status}"
    had = error.partial.text or "" if error.partial is not None else ""
    assert "".join(texts).startswith(had), had
    count = sum("".join(texts[: at + 1]) == had[: len("".join(texts[: at + 1]))] for at in range(len(texts)))
    count = next((at for at in range(len(texts) + 1) if "".join(texts[:at]) == had), count)
    if isinstance(error, APITimeoutError):
        return f"a deadline, {count} events"
    if isinstance(error, StreamInterruptedError):
        return f"{'a clean end' if error.cause is None else 'cut'}, {count} events"
    return "closed without a byte"
