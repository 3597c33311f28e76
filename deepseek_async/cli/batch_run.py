"""A batch in the shell: signals, progress, and the exit code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import attrs
import msgspec
import typer

from ..batch.options import RateLimiter
from ..batch.report import BatchReport
from ..batch.run import run_batch
from ..batch.source.shards import shard_of
from ..client import AsyncClient
from ..errors import DeepSeekError
from .batch_counting import count_into
from .batch_figures import Throughput, failures_line
from .batch_progress import Watch, watch_for
from .connecting import client_for
from .encoding import print_json
from .endings import FAILED, INTERRUPTED, code_of, lacking, line_of, remark

STOPPED = 3


def run_and_watch(
    source: str,
    output: Path,
    *,
    base_url: str | None,
    sandbox: bool,
    log_json: bool,
    requests_per_minute: int | None,
    **options: Any,
) -> int:
    """Run a batch to its end, its stop, or its breaking off.

    Args:
        options: Of `run_batch`.

    Returns:
        The exit code.

    Raises:
        typer.Exit: A library is missing.
    """
    options["rate_limiter"] = None if requests_per_minute is None else limiter_of(requests_per_minute)
    throughput = Throughput()
    count_into(
        throughput, source, shard_of(options["shard"]), options["source_format"], has_ids=options["id_column"] is None
    )
    with watch_for(throughput, currency=options["currency"], as_json=log_json) as watch:
        try:
            report = asyncio.run(_report_of(client_for(base_url, sandbox=sandbox), source, output, watch, options))
        except DeepSeekError as error:
            watch.fail(line_of(error))
            return code_of(error)
        except OSError as error:
            watch.fail(f"{error.filename or output}: {error.strerror or error}")
            return FAILED
        if report is None:
            return INTERRUPTED
        watch.close()
        (_tell_as_json if log_json else _tell)(report)
        return _code_of(report, watch)


def limiter_of(requests_per_minute: int) -> RateLimiter:
    """What lets so many requests through a minute, evenly.

    Raises:
        typer.Exit: aiolimiter is missing.
    """
    try:
        from aiolimiter import AsyncLimiter
    except ModuleNotFoundError as error:
        raise lacking("--requests-per-minute", error.name, "rate") from None
    # It lets through at once what it allows in its period: a tenth of a second's requests, so that a whole minute's do
    # not go in the first moment; and one by one, timers that ring late would cost a fifth of 6,000 a minute.
    at_once = max(1.0, requests_per_minute / 600)
    return AsyncLimiter(at_once, 60 * at_once / requests_per_minute)


async def _report_of(
    opening: AbstractAsyncContextManager[AsyncClient],
    source: str,
    output: Path,
    watch: Watch,
    options: Mapping[str, Any],
) -> BatchReport | None:
    """Run. Returns the report; ``None`` if the run was broken off."""
    stop = asyncio.Event()
    async with opening as client:
        running = asyncio.ensure_future(run_batch(client, source, output, stop=stop, progress=watch.show, **options))
        _heed_signals(stop, running, watch)
        try:
            return await running
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
            watch.fail(f"broken off; what was in flight may have been billed; run again to go on with {output}")
            return None


def _code_of(report: BatchReport, watch: Watch) -> int:
    if report.stopped is not None:
        return STOPPED
    if report.failed:
        return FAILED
    if failed := report.skipped_failed:
        watch.say(f"of the rows done before {failed:,} failed for good; batch retry-failed sends them again")
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

    for number, act in ((signal.SIGINT, interrupted), (signal.SIGTERM, drain)):
        with suppress(RuntimeError, ValueError):  # not in the main thread, which is where Ctrl-C then ends the program
            try:
                loop.add_signal_handler(number, act)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda *_, act=act: loop.call_soon_threadsafe(act))


def _tell_as_json(report: BatchReport) -> None:
    print_json(msgspec.json.encode({"event": "report", **report.to_json()}).decode())


def _tell(report: BatchReport) -> None:
    usage = report.usage
    typer.echo(f"{report.output}: in {report.seconds:,.1f} s {attrs.evolve(report, examples={})}")
    for reason, count in sorted(report.reasons.items(), key=lambda item: -item[1]):
        typer.echo(failures_line(count, reason, report.examples))
    typer.echo(
        f"  {usage.prompt_tokens:,} tokens in ({usage.cached_tokens or 0:,} from the cache), "
        f"{usage.completion_tokens:,} out, {report.cost:f} {report.currency}"
        + (f" and {report.unpriced:,} answers of unknown price" if report.unpriced else "")
    )
    if report.stopped is not None:
        remark(f"{report.error or report.stopped}; run again to go on")
