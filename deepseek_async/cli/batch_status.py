"""``batch status``: how an output stands."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import attrs
import msgspec
import typer

from ..batch.journal.index import last_pid
from ..batch.journal.journal import side_file_of
from ..batch.journal.locks import is_locked
from ..batch.journal.standing import Standing, standing_of
from .batch_figures import failures_line
from .encoding import print_json

_SHOWN_IDS = 5

State = Literal["running", "ended", "stopped", "killed", "unknown"]


@attrs.frozen
class Latest:
    """The latest run on an output.

    Attributes:
        state: ``"unknown"``: the side file is missing, or the file system has no locks.
        pid: Its process; ``None`` if that is not known.
    """

    state: State
    pid: int | None


def print_status(output: Path, *, as_json: bool) -> None:
    """Print how an output stands.

    Raises:
        InvalidRequestError: It is none.
    """
    standing, latest = look_at(output)
    if as_json:
        print_json(msgspec.json.encode({**standing.to_json(), **attrs.asdict(latest)}).decode())
        return
    for line in _lines(standing, latest):
        typer.echo(line)


def look_at(output: Path) -> tuple[Standing, Latest]:
    """How an output stands, and what its latest run does. The run is not disturbed.

    Raises:
        InvalidRequestError: It is none.
    """
    was_locked = _is_locked(output)
    standing = standing_of(output)
    is_locked_now = _is_locked(output)
    report, pid = standing.last_report, last_pid(side_file_of(output))
    if report is not None:
        if is_locked_now:
            return standing, Latest("running", None)  # it reads what is done, and has no header yet
        return standing, Latest("ended" if report.get("stopped") is None else "stopped", pid)
    if was_locked or is_locked_now:  # it may have begun, or ended, while the output was read
        return standing, Latest("running", pid)
    return standing, Latest("unknown" if is_locked_now is None or pid is None else "killed", pid)


def _is_locked(output: Path) -> bool | None:
    try:
        return is_locked(output)
    except OSError:  # what is wrong with it, reading it tells
        return None


def _lines(standing: Standing, latest: Latest) -> list[str]:
    runs = "1 run" if standing.runs == 1 else f"{standing.runs:,} runs"
    lines = [f"{standing.output}: {standing.succeeded:,} succeeded, {standing.failed:,} failed, {runs}"]
    for reason, count in sorted(standing.reasons.items(), key=lambda item: -item[1]):
        lines.append(failures_line(count, reason, standing.examples))
    if standing.failed:
        lines.append(
            f"  {standing.failed - standing.permanent:,} of them are sent again by batch run, "
            f"{standing.permanent:,} only by batch retry-failed"
        )
    lines.append(
        f"  {standing.prompt_tokens:,} tokens in ({standing.cached_tokens:,} from the cache), "
        f"{standing.completion_tokens:,} out, cost {standing.cost:f}"
        + (f" and {standing.unpriced:,} answers of unknown price" if standing.unpriced else "")
    )
    if standing.unfinished:
        shown = ", ".join(standing.unfinished[:_SHOWN_IDS]) + (", …" if len(standing.unfinished) > _SHOWN_IDS else "")
        what = "in flight, or soon" if latest.state == "running" else "sent and not finished"
        lines.append(f"  {what}: {len(standing.unfinished):,} ({shown})")
    lines.append(f"  {_words_of(latest, standing)}")
    return lines


def _words_of(latest: Latest, standing: Standing) -> str:
    process = "" if latest.pid is None else f" (process {latest.pid})"
    match latest.state:
        case "running":
            return f"running{process}"
        case "ended":
            return "the latest run came to the source's end"
        case "stopped":
            return f"the latest run was stopped: {(standing.last_report or {}).get('error')}; batch run goes on"
        case "killed":
            return f"the latest run{process} was killed: batch run goes on where it was"
        case "unknown":
            return "whether the latest run is under way or was killed cannot be known here"
