"""``run_batch``: a source to the end, into a file, as often as it takes."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sized
from contextlib import asynccontextmanager, suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from ..calls.arguments.checks import check_truth
from ..calls.caller import Client, caller_of
from ..calls.parsing.asking import Wanted
from ..calls.parsing.ways import Mode
from ..errors import InvalidRequestError
from ..policy.spending import Budget
from ..types.requests.numbers import number_in
from .journal.append import MovedError
from .journal.journal import Durability, Journal
from .live_run import Progress, Run
from .options import RateLimiter, SendingRules
from .report import BatchReport
from .source.row import check_template
from .source.rows import RowSource, Source
from .source.shards import Shard, shard_of
from .source.template import Template
from .stop_rules import Limits, OffPeak, within
from .tally import Tally

AHEAD: Final = 128
"""Rows that are read and marked before there is a slot for them, so that no slot waits until a mark is on disk. If the
run is killed, the next one takes them for sent."""

PATIENCE_SECONDS: Final = 1.0
"""How long a pipe may take to bring its first rows, so that what has none is refused before there is an output."""

_log = logging.getLogger("deepseek_async")


async def run_batch(
    client: Client,
    source: Source,
    output: Path | str,
    resume: bool = True,
    max_concurrency: int | None = None,
    max_attempts: int = 8,
    durability: Durability = "power",
    window: Literal["any", "off-peak"] = "any",
    max_cost: float | str | None = None,
    max_errors: int | None = None,
    max_error_rate: float | None = None,
    warmup: int = 0,
    drain_timeout: float | None = 60.0,
    shard: Shard | str | tuple[int, int] | None = None,
    progress: Progress | None = None,
    *,
    retry_permanent: bool = False,
    rate_limiter: RateLimiter | None = None,
    stop: asyncio.Event | None = None,
    currency: str = "USD",
    holidays: Collection[date] = (),
    response_type: Any = None,
    mode: Mode = "auto",
    budget: Budget | None = None,
    prompt: str | None = None,
    system: str | None = None,
    model: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    id_column: str | None = None,
    source_format: str | None = None,
) -> BatchReport:
    """Send every row of a source and write each outcome as a line of ``output``, which is the journal to resume from.

    Run again with the same arguments, however the last run ended, it goes on where that was: rows that are done are
    passed over, those that failed in a way that may pass are sent again. Cancelled, it breaks off what is in flight.

    Args:
        client: Whose account it is.
        source: See `AsyncClient.batch`; rows without a ``custom_id`` are known by their number.
        output: The file of outcomes, OpenAI batch output lines; ``OUTPUT.run.jsonl`` stands beside it. Both are locked.
        resume: Whether ``output`` may hold rows already.
        max_concurrency, max_attempts, warmup, rate_limiter: See `AsyncClient.batch`.
        durability: ``"process"``: what is written survives that this process is killed; ``"power"``: that the machine
            loses power, too.
        window: ``"off-peak"``: send only while prices are low, and wait meanwhile.
        max_cost: Stop before this run has spent more, in ``currency``.
        max_errors: Stop when more rows than this have failed.
        max_error_rate: Stop when a larger share of the rows has failed, 0 to 1; looked at from the hundredth row on.
        drain_timeout: Seconds that what is in flight may take when the run is stopped; then it is broken off, and may
            have been billed. ``None``: as long as it takes.
        shard: ``"i/n"``: only the i-th of n parts of the source, by a hash of ``custom_id``, the same everywhere.
        progress: Called four times a second, and at the end, with a `BatchProgress`.
        retry_permanent: Send rows again, too, that failed in a way that cannot pass (400, 422 …).
        stop: Set it to stop: nothing more is sent, what is in flight comes to its end.
        currency: ``"USD"`` or ``"CNY"``: what costs are counted in.
        holidays: Chinese public holidays, as dates: they have no peak prices.
        budget: Shared with whatever else is given it; once it is used up, the run stops, and can be run again with
            another. The client's own holds as well.
        response_type, mode: See `AsyncClient.batch`; the value stands as JSON in the line's ``x.parsed``.
        prompt: What each row is asked, with its columns in braces: ``"Translate: {text}"``; ``{{`` and ``}}`` are
            braces. Every column is data then, but ``custom_id`` (or ``id``).
        system, model, parameters: A system message, a model, other parameters, for each row that has none itself.
        id_column: The column that names a row.
        source_format: ``"jsonl"``, ``"csv"``, ``"tsv"`` or ``"parquet"``; ``None``: as the file's name ends.

    Returns:
        The report; ``stopped`` says whether, and why, the run ended before the source did. It can be run again then.

    Raises:
        InvalidRequestError: A value is out of range; the source has no rows, or lacks a column that is asked for; the
            output is no journal, or another run's; a row has the id of another with a different body.
        OSError: The output cannot be opened.
        Exception: What the source raised; what was in flight is in the output.
    """
    caller = caller_of(client)
    if window not in ("any", "off-peak"):
        raise InvalidRequestError("window", window, "'any' or 'off-peak'")
    check_truth("resume", resume)
    check_truth("retry_permanent", retry_permanent)
    if drain_timeout is not None and not ((seconds := number_in(drain_timeout)) is not None and seconds >= 0):
        raise InvalidRequestError("drain_timeout", drain_timeout, "seconds, 0 or more, or None")
    if isinstance(source, (str, Path)) and source != "-" and not await asyncio.to_thread(Path(source).exists):
        raise InvalidRequestError("source", str(source), message=f"{source}: no such file")  # before there is an output
    part = shard_of(shard)
    template = Template(prompt, system, model, dict(parameters or {}), id_column)
    check_template(template)
    limits = Limits(max_cost=max_cost, max_errors=max_errors, max_error_rate=max_error_rate)
    tally = Tally(currency, holidays)
    rules = SendingRules(
        max_concurrency=max_concurrency,
        max_attempts=max_attempts,
        warmup=warmup,
        rate_limiter=rate_limiter,
        wanted=None if response_type is None else Wanted(response_type, max_attempts, mode),
        budget=budget,
    )
    if durability == "power" and rate_limiter is None:  # a pace leaves time for the disk, and makes turns long
        rules = attrs.evolve(rules, ahead=min(rules.max_concurrency or AHEAD, AHEAD))
    if window == "off-peak":
        rules = attrs.evolve(rules, hold=OffPeak(holidays, time.time))
    if limits.max_cost is not None:
        rules = attrs.evolve(rules, most_now=lambda: limits.most_in_flight(tally))
    rules = within(rules, caller.budget)
    settings = {"base_url": client.base_url, "shard": None if part is None else f"{part.index}/{part.count}"}
    settings |= _asked(source, template, source_format)
    began = time.monotonic()
    rows = RowSource(source, shard=part, template=template, kind=source_format)
    try:
        await rows.look(PATIENCE_SECONDS)  # what has no rows is refused before there is an output
        async with _opened(Path(output), resume, durability, retry_permanent, settings) as journal:
            rows.known = journal
            run = Run(client, rows, journal, rules, limits, tally, _length_of(source) if part is None else None)
            try:
                await run.complete(stop, drain_timeout, progress)
            finally:
                report = await _closed(journal, run.make_report(time.monotonic() - began, currency))
            return report
    finally:
        await rows.aclose()


def _asked(source: object, template: Template, source_format: str | None) -> dict[str, Any]:
    """What a reader of the output needs to find a row's question again."""
    given = {name: value for name, value in attrs.asdict(template).items() if value and not name.startswith("_")}
    is_file = isinstance(source, (str, Path)) and source != "-"
    path = os.path.abspath(str(source)) if is_file else None  # noqa: PTH100 - links stay
    asked = {"source": path, "source_format": source_format, "template": given}
    return {name: value for name, value in asked.items() if value}


