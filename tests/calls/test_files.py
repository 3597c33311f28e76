"""``client.files``: uploads streamed from disk, and what is known of them; against the sandbox and on bytes."""

from __future__ import annotations

import asyncio
import io
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    APIStatusError,
    AsyncClient,
    BadRequestError,
    FileObject,
    FilePart,
    InvalidRequestError,
    NotFoundError,
    RetryPolicy,
    TextPart,
    UserMessage,
)
from deepseek_async.hooks import AttemptStarted, Ended
from deepseek_async.sandbox import Refuse, SandboxServer, Script
from deepseek_async.transport import HTTPRequest

from ..wire import client_on, whole

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
DESCRIBED = {
    "id": "file-api-1",
    "object": "file",
    "bytes": 5,
    "created_at": 17,
    "filename": "a.png",
    "purpose": "user_data",
}


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(seed=1, rules="today") as server:
        yield server


@pytest.fixture
async def client(server: SandboxServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=server.base_url, retry=RetryPolicy(wait_initial=0.0)) as client:
        yield client


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "Hafen bei Nacht é.png"
    path.write_bytes(PNG)
    return path


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "open", "in memory", "from the middle"])
async def test_whatever_holds_it_can_be_uploaded(client: AsyncClient, picture: Path, kind: str) -> None:
    """A path, bytes, or an open file, from where it stands; the caller's file stays open."""
    opened = picture.open("rb")
    shifted = io.BytesIO(b"before" + PNG)
    shifted.seek(6)
    given: dict[str, Any] = {
        "path": picture,
        "text": str(picture),
        "bytes": PNG,
        "open": opened,
        "in memory": io.BytesIO(PNG),
        "from the middle": shifted,
    }
    with opened:
        file = await client.files.create(given[kind])
        assert not opened.closed
    assert file.bytes == len(PNG)
    assert file.id.startswith("file-api-")
    assert file.filename == (picture.name if kind in ("path", "text", "open") else "upload")
    assert (file.purpose, file.expires_at) == ("user_data", None)
    assert await client.files.retrieve(file.id) == file == await client.files.get(file.id)


async def test_as_openai_says_it(client: AsyncClient) -> None:
    """A tuple with the name, and the media type; what there is not is answered with a reason."""
    assert (await client.files.create(file=("a.png", PNG), purpose="user_data")).filename == "a.png"
    assert (await client.files.create(file=("b.png", io.BytesIO(PNG), "image/png"))).filename == "b.png"
    with pytest.raises(InvalidRequestError, match="media_type"):
        await client.files.create(("a.png",))  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="gives nothing back"):
        client.files.content("file-api-1")  # type: ignore[attr-defined]


async def test_a_question_about_it(client: AsyncClient) -> None:
    """Its id goes into a part; once it is deleted the API knows it no more."""
    file = await client.files.upload(PNG, filename="a.png")
    question = UserMessage([TextPart("What is this?"), FilePart(file.id)])
    completion = await client.chat.completions.create(model="deepseek-flash", messages=[question], max_tokens=5)
    assert completion.text or completion.reasoning
    deletion = await client.files.delete(file.id)
    assert (deletion.id, deletion.deleted) == (file.id, True)
    for gone in (client.files.retrieve(file.id), client.files.delete(file.id)):
        with pytest.raises(NotFoundError, match=file.id):
            await gone
    with pytest.raises(BadRequestError, match="does not exist"):
        await client.chat.completions.create(model="deepseek-flash", messages=[question])


async def test_lists(client: AsyncClient) -> None:
    """Awaited a page, iterated all of them."""
    assert list(await client.files.list()) == []
    files = [await client.files.create(PNG, filename=f"{number}.png") for number in range(5)]
    page = await client.files.list(limit=2)
    assert (list(page), page.has_more, len(page)) == (files[:2], True, 2)
    assert list(await client.files.list(limit=2, after=files[1].id)) == files[2:4]
    assert [file async for file in client.files.list(limit=2)] == files
    assert [file async for file in client.files.list(order="desc", limit=3)] == files[::-1]
    assert [file async for file in client.files.list(purpose="text_recognition")] == []
    document = await client.files.create(b"%PDF-1.7", purpose="text_recognition", filename="a.pdf")
    assert [file async for file in client.files.list(purpose="text_recognition")] == [document]


