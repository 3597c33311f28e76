"""An output as a story: what its runs did, moment by moment, as far as the journal tells.

Old journals have no notes of the limit and of refusals; all else is in each row's line.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import msgspec

from ...errors import InvalidRequestError
from .journal import side_file_of
from .lines import side_decoder
from .scan import Scan

_NO_RUN: Final = "is no output of a batch"


class _When(msgspec.Struct, gc=False):
    """The members of a line's ``x`` that tell when, how long, and for how much."""

    body_hash: str
    run: int = 1
    sent_at: float = 0.0
    latency: float = 0.0
    cost: str | None = None


class _Kind(msgspec.Struct, gc=False):
    type: str = ""
    code: str = ""


class _Ended(msgspec.Struct, gc=False):
    custom_id: str
    x: _When
    error: _Kind | None = None


_decoder = msgspec.json.Decoder(_Ended)


@attrs.frozen
class Moment:
    """How a run went at a moment.

    Attributes:
        at: Unix time.
        limit: How many rows might be in flight.
        in_flight: How many were.
        refusals: Answers with 429 since the run's begin.
    """

    at: float
    limit: int
    in_flight: int
    refusals: int


@attrs.define
class Told:
    """One run, as its lines tell. Its attributes are columns of equal length, one place for each row that ended.

    Attributes:
        number: From 1.
        began, ended: Unix times; ``ended`` is that of the last thing known of a run that was killed.
        ends: When rows ended, Unix times; 0 where a row was never sent.
        latencies: Seconds from the sending to the end of the answer; 0 where that is not known: of failures.
        costs: What they cost; 0 where that is not known.
        failed: 1 where a row failed.
        moments: The notes of how it went.
    """

    number: int
    began: float = 0.0
    ended: float = 0.0
    ends: array[float] = attrs.field(factory=lambda: array("d"))
    latencies: array[float] = attrs.field(factory=lambda: array("d"))
    costs: array[float] = attrs.field(factory=lambda: array("d"))
    failed: array[int] = attrs.field(factory=lambda: array("b"))
    moments: list[Moment] = attrs.field(factory=list)


def history_of(output: Path) -> Sequence[Told]:
    """The runs on an output, in order. A run may be writing to it.

    Raises:
        InvalidRequestError: There is no such file, or it is no output.
    """
    if not output.is_file():
        raise InvalidRequestError("output", None, message=f"{output}: no such file")
    runs: dict[int, Told] = {}
    for lines in Scan(output, _decoder):
        for line in lines:
            _add(runs, line)
    _add_side(runs, side_file_of(output))
    if not runs and output.stat().st_size:
        raise InvalidRequestError("output", str(output), message=f"{output} {_NO_RUN}")
    told = [runs[number] for number in sorted(runs)]
    for run in told:
        known = [*(moment.at for moment in run.moments), *(end for end in (max(run.ends, default=0.0),) if end)]
        first = min((end for end in run.ends if end), default=0.0)
        run.began = run.began or min([first, *known])
        run.ended = max([run.ended, run.began, *known])
    return told


def _add(runs: dict[int, Told], line: _Ended) -> None:
    x = line.x
    run = runs.get(x.run) or runs.setdefault(x.run, Told(x.run))
    run.ends.append(x.sent_at + x.latency if x.sent_at else 0.0)
    run.latencies.append(x.latency)
    run.costs.append(float(x.cost) if x.cost else 0.0)
    run.failed.append(line.error is not None)


def _add_side(runs: dict[int, Told], side: Path) -> None:
    run: Told | None = None
    for lines in Scan(side, side_decoder):
        for line in lines:
            if line.run is not None:
                run = runs.setdefault(line.run, Told(line.run))
                run.began = line.started_at
            elif run is not None and line.at is not None:
                run.moments.append(Moment(line.at, line.limit, line.in_flight, line.refusals))
            elif run is not None and line.closed is not None:
                run.ended = line.ended_at
