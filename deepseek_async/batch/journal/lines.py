"""The lines of a journal and of its side file, written and read.

A finished row's line is that of OpenAI's batch output (https://platform.openai.com/docs/guides/batch) with the member
``x`` of ours. The answer's JSON goes in as it came, byte for byte, but for line ends between its values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from ...codec.structuring import plain
from ...errors import APIStatusError
from ..outcomes import Failed, Outcome
from ..source.row import Row, written

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode
_NULL: Final = msgspec.Raw(b"null")

HEADER_START: Final = b'{"run":'
"""How the line of a run's header begins, and no other."""


class X(msgspec.Struct, omit_defaults=True, gc=False):
    """What OpenAI's lines have no place for.

    Attributes:
        body_hash: Of what was asked, see `Row.body_hash`.
        line_hash: Of the source's line; ``None`` if the row was none, or has no id.
        run: Which run of this output finished the row, from 1.
        attempts: How often the row was sent.
        sent_at: Unix time of the last sending; 0 if never.
        latency: Seconds from then to the end of the answer.
        cost: What the answer cost, a decimal number in the run's currency; ``None`` if that is not known.
        is_permanent: Of a failure: whether sending the row again cannot help.
        may_be_billed: Of a failure: whether the server may have answered, and billed it, all the same.
        parsed: The value of the type that was wanted, as JSON.
    """

    body_hash: str
    line_hash: str | None = None
    run: int = 1
    attempts: int = 0
    sent_at: float = 0.0
    latency: float = 0.0
    cost: str | None = None
    is_permanent: bool = False
    may_be_billed: bool = False
    parsed: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Key(msgspec.Struct, gc=False):
    body_hash: str
    line_hash: str | None = None
    run: int = 1
    attempts: int = 0
    is_permanent: bool = False
    may_be_billed: bool = False


class _Any(msgspec.Struct, gc=False):
    """Any JSON object; its members are skipped."""


class LineError(msgspec.Struct, gc=False):
    """Why a row failed: the server's code or ours, the name of the error's class, its message."""

    code: str
    type: str
    message: str


class _Response(msgspec.Struct, gc=False):
    status_code: int
    request_id: str | None
    body: msgspec.Raw


class _Line(msgspec.Struct, gc=False):
    id: str
    custom_id: str
    response: _Response | None
    error: LineError | None
    x: X


class Finished(msgspec.Struct, gc=False):
    """The members of an output's line that a resumed run needs.

    The decoder skips all others, the answer among them: that is what makes it quick.
    """

    custom_id: str
    x: _Key
    error: _Any | None = None


class Line(msgspec.Struct):
    """A whole line, for whoever reads the output."""

    class LineResponse(msgspec.Struct):
        """The server's answer; its body as JSON text."""

        status_code: int = 0
        request_id: str | None = None
        body: msgspec.Raw = _NULL

    custom_id: str
    x: X
    response: LineResponse | None = None
    error: LineError | None = None


class SideLine(msgspec.Struct, gc=False):
    """A line of the side file: a mark, the header of a run, the closing report of one, or how it went at a moment.

    It has the members of all four, of which a line has some.
    """

    sent: str | None = None
    sent_again: str | None = None
    run: int | None = None
    closed: int | None = None
    report: dict[str, Any] | None = None
    unsent: list[str] | None = None
    pid: int | None = None
    started_at: float = 0.0
    ended_at: float = 0.0
    settings: dict[str, Any] | None = None
    at: float | None = None
    limit: int = 0
    in_flight: int = 0
    refusals: int = 0


finished_decoder: Final = msgspec.json.Decoder(Finished)
line_decoder: Final = msgspec.json.Decoder(Line)
side_decoder: Final = msgspec.json.Decoder(SideLine)


def mark_line(name: str, attempt: int, *, is_again: bool = False) -> bytes:
    """A row is about to be sent; ``is_again``: it was, by a run that was killed before the answer was here."""
    return _encode({"sent_again" if is_again else "sent": name, "attempt": attempt}) + b"\n"


