"""Images and files as content parts: what they are is looked at, what is too large or none is refused."""

from __future__ import annotations

import base64
import builtins
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import AsyncClient, FileObject, FilePart, ImagePart, InvalidRequestError, TextPart, UserMessage
from deepseek_async.sandbox import SandboxServer

pytestmark = pytest.mark.anyio

REST = bytes(64)
IMAGES = {
    "image/png": b"\x89PNG\r\n\x1a\n" + REST,
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1" + REST,
    "image/gif": b"GIF89a" + REST,
    "image/webp": b"RIFF" + struct.pack("<I", 300) + b"WEBPVP8 " + REST,
}
PNG = IMAGES["image/png"]


def data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("media_type", IMAGES)
def test_what_an_image_is_its_content_tells(media_type: str, tmp_path: Path) -> None:
    """Not its name, which may be wrong."""
    data = IMAGES[media_type]
    assert ImagePart.from_bytes(data).image_url.url == data_url(media_type, data)
    for name in ("picture", "picture.txt", "picture.png"):
        path = tmp_path / name
        path.write_bytes(data)
        for given in (path, str(path)):
            assert ImagePart.from_path(given, detail="low").image_url.url == data_url(media_type, data)
    assert ImagePart.from_path(path, detail="low").image_url.detail == "low"


def test_what_is_said_is_believed() -> None:
    """Of formats that the library does not know."""
    part = ImagePart.from_bytes(b"something new", media_type="image/new")
    assert part.image_url.url.startswith("data:image/new;base64,")


def test_addresses() -> None:
    """The server fetches them; data URLs are as good."""
    assert ImagePart.from_url("https://example.org/a.png", detail="high").to_dict() == {
        "type": "image_url",
        "image_url": {"url": "https://example.org/a.png", "detail": "high"},
    }
    assert ImagePart.from_url("data:image/png;base64,AAAA").image_url.detail is None


def test_without_the_library_the_name_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And bytes need a word; the error says which package looks."""
    there = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "filetype":
            raise ImportError(name)
        return there(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    path = tmp_path / "a.webp"
    path.write_bytes(PNG)
    assert ImagePart.from_path(path).image_url.url.startswith("data:image/webp;")
    assert ImagePart.from_bytes(PNG, media_type="image/png").image_url.url == data_url("image/png", PNG)
    with pytest.raises(InvalidRequestError, match=r"deepseek_async\[files\]"):
        ImagePart.from_bytes(PNG)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ImagePart.from_bytes(b""), "not empty"),
        (lambda: ImagePart.from_bytes("text"), "bytes, not str"),  # type: ignore[arg-type]
        (lambda: ImagePart.from_bytes(b"no image at all"), "media_type"),
        (lambda: ImagePart.from_bytes(b"%PDF-1.7" + REST), "application/pdf.*see FilePart"),
        (lambda: ImagePart.from_bytes(PNG, media_type="text/plain"), "see FilePart"),
        (lambda: ImagePart.from_bytes(PNG, media_type="png"), "such as 'image/png'"),
        (lambda: ImagePart.from_bytes(PNG, media_type="image/png;base64,x"), "such as"),
        (lambda: ImagePart.from_bytes(PNG, detail="best"), "'original'"),
        (lambda: ImagePart.from_bytes(PNG, max_bytes=10), "at most 10 bytes.*client.files.create"),
        (lambda: ImagePart.from_bytes(PNG + bytes(32 * 2**20)), "33,554,432"),
        (lambda: ImagePart.from_url("a.png"), "from_path"),
        (lambda: ImagePart.from_url("file:///a.png"), "http"),
        (lambda: ImagePart.from_url(Path("a.png")), "http"),  # type: ignore[arg-type]
        (lambda: ImagePart.from_path("missing.png"), "No such file"),
        (lambda: ImagePart.from_path("."), "can be read"),
        (lambda: ImagePart.from_path("a\0b"), "can be read"),
        (lambda: ImagePart.from_path(5), "not int"),  # type: ignore[arg-type]
        (lambda: FilePart.from_bytes(b"", "a.pdf"), "not empty"),
        (lambda: FilePart.from_bytes(b"a", ""), "filename"),
        (lambda: FilePart.from_bytes(b"a", "a.pdf", max_bytes=0), "at most 0"),
        (lambda: FilePart.from_path("missing.pdf"), "No such file"),
        (lambda: FilePart.from_upload(""), "client.files.create"),
        (lambda: FilePart.from_upload(None), "client.files.create"),  # type: ignore[arg-type]
    ],
)
def test_what_is_none_is_refused(make: Any, words: str) -> None:
    """With what is allowed, and never with the bytes."""
    with pytest.raises(InvalidRequestError, match=words) as caught:
        make()
    assert "PNG" not in str(caught.value)


def test_limits_are_the_callers_to_lift(tmp_path: Path) -> None:
    """A file is not read before its size is looked at."""
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.write(PNG)
        file.truncate(33 * 2**20)
    with pytest.raises(InvalidRequestError, match="at most"):
        ImagePart.from_path(path)
    assert len(ImagePart.from_path(path, max_bytes=None).image_url.url) > 44 * 2**20


def test_files(tmp_path: Path) -> None:
    """By name or content; of an upload by its id."""
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.7")
    part = FilePart.from_path(path)
    assert part.to_dict() == {
        "type": "file",
        "file_data": data_url("application/pdf", b"%PDF-1.7"),
        "filename": "report.pdf",
    }
    assert FilePart.from_path(path, filename="a.pdf").filename == "a.pdf"
    assert (FilePart.from_bytes(PNG, "unknown").file_data or "").startswith("data:image/png;")
    assert (FilePart.from_bytes(b"?", "unknown").file_data or "").startswith("data:application/octet-stream;")
    assert (FilePart.from_bytes(b"a,b", "a.csv", media_type="text/csv").file_data or "").startswith("data:text/csv;")
    assert (
        FilePart.from_upload(FileObject("file-api-1")) == FilePart.from_upload("file-api-1") == FilePart("file-api-1")
    )


def test_parts_are_values_and_show_no_bytes() -> None:
    """They go round as JSON within a message, and their repr is short."""
    message = UserMessage([TextPart("What is this?"), ImagePart.from_bytes(PNG), FilePart.from_bytes(b"a", "a.txt")])
    assert UserMessage.from_json(message.to_json()) == message
    assert base64.b64encode(PNG).decode()[8:40] not in repr(message)


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    async with SandboxServer(seed=1, rules="today") as server, AsyncClient(base_url=server.base_url) as client:
        yield client


async def test_the_sandbox_is_asked_about_them(client: AsyncClient) -> None:
    """Each kind of part is understood."""
    parts = [
        TextPart("What is this?"),
        ImagePart.from_bytes(PNG),
        ImagePart.from_url("https://example.org/a.png"),
        FilePart.from_bytes(b"%PDF-1.7", "a.pdf"),
    ]
    question: Any = UserMessage(parts)
    completion = await client.chat.completions.create(model="deepseek-flash", messages=[question], max_tokens=5)
    assert completion.complete
