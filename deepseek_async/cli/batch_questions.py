"""What the rows of an output were asked: an output holds answers alone, so the source is read again as the run did."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..batch.journal.journal import side_file_of
from ..batch.journal.lines import Line, side_decoder
from ..batch.journal.scan import lines_in
from ..batch.source.row import Row
from ..batch.source.rows import RowSource
from ..batch.source.template import Template
from ..errors import DeepSeekError

_AT_ONCE = 1000


Asked = tuple[str, str | None, Template]
"""A file of rows, what it is written as, and what each of its rows was asked besides its own words."""


class _Message(msgspec.Struct, gc=False):
    role: str
    content: Any = None


class _Asked(msgspec.Struct, gc=False):
    messages: list[_Message]


_decoder = msgspec.json.Decoder(_Asked)


class Questions:
    """Questions by the id of a row and the hash of what it asked. A million of them are kept on disk, not in memory.

    Args:
        sources: Where they are; see `sources_of`.

    Attributes:
        problems: What could not be read, in words.
    """

    def __init__(self, sources: Iterable[Asked]) -> None:
        self.problems: list[str] = []
        self._store = sqlite3.connect("")  # a file without a name, gone with the connection
        self._store.execute("CREATE TABLE asked (row TEXT PRIMARY KEY, question TEXT) WITHOUT ROWID")
        for path, kind, template in sources:
            try:
                asyncio.run(self._read(path, kind, template))
            except (DeepSeekError, OSError) as error:
                said = error.message if isinstance(error, DeepSeekError) else f"{path}: {error.strerror}"
                self.problems += [] if said in self.problems else [said]

    def of(self, line: Line) -> str | None:
        """What the row of a line was asked; ``None``: the source does not hold it as it was any more."""
        found = self._store.execute(
            "SELECT question FROM asked WHERE row = ?", (f"{line.x.body_hash} {line.custom_id}",)
        )
        row = found.fetchone()
        return None if row is None else str(row[0])

    def close(self) -> None:
        """Forget them."""
        self._store.close()

    async def _read(self, path: str, kind: str | None, template: Template) -> None:
        rows = RowSource(path, template=template, kind=kind)
        some: list[tuple[str, str]] = []
        try:
            while True:
                while (row := rows.next_ready()) is not None:
                    if row.request is not None:
                        some.append((f"{row.body_hash} {row.name}", question_in(row)))
                    if len(some) >= _AT_ONCE:
                        self._keep(some)
                if rows.is_at_end:
                    break
                await rows.more()
        finally:
            await rows.aclose()
        self._keep(some)

    def _keep(self, some: list[tuple[str, str]]) -> None:
        self._store.executemany("INSERT OR IGNORE INTO asked VALUES (?, ?)", some)
        some.clear()


def question_in(row: Row) -> str:
    """The text of a request's last message of the user; images and the like are left out."""
    said = [message.content for message in _decoder.decode(row.body).messages if message.role == "user"]
    content = said[-1] if said else ""
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, Mapping))
        content = "\n".join(text for text in parts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def sources_of(output: Path, source: str | None) -> list[Asked]:
    """The sources that the headers of the runs on an output name, each once, the latest first.

    Args:
        source: Where the source is now; ``None``: where it was.
    """
    headers = [line.settings for line in lines_in(side_file_of(output), side_decoder) if line.settings is not None]
    found: list[Asked] = []
    for settings in reversed(headers):
        path = settings.get("source") if source is None else source
        asked = (path, settings.get("source_format"), Template(**settings.get("template") or {}))
        if isinstance(path, str) and asked not in found:
            found.append(asked)
    return found if found or source is None else [(source, None, Template())]
