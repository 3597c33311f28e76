"""What a run found: as the record that is kept, as tables, as a page of `docs/`, and as README's plot and table."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

from .axes import HAND, OTHERS, READ, Axis
from .bars import BARS, Bar
from .charts import charts
from .dialects import DIALECTS
from .measuring import Figures
from .plots import shown

Table = Mapping[str, Mapping[str, Figures]]
"""Axis → contestant → what it took."""

_MEASURED = ("deepseek_async", "aiohttp", "msgspec", "orjson", "uvloop", "openai", *OTHERS)
_NAMED = ("openai", *OTHERS)
_SIDE_BY_SIDE = {"plain": "plain, bursts", "top20": "20 alternatives", "unary": "not streamed"}
_PLOTS = ("plain", "top20", "unary", "streams", "length")
_BEGIN, _END = "<!-- figures: `python -m benchmarks` writes what is between -->", "<!-- figures end -->"
_IN_README = {
    "ours": "deepseek_async",
    "aiohttp + orjson": "aiohttp + orjson, by hand",
    "aiohttp + json": "aiohttp + json, by hand",
    "openai create": "openai",
    "openai .stream()": "openai, .stream()",
}
_BY_HAND = (
    ("DeepSeek's chunks", "plain", "ours"),
    *((f"{dialect.title}'s chunks", name, "ours") for name, dialect in DIALECTS.items() if name != "llama5"),
    ("llama.cpp, 5 alternatives a token, folded", "llama5", "ours, fold"),
    ("20 alternatives a token, folded", "top20", "ours, fold"),
    ("the same, the chosen tokens' log probabilities read", "top20", "ours, fold and read chosen"),
    ("the same, every alternative's read", "top20", READ),
)
_EIGHTHS = "▏▎▍▌▋▊▉█"
_CELLS = 40


def _ratio_of(bar: Bar, table: Table) -> float | None:
    """Ours over theirs, median over median; ``None`` where one of both was not measured."""
    figures = [table.get(axis, {}).get(name) for axis, name in (bar.over, bar.under)]
    if figures[0] is None or figures[1] is None:
        return None
    return figures[0].median / figures[1].median


def _as_records(table: Table) -> list[dict[str, Any]]:
    """Every ratio whose figures were measured, with its bar."""
    return [
        {
            "title": bar.title,
            "over": list(bar.over),
            "under": list(bar.under),
            "ratio": round(ratio, 5),
            "at_most": bar.at_most,
        }
        for bar in BARS
        if (ratio := _ratio_of(bar, table)) is not None
    ]


def _versions() -> dict[str, str]:
    versions = {}
    for name in _MEASURED:
        for distribution in (name, f"{name}-slim"):
            try:
                versions[name] = metadata.version(distribution)
                break
            except metadata.PackageNotFoundError:
                continue
    return versions


def _as_json(figures: Figures) -> dict[str, Any]:
    shares = {name: figures.share(name) for name in ("busy", "server")}
    return {
        "at_once": figures.at_once,
        "median": round(figures.median, 3),
        "rounds": [round(turn.figure, 3) for turn in figures.rounds],
        **{name: round(share, 3) for name, share in shares.items() if share is not None},
    }


def as_record(measured_axes: Iterable[Axis], table: Table, *, quick: bool, seconds: float) -> dict[str, Any]:
    """All of it, for the JSON file: no name of the machine, no path."""
    return {
        "machine": {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "system": platform.system(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
        },
        "versions": _versions(),
        "quick": quick,
        "seconds": round(seconds),
        "ratios": _as_records(table),
        "axes": {
            axis.name: {
                "title": axis.title,
                "unit": axis.unit,
                "answer": axis.spec.name if axis.spec else None,
                "uvloop": axis.with_uvloop,
                "figures": {name: _as_json(figures) for name, figures in table[axis.name].items()},
            }
            for axis in measured_axes
        },
    }


def as_markdown(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table, its columns aligned."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [header, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def ratio_table(ratios: Iterable[Mapping[str, Any]]) -> str:
    """The ratios of a record: what, measured, at most, verdict."""
    rows = []
    for record in ratios:
        ratio, at_most = record["ratio"], record["at_most"]
        shown_ratio = f"{ratio:.4f}" if ratio < 0.1 else f"{ratio:.2f}"
        verdict = "" if at_most is None else "ok" if ratio <= at_most else "over"
        rows.append((record["title"], shown_ratio, "–" if at_most is None else f"{at_most:g}", verdict))
    return as_markdown(("ratio of medians", "measured", "at most", ""), rows)


def side_by_side(record: Mapping[str, Any]) -> str:
    """Every contestant's CPU where ours is 1, on the axes on which most took part."""
    columns = {
        title: record["axes"][axis]["figures"]
        for axis, title in _SIDE_BY_SIDE.items()
        if "ours" in record["axes"].get(axis, {}).get("figures", {})
    }
    times = {
        title: {name: found["median"] / figures["ours"]["median"] for name, found in figures.items()}
        for title, figures in columns.items()
    }
    names = dict.fromkeys(name for figures in times.values() for name in figures)
    rows = [
        (name, *(shown(figures[name]) if name in figures else "–" for figures in times.values()))
        for name in sorted(names, key=lambda name: next(found[name] for found in times.values() if name in found))
    ]
    return as_markdown(("CPU, ours = 1", *times), rows)


