"""How many rows a file has, which tells how much of a run is ahead."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import msgspec

from ..batch.source.encodings import utf8_of
from ..batch.source.shards import Shard
from ..errors import InvalidRequestError
from .batch_figures import Throughput

# Several hundred megabytes are counted in that time, and are known before the first row is sent.
_PATIENCE_SECONDS = 0.5
_PIECE_BYTES = 2**20


class _Named(msgspec.Struct, gc=False):
    custom_id: str | None = None


_decoder = msgspec.json.Decoder(_Named)


def count_into(throughput: Throughput, source: str, shard: Shard | None) -> None:
    """Count the rows of a file, a large one while the run is under way. Of stdin or a pipe nothing is known."""
    if source == "-" or not os.path.isfile(source):  # noqa: PTH113
        return

    def count() -> None:
        with suppress(OSError, InvalidRequestError):  # the run will say what is wrong with it
            throughput.total = rows_in(source, shard)

    thread = threading.Thread(target=count, name=f"rows of {source}", daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECONDS)


def rows_in(path: str, shard: Shard | None = None) -> int:
    """How many rows a file has, or a part of it.

    Raises:
        OSError, InvalidRequestError: It cannot be read, or has no lines.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        rows = (line for line in _lines_of(utf8_of(iter(partial(file.read, _PIECE_BYTES), b""), path)) if line.strip())
        return sum(1 for _ in rows) if shard is None else sum(map(shard.holds, _ids_of(rows)))


def _lines_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest


def _ids_of(rows: Iterator[bytes]) -> Iterator[str]:
    for number, line in enumerate(rows, 1):
        try:
            name = _decoder.decode(line).custom_id
        except (msgspec.DecodeError, UnicodeDecodeError):
            name = None  # a row that fails goes by its number
        yield name or f"row-{number}"
