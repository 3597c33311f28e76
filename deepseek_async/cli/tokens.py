"""Tokens to look at: a colour for each probability, and the table of a whole answer."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence

import attrs
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.style import Style
from rich.table import Column, Table
from rich.text import Text

from ..types import ChatCompletion, TokenLogprob, TopLogprob, perplexity_of
from ..types.tokens.token import token_bytes
from .screen import visible

# From surprising to expected; of middling lightness, so that they can be read on black and on white.
_BOUNDS = (0.01, 0.05, 0.2, 0.5, 0.8)
_COLOURS = tuple(map(Style.parse, ("#d9363e", "#d9622b", "#b98300", "#8a9500", "#4f9d3a", "#1f9d63")))
_BAR_CELLS = 10
_WIDTH_FOR_BAR = 90
_DIM = Style(dim=True)


def style_of(token: TopLogprob) -> Style:
    """The colour of a token's probability; one below the server's top 20 is as surprising as can be."""
    return _COLOURS[bisect(_BOUNDS, token.probability or 0.0)]


def label_of(token: TopLogprob) -> str:
    r"""The token so that its blanks are seen: ``" sky"``, ``"\n"``; part of a character as its bytes: ``<e2 80>``."""
    data = token_bytes(token)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"<{data.hex(' ')}>"
    for char, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(char, escaped)
    return f'"{visible(text)}"'


def percent_of(token: TopLogprob) -> str:
    """Its probability: ``"57.1 %"``; where the server gave none, ``"< top 20"``."""
    probability = token.probability
    if probability is None:
        return "< top 20"
    percent = 100 * probability
    if percent >= 0.05:
        return f"{percent:.1f} %"
    return f"{percent:.1g} %" if percent >= 0.0001 else "< 0.0001 %"


def print_tables(console: Console, completion: ChatCompletion) -> None:
    """Print the tokens of choice 0, one a line; those of the reasoning, if any were sent, in a table before.

    In a pipe they are plain columns, each line whole however long.
    """
    logprobs = completion.logprobs
    channels = [] if logprobs is None else [("reasoning", logprobs.reasoning_content), ("answer", logprobs.content)]
    width = console.width if console.is_terminal else None
    tables = [_table(name, tokens, width) for name, tokens in channels if tokens]
    if not tables:
        console.print(Text("the server sent no logprobs", style=_DIM))
    elif console.is_terminal:
        console.print(*tables, _legend(), sep="\n")
    else:
        with console.capture() as printed:
            console.print(*tables, sep="\n\n")
        for line in printed.get().splitlines():  # cells are padded to their columns' widths
            console.file.write(line.rstrip() + "\n")


def _table(name: str, tokens: Sequence[TokenLogprob], width: int | None) -> Table:
    """The table of one channel, for a terminal of that width; ``None``: for a pipe."""
    perplexity = perplexity_of(tokens)
    facts = f"{name}: {len(tokens):,} tokens" + (f", perplexity {perplexity:.2f}" if perplexity is not None else "")
    has_bar = width is not None and width >= _WIDTH_FOR_BAR
    columns = [
        Column("#", justify="right", style=_DIM, no_wrap=True, min_width=len(str(len(tokens)))),
        Column("token", no_wrap=True),
        Column("bytes", style=_DIM, no_wrap=True, overflow="ellipsis", max_width=None if width is None else width // 5),
        Column("probability", justify="right", no_wrap=True),
        *([Column("", width=_BAR_CELLS, no_wrap=True)] if has_bar else []),
        Column("alternatives", no_wrap=True, overflow="ellipsis", ratio=None if width is None else 1),
    ]
    table = Table(
        *columns,
        box=None,
        padding=(0, 2, 0, 0),
        title=Text(facts, style="bold"),
        title_justify="left",
        header_style="bold dim",
        expand=width is not None,
    )
    for number, token in enumerate(tokens, 1):
        style = style_of(token)
        bar = (Text(_bar(token.probability or 0.0), style),) if has_bar else ()
        table.add_row(
            str(number),
            Text(label_of(token), style),
            token_bytes(token).hex(" "),
            Text(percent_of(token), style),
            *bar,
            _Alternatives(token),
        )
    return table


@attrs.frozen
class _Alternatives:
    """The other tokens that were likely at a position, as many of them as the column has room for."""

    token: TokenLogprob

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text(end="")
        for other in _others(self.token):
            entry = Text("  " if line else "")
            entry.append(label_of(other), style_of(other))
            entry.append(f" {percent_of(other)}", _DIM)
            room = options.max_width - line.cell_len
            if entry.cell_len > room and line:
                break
            entry.truncate(room, overflow="ellipsis")
            line.append_text(entry)
        yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        wanted = sum(cell_len(f"  {label_of(other)} {percent_of(other)}") for other in _others(self.token))
        return Measurement(0, wanted)


def _others(token: TokenLogprob) -> Iterable[TopLogprob]:
    own = token_bytes(token)
    return (other for other in token.top_logprobs if token_bytes(other) != own)


def _bar(probability: float) -> str:
    halves = round(probability * _BAR_CELLS * 2)
    return "━" * (halves // 2) + "╸" * (halves % 2)


def _legend() -> Text:
    line = Text()
    line.append("probability  ", _DIM)
    names = [f"< {bound:.0%}" for bound in _BOUNDS] + [f"≥ {_BOUNDS[-1]:.0%}"]
    for colour, name in zip(_COLOURS, names, strict=True):
        line.append("■ ", colour)
        line.append(f"{name}  ", _DIM)
    return line
