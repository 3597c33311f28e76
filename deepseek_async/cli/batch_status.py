"""``batch status``: how an output stands."""

from __future__ import annotations

from pathlib import Path

import msgspec
import typer

from ..batch.outputs import Standing, standing_of

_SHOWN_IDS = 5


def print_status(output: Path, *, as_json: bool) -> None:
    """Print how an output stands.

    Raises:
        InvalidRequestError: It is none.
    """
    standing = standing_of(output)
    if as_json:
        typer.echo(msgspec.json.encode(standing.to_json()).decode())
        return
    for line in _lines(standing):
        typer.echo(line)


def _lines(standing: Standing) -> list[str]:
    lines = [f"{standing.output}: {standing.succeeded:,} succeeded, {standing.failed:,} failed, {standing.runs:,} runs"]
    for reason, count in sorted(standing.reasons.items(), key=lambda item: -item[1]):
        lines.append(f"  failed: {count:,} × {reason}")
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
        lines.append(f"  sent and not finished: {len(standing.unfinished):,} ({shown})")
    match standing.last_report:
        case None:
            lines.append("  the latest run is under way, or was killed")
        case {"stopped": None}:
            lines.append("  the latest run came to the source's end")
        case {"error": error}:
            lines.append(f"  the latest run was stopped: {error}")
    return lines