def header_line(pid: int, run: int, started_at: float, settings: Mapping[str, Any]) -> bytes:
    """A run begins."""
    return _written_line({"run": run, "format": 1, "pid": pid, "started_at": started_at, "settings": settings})


def moment_line(at: float, *, limit: int, in_flight: int, refusals: int) -> bytes:
    """How a run went at a moment: how many may be, and were, in flight; how often the server had refused so far."""
    return _encode({"at": at, "limit": limit, "in_flight": in_flight, "refusals": refusals}) + b"\n"


def closing_line(run: int, ended_at: float, report: Mapping[str, Any], unsent: Sequence[str]) -> bytes:
    """A run has ended, and knew it; ``unsent``: the ids that it had marked, and then did not send."""
    return _written_line({"closed": run, "ended_at": ended_at, "unsent": unsent, "report": report})


def _written_line(members: Mapping[str, Any]) -> bytes:
    """A line whose texts may be a file's name, which need be no UTF-8, or anybody's words."""
    try:
        return _encode(members) + b"\n"
    except UnicodeEncodeError:
        return _encode(_written(members)) + b"\n"


def _written(value: Any) -> Any:
    if isinstance(value, str):
        return written(value)
    if isinstance(value, Mapping):
        return {_written(name): _written(item) for name, item in value.items()}
    return [_written(item) for item in value] if isinstance(value, list | tuple) else value


def finished_line(
    outcome: Outcome,
    row: Row,
    body: bytes,
    *,
    line_id: str,
    run: int,
    cost: Decimal | None,
    is_permanent: bool,
    may_be_billed: bool,
) -> bytes:
    """A row has its outcome."""
    x = X(
        body_hash=row.body_hash,
        line_hash=row.line_hash,
        run=run,
        attempts=outcome.attempts,
        sent_at=row.sent_at,
        cost=None if cost is None else str(cost),
        is_permanent=is_permanent,
        may_be_billed=may_be_billed,
    )
    error: LineError | None = None
    response: _Response | None = None
    if isinstance(outcome, Failed):
        error = _error_of(outcome)
        if isinstance(outcome.error, APIStatusError):
            response = _Response(outcome.error.status, outcome.error.request_id, _NULL)
    else:
        x.latency = outcome.latency
        if row.asking is not None:
            x.parsed = msgspec.Raw(_encode(plain(outcome.parsed)))
        response = _Response(200, outcome.completion.request_id, msgspec.Raw(_on_one_line(body)))
    if response is not None and response.request_id is not None and not response.request_id.isascii():
        response.request_id = written(response.request_id)  # a header's bytes need be no UTF-8
    line = _encode(_Line(line_id, row.name, response, error, x)) + b"\n"
    try:
        finished_decoder.decode(line)  # a line that cannot be read would be taken for a damaged journal one day
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        assert response is not None  # noqa: S101 - all else was made here
        response.body = msgspec.Raw(_mended(body))
        line = _encode(_Line(line_id, row.name, response, error, x)) + b"\n"
    return line


def _error_of(outcome: Failed) -> LineError:
    error = outcome.error
    name = type(error).__name__
    code = error.code if isinstance(error, APIStatusError) and error.code else name
    return LineError(written(code), name, written(error.message))


def _on_one_line(body: bytes) -> bytes:
    body = body.strip()  # blank lines are how a server that is busy keeps the connection
    if b"\n" in body:
        try:
            return msgspec.json.format(body, indent=-1)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _mended(body)
    return body or b"null"


def _mended(body: bytes) -> bytes:
    """JSON that only a lenient reader takes (NaN, half a surrogate, bytes that are no UTF-8) as JSON for all."""
    value = json.loads(body.decode("utf-8-sig", "replace"), parse_constant=lambda _: None)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
