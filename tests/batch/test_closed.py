"""Faults of a run over real connections: the client is closed under it, or what answers is not the API."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from deepseek_async import AsyncClient, BatchReport, RetryPolicy, run_batch

from .standin import standin

pytestmark = pytest.mark.anyio


def rows(count: int) -> list[dict[str, Any]]:
    return [{"custom_id": f"row-{number}", "prompt": f"row-{number}"} for number in range(count)]


async def test_a_client_that_is_closed(tmp_path: Path) -> None:
    """While a hundred rows are in flight: none has failed, all of these are unfinished, and the next run sends them."""
    output = tmp_path / "out.jsonl"
    with standin(latency=0.2) as server:
        client = AsyncClient("k", base_url=server.base_url)
        running = asyncio.ensure_future(run_batch(client, rows(300), output, max_concurrency=100))
        async with asyncio.timeout(20):
            while await asyncio.to_thread(server.asked) < 150:  # noqa: ASYNC110 - another process knows
                await asyncio.sleep(0.01)
        await client.aclose()
        report = await running
        assert (report.stopped, report.failed) == ("connection", 0)
        assert "closed" in str(report.error)
        assert report.succeeded + len(report.unfinished) < 300
        async with client:
            last = await run_batch(client, rows(300), output)
        assert (last.succeeded + last.skipped, last.failed, last.stopped) == (300, 0, None)
        billed = await asyncio.to_thread(lambda: server.stats()["billed"])
        assert {row for row, count in billed.items() if count > 1} <= set(last.possibly_billed_twice)


@asynccontextmanager
async def answering(data: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that says the same to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def run(base_url: str, output: Path) -> BatchReport:
    async with AsyncClient("k", base_url=base_url, retry=RetryPolicy(wait_initial=0)) as client:
        return await run_batch(client, rows(20), output, max_concurrency=2)


def whole(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"
ANSWERS: dict[str, tuple[bytes, str]] = {
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP"),
    "a captive portal": (whole("200 OK", PAGE, "Content-Type: text/html"), ""),
    "a redirect": (whole("302 Found", b"", "Location: http://login.example/"), "302"),
    "a moved server": (whole("308 Permanent Redirect", PAGE, "Location: https://x.example/"), "308"),
    "a login of the network": (whole("511 Network Authentication Required", PAGE), "511"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_answers_is_not_the_api(tmp_path: Path, name: str) -> None:
    """The run stops with the reason, and no row has failed."""
    data, words = ANSWERS[name]
    async with answering(data) as port:
        report = await run(f"http://127.0.0.1:{port}", tmp_path / "out.jsonl")
    assert (report.stopped, report.succeeded, report.failed) == ("connection", 0, 0)
    assert words in str(report.error)


async def test_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    """Nothing has been sent, so nothing may have been billed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with answering(whole("200 OK", b"{}"), context) as port:
        report = await run(f"https://127.0.0.1:{port}", tmp_path / "out.jsonl")
    assert (report.stopped, report.failed, report.unfinished) == ("connection", 0, ())
    assert "not trusted" in str(report.error)
