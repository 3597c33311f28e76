"""``deepseek-async batch``: many requests from a file, their answers into a file, and what to do with that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .batch_options import (
    BaseUrl,
    Currency,
    CurrencyOption,
    DrainTimeout,
    DryRun,
    Durability,
    DurabilityOption,
    FormatOption,
    Holidays,
    Id,
    LogJson,
    MaxAttempts,
    MaxConcurrency,
    MaxCost,
    MaxErrorRate,
    MaxErrors,
    MaxTokens,
    Model,
    Output,
    Prompt,
    RequestsPerMinute,
    Resume,
    Sandbox,
    Shard,
    Source,
    System,
    Temperature,
    Thinking,
    Warmup,
    Window,
    WindowOption,
)
from .endings import lacking, told


class _Batch(TyperGroup):
    """Takes ``batch IN -o OUT`` for ``batch run IN -o OUT``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands:
            has_output = any(word.startswith(("-o", "--output")) for word in args)
            if has_output or args[0] == "-" or Path(args[0]).is_file():
                args = ["run", *args]
        return super().parse_args(ctx, args)


batch_app: typer.Typer = typer.Typer(
    name="batch",
    cls=_Batch,
    help="Send a file of requests, as many at once as the account allows; resume where a run ended.",
    epilog="Exit codes: 0 all rows answered, 1 some failed, 2 wrong usage, 3 stopped, run again to go on, 130 broken "
    "off by a second Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)


_RUN = """Send every row of SOURCE. Run again, it goes on where the last run ended.

`batch run texts.csv -o out.jsonl --prompt "Translate into German: {text}"` asks that of each row of a table.
`batch SOURCE -o OUTPUT` is short for it.

Ctrl-C or SIGTERM: nothing more is sent, what is in flight comes to its end. A second Ctrl-C breaks that off.
Progress goes to stderr, the report to stdout.
"""
_RETRY = """Send failed rows of SOURCE again, those too that failed for good (400, 404, 422).

`run` sends again only what may go better another time. Rows that were never sent go along.
"""


@batch_app.command("retry-failed", help=_RETRY)
@batch_app.command("run", help=_RUN)
def send(
    context: typer.Context,
    source: Source,
    output: Output,
    resume: Resume = True,
    shard: Shard = None,
    base_url: BaseUrl = None,
    sandbox: Sandbox = False,
    dry_run: DryRun = False,
    log_json: LogJson = False,
    prompt: Prompt = None,
    system: System = None,
    model: Model = None,
    max_tokens: MaxTokens = None,
    temperature: Temperature = None,
    thinking: Thinking = None,
    id_column: Id = None,
    source_format: FormatOption = None,
    durability: DurabilityOption = Durability.POWER,
    max_concurrency: MaxConcurrency = None,
    requests_per_minute: RequestsPerMinute = None,
    max_attempts: MaxAttempts = 8,
    warmup: Warmup = 0,
    window: WindowOption = Window.ANY,
    holidays: Holidays = None,
    currency: CurrencyOption = Currency.USD,
    max_cost: MaxCost = None,
    max_errors: MaxErrors = None,
    max_error_rate: MaxErrorRate = None,
    drain_timeout: DrainTimeout = 60.0,
) -> None:
    """Send rows; which of those that failed before, the command's name says."""
    if sandbox and base_url is not None:
        raise typer.BadParameter("it is a server itself; leave --base-url out", param_hint="--sandbox")
    if str(output) == "-":
        raise typer.BadParameter("a run resumes from its output: a file, not stdout", param_hint="--output")
    retry_permanent = context.command.name == "retry-failed"
    wanted: dict[str, Any] = {
        "max_tokens": max_tokens,
        "temperature": temperature,
        "thinking": None if thinking is None else {"type": "enabled" if thinking else "disabled"},
    }
    asking: dict[str, Any] = {
        "prompt": prompt,
        "system": system,
        "model": model,
        "parameters": {name: value for name, value in wanted.items() if value is not None},
        "id_column": id_column,
    }
    with told():
        if dry_run:
            from .batch_pricing import print_price

            print_price(
                source,
                output,
                asking=asking,
                source_format=source_format,
                shard=shard,
                currency=currency,
                as_json=log_json,
                retry_permanent=retry_permanent,
            )
            return
        from .batch_run import run_and_watch  # the network's libraries load here

        code = run_and_watch(
            source,
            output,
            base_url=base_url,
            sandbox=sandbox,
            log_json=log_json,
            requests_per_minute=requests_per_minute,
            resume=resume,
            max_concurrency=max_concurrency,
            max_attempts=max_attempts,
            durability=durability,
            window=window,
            max_cost=max_cost,
            max_errors=max_errors,
            max_error_rate=max_error_rate,
            warmup=warmup,
            drain_timeout=drain_timeout,
            shard=shard,
            holidays=tuple(day.date() for day in holidays or ()),
            currency=currency,
            retry_permanent=retry_permanent,
            source_format=source_format,
            **asking,
        )
    raise typer.Exit(code)


@batch_app.command("status")
def status(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The output of a run.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show how an output stands, all its runs together. A run may be writing to it."""
    with told():
        from .batch_status import print_status

        print_status(output, as_json=as_json)


@batch_app.command("export")
def export(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The output of a run.", show_default=False)],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="What to write: .csv, .tsv, .jsonl or .parquet, as its name ends.", show_default=False
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Where the questions are; else where the runs found them."),
    ] = None,
    with_body: Annotated[bool, typer.Option("--body", help="The whole answer as JSON, too.")] = False,
    for_excel: Annotated[
        bool, typer.Option("--excel", help="Begin a .csv or .tsv with the mark by which Excel knows UTF-8.")
    ] = False,
) -> None:
    """Write the rows of an output as a table: one for each id, its last, each answer beside its question."""
    with told():
        from .batch_export import export as written

        try:
            count = written(output, file, source=source, with_body=with_body, for_excel=for_excel)
        except ModuleNotFoundError as error:
            raise lacking("Parquet", error.name, "parquet") from None
        typer.echo(f"{count:,} rows in {file}")


@batch_app.command("report")
def report(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The output of a run.", show_default=False)],
    html: Annotated[bool, typer.Option("--html", help="As a page with charts, to open in a browser.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where the page goes; - is stdout.", show_default="OUTPUT.html"
        ),
    ] = None,
) -> None:
    """Show what the runs on an output did: rows, limit and refusals over time, latencies, cost, errors."""
    with told():
        from .batch_report import page, story_of, words_of, write_page

        story = story_of(output)
        if file is not None and str(file) == "-":
            typer.echo(page(story).encode("utf-8", "replace"), nl=False)
        elif html or file is not None:
            place = output.with_suffix(".html") if file is None else file
            write_page(story, place)
            typer.echo(f"{place}")
        else:
            for line in words_of(story):
                typer.echo(line)
