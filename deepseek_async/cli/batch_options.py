"""What ``batch run`` may be told: each option with its help, in the panels of ``--help``."""

from __future__ import annotations

import enum
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


class Durability(enum.StrEnum):
    """What finished rows survive."""

    PROCESS = "process"
    POWER = "power"


class SourceFormat(enum.StrEnum):
    """What a source is written as."""

    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


class Window(enum.StrEnum):
    """When to send."""

    ANY = "any"
    OFF_PEAK = "off-peak"


class Currency(enum.StrEnum):
    """What costs are counted in."""

    USD = "USD"
    CNY = "CNY"


Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="CSV, TSV, Parquet or JSON lines, by the name's ending: what to ask is in columns custom_id, prompt or "
        "messages, …, or said by --prompt; OpenAI batch lines; -: JSON lines from stdin, as they come.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="Where answers go, a line each; also what a run resumes from."),
]
Resume = Annotated[bool, typer.Option("--resume/--no-resume", help="Whether OUTPUT may hold rows already.")]
Shard = Annotated[str | None, typer.Option(metavar="I/N", help="Only part I of N, by a hash of custom_id.")]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="A server; else DEEPSEEK_BASE_URL, else the API.")]
Sandbox = Annotated[bool, typer.Option("--sandbox", help="Ask an embedded server: no key, no network.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Price what would be sent, and send nothing.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Progress and report as JSON lines.")]
DurabilityOption = Annotated[
    Durability, typer.Option(help="What finished rows survive: kill -9, or a loss of power too.")
]

_ASKING = "What rows ask"
Prompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        "-p",
        metavar="TEXT",
        help='What each row is asked: "Translate: {text}", a column in braces; {{ and }} are braces.',
        rich_help_panel=_ASKING,
    ),
]
System = Annotated[
    str | None,
    typer.Option(
        "--system", "-s", metavar="TEXT", help="Instructions for rows that have none.", rich_help_panel=_ASKING
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="For rows that name none; else deepseek-flash.", rich_help_panel=_ASKING),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="An answer's length at most, reasoning included.", rich_help_panel=_ASKING),
]
Temperature = Annotated[float | None, typer.Option(min=0, max=2, metavar="T", help="0 to 2.", rich_help_panel=_ASKING)]
Thinking = Annotated[
    bool | None,
    typer.Option(
        "--thinking/--no-thinking", help="Whether to reason first.", show_default=False, rich_help_panel=_ASKING
    ),
]
Id = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="COLUMN",
        help="What names a row; else custom_id, with --prompt id too, else its number.",
        rich_help_panel=_ASKING,
    ),
]
FormatOption = Annotated[
    SourceFormat | None,
    typer.Option("--format", help="What SOURCE is written as, if its name does not say.", rich_help_panel=_ASKING),
]

_SENDING = "How rows are sent"
MaxConcurrency = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Requests in flight at most; else what the server lets in.", rich_help_panel=_SENDING
    ),
]
RequestsPerMinute = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Requests sent a minute at most, evenly: for servers that limit that.",
        rich_help_panel=_SENDING,
    ),
]
MaxAttempts = Annotated[
    int,
    typer.Option(
        min=1, metavar="N", help="How often a row is sent at most; refusals (429) are free.", rich_help_panel=_SENDING
    ),
]
Warmup = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Rows of each prompt prefix that go first, so that others hit the context cache.",
        rich_help_panel=_SENDING,
    ),
]

_MONEY = "What it costs"
WindowOption = Annotated[Window, typer.Option(help="off-peak: send only while prices are low.", rich_help_panel=_MONEY)]
Holidays = Annotated[
    list[datetime] | None,
    typer.Option(
        "--holiday",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="A Chinese public holiday: no peak prices; several times.",
        rich_help_panel=_MONEY,
    ),
]
CurrencyOption = Annotated[Currency, typer.Option(help="What costs are counted in.", rich_help_panel=_MONEY)]
MaxCost = Annotated[
    str | None,
    typer.Option(metavar="AMOUNT", help="Stop before more is spent in this run.", rich_help_panel=_MONEY),
]

_STOPPING = "When it stops"
MaxErrors = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Stop when more rows than this have failed.", rich_help_panel=_STOPPING),
]
MaxErrorRate = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, metavar="SHARE", help="Stop when a larger share has failed, 0 to 1.", rich_help_panel=_STOPPING
    ),
]
DrainTimeout = Annotated[
    float,
    typer.Option(
        min=0,
        metavar="SECONDS",
        help="For what is in flight once the run is stopped; then it is broken off.",
        rich_help_panel=_STOPPING,
    ),
]
