"""`SandboxServer`: the API on loopback, for the length of an ``async with``."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from ...errors import refuse_sync
from ...types.structs import knows_its_names
from ..model import load_model
from ..requests.files import MAX_UPLOAD_BYTES
from ..requests.refusals import Refusal, method_not_allowed, no_such_path, too_large
from ..requests.rules import Rules
from ..requests.seen import SeenRequest
from ..scripts.actions import Event
from ..scripts.script import Script
from .admission import Ceiling
from .control.orders import Order
from .control.page import PAGE_PATHS, send_page
from .control.paths import CONTROL, Control
from .cors import answer_headers, preflight_headers
from .endpoints import PREFIXES, Endpoint, endpoint_for, send_json, what_is_served
from .exchange import Exchange, chosen_script
from .pace import Wheel
from .state import CALLER_NAME, CALLER_PREFIX, BaseURL, Sandbox
from .wire import Played

__all__ = ["SandboxServer"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MAX_BODY_BYTES = 48 * 2**20
_NO_SCRIPT = Script()
_CALLER_PATH = re.compile(rf"{CALLER_PREFIX}({CALLER_NAME})(/.*)?\Z", re.DOTALL)
CALLER_HEADER = "x-sandbox-caller"


@knows_its_names
class SandboxServer(Sandbox):
    """A DeepSeek-shaped server with an embedded language model.

    Args:
        host: Address to listen on.
        port: 0 for a free one.
        seed: Makes every answer repeatable, as if each request carried this ``seed``.
        api_key: The one key that is accepted; None: any key, and none at all.
        rules: ``"seed"``: the parameters of the 2024 page all act. ``"today"``: they act as far as the present API lets
            them; see `rules`.
        beta_everywhere: Serve beta features (FIM, prefix completion, strict tools) outside ``/beta`` too.
        rate: Tokens a second of each answer; None: as fast as they come.
        latency: Seconds before the first token.
        heads: ``"early"``: a 200's head is sent on admission; ``"late"``: with the first token.
        ceiling: Requests in flight beyond which one is answered 429: a number, one for each model, or a `Schedule`.
            `admission` counts, and its ``ceiling`` can be set while requests run.
        balance: US dollars on the account; spent by answers, 402 when gone. None: never runs dry.
        prefix_cache: Whether prompts' beginnings are remembered and counted as cache hits.
        clock: Unix time in seconds, for the ``created`` of answers without a seed.
        keep_requests: How many of the requests seen are kept in `requests`, the latest; None: all.
        expose: Allow a host that is not loopback.

    Attributes:
        base_url: Where it listens, without a path: ``http://127.0.0.1:PORT``; empty before it was started.
        requests: Every request seen, oldest first.
        scripts: Those waiting to be played; see `script`.
        admission: Requests in flight, their peak, how many were admitted and refused.
        ledger: What was spent, and how often each row was billed.

    Raises:
        ValueError: ``host`` is not loopback and ``expose`` is false; or ``seed``, ``rules``, ``heads``, ``rate``,
            ``latency`` or ``balance`` is no such thing.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int | None = None,
        api_key: str | None = None,
        rules: Rules = "seed",
        beta_everywhere: bool = False,
        rate: float | None = None,
        latency: float = 0.0,
        heads: Literal["early", "late"] = "early",
        ceiling: Ceiling = None,
        balance: Decimal | str | int | None = None,
        prefix_cache: bool = True,
        clock: Callable[[], float] = time.time,
        keep_requests: int | None = None,
        expose: bool = False,
    ) -> None:
        if host not in _LOOPBACK and not expose:
            raise ValueError(
                f"host {host!r} is not loopback, and the sandbox has no protection against strangers; "
                "pass expose=True if other machines shall reach it"
            )
        super().__init__(
            seed=seed,
            api_key=api_key,
            rules=rules,
            beta_everywhere=beta_everywhere,
            rate=rate,
            latency=latency,
            heads=heads,
            ceiling=ceiling,
            balance=balance,
            prefix_cache=prefix_cache,
            clock=clock,
            keep_requests=keep_requests,
        )
        self._host = host
        self._port = port
        self._runner: web.ServerRunner | None = None
        self._exchanges: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        _check_loop()
        self.begin(await asyncio.to_thread(load_model), Wheel(asyncio.get_running_loop()))
        http = web.Server(self._serve, request_factory=_request, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(http, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port, backlog=4096).start()
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.base_url: str = BaseURL(f"http://{host}:{self._runner.addresses[0][1]}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        runner, self._runner = self._runner, None
        for task in tuple(self._exchanges):  # stalled ones would hold the exit up
            task.cancel()
        if runner is not None:
            await runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> Played:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - aiohttp runs a task for each request
        self._exchanges.add(task)
        try:
            return await self._exchange(request)
        finally:
            self._exchanges.discard(task)

    async def _exchange(self, request: web.BaseRequest) -> Played:
        body: bytes | None = None
        with suppress(web.HTTPRequestEntityTooLarge):
            body = await request.read()
        caller, called = _split_caller(request.path)
        caller = request.headers.get(CALLER_HEADER, caller)
        seen = SeenRequest(request.method, request.path, request.headers, body or b"", self.elapsed(), caller=caller)
        prefix, path = _split_prefix(called)
        exchange = Exchange(self, request, prefix == "/beta" or self.beta_everywhere, seen, _NO_SCRIPT)
        if called in CONTROL:
            return await exchange.run(_own_endpoint(CONTROL[called]))
        if called in PAGE_PATHS and request.method == "GET":
            return await send_page(exchange)
        endpoint = endpoint_for(path, request.method)
        if endpoint is not None:
            exchange.headers = answer_headers(request.headers)
            if request.method == "OPTIONS":
                return await exchange.send(
                    [Event(b"", "last")], headers=preflight_headers(request.headers, endpoint.method)
                )
        self.record(seen)
        try:
            return await self._answer(exchange, endpoint, body)
        finally:
            seen.ended_at = self.elapsed()
            self.changed(seen)

    async def _answer(self, exchange: Exchange, endpoint: Endpoint | None, body: bytes | None) -> Played:
        request, seen = exchange.request, exchange.seen
        if endpoint is None:
            return await exchange.refuse(no_such_path(request.path, what_is_served(CONTROL)))
        if request.method != endpoint.method:
            return await exchange.refuse(method_not_allowed(request.method, (endpoint.method, *endpoint.others)))
        if body is None:
            return await exchange.refuse(too_large(_most_bytes(request.path)))
        try:
            script = chosen_script(self, seen, speaking=endpoint.speaks)
        except Refusal as unreadable:
            return await exchange.refuse(unreadable)
        if script is not None:
            seen.script = exchange.script = script
        return await exchange.run(endpoint.answer)


def _check_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "SandboxServer runs on asyncio only; under trio, or without an event loop, give it a thread of its own: "
            "`with in_background(SandboxServer()) as server:`"
        ) from None


def _own_endpoint(methods: dict[str, Control]) -> Callable[[Exchange], Awaitable[Played]]:
    async def answer(exchange: Exchange) -> Played:
        method = exchange.request.method
        if method not in methods:
            raise method_not_allowed(method, tuple(methods))
        order = Order(exchange.seen.body, exchange.seen.caller, exchange.request.query)
        return await send_json(exchange, methods[method](exchange.sandbox, order))

    return answer


def _split_caller(path: str) -> tuple[str | None, str]:
    """The caller's name and the rest of a path below ``/caller/NAME``; else None and the path."""
    match = _CALLER_PATH.match(path)
    return (match[1], match[2] or "/") if match else (None, path)


def _split_prefix(path: str) -> tuple[str, str]:
    for prefix in PREFIXES:
        if prefix and path.startswith(prefix + "/"):
            return prefix, path[len(prefix) :]
    return "", path


def _most_bytes(path: str) -> int:
    return MAX_UPLOAD_BYTES + 2**16 if path.rstrip("/").endswith("/files") else _MAX_BODY_BYTES


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    return web.BaseRequest(
        message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=_most_bytes(message.path)
    )


refuse_sync(SandboxServer, "; or `with in_background(SandboxServer(…))` where there is none")