def axis_table(axis: Mapping[str, Any]) -> str:
    """The figures of one axis of a record, cheapest first."""
    shares = ("busy", "server")
    has_shares = any("busy" in found for found in axis["figures"].values())
    rows = []
    for name, found in sorted(axis["figures"].items(), key=lambda item: item[1]["median"]):
        row = (name, shown(found["median"]), shown(min(found["rounds"])))
        rows.append((*row, *(f"{found[share]:.0%}" for share in shares)) if has_shares else row)
    header = (axis["unit"], "median", "least")
    return as_markdown((*header, "of its core", "of the server's") if has_shares else header, rows)


def readme_section(record: Mapping[str, Any]) -> str:
    """README's plot of a whole run, and its table of what it is not in the plot."""
    return f"{_letters(record)}\n\n{hand_table(record)}"


def hand_table(record: Mapping[str, Any]) -> str:
    """Ours over both loops by hand: each server's chunks, and log probabilities."""
    rows = []
    for title, axis, ours in _BY_HAND:
        figures = record["axes"].get(axis, {}).get("figures", {})
        if ours in figures:
            over = [figures[ours]["median"] / figures[hand]["median"] if hand in figures else None for hand in HAND]
            rows.append((title, *("–" if ratio is None else f"{ratio:.2f}" for ratio in over)))
    return as_markdown(("ours / by hand", "orjson", "json"), rows)


def _letters(record: Mapping[str, Any]) -> str:
    """The plot, in letters: a package index shows no picture that it cannot reach."""
    figures = record["axes"]["plain"]["figures"]
    shown_figures = {
        _IN_README.get(name, name): found["median"] / figures["ours"]["median"]
        for name, found in sorted(figures.items(), key=lambda item: item[1]["median"])
        if name in _IN_README or name in OTHERS
    }
    width, most = max(map(len, shown_figures)), max(shown_figures.values())
    bars = [f"{name:{width}}  {_bar(figure / most)} {shown(figure)}" for name, figure in shown_figures.items()]
    return "\n".join(("```text", *bars, "```"))


def _bar(share: float) -> str:
    """A bar of up to `_CELLS` letters, an eighth of a letter at least."""
    whole, eighths = divmod(max(1, round(share * _CELLS * 8)), 8)
    return _EIGHTHS[7] * whole + (_EIGHTHS[eighths - 1] if eighths else "")


def page_section(record: Mapping[str, Any]) -> str:
    """What the page of figures says of a whole run."""
    machine, versions = record["machine"], record["versions"]
    against = ", ".join(f"{name} {versions[name]}" for name in _NAMED if name in versions)
    held = [ratio for ratio in record["ratios"] if ratio["at_most"] is not None]
    over = sum(ratio["ratio"] > ratio["at_most"] for ratio in held)
    plots = [f"![{chart.title}](speed/{chart.name}.svg)" for chart in charts(record) if chart.name in _PLOTS]
    return "\n\n".join(
        (
            f"Python {machine['python']}, {machine['cores']} cores; {against}.",
            ratio_table(record["ratios"]),
            f"Of {len(held)} ratios that are held to something, {over or 'none'} {'is' if over < 2 else 'are'} over.",
            side_by_side(record),
            "\n".join(plots),
        )
    )


def with_section(page: str, section: str) -> str:
    """A page with a section in place of the last run's.

    Raises:
        ValueError: It lacks the marks that the section stands between.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"the page has no section between {_BEGIN!r} and {_END!r}")
    return f"{before}{begin}\n\n{section}\n\n{end}{after}"
