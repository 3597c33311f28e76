"""Where a batch's rows come from: pulled one by one, only when there is room for one.

A source is a path, ``"-"`` (standard input), a table, an iterable or an async iterable; `row` says what may be in it,
`kinds` what a file may be written as.
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
from .blocks import Blocks
from .frames import ArrowTable, rows_of_table
from .kinds import made_of
from .records import Record
from .row import Row, row_of
from .shards import Shard
from .template import Template

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

    Its attributes are what one kind of source or the other needs, and how far it has been read.

    Args:
        source: See above.
        shard: Only this part.
        known: What was done before; may be set later, before the first row is taken.
        template: What every row is asked besides its own words; ``None``: nothing.
        kind: What a file is written as; ``None``: as its name says.

    Attributes:
        skipped: Rows passed over because they are done.
        is_at_end: Whether there is no further row.

    Raises:
        InvalidRequestError: No such file, or a source of another type.
    """

    def __init__(
        self,
        source: Source,
        *,
        shard: Shard | None = None,
        known: Known | None = None,
        template: Template | None = None,
        kind: str | None = None,
    ) -> None:
        self.skipped: int = 0
        self.is_at_end: bool = False
        self._shard = shard
        self.known = known
        self._template = None if template is None or template.says_nothing else template
        self._number = self._line = 0
        self._file: Blocks | None = None
        self._first: asyncio.Task[Any] | None = None
        self._given: object = source
        self._ready: Iterator[object] = iter(())
        self._is_drained = False
        self._fetch: Callable[[], Awaitable[None]] | None = None
        if (rows := rows_of_table(source)) is not None:
            self._ready = rows
        elif isinstance(source, (str, Path)):
            self._file = Blocks(source, made_of(source, template or Template(), kind))
            self._fetch = self._fetch_block
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
        if self._file is None or not self._file.size or not self._file.position:
            return None
        return min(self._file.position / self._file.size, 1.0)

    async def look(self, patience: float | None = None) -> None:
        """Read the beginning of a file, so that a source without rows is refused before the run creates an output.

        Args:
            patience: Seconds to wait for a pipe to bring something; ``None``: as long as it takes.

        Raises:
            InvalidRequestError: The file has no rows, or lacks a column that the template names.
            OSError: Reading failed.
        """
        if self._file is None:
            return
        self._first = asyncio.ensure_future(self._file.block())
        done, _ = await asyncio.wait((self._first,), timeout=patience)
        if done:
            self._first.result()

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

    async def _fetch_block(self) -> None:
        assert self._file is not None  # noqa: S101 - set where this method is
        first, self._first = self._first, None
        items = await (self._file.block() if first is None else first)
        if not items:
            self._fetch = None
        self._ready = iter(items)

    async def _fetch_item(self) -> None:
        try:
            self._ready = iter((await anext(self._items),))
        except StopAsyncIteration:
            self._fetch = None

    def _taken(self, item: object) -> Row | None:
        if isinstance(item, bytes) and self._file is not None:
            self._line += 1
            if not (item := item.strip()):
                return None
            self._number += 1
            # First the cheap look: a resumed run passes over millions of lines.
            if self.known is not None and self._template is None and self.known.has_line(item, self._number):
                self.skipped += 1
                return None
            place = f"{self._file.name}:{self._line}"
        else:
            self._number += 1
            place = f"row {self._number}"
            if isinstance(item, Record) and self._file is not None:
                place = f"{self._file.name}:{item.line}"
        row = row_of(item, self._number, place, self._template)
        if self._shard is not None and not self._shard.holds(row.custom_id):
            return None
        if self.known is not None and self.known.has(row):
            self.skipped += 1
            return None
        return row

    async def aclose(self) -> None:
        """Read no more, and close what is the batch's to close: the file, a generator."""
        if self._first is not None and not self._first.done():
            self._first.cancel()
        if self._file is not None:
            self._file.close()
        if isinstance(self._given, AsyncGenerator):
            await self._given.aclose()
        elif isinstance(self._given, Generator):
            self._given.close()
