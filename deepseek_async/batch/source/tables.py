"""Parquet files as rows, a thousand at a time, with pyarrow or, where that is missing, polars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ...errors import InvalidRequestError
from .frames import made
from .records import Record
from .template import Template

_AT_ONCE: Final = 1000


def rows_of_parquet(path: str, template: Template) -> Iterator[list[Record]]:
    """The rows of a Parquet file.

    Raises:
        InvalidRequestError: It is none; it lacks a column that is asked for; neither library is there.
        OSError: Reading failed.
    """
    names, blocks, _ = opened(path)
    template.check(names, path)
    if template.prompt is None and not {"prompt", "messages", "body"} & set(names):
        todo = f'say what to ask, --prompt "… {{{names[0] if names else "column"}}} …"'
        message = f"{path} has the columns {', '.join(names)}, none of them prompt or messages: {todo}"
        raise InvalidRequestError("prompt", None, message=message)
    number = 0
    for block in blocks:
        records = [Record(number + place, values) for place, values in enumerate(made(block), 1)]
        number += len(records)
        if records:
            yield records


def count_of_parquet(path: str) -> int:
    """How many rows a Parquet file has. Raises as `rows_of_parquet`."""
    return opened(path)[2]


def opened(path: str) -> tuple[list[str], Iterator[Iterable[Mapping[str, Any]]], int]:
    """The columns of a Parquet file, its rows in blocks, and how many there are."""
    try:
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        return _opened_by_polars(path)
    try:
        file = pq.ParquetFile(path)
        names = list(file.schema_arrow.names)
    except OSError:
        raise
    except Exception as error:  # pyarrow's own classes
        raise _unreadable(path, error) from None
    return names, (batch.to_pylist() for batch in file.iter_batches(_AT_ONCE)), file.metadata.num_rows


def _opened_by_polars(path: str) -> tuple[list[str], Iterator[Iterable[Mapping[str, Any]]], int]:
    try:
        import polars as pl
    except ModuleNotFoundError:
        todo = "pyarrow or polars, and neither is installed: pip install 'deepseek_async[parquet]'"
        raise InvalidRequestError("source", path, message=f"{path}: Parquet needs {todo}") from None
    try:
        frame = pl.scan_parquet(path)
        names = frame.collect_schema().names()
        count = int(frame.select(pl.len()).collect().item())
    except OSError:
        raise
    except Exception as error:  # polars' own classes
        raise _unreadable(path, error) from None
    starts = range(0, count, _AT_ONCE)
    return names, (frame.slice(start, _AT_ONCE).collect().iter_rows(named=True) for start in starts), count


def _unreadable(path: str, error: Exception) -> InvalidRequestError:
    return InvalidRequestError(
        "source", path, message=f"{path} cannot be read as Parquet: {' '.join(str(error).split())}"
    )
