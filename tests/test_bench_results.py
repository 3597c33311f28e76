"""The figures that README shows are those that were measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("orjson")

from benchmarks.__main__ import ratio_table
from benchmarks.axes import BARS, axes
from benchmarks.plots import bar_chart

ROOT = Path(__file__).parent.parent
LATEST = ROOT / "benchmarks/results/latest.json"


def test_readme_shows_the_ratios_as_measured() -> None:
    """The table in README is the one that the last whole run printed, row for row."""
    record = json.loads(LATEST.read_text())
    assert not record["quick"]
    assert ratio_table(record["ratios"]) in (ROOT / "README.md").read_text()


def test_every_plot_that_readme_shows_is_there() -> None:
    """No picture is missing, and each is SVG."""
    plots = re.findall(r"\((benchmarks/results/[^)]+\.svg)\)", (ROOT / "README.md").read_text())
    assert plots
    for plot in plots:
        assert (ROOT / plot).read_text().startswith("<svg ")


def test_results_name_no_machine() -> None:
    """The file says which Python and how many cores, never whose machine it was."""
    text = LATEST.read_text()
    assert set(json.loads(text)["machine"]) == {"python", "implementation", "system", "architecture", "cores"}
    assert str(ROOT) not in text


@pytest.mark.parametrize("quick", [False, True])
def test_every_bar_compares_figures_that_a_run_takes(quick: bool) -> None:
    """Each side of each ratio is a contestant of an axis."""
    measured = {(axis.name, name) for axis in axes(quick=quick) for name in axis.at_once}
    assert {side for bar in BARS for side in (bar.over, bar.under)} <= measured


def test_bars_are_as_long_as_their_figures() -> None:
    """On a linear scale twice the figure is twice the bar; beyond a factor of 30 it says that it is logarithmic."""
    svg = bar_chart("A & B", "µs", {"ours": 2.0, "theirs": 4.0})
    short, long = (float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', svg))
    assert long == pytest.approx(2 * short)
    assert "A &amp; B" in svg
    assert "logarithmic" not in svg
    assert "logarithmic" in bar_chart("t", "µs", {"ours": 1.0, "theirs": 31.0})
