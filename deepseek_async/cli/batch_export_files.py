"""The files that ``batch export`` writes: CSV, TSV, JSON lines, Parquet, told by their endings."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..errors import InvalidRequestError

ColumnKind = Literal["text", "int", "float", "decimal", "time"]
Row = Mapping[str, Any]
Write = Callable[[Path, Mapping[str, ColumnKind], Iterable[Row]], int]
"""Writes rows with such columns to a file; returns how many there were."""

_AT_ONCE = 4096
# What a spreadsheet takes for a formula, by its first character past blanks; a plain number is none.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*(e[+-]?\d+)?", re.IGNORECASE)


def write_for(path: Path, *, for_excel: bool = False) -> Write:
    """What writes a file of such an ending.

    Args:
        for_excel: Whether a table begins with the mark by which Excel knows UTF-8; without it, Excel takes the text for
            the machine's old code page. Other readers may take the mark for a part of the first column's name.

    Raises:
        InvalidRequestError: Nothing does, or it is nothing for Excel.
        ModuleNotFoundError: A library is missing.
    """
    match path.suffix.lower():
        case ".csv":
            return partial(_write_separated, separator=",", for_excel=for_excel)
        case ".tsv" | ".tab":
            return partial(_write_separated, separator="\t", for_excel=for_excel)
        case suffix if for_excel:
            raise InvalidRequestError("file", str(path), message=f"{path.name}: --excel is for .csv and .tsv")
        case ".jsonl" | ".ndjson":
            return _write_lines
        case ".parquet" | ".pq":
            import pyarrow.parquet  # noqa: F401 - to know before anything is written

            return _write_parquet
        case suffix:
            what = f"ends with {suffix}" if suffix else "has no ending"
            allowed = ".csv, .tsv, .jsonl or .parquet"
            raise InvalidRequestError("file", str(path), message=f"{path.name} {what}; export writes {allowed}")


def _write_separated(
    path: Path, columns: Mapping[str, ColumnKind], rows: Iterable[Row], *, separator: str, for_excel: bool
) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig" if for_excel else "utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row.get(name), kind) for name, kind in columns.items()])
            count += 1
    return count


def _cell(value: Any, kind: ColumnKind) -> Any:
    if value is None:
        return ""
    return harmless(value) if kind == "text" else f"{value:f}" if kind == "decimal" else _plain(value)


def harmless(text: str) -> str:
    """A text that a spreadsheet shows and does not compute: with an apostrophe before what it takes for a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = text.replace("\0", "\ufffd")
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value


def _write_lines(path: Path, columns: Mapping[str, ColumnKind], rows: Iterable[Row]) -> int:
    encode = msgspec.json.Encoder(decimal_format="number").encode
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(encode({name: _plain(row.get(name)) for name in columns}) + b"\n")
            count += 1
    return count


def _write_parquet(path: Path, columns: Mapping[str, ColumnKind], rows: Iterable[Row]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "decimal": pa.decimal128(38, 12),
        "time": pa.timestamp("ms", tz="UTC"),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in _some(rows):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _some(rows: Iterable[Row]) -> Iterator[Sequence[Any]]:
    left = iter(rows)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch


def time_of(seconds: float) -> datetime | None:
    """Unix time as a moment; ``None`` for 0: it was never."""
    return datetime.fromtimestamp(round(seconds, 3), UTC) if seconds else None


def decimal_of(amount: str | None) -> Decimal | None:
    """An amount of money, as far as a column of twelve places holds it."""
    return None if amount is None else Decimal(amount)
