"""Actions are the steps in which a response is sent. `playback` decides on them, and `wire` carries them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

__all__ = ["Abort", "Action", "Close", "End", "Event", "Head", "Reply", "Send", "Wait"]


class Event(Struct, frozen=True):
    """A unit of a body before any fault: a chunk, ``[DONE]``, a whole JSON body.

    Attributes:
        data: The bytes; none for ``work``, tokens that were generated without a byte being due.
        kind: ``last`` is the chunk that carries the final finish reason; a whole body is a single ``last``.
        tokens: How many tokens were generated for it.
    """

    data: bytes
    kind: Literal["chunk", "last", "done", "work"] = "chunk"
    tokens: int = 0


class Head(Struct, frozen=True):
    """Send status and headers."""


class Send(Struct, frozen=True):
    """Send bytes of the body, not before the time of its tokens."""

    data: bytes
    tokens: int = 0


class Wait(Struct, frozen=True):
    """Do nothing for a while."""

    seconds: float


class Close(Struct, frozen=True):
    """Close the connection; what HTTP would need to end the body is not sent."""


class Abort(Struct, frozen=True):
    """Reset the connection."""


class End(Struct, frozen=True):
    """End the body."""


Action = Head | Send | Wait | Close | Abort | End


class Reply(Struct, frozen=True):
    """A response: its head, and what to do, `Head` included.

    Attributes:
        length: What ``Content-Length`` says; None: chunked.
        reusable: Whether the connection may serve another request afterwards.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    actions: Iterator[Action]
    length: int | None = None
    reusable: bool = True
