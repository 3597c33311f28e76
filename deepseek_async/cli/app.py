"""The commands, each in a module of its own. Those import what they need when they run: ``--help`` stays quick."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import account, batch, chat, decode, replay, sandbox

app: typer.Typer = typer.Typer(
    name="deepseek-async",
    help="DeepSeek's chat completions in the shell. Add --sandbox to try it without a key or a network.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # joins the lines of a paragraph
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


app.command("chat")(chat.chat)
app.command("decode")(decode.decode)
app.command("sandbox")(sandbox.sandbox)
app.command("replay")(replay.replay)
app.command("models")(account.models)
app.command("balance")(account.balance)
app.add_typer(batch.batch_app, name="batch")
