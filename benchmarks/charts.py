"""Which plots a record is shown as: bars for each axis, and lines across the axes that differ in one number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from .plots import bar_chart, line_chart
from .wire import Spec

AxisRecord = Mapping[str, Any]


@attrs.frozen
class Chart:
    """A plot: the name of its file, its title, its SVG."""

    name: str
    title: str
    svg: str


@attrs.frozen
class _Lines:
    """Axes that differ in one number.

    Attributes:
        name: Of the plot.
        title: What is measured, in words.
        across: The number's name.
        number: The number of an axis.
        axes: Their names.
    """

    name: str
    title: str
    across: str
    number: Callable[[AxisRecord], int]
    axes: tuple[str, ...]


_LINES = (
    _Lines(
        "streams",
        "By streams at once, 20 tokens/s each, one event a write",
        "streams at once",
        lambda axis: max(found["at_once"] for found in axis["figures"].values()),
        ("paced-1", "paced-100", "paced-1000", "paced-2000"),
    ),
    _Lines(
        "length",
        "By length of the answer, 32 events a write",
        "tokens",
        lambda axis: Spec.named(axis["answer"]).tokens,
        ("tokens-100", "tokens-500", "tokens-4000", "tokens-16000"),
    ),
)


def charts(record: Mapping[str, Any]) -> Iterable[Chart]:
    """Every plot of a record; lines only where all of their axes were measured."""
    axes = record["axes"]
    for name, axis in axes.items():
        if not any(name in lines.axes for lines in _LINES):
            figures = {contestant: found["median"] for contestant, found in axis["figures"].items()}
            yield Chart(name.replace(", ", "-"), axis["title"], bar_chart(axis["title"], axis["unit"], figures))
    for lines in _LINES:
        if axes.keys() >= set(lines.axes):
            yield _line_chart(lines, [axes[name] for name in lines.axes])


def _line_chart(lines: _Lines, axes: list[AxisRecord]) -> Chart:
    """Of the contestants that took part everywhere."""
    contestants = [name for name in axes[0]["figures"] if all(name in axis["figures"] for axis in axes)]
    points = {name: [(lines.number(axis), axis["figures"][name]["median"]) for axis in axes] for name in contestants}
    return Chart(lines.name, lines.title, line_chart(lines.title, axes[0]["unit"], lines.across, points))
