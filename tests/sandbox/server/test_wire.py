"""What is on the connection itself: heads, framing, closings, resets. Read from a bare socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from deepseek_async.sandbox import (
    BareError,
    BlankBody,
    Body,
    ContentType,
    Cut,
    EarlyEnd,
    KeepAlives,
    LateHead,
    Reset,
    SandboxServer,
    Script,
    Split,
    Stall,
    WholeCompletion,
    WrongLength,
    write_script,
)

from ..talking import HELLO, Talk

pytestmark = pytest.mark.anyio


def request(script: Script | None = None, *, version: str = "1.1", headers: str = "", **fields: Any) -> bytes:
    """A request as bytes."""
    body = json.dumps({**HELLO, **fields}).encode()
    if script is not None:
        headers += f"x-sandbox-script: {write_script(script)}\r\n"
    head = f"POST /chat/completions HTTP/{version}\r\nHost: x\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def exchange(server: SandboxServer, data: bytes) -> tuple[dict[str, str], bytes, BaseException | None]:
    """Send bytes and read until the server closes: status line and headers, the raw body, how the connection ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.base_url.rsplit(":", 1)[1]))
    received, ended = b"", None
    try:
        writer.write(data)
        while part := await reader.read(65536):
            received += part
    except ConnectionResetError as error:
        ended = error
    finally:
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return {"": lines[0], **dict(line.split(": ", 1) for line in lines[1:] if line)}, body, ended


SAY = Script(say=("Hi",))


