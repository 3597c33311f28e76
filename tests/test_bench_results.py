"""The figures that README and docs show are those that were measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("orjson")

from benchmarks.axes import axes
from benchmarks.bars import BARS
from benchmarks.charts import charts
from benchmarks.contestants import NAMES
from benchmarks.plots import bar_chart, line_chart
from benchmarks.report import (
    axis_table,
    hand_table,
    page_section,
    ratio_table,
    readme_section,
    side_by_side,
    with_section,
)

ROOT = Path(__file__).parent.parent
LATEST = ROOT / "benchmarks/results/latest.json"
PAGE = ROOT / "docs/speed.md"


def _axis(unit: str, answer: str, **medians: float) -> dict[str, Any]:
    figures = {
        name: {"at_once": 4, "median": median, "rounds": [median, median * 2], "busy": 0.5, "server": 0.071}
        for name, median in medians.items()
    }
    return {"title": f"{answer} & more", "unit": unit, "answer": answer, "uvloop": False, "figures": figures}


def test_pages_show_the_figures_as_measured() -> None:
    """Their sections are those that the last whole run wrote, word for word; `python -m benchmarks --docs`."""
    record, readme, page = json.loads(LATEST.read_text()), (ROOT / "README.md").read_text(), PAGE.read_text()
    assert not record["quick"]
    assert with_section(readme, readme_section(record)) == readme
    assert with_section(page, page_section(record)) == page
    assert ratio_table(record["ratios"]) in page
    assert side_by_side(record) in page


def test_bars_in_letters_are_as_long_as_their_figures() -> None:
    """Eight steps a letter; what is least has a bar, too."""
    names = {"ours": 1.0, "openai create": 20.0, "litellm": 40.0, "bare socket": 0.2}
    plot = readme_section({"axes": {"plain": _axis("µs per chunk", "stream.plain.9.1.0", **names)}})
    assert plot.partition("\n\n")[0].splitlines() == [
        "```text",
        "deepseek_async  █ 1.00",
        f"openai          {'█' * 20} 20.0",
        f"litellm         {'█' * 40} 40.0",
        "```",
    ]


def test_other_servers_and_log_probabilities_stand_in_the_first_table() -> None:
    """Ours over both loops, in the order of the page; what a run left out is left out."""
    plain = _axis("µs per chunk", "stream.plain.9.1.0", **{"ours": 3.0, "aiohttp + json": 5.0, "aiohttp + orjson": 2.0})
    read = _axis("µs per chunk", "stream.top20.9.1.0", **{"ours, fold and read logprobs": 6.0, "aiohttp + json": 8.0})
    rows = hand_table({"axes": {"vllm": plain, "plain": plain, "top20": read}}).splitlines()[2:]
    assert [[cell.strip() for cell in row.split("|")[1:4]] for row in rows] == [
        ["DeepSeek's chunks", "1.50", "0.60"],
        ["vLLM's chunks", "1.50", "0.60"],
        ["the same, every alternative's read", "–", "0.75"],
    ]


def test_every_plot_that_is_shown_is_there() -> None:
    """No picture is missing, and each is drawn from the figures of the last whole run."""
    drawn = {f"{chart.name}.svg": chart.svg for chart in charts(json.loads(LATEST.read_text()))}
    plots = re.findall(r"\(speed/([^)]+\.svg)\)", PAGE.read_text())
    assert plots
    for plot in plots:
        assert (PAGE.parent / "speed" / plot).read_text() == drawn[plot]


def test_a_page_needs_its_marks() -> None:
    """Figures are never written where nobody asked for them."""
    with pytest.raises(ValueError, match="the page has no section"):
        with_section("# A page\n", "figures")


def test_results_name_no_machine() -> None:
    """The file says which Python and how many cores, never whose machine it was."""
    text = LATEST.read_text()
    assert set(json.loads(text)["machine"]) == {"python", "implementation", "system", "architecture", "cores"}
    assert str(ROOT) not in text


def test_every_bar_compares_figures_that_a_run_takes() -> None:
    """Each side of each ratio is a contestant of an axis."""
    measured = {(axis.name, name) for axis in axes(quick=False) for name in axis.at_once}
    assert {side for bar in BARS for side in (bar.over, bar.under)} <= measured


def test_a_quick_run_measures_nothing_else() -> None:
    """The quick axes are some of the whole run's, with no other contestants, and no more of anything."""
    whole = {axis.name: axis for axis in axes(quick=False)}
    for axis in axes(quick=True):
        assert all(count <= whole[axis.name].at_once[name] for name, count in axis.at_once.items())
        assert axis.rounds <= whole[axis.name].rounds


