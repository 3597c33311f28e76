"""A batch in the shell: signals, progress, and the exit code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec
import typer

from ..batch.index import index_of
from ..batch.journal import side_file_of
from ..batch.report import BatchReport
from ..batch.run import run_batch
from .batch_progress import Watch, rows_in, watch_for
from .connecting import client_for
from .endings import FAILED, INTERRUPTED, complain, remark

STOPPED = 3
_SHOWN_IDS = 5


def run_and_watch(
    source: str, output: Path, *, base_url: str | None, sandbox: bool, log_json: bool, options: Mapping[str, Any]
) -> int:
    """Run a batch to its end, its stop, or its breaking off.

    Args:
        options: Of `run_batch`.

    Returns:
        The exit code.

    Raises:
        DeepSeekError: As `run_batch`.
    """
    return asyncio.run(_run(source, output, base_url, sandbox, log_json, options))


async def _run(
    source: str, output: Path, base_url: str | None, sandbox: bool, log_json: bool, options: Mapping[str, Any]
) -> int:
    total = await asyncio.to_thread(rows_in, source) if options["shard"] is None else None
    stop = asyncio.Event()
    with watch_for(total, currency=options["currency"], as_json=log_json) as watch:
        async with client_for(base_url, sandbox=sandbox) as client:
            running = asyncio.ensure_future(
                run_batch(client, source, output, stop=stop, progress=watch.show, **options)
            )
            _heed_signals(stop, running, watch)
            try:
                report = await running
            except asyncio.CancelledError:
                if stop.is_set():
                    watch.close()
                    complain(f"broken off; what was in flight may have been billed; run again to go on with {output}")
                    return INTERRUPTED
                raise
            except OSError as error:
                watch.close()
                complain(f"{error.filename or output}: {error.strerror or error}")
                return FAILED
    _tell(report, as_json=log_json)
    if report.stopped is not None:
        return STOPPED
    if report.failed:
        return FAILED
    if report.skipped and (failed := len(index_of(output, side_file_of(output)).failed)):
        remark(f"of the rows done before {failed:,} failed for good; batch retry-failed sends them again")
        return FAILED
    return 0


def _heed_signals(stop: asyncio.Event, running: asyncio.Future[BatchReport], watch: Watch) -> None:
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        if stop.is_set():
            running.cancel()
        else:
            drain()

    def drain() -> None:
        if not stop.is_set():
            stop.set()
            watch.say("stopping: nothing more is sent, what is in flight comes to its end; Ctrl-C breaks that off")

    try:
        loop.add_signal_handler(signal.SIGINT, interrupted)
        loop.add_signal_handler(signal.SIGTERM, drain)
    except (NotImplementedError, RuntimeError):  # Windows; not the main thread: Ctrl-C breaks off at once there
        pass


def _tell(report: BatchReport, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode({"event": "report", **report.to_json()}).decode())
        return
    usage = report.usage
    typer.echo(f"{report.output}: {report} in {report.seconds:,.1f} s")
    for reason, count in sorted(report.reasons.items(), key=lambda item: -item[1]):
        typer.echo(f"  failed: {count:,} × {reason}")
    typer.echo(
        f"  {usage.prompt_tokens:,} tokens in ({usage.cached_tokens or 0:,} from the cache), "
        f"{usage.completion_tokens:,} out, {report.cost:f} {report.currency}"
        + (f" and {report.unpriced:,} answers of unknown price" if report.unpriced else "")
    )
    for name, ids in attrs.asdict(report, filter=lambda field, _: field.name in _LISTS).items():
        if ids:
            shown = ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")
            typer.echo(f"  {_LISTS[name]}: {len(ids):,} ({shown})")
    if report.stopped is not None:
        remark(f"{report.error or report.stopped}; run again to go on")


_LISTS = {"unfinished": "sent and not finished", "possibly_billed_twice": "possibly billed twice"}
