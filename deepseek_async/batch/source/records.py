"""CSV and TSV as rows: the first line names the columns, each record after it is a row, in pieces of any size.

| in the file | is |
| --- | --- |
| ``.csv`` | commas between cells; semicolons or tabs, if the first line has such and no comma |
| ``.tsv`` | tabs |
| a cell in quotes (RFC 4180) | may hold separators, line ends, and quotes doubled |
| an empty cell | no value |
| a column without a name (the index that pandas writes) | left out |
| a record with more or fewer cells than columns, or odd quotes | a row that fails |
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

import attrs
import msgspec

from ...errors import InvalidRequestError
from .template import Template

# A cell, and what the quotes of one may swallow.
MAX_CELL_CHARACTERS: Final = 64 * 2**20
_AT_ONCE: Final = 500
_SEPARATORS: Final = ",;\t"
# Of a request's parameters: those that are text however they look.
_TEXTS: Final = frozenset(("custom_id", "prompt", "model", "user", "user_id"))


@attrs.frozen
class Record:
    """One row of a table.

    Attributes:
        line: The number of its first line in a file of text, or of the row in a table; for messages.
        values: Its cells by the names of the columns; those without a value are left out.
        problem: Why no request can be made of it; ``None``: nothing is wrong with it.
        is_text: Whether every cell is text.
    """

    line: int
    values: Mapping[str, Any]
    problem: str | None = None
    is_text: bool = False


def records_of(
    pieces: Iterator[bytes], name: str, template: Template, *, separator: str | None = None
) -> Iterator[list[Record]]:
    """The records of a file, some hundreds at a time.

    Args:
        pieces: The file in UTF-8.
        name: The file's, for messages.
        template: Has to find its columns.
        separator: Between cells; ``None``: told by the first line.

    Raises:
        InvalidRequestError: No column has a name, or two have the same; a column is missing that is asked for; quotes
            are opened and never closed.
    """
    lines = _lines_of(_in_utf8(pieces, name), name)
    begun: list[str] = []
    while not begun or not begun[-1].strip():
        if (line := next(lines, None)) is None:
            return
        begun.append(line)
    reader = csv.reader(chain(begun, lines), delimiter=separator or _separator_in(begun[-1]), strict=True)
    names = _names_of(reader, name)
    template.check([column for column in names if column], name)
    if template.prompt is None:
        _check_columns(names, name)
    while records := _some(reader, names, name):
        yield records


def _some(reader: Any, names: list[str], name: str) -> list[Record]:
    records: list[Record] = []
    before = csv.field_size_limit(MAX_CELL_CHARACTERS)  # the process's, so it is put back
    try:
        while len(records) < _AT_ONCE:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                if "unexpected end" in str(error) or "field larger" in str(error):
                    raise InvalidRequestError(
                        "source", name, message=f"{name}:{line}: a quote is opened in this record and never closed"
                    ) from None
                records.append(Record(line, {}, f"no record: {error}"))
                continue
            if not cells:
                continue
            if len(cells) != len(names):
                problem = f"the record has {len(cells):,} cells, and the first line names {len(names):,} columns"
                records.append(Record(line, {}, problem))
                continue
            values = {column: cell for column, cell in zip(names, cells, strict=True) if column and cell}
            records.append(Record(line, values, is_text=True))
    finally:
        csv.field_size_limit(before)
    return records


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Cells that are text as values of a request: ``max_tokens`` a number, ``messages`` JSON."""
    return {name: value if name in _TEXTS else _value_of(name, value) for name, value in values.items()}


def _value_of(name: str, cell: str) -> Any:
    if name == "stop" and not cell.lstrip().startswith("["):
        return cell
    text = cell.lower() if cell in ("TRUE", "FALSE", "True", "False") else cell  # as spreadsheets and Python write them
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return cell


def _names_of(reader: Any, name: str) -> list[str]:
    try:
        names = [column.strip() for column in next(filter(None, reader))]
    except csv.Error as error:
        raise InvalidRequestError("source", name, message=f"{name}: the first line names no columns: {error}") from None
    if not any(names) or any("\0" in column for column in names):
        raise InvalidRequestError("source", name, message=f"{name} is no table: its first line names no columns")
    for column in names:
        if column and names.count(column) > 1:
            raise InvalidRequestError("source", name, message=f"{name} has two columns that are called {column!r}")
    return names


def _check_columns(names: list[str], name: str) -> None:
    if not {"prompt", "messages", "body"} & set(names):
        shown = ", ".join(filter(None, names))
        first = next(filter(None, names))
        todo = f'say what to ask, --prompt "… {{{first}}} …", or name the column of questions prompt'
        raise InvalidRequestError(
            "prompt", None, message=f"{name} has the columns {shown}, none of them prompt or messages: {todo}"
        )


def _in_utf8(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The pieces, if the first is UTF-8: a table that is none has been written so from its first accent on."""
    start = next(pieces, b"")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError as error:
        line = start.count(b"\n", 0, error.start) + 1
        message = f"{name}:{line} is no UTF-8; write the file as such: iconv -f WINDOWS-1252 -t UTF-8 {name}"
        raise InvalidRequestError("source", name, message=message) from None
    return chain((start,), pieces)


def _separator_in(head: str) -> str:
    plain = "".join(head.split('"')[::2])  # outside of quotes
    return next((mark for mark in _SEPARATORS if mark in plain), ",")


def _lines_of(pieces: Iterator[bytes], name: str) -> Iterator[str]:
    r"""Lines with their ends, ``\n``, ``\r\n`` or ``\r``; bytes that are no UTF-8 stand for themselves."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    rest: list[str] = []
    is_after_return = False
    for piece in pieces:
        text = decoder.decode(piece)
        if is_after_return:
            text = "\r" + text
        if is_after_return := text.endswith("\r"):
            text = text[:-1]
        *lines, last = _split(text)
        if lines:
            yield "".join((*rest, lines[0]))
            yield from lines[1:]
            rest.clear()
        rest.append(last)
        if sum(map(len, rest)) > MAX_CELL_CHARACTERS:
            allowed = f"lines of at most {MAX_CELL_CHARACTERS:,} characters"
            raise InvalidRequestError("source", name, allowed)
    if last := "".join(rest) + decoder.decode(b"", final=True) + ("\r" if is_after_return else ""):
        yield last


def _split(text: str) -> list[str]:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + [lines[-1]]
