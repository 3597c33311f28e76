"""How many rows a file has, which tells how much of a run is ahead."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import chain

import msgspec

from ..batch.source.encodings import utf8_of
from ..batch.source.kinds import kind_of, made_of
from ..batch.source.lines import lines_of
from ..batch.source.row import id_text
from ..batch.source.shards import Shard
from ..batch.source.tables import count_of_parquet
from ..batch.source.template import Template
from ..errors import InvalidRequestError
from .batch_figures import Throughput

# Several hundred megabytes are counted in that time, and are known before the first row is sent.
_PATIENCE_SECONDS = 0.5
_PIECE_BYTES = 2**20
_ANYTHING = Template(prompt="")


class _Named(msgspec.Struct, gc=False):
    custom_id: str | int | float | None = None


_decoder = msgspec.json.Decoder(_Named)


def count_into(
    throughput: Throughput, source: str, shard: Shard | None, kind: str | None = None, *, has_ids: bool = True
) -> None:
    """Count the rows of a file, a large one while the run is under way. Of stdin or a pipe nothing is known.

    Args:
        kind: What the file is written as; ``None``: as its name says.
        has_ids: Whether rows go by their ``custom_id``; else nothing is known of a part of them.
    """
    if shard is not None and (not has_ids or kind_of(source, kind) != "jsonl"):
        return
    if source == "-" or not os.path.isfile(source):  # noqa: PTH113
        return

    def count() -> None:
        with suppress(OSError, InvalidRequestError):  # the run will say what is wrong with it
            throughput.total = rows_in(source, shard, kind)

    thread = threading.Thread(target=count, name=f"rows of {source}", daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECONDS)


def rows_in(path: str, shard: Shard | None = None, kind: str | None = None) -> int:
    """How many rows a file has, or a part of one of JSON lines.

    Raises:
        OSError, InvalidRequestError: It cannot be read, or has no lines.
    """
    what = kind_of(path, kind)
    if what == "parquet":
        return count_of_parquet(path)
    with open(path, "rb") as file:  # noqa: PTH123
        pieces = iter(partial(file.read, _PIECE_BYTES), b"")
        if what != "jsonl":
            return sum(map(len, made_of(path, _ANYTHING, what)(pieces)))
        text = utf8_of(pieces, path)
        start = next(text, b"")
        while not start.strip() and (piece := next(text, b"")):
            start += piece
        text = chain((start,), text)
        if start.lstrip().startswith(b"["):
            return sum(map(len, lines_of(text, path)))
        rows = (line for line in _lines_of(text) if line.strip())
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
            name = id_text(_decoder.decode(line).custom_id)
        except (msgspec.DecodeError, UnicodeDecodeError, InvalidRequestError):
            name = None  # a row that fails goes by its number
        yield name or f"row-{number}"
