"""Tables of other libraries as rows: iterated, a data frame brings the names of its columns, or the columns.

pandas, polars and pyarrow by their own methods, anything else by the Arrow stream that it offers (DuckDB's relations,
say), for which pyarrow has to be there. What a table has no value for is no key of its row: ``NaN``, ``NaT`` and null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from ...errors import InvalidRequestError

# Rows that are made at once.
_AT_ONCE: Final = 1000


class ArrowTable(Protocol):
    """What offers its columns as an Arrow stream, as data frames do."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


def rows_of_table(source: object) -> Iterator[Mapping[str, Any]] | None:
    """The rows of a table; ``None`` if it is none.

    Raises:
        InvalidRequestError: A table of a library that computes when asked, or that cannot be read without pyarrow.
    """
    given: Any = source
    if isinstance(source, (Mapping, list, tuple)):
        return None
    if _has(given, "to_batches"):  # pyarrow's Table, Dataset, Scanner
        return made(row for batch in given.to_batches() for row in batch.to_pylist())
    if _has(given, "to_pylist", "schema"):  # its RecordBatch
        return made(given.to_pylist())
    if _has(given, "read_next_batch"):  # its RecordBatchReader
        return made(row for batch in given for row in batch.to_pylist())
    if _has(given, "iter_rows", "columns"):  # polars
        return made(given.iter_rows(named=True))
    if _has(given, "itertuples", "iloc", "columns"):
        return made(_rows_of_pandas(given))
    if _has(given, "collect", "columns") or _has(given, "compute", "columns"):
        todo = "a table that is there: collect() or compute() it first"
        raise InvalidRequestError("source", None, f"{todo}, not {type(source).__name__}")
    if _has(given, "__arrow_c_stream__"):
        return made(row for batch in _arrow_stream(given) for row in batch.to_pylist())
    return None


def _has(value: object, *names: str) -> bool:
    return all(hasattr(type(value), name) or (name in ("schema", "columns") and hasattr(value, name)) for name in names)


def _rows_of_pandas(frame: Any) -> Iterator[Mapping[str, Any]]:
    for start in range(0, len(frame), _AT_ONCE):
        # Whole numbers with one missing are floats to pandas: 5.0 tokens, say.
        part = frame.iloc[start : start + _AT_ONCE].convert_dtypes()
        yield from part.astype(object).where(part.notna(), None).to_dict("records")


def _arrow_stream(source: Any) -> Any:
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        todo = "pyarrow for that, which is not installed: pip install pyarrow"
        raise InvalidRequestError(
            "source", None, message=f"a {type(source).__name__} as a source needs {todo}"
        ) from None
    return pa.RecordBatchReader.from_stream(source)


def made(rows: Iterable[Mapping[Any, Any]]) -> Iterator[Mapping[str, Any]]:
    """Rows as Python's values, without the columns that have none."""
    for row in rows:
        yield {str(name): _plain(value) for name, value in row.items() if not _is_missing(value)}


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _plain(value: Any) -> Any:
    """Columns of structures give each of them every key: those without a value go. Numpy's values become Python's."""
    if isinstance(value, (str, int, float, bool)):
        return value if type(value) in (str, int, float, bool) else _plain_scalar(value)
    if isinstance(value, Mapping):
        # The content of a message may be null: that of an assistant who called tools.
        return {name: _plain(item) for name, item in value.items() if item is not None or name == "content"}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return _plain(value.tolist()) if hasattr(value, "tolist") else value


def _plain_scalar(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
