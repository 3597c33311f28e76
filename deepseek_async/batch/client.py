"""`AsyncClient` as users import it: the client, and what stands on it for many requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..client import async_client

if TYPE_CHECKING:
    from ..client.connection import Connection
    from .batch import Batch
    from .rules import RateLimiter
    from .source import Source


class AsyncClient(async_client.AsyncClient):
    __doc__ = async_client.AsyncClient.__doc__

    def batch(
        self,
        source: Source,
        max_concurrency: int | None = None,
        ordered: bool = False,
        max_attempts: int = 8,
        *,
        warmup: int = 0,
        rate_limiter: RateLimiter | None = None,
    ) -> Batch:
        """Send many requests, as many at once as the account allows.

            async with client.batch(requests, max_concurrency=64) as outcomes:
                async for outcome in outcomes:  # Succeeded or Failed
                    ...

        The limit of the account is hidden and moves; it is learned from admissions and refusals, and shared by all
        batches of this client that ask for one model. Failures are values; leaving the block cancels what is in flight.

        Args:
            source: An iterable or async iterable of `ChatRequest` or mappings (OpenAI batch lines, or with ``messages``
                or ``prompt``), a path of a file of such lines, or ``"-"``. Pulled only when there is a slot for a row.
                A generator is closed at the end.
            max_concurrency: Requests in flight at once, and outcomes waiting to be taken; ``None``: as many as the
                server lets in, up to 2,500.
            ordered: Whether outcomes come in the order of the source instead of as completed. Those behind a slow one
                wait for it; at most twice ``max_concurrency`` do, then nothing more is sent.
            max_attempts: How often a request is sent at most. Refusals (429) are free and do not count.
            warmup: So many requests of each distinct prompt prefix (all messages but the last; of a single message, its
                first 1,024 characters) go ahead, so that the others hit the context cache.
            rate_limiter: Entered before each sending, for servers that limit requests per minute; of 300 a minute,
                ``aiolimiter.AsyncLimiter(1, 60 / 300)``. Shared by batches of one event loop, it holds for all of them.

        Returns:
            An async context manager; entered, the async iterator of outcomes.

        Raises:
            InvalidRequestError: A value is out of range, or the source is no source.
        """
        from .batch import Batch
        from .rules import Rules

        rules = Rules(
            max_concurrency=max_concurrency, max_attempts=max_attempts, warmup=warmup, rate_limiter=rate_limiter
        )
        return Batch(connection_of(self), source, rules, ordered=ordered)


def connection_of(client: async_client.AsyncClient) -> Connection:
    """What a client's requests go through."""
    return client._connection  # noqa: SLF001 - this floor stands on it
