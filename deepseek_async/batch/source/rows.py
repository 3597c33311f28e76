"""Where a batch's rows come from: pulled one by one, only when there is room for one.

A source is a path, ``"-"`` (standard input), a table, an iterable or an async iterable; `row` says what may be in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from pathlib import Path
from typing import Any, Final, Protocol

from ...errors import InvalidRequestError
from ...types import ChatRequest
from .frames import ArrowTable, rows_of_table
from .lines import Lines
from .row import Row, row_of
from .shards import Shard

Source = (
    str | Path | Iterable[ChatRequest | Mapping[str, Any]] | AsyncIterable[ChatRequest | Mapping[str, Any]] | ArrowTable
)

_END: Final = object()
# So many rows may be passed over (done before, another shard's) until others get a turn of the loop.
_PASSED_AT_ONCE: Final = 500


class Known(Protocol):
    """What was done before."""

    def has_line(self, line: bytes, number: int) -> bool:
        """Whether a row that was read from this very line, as the source's row of that number, is done."""

    def has(self, row: Row) -> bool:
        """Whether a row is done. Raises `InvalidRequestError` if one of its id is, and asked something else."""


class RowSource:
    """The rows of a source, but for those of other shards and those that are done.

    Args:
        source: See above.
        shard: Only this part.
        known: What was done before.

    Attributes:
        skipped: Rows passed over because they are done.
        is_at_end: Whether there is no further row.

    Raises:
        InvalidRequestError: No such file, or a source of another type.
    """

    def __init__(self, source: Source, *, shard: Shard | None = None, known: Known | None = None) -> None:
        self.skipped = 0
        self.is_at_end = False
        self._shard = shard
        self._known = known
        self._number = self._line = 0
        self._lines: Lines | None = None
        self._given: object = source
        self._ready: Iterator[object] = iter(())
        self._is_drained = False
        self._fetch: Callable[[], Awaitable[None]] | None = None
        if (rows := rows_of_table(source)) is not None:
            self._ready = rows
        elif isinstance(source, (str, Path)):
            self._lines = Lines(source)
            self._fetch = self._fetch_lines
        elif isinstance(source, AsyncIterable):
            self._items: AsyncIterator[object] = aiter(source)
            self._fetch = self._fetch_item
        elif isinstance(source, Iterable) and not isinstance(source, (Mapping, bytes)):
            self._ready = iter(source)
        else:
            allowed = (
                f"a path, '-', a data frame, an iterable or an async iterable of requests, not {type(source).__name__}"
            )
            raise InvalidRequestError("source", None, allowed)

    @property
    def fraction(self) -> float | None:
        """How much of a file has been read, 0 to 1; ``None`` if that cannot be known."""
        if self._lines is None or not self._lines.size:
            return None
        return min(self._lines.position / self._lines.size, 1.0)

    def next_ready(self) -> Row | None:
        """The next row, if there is one without waiting; ``None``: see `is_at_end`, else await `more`."""
        for _ in range(_PASSED_AT_ONCE):
            item = next(self._ready, _END)
            if item is _END:
                self._is_drained = True
                self.is_at_end = self._fetch is None
                return None
            if (row := self._taken(item)) is not None:
                return row
        return None

    async def more(self) -> None:
        """Wait until `next_ready` may have a row again. Raises what the source raises."""
        if self._is_drained and self._fetch is not None:
            self._is_drained = False
            await self._fetch()
        else:
            await asyncio.sleep(0)

    async def _fetch_lines(self) -> None:
        assert self._lines is not None  # noqa: S101 - set where this method is
        lines = await self._lines.block()
        if not lines:
            self._fetch = None
        self._ready = iter(lines)

    async def _fetch_item(self) -> None:
        try:
            self._ready = iter((await anext(self._items),))
        except StopAsyncIteration:
            self._fetch = None

    def _taken(self, item: object) -> Row | None:
        if self._lines is not None:
            self._line += 1
            assert isinstance(item, bytes)  # noqa: S101 - Lines brings nothing else
            if not (item := item.strip()):
                return None
            self._number += 1
            # First the cheap look: a resumed run passes over millions of lines.
            if self._known is not None and self._known.has_line(item, self._number):
                self.skipped += 1
                return None
            row = row_of(item, self._number, f"{self._lines.name}:{self._line}")
        else:
            self._number += 1
            row = row_of(item, self._number, f"row {self._number}")
        if self._shard is not None and not self._shard.holds(row.custom_id):
            return None
        if self._known is not None and self._known.has(row):
            self.skipped += 1
            return None
        return row

    async def aclose(self) -> None:
        """Read no more, and close what is the batch's to close: the file, a generator."""
        if self._lines is not None:
            self._lines.close()
        if isinstance(self._given, AsyncGenerator):
            await self._given.aclose()
        elif isinstance(self._given, Generator):
            self._given.close()
