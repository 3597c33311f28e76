"""What one request learned holds for all of a client: until when the server wants to be left alone. Pure."""

from __future__ import annotations

from ..errors import DeepSeekError
from .retry import retry_after_in


class Gate:
    """Closed while a ``Retry-After`` of the server's runs. Times are of the caller's clock, in seconds."""

    def __init__(self) -> None:
        self._opens_at = 0.0

    def learn(self, error: DeepSeekError, *, now: float, at_most: float) -> None:
        """Take from an error how long the server wants to be left alone; at most ``at_most`` seconds are believed."""
        retry_after = retry_after_in(error)
        if retry_after is not None and retry_after <= at_most:
            self._opens_at = max(self._opens_at, now + retry_after)

    def wait(self, now: float) -> float:
        """Seconds until requests may go out; 0 if they may now."""
        return max(0.0, self._opens_at - now)