def _length_of(source: object) -> int | None:
    if isinstance(source, Sized) and not isinstance(source, str):
        with suppress(TypeError):  # what wraps a generator may have a length by name only
            return len(source)
    return None


async def run_partition(client: Client, rows: Source, output: Path | str, **options: Any) -> BatchReport:
    """Run one partition of rows, as a task of an engine such as Dask, Ray or Spark: `run_batch` with its own client.

    If the engine loses the task and runs it again, it goes on from the partition's journal. If the run is stopped
    before the partition's end, an error is raised, so that the engine knows.

    Args:
        client: Is pickled together with the task, and without its key: a worker takes that from its own environment.
        rows: The partition's rows; their ids must be the same each time.
        output: A file of the partition's own, where every worker that may run it can reach it.
        options: Of `run_batch`.

    Raises:
        RuntimeError: The run was stopped; the message says why.
        Exception: As `run_batch`.
    """
    async with client:
        report = await run_batch(client, rows, output, **options)
    if report.stopped is not None:
        raise RuntimeError(f"the partition {report.output} is not complete: {report.error}")
    return report


@asynccontextmanager
async def _opened(
    output: Path, resume: bool, durability: Durability, retry_permanent: bool, settings: dict[str, Any]
) -> AsyncIterator[Journal]:
    # No task: a loop that ends cancels all of them, and the thread would lock the output for nobody.
    opening = asyncio.get_running_loop().run_in_executor(
        None,
        partial(
            Journal.open,
            output,
            resume=resume,
            durability=durability,
            retry_permanent=retry_permanent,
            settings=settings,
        ),
    )
    try:
        journal = await asyncio.shield(opening)
    except asyncio.CancelledError:
        await asyncio.wait((opening,))
        if opening.exception() is None:
            await opening.result().aclose()
        raise
    try:
        yield journal
    finally:
        await journal.aclose()


async def _closed(journal: Journal, report: BatchReport) -> BatchReport:
    """Write the report as the journal's last line and close the journal.

    Returns:
        The report; with other words in it if the output file has been moved or replaced meanwhile.
    """
    try:
        await journal.aclose(report.to_json())
    except MovedError as error:
        return attrs.evolve(report, stopped="moved", error=str(error))
    except OSError:
        if report.stopped is None:
            raise  # what was promised to be on disk may not be
        with suppress(Exception):  # a handler of the log's may fail as well
            _log.exception("the report of this run cannot be written")
    return report
