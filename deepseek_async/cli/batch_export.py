"""``batch export``: an output as a Parquet file."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..batch.journal.journal import side_file_of
from ..batch.journal.lines import Line
from ..batch.journal.standing import last_lines
from ..codec import completion_from_json
from ..errors import DeepSeekError, InvalidRequestError
from .wire import to_json

_ROWS_AT_ONCE = 4096
_COLUMNS = [
    ("custom_id", pa.string()),
    ("status_code", pa.int32()),
    ("text", pa.string()),
    ("reasoning", pa.string()),
    ("tool_calls", pa.string()),
    ("finish_reason", pa.string()),
    ("model", pa.string()),
    ("prompt_tokens", pa.int64()),
    ("cached_tokens", pa.int64()),
    ("completion_tokens", pa.int64()),
    ("reasoning_tokens", pa.int64()),
    ("cost", pa.decimal128(38, 12)),
    ("attempts", pa.int32()),
    ("latency", pa.float64()),
    ("sent_at", pa.timestamp("ms", tz="UTC")),
    ("error_type", pa.string()),
    ("error", pa.string()),
    ("request_id", pa.string()),
]


def to_parquet(output: Path, parquet: Path, *, with_body: bool) -> int:
    """Write the rows of an output: one for each id, its last.

    Args:
        with_body: A column ``body`` more: the whole answer as JSON.

    Returns:
        How many rows were written.

    Raises:
        InvalidRequestError: There is no such output; it is none; Parquet cannot be written there.
        OSError: Reading or writing failed.
    """
    parquet = parquet.resolve()  # what a link leads to is written, the link itself not replaced
    if parquet.exists() and not parquet.is_file():
        raise InvalidRequestError("parquet", str(parquet), message=f"{parquet} is no file; choose another path")
    if parquet.exists() and any(path.exists() and parquet.samefile(path) for path in (output, side_file_of(output))):
        raise InvalidRequestError("parquet", str(parquet), message=f"{parquet} is the journal; choose another path")
    schema = pa.schema([*_COLUMNS, *([("body", pa.string())] if with_body else [])])
    rows = map(_row_of, last_lines(output))
    count = 0
    part = parquet.with_name(parquet.name + ".part")  # a reader never finds half a file
    with pq.ParquetWriter(part, schema) as writer:
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    if not count and output.stat().st_size:
        part.unlink()
        raise InvalidRequestError("output", str(output), message=f"{output} is no output of a batch")
    part.replace(parquet)
    return count


def _row_of(line: Line) -> dict[str, Any]:
    x = line.x
    row: dict[str, Any] = {
        "custom_id": line.custom_id,
        "cost": None if x.cost is None else Decimal(x.cost),
        "attempts": x.attempts,
        "latency": x.latency or None,
        "sent_at": round(x.sent_at * 1000) or None,
    }
    if line.error is not None:
        row |= {"error_type": line.error.type, "error": line.error.message}
    if line.response is not None:
        row |= {"status_code": line.response.status_code, "request_id": line.response.request_id}
        if line.error is None:
            row |= _answer_of(bytes(line.response.body))
    return row


def _answer_of(body: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"body": body.decode("utf-8", "replace")}
    try:
        completion = completion_from_json(body)
    except DeepSeekError:  # other columns stay empty, the body tells
        return row
    message, usage = completion.message, completion.usage
    row |= {
        "text": message.content,
        "reasoning": message.reasoning_content,
        "tool_calls": to_json(message.tool_calls) if message.tool_calls else None,
        "finish_reason": completion.finish_reason,
        "model": completion.model,
    }
    if usage is not None:
        row |= {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
        }
    return row
