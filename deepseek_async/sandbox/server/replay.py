"""`ReplayServer` answers from a recording, so that clients in any language meet real exchanges without a key."""

from __future__ import annotations

import asyncio
import os
from types import TracebackType
from typing import Self

from aiohttp import web

from ...transport.recording.exchange import RecordedExchange, read_recording
from ...transport.recording.replayer import RecordedAnswers


class ReplayServer:
    """Serves a recording on loopback: ``async with ReplayServer("exchanges.jsonl") as server: server.base_url``.

    Args:
        recording: The file.
        port: 0 takes a free one.
        at_speed: Whether to keep the recorded times; else everything comes at once.

    Raises:
        InvalidRequestError: The file is no recording.
    """

    def __init__(self, recording: str | os.PathLike[str], *, port: int = 0, at_speed: bool = False) -> None:
        self._answers = RecordedAnswers(read_recording(recording))
        self._port = port
        self._at_speed = at_speed
        self._runner: web.AppRunner | None = None
        self.base_url: str = ""

    async def start(self) -> None:
        """Begin to serve; `base_url` is set afterwards."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def aclose(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        exchange = self._answers.answer(request.method, request.path, await request.read())
        if isinstance(exchange, str):
            error = {"message": exchange, "type": "not_recorded", "param": None, "code": "not_recorded"}
            return web.json_response({"error": error}, status=404)
        return await self._play(request, exchange)

    async def _play(self, request: web.Request, exchange: RecordedExchange) -> web.StreamResponse:
        response = web.StreamResponse(status=exchange.status, headers=dict(exchange.headers))
        started = asyncio.get_running_loop().time()
        await response.prepare(request)
        for at, data in exchange.body:
            if self._at_speed:
                await asyncio.sleep(max(0.0, started + at - asyncio.get_running_loop().time()))
            await response.write(data)
        if exchange.error is not None and request.transport is not None:
            request.transport.abort()  # it broke off then, and does now
            return response
        await response.write_eof()
        return response
