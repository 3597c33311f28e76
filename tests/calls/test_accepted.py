"""202: an answer, or the promise of one; and bodies in every coding that HTTP knows."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from deepseek_async import APIStatusError, AsyncClient, ResponseTooLargeError, RetryPolicy, UserMessage

from ..byte_server import DONE, ByteServer, Connection, chunked, completion, event

pytestmark = pytest.mark.anyio

ASKED: dict[str, Any] = {"model": "m", "messages": [UserMessage("Hello")]}
BOTH = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
WHOLE = completion("Hello")
STREAM = event("Hel") + event("lo") + event("", "stop") + DONE
TYPES = ["application/json", "application/json; charset=utf-8", "text/event-stream", "text/plain;charset=UTF-8", ""]


def told(status: str, body: bytes, headers: str = "content-type: application/json\r\n", pieces: int = 0) -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}"
    if pieces:
        parts = [body[at : at + pieces] for at in range(0, len(body), pieces)]
        return f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunked(*parts) + b"0\r\n\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def ask(answer: bytes, streamed: bool, **settings: Any) -> tuple[str, int]:
    async def play(connection: Connection) -> None:
        while await connection.request():
            connection.send(answer)

    retry = RetryPolicy(wait_initial=0.0)
    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=retry, **settings) as client:
        if streamed:
            return (await client.chat.completions.stream(**ASKED).completion()).text, len(server.requests)
        return (await client.chat.completions.create(**ASKED)).text, len(server.requests)


@BOTH
@pytest.mark.parametrize("pieces", [0, 9])
@pytest.mark.parametrize("body", [WHOLE, b"\n\n" + WHOLE + b"\n", STREAM], ids=["whole", "blank lines", "events"])
async def test_a_202_that_brings_the_answer(body: bytes, pieces: int, streamed: bool) -> None:
    """Is that answer."""
    headers = "content-type: text/event-stream\r\n" if body == STREAM else "content-type: application/json\r\n"
    assert await ask(told("202 Accepted", body, headers, pieces), streamed) == ("Hello", 1)


@BOTH
@pytest.mark.parametrize(
    "body", [b"", b"\n", b'{"id": "job-1", "status": "queued"}', b'{"request_id": "7"}', b"Accepted", b"[]"]
)
async def test_a_202_that_promises_one(body: bytes, streamed: bool) -> None:
    """Is an error with what was said, asked once, since each request is a job that may be billed."""
    with pytest.raises(APIStatusError, match="promises an answer for later") as caught:
        await ask(told("202 Accepted", body), streamed)
    assert (caught.value.status, caught.value.attempts, caught.value.may_be_billed) == (202, 1, True)
    assert caught.value.body == body.strip().decode()


@BOTH
async def test_a_202_is_capped(streamed: bool) -> None:
    """As any body is."""
    body = json.dumps({"id": "x" * 5000}).encode()
    if streamed:
        with pytest.raises(APIStatusError, match="202"):
            await ask(told("202 Accepted", body), streamed)
    else:
        with pytest.raises(ResponseTooLargeError):
            await ask(told("202 Accepted", body), streamed, max_body_bytes=1000)


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


@BOTH
@pytest.mark.parametrize("pieces", [0, 1, 7], ids=["length", "bytes", "chunks"])
@pytest.mark.parametrize("coding", [bytes, gzip.compress, zlib.compress, raw_deflate], ids=["", "gzip", "zlib", "raw"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n\r\n\n ", b"\n\xef\xbb\xbf", b"\xef\xbb\xbf\n\n"])
async def test_one_piece_in_every_coding(before: bytes, coding: Any, pieces: int, streamed: bool) -> None:
    """With BOM, keep-alive lines, by length and in chunks, whatever its type is said to be."""
    names = {gzip.compress: "gzip", zlib.compress: "deflate", raw_deflate: "deflate"}
    encoding = f"content-encoding: {names[coding]}\r\n" if coding in names else ""
    kind = TYPES[(len(before) + pieces) % len(TYPES)]
    headers = encoding + (f"content-type: {kind}\r\n" if kind else "")
    assert await ask(told("200 OK", coding(before + WHOLE), headers, pieces), streamed) == ("Hello", 1)
