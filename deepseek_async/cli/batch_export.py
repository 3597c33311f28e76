"""``batch export``: an output as a table, each answer beside its question."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..batch.journal.journal import side_file_of
from ..batch.journal.lines import Line
from ..batch.journal.standing import last_lines
from ..codec import completion_from_json
from ..errors import DeepSeekError, InvalidRequestError
from .batch_export_files import ColumnKind, decimal_of, time_of, write_for
from .batch_questions import Questions, sources_of
from .endings import remark
from .wire import to_json

_COLUMNS: Mapping[str, ColumnKind] = {
    "custom_id": "text",
    "question": "text",
    "text": "text",
    "reasoning": "text",
    "tool_calls": "text",
    "status_code": "int",
    "finish_reason": "text",
    "model": "text",
    "prompt_tokens": "int",
    "cached_tokens": "int",
    "completion_tokens": "int",
    "reasoning_tokens": "int",
    "cost": "decimal",
    "attempts": "int",
    "latency": "float",
    "sent_at": "time",
    "error_type": "text",
    "error": "text",
    "request_id": "text",
}


def export(output: Path, file: Path, *, source: str | None, with_body: bool, for_excel: bool = False) -> int:
    """Write the rows of an output: one for each id, its last.

    Args:
        file: What is written; its ending says how.
        source: Where the questions are; ``None``: where the runs found them.
        with_body: A column ``body`` more: the whole answer as JSON.
        for_excel: See `write_for`.

    Returns:
        How many rows were written.

    Raises:
        InvalidRequestError: There is no such output; it is none; the file cannot be written there.
        ModuleNotFoundError: A library is missing.
        OSError: Reading or writing failed.
    """
    file = file.resolve()  # what a link leads to is written, the link itself not replaced
    if file.exists() and any(path.exists() and file.samefile(path) for path in (output, side_file_of(output))):
        raise InvalidRequestError("file", str(file), message=f"{file} is the journal; choose another path")
    sources = sources_of(output, source)
    if file.exists() and any(Path(path).exists() and file.samefile(path) for path, _, _ in sources):
        raise InvalidRequestError("file", str(file), message=f"{file} is the source; choose another path")
    if file.exists() and not file.is_file():
        raise InvalidRequestError("file", str(file), message=f"{file} is no file; choose another path")
    write = write_for(file, for_excel=for_excel)
    lines = last_lines(output)
    columns: Mapping[str, ColumnKind] = {**_COLUMNS, **({"body": "text"} if with_body else {})}
    part = file.with_name(file.name + ".part")  # a reader never finds half a file
    questions = Questions(sources)
    unknown = 0

    def row_of(line: Line) -> dict[str, Any]:
        nonlocal unknown
        question = questions.of(line)
        unknown += question is None and line.x.attempts > 0
        return {**_row_of(line), "question": question}

    try:
        count = write(part, columns, map(row_of, lines))
        if not count and output.stat().st_size:
            raise InvalidRequestError("output", str(output), message=f"{output} is no output of a batch")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
        questions.close()
    if unknown:
        why = "; ".join(questions.problems) or "their source was a pipe, or holds them no more"
        remark(f"{unknown:,} rows without their question: {why}; --source FILE says where it is")
    return count


def _row_of(line: Line) -> dict[str, Any]:
    x = line.x
    row: dict[str, Any] = {
        "custom_id": line.custom_id,
        "cost": decimal_of(x.cost),
        "attempts": x.attempts,
        "latency": x.latency or None,
        "sent_at": time_of(x.sent_at),
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
