"""The floors: what the bytes alone cost, and the loops that a user would write by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
import orjson

from ..wire import Spec, request_of
from . import Connect, Tally


class _Connection(asyncio.Protocol):
    """Waits for the last bytes and keeps none."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, request: bytes) -> asyncio.Future[None]:
        """Done when the answer has ended."""
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._done

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n0\r\n\r\n"):
            self._done.set_result(None)

    def close(self) -> None:
        self._transport.close()


class _Socket:
    def __init__(self, root: str) -> None:
        self._host, self._port = urlsplit(root).hostname, urlsplit(root).port
        self._free: list[_Connection] = []

    async def stream(self, spec: Spec) -> Tally:
        body = orjson.dumps({**request_of(spec), "stream": True})
        head = f"POST /{spec.name}/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        connection = self._free.pop() if self._free else await self._connected()
        await connection.ask(head.encode() + body)
        self._free.append(connection)
        return Tally()  # it looks at nothing

    async def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        return connection

    async def whole(self, spec: Spec) -> Tally:
        raise NotImplementedError("the floor of an answer in one piece is aiohttp")

    def close(self) -> None:
        for connection in self._free:
            connection.close()


@asynccontextmanager
async def socket_floor(root: str) -> AsyncIterator[_Socket]:
    floor = _Socket(root)
    try:
        yield floor
    finally:
        floor.close()


class _Loop:
    """aiohttp, a split at blank lines, and dicts."""

    def __init__(self, root: str, session: aiohttp.ClientSession, loads: Callable[[bytes], Any]) -> None:
        self._root = root
        self._session = session
        self._loads = loads

    def _post(self, spec: Spec, **more: Any) -> Any:
        body = orjson.dumps({**request_of(spec), **more})
        headers = {"authorization": "Bearer sk-0", "content-type": "application/json"}
        return self._session.post(f"{self._root}/{spec.name}/chat/completions", data=body, headers=headers)

    async def stream(self, spec: Spec) -> Tally:
        loads = self._loads
        characters = chunks = 0
        async with self._post(spec, stream=True) as response:
            rest = b""
            async for data in response.content.iter_any():
                *events, rest = (rest + data).split(b"\n\n")
                for event in events:
                    payload = event[6:]
                    if payload == b"[DONE]":
                        break
                    chunk = loads(payload)
                    chunks += 1
                    for choice in chunk["choices"]:
                        characters += len(choice["delta"].get("content") or "")
        return Tally(characters, chunks)

    async def whole(self, spec: Spec) -> Tally:
        async with self._post(spec) as response:
            completion = self._loads(await response.read())
        return Tally(len(completion["choices"][0]["message"]["content"]))

    async def rows(self, spec: Spec, count: int, at_once: int) -> int:
        """So many tasks that take rows from one iterator: no retries, no limits, nothing written."""
        left, answered = iter(range(count)), 0

        async def work() -> None:
            nonlocal answered
            for _ in left:
                await self.whole(spec)
                answered += 1

        await asyncio.gather(*(work() for _ in range(at_once)))
        return answered


def _loop(loads: Callable[[bytes], Any]) -> Connect:
    @asynccontextmanager
    async def connect(root: str) -> AsyncIterator[_Loop]:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)  # as long as any turn of the others
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
            yield _Loop(root, session, loads)

    return connect


with_orjson = _loop(orjson.loads)
with_json = _loop(json.loads)
