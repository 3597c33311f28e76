"""An output back as outcomes: for programs that go on with what a run has finished."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ... import errors
from ...codec.reading.responses import completion_from_json
from ...errors import (
    APIStatusError,
    APITimeoutError,
    DeepSeekError,
    InvalidRequestError,
    MalformedResponseError,
    ResponseTooLargeError,
)
from ..outcomes import Failed, Outcome, Succeeded
from .lines import Line
from .standing import last_lines


def read_outcomes(output: Path | str) -> Iterator[Outcome]:
    """The outcome of each row of an output, in the order in which rows were finished; of several for one id, the last.

    Read as asked for, a row at a time; a run may be writing to the file. ``request`` is ``None``: an output holds what
    was answered and not what was asked. An error is of the class that it had, with its message and status; what else
    it carried (a partial answer, headers) is not in the file.

    Args:
        output: The file that `run_batch` wrote.

    Raises:
        InvalidRequestError: There is no such file, or it is no output of a batch.
    """
    return map(_outcome_of, last_lines(output))


def _outcome_of(line: Line) -> Outcome:
    if line.error is not None or line.response is None:
        return Failed(line.custom_id, None, _error_of(line), line.x.attempts)
    try:
        completion = completion_from_json(bytes(line.response.body), line.response.request_id)
    except DeepSeekError as error:  # what a run took for an answer, and this version does not
        return Failed(line.custom_id, None, error, line.x.attempts)
    written = line.x.parsed
    parsed = None if isinstance(written, msgspec.UnsetType) else msgspec.json.decode(written)
    return Succeeded(line.custom_id, None, completion, line.x.attempts, line.x.latency, parsed)


def _error_of(line: Line) -> DeepSeekError:
    said, response = line.error, line.response
    if said is None:
        return MalformedResponseError("the line has neither an answer nor an error", attempts=line.x.attempts)
    cls = getattr(errors, said.type, None)
    if not (isinstance(cls, type) and issubclass(cls, DeepSeekError)):
        cls = DeepSeekError  # of a version that had others
    if issubclass(cls, InvalidRequestError):
        return InvalidRequestError("row", None, message=said.message)
    facts: dict[str, Any] = {"attempts": line.x.attempts}
    if response is not None:
        facts["request_id"] = response.request_id
    if issubclass(cls, APIStatusError):
        facts |= {"status": response.status_code if response is not None else 0, "code": said.code}
    elif issubclass(cls, APITimeoutError):
        phase = said.message.partition(" ")[0]  # as its message begins
        facts |= {"phase": phase if phase in ("connect", "first_chunk", "idle") else "total", "seconds": 0.0}
    elif issubclass(cls, ResponseTooLargeError):
        facts["limit"] = 0
    error: DeepSeekError = cls(said.message, **facts)
    return error
