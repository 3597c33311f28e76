"""The floors: what the bytes alone cost, and the loops that a user would write by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from ..wire import Spec, request_of
from . import Connect, Tally


class _Count(asyncio.Protocol):
    """Counts bytes and keeps none."""

    def __init__(self) -> None:
        self.received = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if data.endswith(b"\r\n0\r\n\r\n"):
            self.done.set_result(None)


class _Socket:
    def __init__(self, root: str) -> None:
        self._host, self._port = urlsplit(root).hostname, urlsplit(root).port

    async def stream(self, spec: Spec) -> Tally:
        transport, protocol = await asyncio.get_running_loop().create_connection(_Count, self._host, self._port)
        body = orjson.dumps({**request_of(spec), "stream": True})
        head = f"POST /{spec.name}/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        transport.write(head.encode() + body)
        await protocol.done
        transport.close()
        return Tally(spec.characters, spec.chunks)  # it looks at nothing

    async def whole(self, spec: Spec) -> Tally:
        raise NotImplementedError("the floor of an answer in one piece is aiohttp")


@asynccontextmanager
async def socket_floor(root: str) -> AsyncIterator[_Socket]:
    yield _Socket(root)


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


def _loop(loads: Callable[[bytes], Any]) -> Connect:
    @asynccontextmanager
    async def connect(root: str) -> AsyncIterator[_Loop]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
            yield _Loop(root, session, loads)

    return connect


with_orjson = _loop(orjson.loads)
with_json = _loop(json.loads)
