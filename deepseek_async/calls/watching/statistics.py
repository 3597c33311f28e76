"""What a client is doing, in figures."""

from __future__ import annotations

import attrs

from ...types.values import Brief


@attrs.frozen(repr=False)
class Statistics(Brief):
    """A client's figures since it was made.

    Attributes:
        in_flight: Requests sent (or about to be) whose answer has not ended.
        waiting_for_connection: Of those, how many wait for a connection because ``max_connections`` are open.
        calls: Calls begun. A call may take several attempts.
        attempts: Requests sent.
        retries: Attempts after a call's first.
        connections_made, connections_reused: How the attempts came by their connection.
        slow_chunks: Chunks of streams that were read in the slow way: each that had something new to the client in it,
            and those that are odd. A client that reads most of its chunks so logs why, once.
        resent: Attempts whose request went out twice: a kept-alive connection broke at once, before any byte.
        held: How many attempts waited because the server had asked to be left alone, or had met a rate limit.
        through_session: Requests that went through aiohttp's session and not past it, which takes more CPU: through a
            proxy, a session of the caller's, or because this aiohttp lacks a part (a warning said which).
    """

    _has_all = True

    in_flight: int = 0
    waiting_for_connection: int = 0
    calls: int = 0
    attempts: int = 0
    retries: int = 0
    connections_made: int = 0
    connections_reused: int = 0
    slow_chunks: int = 0
    resent: int = 0
    held: int = 0
    through_session: int = 0