async def test_they_expire(server: SandboxServer, client: AsyncClient) -> None:
    """After so many seconds, said as a number or as openai says it."""
    for expiry in (3600, {"anchor": "created_at", "seconds": 3600}):
        file = await client.files.create(PNG, expires_after=expiry)
        assert file.created_at is not None
        assert file.expires_at == file.created_at + 3600


async def test_it_is_streamed_from_disk(server: SandboxServer, tmp_path: Path) -> None:
    """Of twenty megabytes no more than a few pieces are in memory at once, and the length is told beforehand."""
    size, most = 20 * 2**20, 0
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.write(PNG)
        file.truncate(size)
    received = asyncio.Queue[dict[str, str]]()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        left = int(headers["content-length"])
        while left:
            left -= len(await reader.read(min(left, 2**16)))
        body = json.dumps({**DESCRIBED, "bytes": size}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()
        received.put_nowait(headers)

    taking = await asyncio.start_server(take, "127.0.0.1", 0)
    async with taking, AsyncClient(base_url=f"http://127.0.0.1:{taking.sockets[0].getsockname()[1]}") as client:
        tracemalloc.start()
        try:
            uploaded = await client.files.create(path)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    headers = received.get_nowait()
    assert uploaded.bytes == size
    assert size < int(headers["content-length"]) < size + 1000
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert most < 5 * 2**20


async def test_hooks_and_retries_are_those_of_other_calls(server: SandboxServer, picture: Path) -> None:
    """A failed attempt is followed by another, which sends the whole file again."""
    records: list[Any] = []
    async with AsyncClient(
        base_url=server.base_url, retry=RetryPolicy(wait_initial=0.0), hooks=[records.append]
    ) as client:
        server.script(Script(faults=[Refuse(status=503)]))
        with picture.open("rb") as opened:
            file = await client.files.create(opened)
    assert file.bytes == len(PNG)
    assert [record.method for record in records if isinstance(record, AttemptStarted)] == ["POST", "POST"]
    assert [record.outcome for record in records if isinstance(record, Ended)] == ["completed"]
    assert "<" in repr(server.requests[-1])


async def test_refusals_of_the_server(client: AsyncClient, tmp_path: Path) -> None:
    """Its own words, as typed errors."""
    with pytest.raises(BadRequestError, match="supported image formats"):
        await client.files.create(b"no picture")
    with pytest.raises(BadRequestError, match="purpose must be one of"):
        await client.files.create(PNG, purpose="batch")


@asynccontextmanager
async def server_of(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], **settings: Any
) -> AsyncIterator[AsyncClient]:
    """A client of a server of bytes; what is left of its connections is closed."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError):
            await answer(reader, writer)
        writer.close()

    serving = await asyncio.start_server(serve, "127.0.0.1", 0)
    settings = {"retry": RetryPolicy(attempts=1), **settings}
    async with (
        serving,
        AsyncClient(base_url=f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}", **settings) as client,
    ):
        yield client
        for writer in writers:
            writer.close()


async def test_a_file_that_shrinks_meanwhile_is_an_error() -> None:
    """Nothing waits for the rest of it, and the error says what it was."""

    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return b""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(2**16):
            pass

    async with asyncio.timeout(5), server_of(take) as client:
        with pytest.raises(InvalidRequestError, match="as it had when it was looked at"):
            await client.files.create(Shrinking(PNG))


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ('a"b.png', b"a%22b.png"),
        ("a\x7f.png", b"a%7F.png"),
        ("\x01\x1b[2J\x1f.png", b"%01%1B[2J%1F.png"),
        ("a\r\nX-B: c.png", b"a%0D%0AX-B: c.png"),
        ("caf\udce9 é.png", b"caf? \xc3\xa9.png"),
    ],
)
async def test_the_name_of_a_file_is_sent_whatever_it_is(tmp_path: Path, name: str, sent: bytes) -> None:
    """One line of one header, as browsers write it."""
    path = tmp_path / name
    try:
        path.write_bytes(PNG)
    except OSError:
        pytest.skip("this file system takes no such name")
    bodies: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        bodies.append(await reader.readexactly(int(length.split(b":")[1])))

    async with server_of(take) as client:
        with pytest.raises(APIConnectionError):
            await client.files.create(path)
    assert b'name="file"; filename="' + sent + b'"\r\n' in bodies[0]


async def test_an_upload_that_is_given_up_ends(tmp_path: Path) -> None:
    """The file is closed, and so is the connection, although the server reads nothing."""
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(20 * 2**20)
    arrived, going, left = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await going.wait()
        while await reader.read(2**20):
            pass
        left.set()

    async with asyncio.timeout(10), server_of(idle) as client:
        creating = asyncio.create_task(client.files.create(path))
        await arrived.wait()
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        going.set()
        await left.wait()
        assert client.statistics().in_flight == 0


async def test_a_refusal_before_the_end_of_an_upload_is_heard(tmp_path: Path) -> None:
    """A server that wants no more says so at once."""
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(20 * 2**20)

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 9\r\nconnection: close\r\n\r\ntoo large")
        await writer.drain()
        while await reader.read(2**20):
            pass

    async with asyncio.timeout(10), server_of(refuse) as client:
        with pytest.raises(APIStatusError, match="too large") as caught:
            await client.files.create(path)
    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"file": "missing.png"}, "No such file"),
        ({"file": "."}, "regular file"),
        ({"file": b""}, "not empty"),
        ({"file": io.StringIO("text")}, "binary"),
        ({"file": 5}, "not int"),
        ({"file": None}, "not NoneType"),
        ({"file": "a\0b"}, "can be read"),
        ({"file": PNG, "purpose": ""}, "user_data"),
        ({"file": PNG, "expires_after": 3599}, "3,600 to 2,592,000"),
        ({"file": PNG, "expires_after": True}, "seconds"),
        ({"file": PNG, "expires_after": {"anchor": "created_at"}}, "seconds"),
        ({"file": PNG, "filename": "a\r\nb"}, "one line"),
        ({"file": PNG, "media_type": ""}, "media_type"),
    ],
)
async def test_what_is_wrong_is_refused_before_anything_is_sent(given: dict[str, Any], words: str) -> None:
    """By name, and with what is allowed."""
    client, transport = client_on()
    with pytest.raises(InvalidRequestError, match=words):
        await client.files.create(**given)
    assert not transport.requests


async def test_wrong_ids_and_pages() -> None:
    """No id leads to another path."""
    client, transport = client_on(whole(DESCRIBED))
    for wrong in ("", "..", None, 5):
        with pytest.raises(InvalidRequestError, match="file_id"):
            await client.files.retrieve(wrong)  # type: ignore[arg-type]
    for wanted in ({"limit": 0}, {"limit": 1001}, {"limit": True}, {"order": "up"}):
        with pytest.raises(InvalidRequestError):
            client.files.list(**wanted)  # type: ignore[arg-type]
    await client.files.retrieve("../models?x=1")
    assert transport.requests[0].url == "http://localhost:1/files/..%2Fmodels%3Fx%3D1"


async def test_the_size_is_the_official_apis_rule(tmp_path: Path) -> None:
    """Other servers may take more."""
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(100 * 2**20 + 1)
    client, transport = client_on(whole(DESCRIBED), official_rules=True)
    with pytest.raises(InvalidRequestError, match="at most 104,857,600 bytes"):
        await client.files.create(path)
    client, transport = client_on(whole(DESCRIBED))
    assert await client.files.create(path) == FileObject.from_dict(DESCRIBED)
    form = transport.requests[0].form
    assert form is not None
    assert (form.fields, form.file.name, form.file.media_type) == (
        (("purpose", "user_data"),),
        "large.pdf",
        "application/pdf",
    )


async def test_a_recording_keeps_what_it_is_called(tmp_path: Path, server: SandboxServer) -> None:
    """Not the file; asked again it is answered without a server."""
    recording = tmp_path / "calls.jsonl"
    async with AsyncClient(base_url=server.base_url, record=recording) as client:
        first = await client.files.create(PNG, filename="a.png")
    assert "a.png" in recording.read_text()
    async with AsyncClient(base_url="http://localhost:1", record=recording) as client:
        assert await client.files.create(PNG, filename="a.png") == first
        with pytest.raises(APIConnectionError):
            await client.files.create(PNG, filename="b.png", max_retries=0)


async def test_values_are_frozen_and_go_round() -> None:
    """As all others; unknown fields are kept."""
    client, _ = client_on(whole({**DESCRIBED, "status": "processed"}))
    file = await client.files.retrieve("file-api-1")
    assert file.extra == {"status": "processed"}
    assert FileObject.from_json(file.to_json()) == file
    with pytest.raises(AttributeError):
        file.id = "other"  # type: ignore[misc]
    assert HTTPRequest("GET", "http://localhost:1", {}).kept == b""
