"""The commands, each in a module of its own that is imported when the command is asked for: ``--help`` stays quick.

Hence the help of the whole is written here, without what draws the help of a single command.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

_EPILOG = "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."
_WIDEST = 100


class Listed(NamedTuple):
    """A command before it is imported.

    Attributes:
        module: Where it is, beside this one.
        summary: What it does; the first sentence of its own help.
        is_group: Whether it has commands of its own: then the module has ``NAME_app`` in place of a function.
    """

    module: str
    summary: str
    is_group: bool = False


COMMANDS: Mapping[str, Listed] = {
    "chat": Listed("chat", "Ask one question, or hold a conversation."),
    "batch": Listed(
        "batch",
        "Send a file of requests, as many at once as the account allows; resume where a run ended.",
        is_group=True,
    ),
    "models": Listed("account", "List the models, one a line."),
    "balance": Listed("account", "Show what is left on the account, in each currency."),
    "sandbox": Listed(
        "sandbox", "Serve the API on this machine until Ctrl-C: no key, no network, an embedded language model."
    ),
    "replay": Listed("replay", "Serve recorded exchanges on this machine until Ctrl-C."),
    "decode": Listed("decode", "Read a recorded event stream and print what it says as JSON lines, offline."),
}


class Commands(TyperGroup):
    """The commands of `COMMANDS`, imported one by one."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the library's interface
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - likewise
        """The command of such a name; ``None``: there is none."""
        if (listed := COMMANDS.get(cmd_name)) is None:
            return None
        module = import_module(f".{listed.module}", __package__)
        if listed.is_group:
            group = typer.main.get_command(getattr(module, f"{cmd_name}_app"))
            for command in group.commands.values():  # type: ignore[attr-defined]
                _read_late(command)
            return group
        alone = typer.Typer(add_completion=False, context_settings=_SETTINGS, rich_markup_mode="markdown")
        alone.command(cmd_name)(getattr(module, cmd_name))
        command = typer.main.get_command(alone)
        command.name = cmd_name
        _read_late(command)
        return command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Without arguments, what one could type."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            raise typer.Exit(2)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options."""
        return _reading_late(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write what there is, as wide as the terminal is."""
        width = min(shutil.get_terminal_size().columns, _WIDEST)
        formatter.write(help_of(ctx.command_path, self, ctx, width))


def _read_late(command: Any) -> None:
    """Have a command's parameters load what reads them only if there is something to read.

    From typer 0.29 on that is pydantic, once for each parameter, also for those that nobody gave; it takes longer than
    all else that happens before a question is asked.
    """
    parameters_of = command.get_params
    command.get_params = lambda ctx: _reading_late(parameters_of(ctx))


def _reading_late(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        made = getattr(parameter, "get_runtime_param", None)
        if made is not None and not isinstance(made, partial):
            parameter.get_runtime_param = partial(_Late, made)
    return parameters


class _Late:
    """Reads a parameter: nothing and text by itself, all else by what typer has for it."""

    def __init__(self, made: Callable[[], Any]) -> None:
        self._made = made

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value as the command takes it."""
        if value is None or (isinstance(value, (list, tuple)) and not value):
            return [] if param.multiple or param.nargs == -1 else None
        kind = param.type_descriptor.annotation
        if kind in (str, bool) and isinstance(value, kind):
            return value
        return self._made().coerce(value, param=param, ctx=ctx)


def help_of(name: str, group: TyperGroup, ctx: Any, width: int) -> str:
    """The help of the whole, in lines of a width."""
    options = [record for option in group.get_params(ctx) if (record := option.get_help_record(ctx)) is not None]
    commands = [(command, listed.summary) for command, listed in COMMANDS.items()]
    column = max(len(word) for word, _ in (*options, *commands)) + 4

    def listed(title: str, entries: list[tuple[str, str]]) -> list[str]:
        lines = [f"{title}:"]
        for word, meaning in entries:
            start = f"  {word}".ljust(column)
            lines.append(
                textwrap.fill(meaning, max(width, column + 20), initial_indent=start, subsequent_indent=" " * column)
            )
        return [*lines, ""]

    return "\n".join(
        [
            f"Usage: {name} [OPTIONS] COMMAND [ARGS]...",
            "",
            textwrap.fill(group.help or "", width),
            "",
            *listed("Commands", commands),
            *listed("Options", options),
            textwrap.fill(f"{name} COMMAND --help tells what a command takes. {_EPILOG}", width),
            "",
        ]
    )


_SETTINGS: dict[Any, Any] = {"help_option_names": ["-h", "--help"]}

app: typer.Typer = typer.Typer(
    name="deepseek-async",
    cls=Commands,
    help="DeepSeek's chat completions in the shell. Add --sandbox to try it without a key or a network.",
    context_settings=_SETTINGS,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass
