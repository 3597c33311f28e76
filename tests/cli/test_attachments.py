"""Files as parts of a question: text with its name, images and PDFs as data; what is neither is told."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.cli.attachments import content_of, parts_of
from deepseek_async.errors import InvalidRequestError
from deepseek_async.sandbox import SandboxServer

from .conftest import Run

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def part(path: Path, data: bytes) -> Any:
    path.write_bytes(data)
    (made,) = parts_of([path])
    return made


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a = 1\n", "```\na = 1\n```"),
        ("ä雨".encode("utf-8-sig"), "```\nä雨\n```"),
        ("ä雨".encode("utf-16"), "```\nä雨\n```"),
        (b"```\nx\n```\n", "````\n```\nx\n```\n````"),
        (b"`````", "``````\n`````\n``````"),
    ],
)
def test_text(tmp_path: Path, data: bytes, text: str) -> None:
    """With its name, between fences that it cannot end."""
    path = tmp_path / "a b.py"
    assert part(path, data) == {"type": "text", "text": f"{path}:\n{text}"}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 9, "image/jpeg"),
        (b"GIF89a" + b"\0" * 9, "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_images(tmp_path: Path, data: bytes, kind: str) -> None:
    """Told by how they begin, whatever their name."""
    url = part(tmp_path / "x.txt", data)["image_url"]["url"]
    head, _, code = url.partition(",")
    assert (head, base64.b64decode(code)) == (f"data:{kind};base64", data)


def test_pdfs(tmp_path: Path) -> None:
    made = part(tmp_path / "a.pdf", b"%PDF-1.7\n\xe2")
    assert (made["type"], made["filename"]) == ("file", "a.pdf")
    assert made["file_data"].startswith("data:application/pdf;base64,")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x7fELF\0\0", "is none of"),
        (b"caf\xe9", "is none of"),
        (b"", "is empty"),
        (b"RIFF\0\0\0\0WAVE", "is none of"),
    ],
)
def test_what_cannot_be_asked_about(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        part(tmp_path / "x.bin", data)


def test_the_question_comes_last(tmp_path: Path) -> None:
    """So that another one about the same files hits the cache; without files it is plain text."""
    path = tmp_path / "a.txt"
    path.write_text("x")
    content = content_of("Why?", [path])
    assert isinstance(content, list)
    assert [part["type"] for part in content] == ["text", "text"]
    assert content[-1]["text"] == "Why?"
    assert content_of("Why?", []) == "Why?"


def test_in_the_shell(run: Run, server: SandboxServer, tmp_path: Path) -> None:
    """Files behind the question; `-` is standard input, once."""
    path = tmp_path / "a.txt"
    path.write_text("x")
    base = ("--base-url", server.base_url, "--max-tokens", "3")
    result = run("chat", "What is it?", str(path), "-", *base, stdin=b"from stdin\n")
    assert result.exit_code == 0, result.stderr
    content = server.requests[-1].json["messages"][-1]["content"]
    assert [part["text"].splitlines()[0] for part in content] == [f"{path}:", "stdin:", "What is it?"]
    assert run("chat", "-", "-", *base, stdin=b"x").exit_code == 2
    missing = run("chat", "What", "is", "it?", *base)
    assert missing.exit_code == 2
    assert "is: no such file; a question of several words stands in quotes" in missing.stderr.replace("\n", " ")


def test_an_image_that_is_too_large_is_named(tmp_path: Path) -> None:
    """With what takes it instead."""
    with pytest.raises(InvalidRequestError, match=r"x\.png: .*at most 33,554,432 bytes"):
        part(tmp_path / "x.png", PNG + b"\0" * 2**25)
