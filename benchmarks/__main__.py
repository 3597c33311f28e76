"""Measure all, show the ratios first, write figures and plots: ``python -m benchmarks [--quick] [--only AXIS]``.

A full run writes ``results/latest.json`` and the plots; any other ``results/local-*``, which nobody commits.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .axes import BARS, Axis, Bar, axes
from .measuring import Figures, measured
from .plots import bar_chart, shown
from .processes import server

RESULTS = Path(__file__).parent / "results"
_MEASURED = ("deepseek_async", "aiohttp", "msgspec", "orjson", "openai", "uvloop")

Table = Mapping[str, Mapping[str, Figures]]
"""Axis → contestant → what it took."""


def ratio_of(bar: Bar, table: Table) -> float | None:
    """Ours over theirs, median over median; ``None`` where one of both was not measured."""
    figures = [table.get(axis, {}).get(name) for axis, name in (bar.over, bar.under)]
    if figures[0] is None or figures[1] is None:
        return None
    return figures[0].median / figures[1].median


def as_records(table: Table) -> list[dict[str, Any]]:
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
        if (ratio := ratio_of(bar, table)) is not None
    ]


def ratio_table(records: list[dict[str, Any]]) -> str:
    """The ratios as Markdown: what, measured, at most, verdict."""
    rows = []
    for record in records:
        ratio, at_most = record["ratio"], record["at_most"]
        shown_ratio = f"{ratio:.4f}" if ratio < 0.1 else f"{ratio:.2f}"
        verdict = "" if at_most is None else "ok" if ratio <= at_most else "over"
        rows.append((record["title"], shown_ratio, "–" if at_most is None else f"{at_most:g}", verdict))
    return as_markdown(("ratio of medians", "measured", "at most", ""), rows)


def as_markdown(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [header, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _versions() -> dict[str, str]:
    versions = {}
    for name in _MEASURED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def as_record(measured_axes: list[Axis], table: Table, *, quick: bool, seconds: float) -> dict[str, Any]:
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
        "ratios": as_records(table),
        "axes": {
            axis.name: {
                "title": axis.title,
                "unit": axis.unit,
                "answer": axis.spec.name if axis.spec else None,
                "uvloop": axis.with_uvloop,
                "figures": {
                    name: {
                        "at_once": figures.at_once,
                        "median": round(figures.median, 3),
                        "rounds": [round(figure, 3) for figure in figures.rounds],
                    }
                    for name, figures in table[axis.name].items()
                },
            }
            for axis in measured_axes
        },
    }


def _arguments() -> argparse.Namespace:
    names = [axis.name for axis in axes(quick=False)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure against the other ways.")
    parser.add_argument("--quick", action="store_true", help="about a minute: smaller, fewer rounds, noisier")
    parser.add_argument("--only", action="append", choices=names, metavar="AXIS", help=", ".join(names))
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    chosen = [axis for axis in axes(quick=arguments.quick) if not arguments.only or axis.name in arguments.only]
    started = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {line}", file=sys.stderr, flush=True)

    table: dict[str, dict[str, Figures]] = {}
    with server() as root:
        for axis in list(chosen):
            if axis.with_uvloop and find_spec("uvloop") is None:
                tell(f"{axis.name}: left out, uvloop is not installed")
                chosen.remove(axis)
                continue
            tell(axis.title)
            table[axis.name] = measured(axis, root, tell)

    print(ratio_table(as_records(table)))
    if arguments.quick:
        print("\nQuick: fewer and smaller rounds, 4,000 tokens in place of 16,000 and 200 streams in place of 1,000.")
    for axis in chosen:
        ordered = sorted(table[axis.name].items(), key=lambda item: item[1].median)
        rows = [(name, shown(figures.median), shown(min(figures.rounds))) for name, figures in ordered]
        print(f"\n{axis.title}\n")
        print(as_markdown((axis.unit, "median", "least"), rows))

    is_whole = not (arguments.quick or arguments.only)
    prefix = "" if is_whole else "local-"
    record = as_record(chosen, table, quick=arguments.quick, seconds=time.monotonic() - started)
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{prefix}latest.json"
    target.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    for axis in chosen:
        figures = {name: figures.median for name, figures in table[axis.name].items()}
        plot = RESULTS / f"{prefix}{axis.name.replace(', ', '-')}.svg"
        plot.write_text(bar_chart(axis.title, axis.unit, figures))
    print(f"\nWritten: {target.name} and a plot for each table, in {RESULTS.parent.name}/{RESULTS.name}")


if __name__ == "__main__":
    main()
