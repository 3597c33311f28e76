"""The account's figures as tables: aligned in a terminal, tab-separated in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Column, Table
from rich.text import Text

from ..types import Balance, ModelList
from .endings import remark
from .screen import stdout_console, visible


def print_models(models: ModelList) -> None:
    """One model a line: id, context window and longest answer in tokens, input modalities."""
    rows = [
        (
            model.id,
            _shown(model.context_window),
            _shown(model.max_output_tokens),
            " ".join(model.input_modalities or ()),
        )
        for model in models
    ]
    _print(("model", "context", "output", "input"), rows, right=("context", "output"))


def print_balance(balance: Balance) -> None:
    """One currency a line: what is left, and of that what was granted and topped up."""
    rows = [
        (info.currency, str(info.total_balance), _shown(info.granted_balance), _shown(info.topped_up_balance))
        for info in balance.balance_infos
    ]
    _print(("currency", "balance", "granted", "topped up"), rows, right=("balance", "granted", "topped up"))
    if balance.is_available is False:
        remark("the balance does not suffice for requests: top up the account")


def _print(names: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str]) -> None:
    console = stdout_console()
    if not console.is_terminal:
        for row in rows:
            print(*map(visible, row), sep="\t")
        return
    kept = [number for number in range(len(names)) if any(row[number] for row in rows)]
    columns = [Column(names[n], justify="right" if names[n] in right else "left") for n in kept]
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="bold dim")
    for row in rows:
        table.add_row(*(Text(visible(row[number])) for number in kept))
    console.print(table)


def _shown(figure: object) -> str:
    return "" if figure is None else str(figure)
