"""`SandboxServer`: the API on loopback, for the length of an ``async with``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from . import app
from .standin import load_model

__all__ = ["SandboxServer"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SandboxServer:
    """A DeepSeek-shaped server with an embedded language model.

    Args:
        host: Address to listen on.
        port: 0 for a free one.
        seed: Makes every answer repeatable, as if each request carried this ``seed``.
        api_key: The one key that is accepted; ``None``: any key, and none at all.
        beta_everywhere: Serve beta features (FIM, prefix completion, strict tools) outside ``/beta`` too.
        clock: Unix time in seconds, for ``created``.
        expose: Allow a host that is not loopback.

    Raises:
        ValueError: ``host`` is not loopback and ``expose`` is false.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int | None = None,
        api_key: str | None = None,
        beta_everywhere: bool = False,
        clock: Callable[[], float] = time.time,
        expose: bool = False,
    ) -> None:
        if host not in _LOOPBACK and not expose:
            raise ValueError(
                f"host {host!r} is not loopback: the sandbox has no protection against strangers. "
                "Pass expose=True if it shall be reachable from other machines."
            )
        self.host = host
        self.seed = seed
        self.api_key = api_key
        self.beta_everywhere = beta_everywhere
        self._port = port
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self._model: Any = None
        self._started = 0

    @property
    def base_url(self) -> str:
        """Where it listens, without a path: ``http://127.0.0.1:PORT``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        self._model = await asyncio.to_thread(load_model)
        self._started = int(self._clock())
        runner = web.AppRunner(app.build(self), access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self._port)
        await site.start()
        self._port = runner.addresses[0][1]
        self._runner = runner
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()
