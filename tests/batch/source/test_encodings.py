"""A source is read whatever it is written in, however few bytes a read brings; what has no lines is told in words."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.batch.source.encodings import utf8_of
from deepseek_async.batch.source.rows import RowSource
from deepseek_async.errors import InvalidRequestError

TEXT = '{"custom_id": "ä", "prompt": "雨 🌧"}\n{"custom_id": "b", "prompt": "x"}\n'
PLAIN = TEXT.encode()


def _zipped(data: bytes) -> bytes:
    """Two members and the zeros of a tape, one member among them empty."""
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(b"") + gzip.compress(data[half:]) + b"\0" * 9


WRITTEN = {
    "utf-8": PLAIN,
    "utf-8 with a mark": codecs.BOM_UTF8 + PLAIN,
    "utf-16 with a mark": TEXT.encode("utf-16"),
    "utf-16 big": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "utf-16 little, no mark": TEXT.encode("utf-16-le"),
    "utf-16 big, no mark": TEXT.encode("utf-16-be"),
    "gzip": gzip.compress(PLAIN, mtime=0),
    "gzip of members": _zipped(PLAIN),
    "gzip of utf-16": gzip.compress(TEXT.encode("utf-16")),
    "gzip of a mark": gzip.compress(codecs.BOM_UTF8 + PLAIN),
}


def cut(data: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = next(sizes)
        yield data[at : at + size]
        at += size


@pytest.mark.parametrize("name", WRITTEN)
@given(st.lists(st.integers(1, 7), min_size=1))
def test_every_writing_in_every_cut(name: str, sizes: list[int]) -> None:
    """A byte at a time, two, the mark cut in the middle."""
    pieces = cut(WRITTEN[name], (sizes[number % len(sizes)] for number in range(10**6)))
    assert b"".join(utf8_of(pieces, "in.jsonl")) == PLAIN


@pytest.mark.parametrize("data", [b"", b"\n", b"{}", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_short_sources(data: bytes) -> None:
    """Less than a mark is long."""
    assert b"".join(utf8_of(iter((data,)), "in.jsonl")) in (b"", b"\n", b"{}")


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("in.jsonl", TEXT)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lzma.compress(PLAIN), "an xz file, which has no lines: decompress it first: xz -dc"),
        (bz2.compress(PLAIN), "a bzip2 file"),
        (b"\x28\xb5\x2f\xfd" + PLAIN, "a zstd file"),
        (_zip(), "a zip file"),
        (b"PAR1" + PLAIN, "a name that ends with .parquet"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "UTF-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "UTF-32"),
        (gzip.compress(PLAIN, mtime=0)[:-9], "ends in the middle"),
        (gzip.compress(PLAIN, mtime=0) + b"rubbish", "cannot be read"),
        (TEXT.encode("utf-16")[:-1], "cannot be read"),
        (gzip.compress(lzma.compress(PLAIN), mtime=0), "what is in in.jsonl is an xz file"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,  # the bytes hold the time
)
def test_what_has_no_lines(data: bytes, words: str) -> None:
    """One sentence with the file's name; and what to do where something can be done."""
    with pytest.raises(InvalidRequestError, match=words) as caught:
        list(utf8_of(iter((data,)), "in.jsonl"))
    assert "in.jsonl" in str(caught.value)


def test_a_bomb_comes_in_pieces() -> None:
    """A hundred MiB of blanks from a hundred kB: never more than eight MiB at once."""
    pieces = list(map(len, utf8_of(iter((gzip.compress(b" " * 100 * 2**20),)), "in.jsonl")))
    assert sum(pieces) == 100 * 2**20
    assert max(pieces) <= 8 * 2**20


async def _ids_in(source: Any) -> list[str]:
    rows = RowSource(source)
    ids: list[str] = []
    try:
        while not rows.is_at_end:
            while (row := rows.next_ready()) is not None:
                assert row.error is None
                ids.append(row.custom_id)
            if not rows.is_at_end:
                await rows.more()
    finally:
        await rows.aclose()
    return ids


@pytest.mark.anyio
@pytest.mark.parametrize("name", WRITTEN)
async def test_files_and_pipes(tmp_path: Path, name: str) -> None:
    """From a file at once, from a pipe byte by byte."""
    file, pipe = tmp_path / "in.jsonl", tmp_path / "pipe"
    file.write_bytes(WRITTEN[name])
    assert await _ids_in(file) == ["ä", "b"]
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as end:
            for byte in WRITTEN[name]:
                end.write(bytes((byte,)))

    writer = threading.Thread(target=write)
    writer.start()
    assert await _ids_in(pipe) == ["ä", "b"]
    writer.join()
