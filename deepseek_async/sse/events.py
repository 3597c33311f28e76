"""What an event stream is made of: events, and the comments between them."""

from __future__ import annotations

import attrs

__all__ = ["Comment", "ServerSentEvent"]


@attrs.frozen
class ServerSentEvent:
    """One dispatched event, with the stream's state at that moment.

    Attributes:
        event: The type: ``"message"`` unless the block named another.
        data: The values of the block's ``data`` lines, joined by LF. May be empty: an empty ``data`` line is data.
        id: The last event ID. It stays in force for later events until the server sends another; ``""`` is none.
        retry: The reconnection time in milliseconds, in force like ``id``; ``None`` if the server never set one.
    """

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None


@attrs.frozen
class Comment:
    """A line that starts with a colon. It carries no event; DeepSeek sends ``: keep-alive`` while a request is queued.

    Attributes:
        text: What follows the colon, without the one space that may stand there.
    """

    text: str