async def test_a_head_and_chunked_framing(talk: Talk) -> None:
    """A 200 is chunked; its head comes at once; the connection serves another request, unless asked to close."""
    head, body, ended = await exchange(talk.server, request(SAY, stream=True, headers="Connection: close\r\n"))
    assert head[""] == "HTTP/1.1 200 OK"
    assert head["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (head["Transfer-Encoding"], head["Connection"]) == ("chunked", "close")
    assert "Content-Length" not in head
    size, _, rest = body.partition(b"\r\n")
    assert rest[int(size, 16) :] == b"\r\n0\r\n\r\n"
    assert ended is None


async def test_two_requests_on_one_connection(talk: Talk) -> None:
    """The first answer leaves the connection usable."""
    twice = request(SAY) + request(SAY, headers="Connection: close\r\n")
    _, body, _ = await exchange(talk.server, twice)
    assert body.count(b'"object":"chat.completion"') == 2
    assert len(talk.server.requests) == 2


async def test_http_1_0_has_no_chunks(talk: Talk) -> None:
    """The body ends with the connection."""
    head, body, _ = await exchange(talk.server, request(SAY, version="1.0", stream=True))
    assert head[""] == "HTTP/1.0 200 OK"
    assert "Transfer-Encoding" not in head
    assert body.startswith(b"data: ")
    assert body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("place", [1, 100, 5000])
async def test_cut_leaves_the_body_unfinished(talk: Talk, place: int) -> None:
    """So many bytes of the body arrive, then the connection closes without the last chunk."""
    script = Script(say=("x" * 6000,), faults=(Cut(at_byte=place),))
    _, body, ended = await exchange(talk.server, request(script, stream=True))
    assert ended is None
    assert not body.endswith(b"0\r\n\r\n")
    assert sum(int(size, 16) for size in _sizes(body)) == place


def _sizes(body: bytes) -> list[bytes]:
    """The sizes of the chunks of a chunked body that may be unfinished."""
    sizes = []
    while body:
        size, _, body = body.partition(b"\r\n")
        sizes.append(size)
        body = body[int(size, 16) + 2 :]
    return sizes


async def test_an_early_end_is_tidy(talk: Talk) -> None:
    """HTTP sees a whole body."""
    script = Script(say=("Hi",), faults=(EarlyEnd(),))
    _, body, _ = await exchange(talk.server, request(script, stream=True, headers="Connection: close\r\n"))
    assert body.endswith(b"0\r\n\r\n")
    assert b"[DONE]" not in body


async def test_reset(talk: Talk) -> None:
    """RST: without a byte before it, or after some that arrive."""
    head, _, ended = await exchange(talk.server, request(Script(say=("Hi",), faults=(Reset(),))))
    assert head == {"": ""}
    assert isinstance(ended, ConnectionResetError)
    script = Script(say=("Hi",), faults=(Stall(seconds=0.02, after_chunk=1), Reset(after_chunk=1)))
    head, body, ended = await exchange(talk.server, request(script, stream=True))
    assert head[""] == "HTTP/1.1 200 OK"
    assert body.count(b"data: ") == 1
    assert isinstance(ended, ConnectionResetError)


@pytest.mark.parametrize("by", [5, -5])
async def test_a_lying_content_length(talk: Talk, by: int) -> None:
    """The length is off, and the connection closes."""
    head, body, _ = await exchange(talk.server, request(Script(say=("Hi",), faults=(WrongLength(by=by),))))
    assert int(head["Content-Length"]) == len(body) + by
    assert head["Connection"] == "close"


async def test_blank_lines_and_then_json(talk: Talk) -> None:
    """A queued request that is not streamed gets blank lines ahead of its body."""
    answer = await talk.post(script=Script(say="Hi", faults=(KeepAlives(count=3),)))
    assert answer.data.startswith(b'\n\n\n{"id"')
    assert answer.text == "Hi"


async def test_an_empty_200(talk: Talk) -> None:
    """Blank lines and nothing else, in the type that was asked for."""
    for stream, kind in ((True, "text/event-stream"), (False, "application/json")):
        answer = await talk.post(stream=stream, script=Script(faults=(BlankBody(lines=4),)))
        assert (answer.status, answer.data) == (200, b"\n\n\n\n")
        assert answer.headers["Content-Type"].startswith(kind)


async def test_a_bare_error_in_a_200_event_stream(talk: Talk) -> None:
    """An error object where events were announced."""
    answer = await talk.post(stream=True, script=Script(faults=(BareError(message="busy"),)))
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.error["message"] == "busy"


async def test_a_whole_completion_instead_of_a_stream(talk: Talk) -> None:
    """JSON in answer to stream: true."""
    answer = await talk.post(stream=True, script=Script(say="Hi", faults=(WholeCompletion(),)))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["choices"][0]["message"]["content"] == "Hi"


async def test_another_servers_dialect(talk: Talk) -> None:
    """A body as it was captured elsewhere; the request is not even looked at."""
    captured = 'data:{"choices":[{"index":0,"delta":{"reasoning":"x"}}]}\n\ndata: [DONE]\n\n'
    answer = await talk.post(model="any/model", stream=True, script=Script(faults=(Body(text=captured),)))
    assert (answer.status, answer.data.decode()) == (200, captured)


async def test_another_content_type(talk: Talk) -> None:
    """Of answers and of refusals: the API labels some JSON errors application/octet-stream."""
    fault = ContentType(value="application/octet-stream")
    answer = await talk.post(script=Script(say="Hi", faults=(fault,)))
    assert (answer.headers["Content-Type"], answer.text) == ("application/octet-stream", "Hi")
    refused = await talk.post(max_tokens=0, script=Script(faults=(fault,)))
    assert (refused.status, refused.headers["Content-Type"]) == (400, "application/octet-stream")
    assert refused.error["code"] == "invalid_request_error"


async def test_split_writes_are_separate_reads(talk: Talk) -> None:
    """Each write is its own chunk of the body, however small."""
    script = Script(say=("Hi",), faults=(Split(size=2),))
    _, body, _ = await exchange(talk.server, request(script, stream=True, headers="Connection: close\r\n"))
    assert {int(size, 16) for size in _sizes(body)} <= {2, 1, 0}


async def _first_bytes(server: SandboxServer, data: bytes) -> bytes:
    """What arrives before the server first waits."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.base_url.rsplit(":", 1)[1]))
    try:
        writer.write(data)
        return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


async def test_early_and_late_heads(talk: Talk) -> None:
    """An early head comes before a stalled first chunk, a late one with it."""
    stall = Stall(seconds=30)
    early = await _first_bytes(talk.server, request(Script(say="Hi", faults=(stall,)), stream=True))
    assert early.startswith(b"HTTP/1.1 200 OK")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await _first_bytes(talk.server, request(Script(say="Hi", faults=(stall, LateHead())), stream=True))
    talk.server.heads = "late"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await _first_bytes(talk.server, request(Script(say="Hi", faults=(stall,)), stream=True))


async def test_a_client_that_goes_away_frees_its_place(talk: Talk) -> None:
    """Its request is no longer in flight, what was generated is paid for, and the server goes on."""
    script = Script(faults=(Stall(seconds=60, after_chunk=3),))
    await _first_bytes(talk.server, request(script, stream=True))
    async with asyncio.timeout(5):
        while talk.server.admission.in_flight.total():  # noqa: ASYNC110 - nothing tells when a server notices
            await asyncio.sleep(0)
    assert talk.server.ledger.spent > 0
    assert (await talk.post()).status == 200


@pytest.mark.parametrize("stream", [True, False])
async def test_pace(talk: Talk, *, stream: bool) -> None:
    """Latency before the first token, then the rate, streamed or not: 21 tokens at 200 a second after 0.05 s."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await talk.post(stream=stream, max_tokens=21, min_tokens=21, script=Script(rate=200.0, latency=0.05))
    assert 0.15 <= loop.time() - began < 5.0
    assert answer.status == 200


async def test_a_large_answer_to_a_slow_reader(talk: Talk) -> None:
    """The server waits for a reader that does not read, and loses nothing."""
    script = Script(say=(" the" * 250,) * 5000)
    talk.server.script(script)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(talk.server.base_url.rsplit(":", 1)[1]))
    writer.write(request(stream=True, headers="Connection: close\r\n"))
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.05)
    assert talk.server.admission.in_flight.total() == 1
    rest = await reader.read()
    writer.close()
    assert rest.count(b" the" * 250) == 5000
    assert rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
