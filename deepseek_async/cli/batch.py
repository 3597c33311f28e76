"""``deepseek-async batch``: many requests from a file, their answers into a file, and what to do with that."""

from __future__ import annotations

import enum
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .endings import lacking, told


class _Batch(TyperGroup):
    """Takes ``batch IN -o OUT`` for ``batch run IN -o OUT``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands:
            has_output = any(word.startswith(("-o", "--output")) for word in args)
            if has_output or args[0] == "-" or Path(args[0]).is_file():
                args = ["run", *args]
        return super().parse_args(ctx, args)


batch_app = typer.Typer(
    name="batch",
    cls=_Batch,
    help="Send a file of requests, as many at once as the account allows; resume where a run ended.",
    epilog="Exit codes: 0 all rows answered, 1 some failed, 2 wrong usage, 3 stopped, run again to go on, 130 broken "
    "off by a second Ctrl-C.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)


class Durability(enum.StrEnum):
    """What finished rows survive."""

    PROCESS = "process"
    POWER = "power"


class Window(enum.StrEnum):
    """When to send."""

    ANY = "any"
    OFF_PEAK = "off-peak"


class Currency(enum.StrEnum):
    """What costs are counted in."""

    USD = "USD"
    CNY = "CNY"


_Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help='JSON lines: OpenAI batch lines, or {"custom_id", "prompt" or "messages", …}; -: stdin, as they come.',
        show_default=False,
    ),
]
_Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="Where answers go, a line each; also what a run resumes from."),
]
_Resume = Annotated[bool, typer.Option("--resume/--no-resume", help="Whether OUTPUT may hold rows already.")]
_Shard = Annotated[str | None, typer.Option(metavar="I/N", help="Only part I of N, by a hash of custom_id.")]
_BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="A server; else DEEPSEEK_BASE_URL, else the API.")]
_Sandbox = Annotated[bool, typer.Option("--sandbox", help="Ask an embedded server: no key, no network.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Price what would be sent, and send nothing.")]
_LogJson = Annotated[bool, typer.Option("--log-json", help="Progress and report as JSON lines.")]
_Durability = Annotated[Durability, typer.Option(help="What finished rows survive: kill -9, or a loss of power too.")]

_SENDING = "How rows are sent"
_MaxConcurrency = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Requests in flight at most; else what the server lets in.", rich_help_panel=_SENDING
    ),
]
_RequestsPerMinute = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Requests sent a minute at most, evenly: for servers that limit that.",
        rich_help_panel=_SENDING,
    ),
]
_MaxAttempts = Annotated[
    int,
    typer.Option(
        min=1, metavar="N", help="How often a row is sent at most; refusals (429) are free.", rich_help_panel=_SENDING
    ),
]
_Warmup = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Rows of each prompt prefix that go first, so that others hit the context cache.",
        rich_help_panel=_SENDING,
    ),
]

_MONEY = "What it costs"
_Window = Annotated[Window, typer.Option(help="off-peak: send only while prices are low.", rich_help_panel=_MONEY)]
_Holidays = Annotated[
    list[datetime] | None,
    typer.Option(
        "--holiday",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="A Chinese public holiday: no peak prices; several times.",
        rich_help_panel=_MONEY,
    ),
]
_Currency = Annotated[Currency, typer.Option(help="What costs are counted in.", rich_help_panel=_MONEY)]
_MaxCost = Annotated[
    str | None,
    typer.Option(metavar="AMOUNT", help="Stop before more is spent in this run.", rich_help_panel=_MONEY),
]

_STOPPING = "When it stops"
_MaxErrors = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Stop when more rows than this have failed.", rich_help_panel=_STOPPING),
]
_MaxErrorRate = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, metavar="SHARE", help="Stop when a larger share has failed, 0 to 1.", rich_help_panel=_STOPPING
    ),
]
_DrainTimeout = Annotated[
    float,
    typer.Option(
        min=0,
        metavar="SECONDS",
        help="For what is in flight once the run is stopped; then it is broken off.",
        rich_help_panel=_STOPPING,
    ),
]

_RUN = """Send every row of SOURCE. Run again, it goes on where the last run ended.

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
    source: _Source,
    output: _Output,
    resume: _Resume = True,
    shard: _Shard = None,
    base_url: _BaseUrl = None,
    sandbox: _Sandbox = False,
    dry_run: _DryRun = False,
    log_json: _LogJson = False,
    durability: _Durability = Durability.POWER,
    max_concurrency: _MaxConcurrency = None,
    requests_per_minute: _RequestsPerMinute = None,
    max_attempts: _MaxAttempts = 8,
    warmup: _Warmup = 0,
    window: _Window = Window.ANY,
    holidays: _Holidays = None,
    currency: _Currency = Currency.USD,
    max_cost: _MaxCost = None,
    max_errors: _MaxErrors = None,
    max_error_rate: _MaxErrorRate = None,
    drain_timeout: _DrainTimeout = 60.0,
) -> None:
    """Send rows; which of those that failed before, the command's name says."""
    if sandbox and base_url is not None:
        raise typer.BadParameter("it is a server itself; leave --base-url out", param_hint="--sandbox")
    if str(output) == "-":
        raise typer.BadParameter("a run resumes from its output: a file, not stdout", param_hint="--output")
    retry_permanent = context.command.name == "retry-failed"
    with told():
        if dry_run:
            from .batch_pricing import print_price

            print_price(
                source, output, shard=shard, currency=currency, as_json=log_json, retry_permanent=retry_permanent
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
    parquet: Annotated[Path, typer.Argument(metavar="PARQUET", help="The file to write.", show_default=False)],
    with_body: Annotated[bool, typer.Option("--body", help="The whole answer as JSON, too.")] = False,
) -> None:
    """Write the rows of an output as a Parquet file: one for each id, its last."""
    with told():
        try:
            from .batch_export import to_parquet
        except ModuleNotFoundError as error:
            raise lacking("export", error.name, "parquet") from None
        typer.echo(f"{to_parquet(output, parquet, with_body=with_body):,} rows in {parquet}")
