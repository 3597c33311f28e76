"""Measure all, show the ratios first, write figures and plots: ``python -m benchmarks [--quick] [--only AXIS]``.

A whole run writes ``results/latest.json``, the figures and plots of ``docs/speed.md``, and README's plot and table; any
other ``results/local-*``, which nobody commits. ``--docs`` measures nothing, and writes both pages from the last run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .axes import axes
from .charts import charts
from .measuring import Figures, measured
from .processes import server
from .report import as_record, axis_table, page_section, ratio_table, readme_section, side_by_side, with_section

README = Path(__file__).parent.parent / "README.md"
PAGE = README.parent / "docs/speed.md"
PLOTS = README.parent / "docs/speed"
RESULTS = Path(__file__).parent / "results"
LATEST = RESULTS / "latest.json"


def _arguments() -> argparse.Namespace:
    names = [axis.name for axis in axes(quick=False)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure against the other ways.")
    parser.add_argument("--quick", action="store_true", help="two minutes: smaller, fewer rounds, noisier")
    parser.add_argument("--only", action="append", choices=names, metavar="AXIS", help=", ".join(names))
    parser.add_argument("--docs", action="store_true", help="measure nothing: the pages and plots from latest.json")
    return parser.parse_args()


def _measure(*, quick: bool, only: list[str] | None) -> dict[str, Any]:
    """The record of a run."""
    chosen = [axis for axis in axes(quick=quick) if not only or axis.name in only]
    started = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {line}", file=sys.stderr, flush=True)

    table: dict[str, dict[str, Figures]] = {}
    with server() as replaying:
        for axis in list(chosen):
            if axis.with_uvloop and find_spec("uvloop") is None:
                tell(f"{axis.name}: left out, uvloop is not installed")
                chosen.remove(axis)
                continue
            tell(axis.title)
            table[axis.name] = measured(axis, replaying, tell)
    return as_record(chosen, table, quick=quick, seconds=time.monotonic() - started)


def _show(record: dict[str, Any]) -> None:
    print(ratio_table(record["ratios"]))
    if record["quick"]:
        print("\nQuick: fewer and smaller rounds, 4,000 tokens in place of 16,000, and never more than 200 streams.")
    print(f"\n{side_by_side(record)}")
    for axis in record["axes"].values():
        print(f"\n{axis['title']}\n\n{axis_table(axis)}")


def _write_plots(record: dict[str, Any], start: str) -> None:
    for chart in charts(record):
        Path(f"{start}{chart.name}.svg").write_text(chart.svg)


def _publish(record: dict[str, Any]) -> None:
    """The plots of a whole run, none of another run's left, and the sections of both pages."""
    for plot in PLOTS.glob("*.svg"):
        plot.unlink()
    _write_plots(record, f"{PLOTS}/")
    for page, section in ((README, readme_section(record)), (PAGE, page_section(record))):
        page.write_text(with_section(page.read_text(), section))


def main() -> None:
    arguments = _arguments()
    if arguments.docs:
        _publish(json.loads(LATEST.read_text()))
        return
    record = _measure(quick=arguments.quick, only=arguments.only)
    _show(record)
    is_whole = not (arguments.quick or arguments.only)
    target = LATEST if is_whole else RESULTS / "local-latest.json"
    RESULTS.mkdir(exist_ok=True)
    target.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    if is_whole:
        _publish(record)
    else:
        _write_plots(record, f"{RESULTS}/local-")
    print(f"\nWritten: {target.name} and " + ("docs/speed.md and README" if is_whole else "local-*.svg beside it"))


if __name__ == "__main__":
    main()
