"""The client of a command: of the API, or of a sandbox that lives as long as the command does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..client import AsyncClient
from .certificates import no_certificates


@asynccontextmanager
async def client_for(base_url: str | None, *, sandbox: bool, rate: float | None = None) -> AsyncIterator[AsyncClient]:
    """A client, open for the length of the block.

    Args:
        base_url: As for `AsyncClient`; not together with ``sandbox``.
        sandbox: Start the embedded server on a free loopback port, and ask that.
        rate: Tokens a second that the embedded server speaks; ``None``: as fast as they come.

    Raises:
        InvalidRequestError: No key, or no URL.
    """
    if not sandbox:
        async with AsyncClient(base_url=base_url) as client:
            yield client
        return
    with no_certificates():
        from ..sandbox import SandboxServer

    # The user's own key stays where it is, and no proxy stands between two ends of one process.
    async with (
        SandboxServer(rate=rate) as server,
        AsyncClient("sandbox", base_url=server.base_url, trust_env=False) as client,
    ):
        yield client