def test_every_contestant_has_a_home() -> None:
    """Whom an axis names can be started: imports aside, each is one of `NAMES`."""
    named = {name for axis in axes(quick=False) if axis.spec for name in axis.at_once}
    assert named == set(NAMES)


def test_side_by_side_ours_is_one() -> None:
    """Medians over ours, cheapest first; a dash where one took no part, no column where ours did not."""
    record = {
        "axes": {
            "plain": _axis("µs per chunk", "stream.plain.9.1.0", ours=2.0, theirs=50.0),
            "unary": _axis("µs per request", "whole.plain.9", floor=1.0, ours=4.0),
            "top20": _axis("µs per chunk", "stream.top20.9.1.0", theirs=3.0),
        }
    }
    assert side_by_side(record).splitlines() == [
        "| CPU, ours = 1 | plain, bursts | not streamed |",
        "| ------------- | ------------- | ------------ |",
        "| floor         | –             | 0.25         |",
        "| ours          | 1.00          | 1.00         |",
        "| theirs        | 25.0          | –            |",
    ]


def test_an_axis_shows_how_busy_both_sides_were() -> None:
    """The contestant's share of its core and the server's of its own, so that a bottleneck would be seen."""
    assert axis_table(_axis("µs per chunk", "stream.plain.9.1.0", ours=2.0)).splitlines()[::2] == [
        "| µs per chunk | median | least | of its core | of the server's |",
        "| ours         | 2.00   | 2.00  | 50%         | 7%              |",
    ]


def test_bars_are_as_long_as_their_figures() -> None:
    """On a linear scale twice the figure is twice the bar; beyond a factor of 30 it says that it is logarithmic."""
    svg = bar_chart("A & B", "µs", {"ours": 2.0, "theirs": 4.0})
    short, long = (float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', svg))
    assert long == pytest.approx(2 * short)
    assert "A &amp; B" in svg
    assert "logarithmic" not in svg
    assert "logarithmic" in bar_chart("t", "µs", {"ours": 1.0, "theirs": 31.0})


def _points(svg: str) -> list[list[tuple[float, float]]]:
    lines = re.findall(r'<polyline points="([^"]+)"', svg)
    return [[tuple(map(float, point.split(","))) for point in line.split()] for line in lines]  # type: ignore[misc]


def test_lines_are_as_high_as_their_figures() -> None:
    """From zero, at steps of a round size; tenfold across is always as far."""
    svg = line_chart("t", "µs", "tokens", {"ours": [(10, 4.0), (100, 2.0), (1000, 1.0)]})
    (line,) = _points(svg)
    zero = float(re.findall(r'<path d="M\S+ ([\d.]+)H', svg)[0])
    assert [zero - y for _, y in line] == pytest.approx(
        [4 * (zero - line[2][1]), 2 * (zero - line[2][1]), zero - line[2][1]]
    )
    assert line[1][0] - line[0][0] == pytest.approx(line[2][0] - line[1][0], abs=0.2)
    assert "logarithmic" not in svg


def test_lines_of_a_far_range_are_logarithmic() -> None:
    """Tenfold is as high wherever it begins, and the scale says so."""
    svg = line_chart("t", "µs", "streams", {"ours": [(1, 100.0), (10, 10.0), (100, 1.0)]})
    ((first, second, third),) = _points(svg)
    assert second[1] - first[1] == pytest.approx(third[1] - second[1], abs=0.2)
    assert "logarithmic" in svg


def test_lines_are_of_those_who_took_part_everywhere() -> None:
    """Axes that differ in one number make one plot in place of bars each, and only together."""
    lengths = {
        f"tokens-{tokens}": _axis("µs per chunk", f"stream.plain.{tokens}.32.2000", ours=2.0)
        for tokens in (100, 500, 4000, 16000)
    }
    lengths["tokens-500"]["figures"]["theirs"] = lengths["tokens-500"]["figures"]["ours"]
    (chart,) = charts({"axes": lengths})
    assert chart.name == "length"
    assert len(_points(chart.svg)) == 1
    assert not list(charts({"axes": {"tokens-500": lengths["tokens-500"]}}))
