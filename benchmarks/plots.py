"""Bar and line charts as SVG, readable on light and dark pages alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from xml.sax.saxutils import escape

_WIDTH, _LABELS, _BAR, _GAP, _TOP = 760, 210, 20, 8, 58
_PLOT, _LEFT, _RIGHT, _FOOT = 240, 60, 150, 48
_OURS, _OTHERS, _INK = "#2f81f7", "#9aa4af", "#7d8590"

Point = tuple[float, float]


def bar_chart(title: str, unit: str, figures: Mapping[str, float]) -> str:
    """One bar each, cheapest first, ours in colour; a logarithmic scale where one figure dwarfs another."""
    ordered = sorted(figures.items(), key=lambda item: item[1])
    largest, smallest = ordered[-1][1], max(ordered[0][1], 1e-9)
    is_logarithmic = largest / smallest > 30
    room = _WIDTH - _LABELS - 90

    def length(figure: float) -> float:
        if not is_logarithmic:
            return room * figure / largest
        low = log10(smallest) - 0.3  # so that the smallest has a bar too
        return room * (log10(max(figure, 1e-9)) - low) / (log10(largest) - low)

    lines = []
    for row, (name, figure) in enumerate(ordered):
        top = _TOP + row * (_BAR + _GAP)
        end = _LABELS + length(figure)
        bar = f'x="{_LABELS}" y="{top}" width="{end - _LABELS:.1f}" height="{_BAR}"'
        lines += [
            f'<text x="{_LABELS - 8}" y="{top + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect {bar} rx="3" fill="{_colour(name)}"/>',
            f'<text x="{end + 6:.1f}" y="{top + 15}">{shown(figure)}</text>',
        ]
    scale = f"{unit}, logarithmic scale" if is_logarithmic else unit
    return _svg(title, scale, _TOP + len(ordered) * (_BAR + _GAP) + 8, lines)


def line_chart(title: str, unit: str, across: str, figures: Mapping[str, Sequence[Point]]) -> str:
    """One line each from point to point, ours in colour; the numbers across, and figures where one dwarfs another, on
    a logarithmic scale."""
    numbers = sorted({number for points in figures.values() for number, _ in points})
    heights = [figure for points in figures.values() for _, figure in points]
    is_logarithmic = max(heights) / min(heights) > 5
    ticks = _round_numbers(min(heights) if is_logarithmic else 0.0, max(heights), is_logarithmic)
    bottom, right = _TOP + _PLOT, _WIDTH - _RIGHT

    def place(point: Point) -> Point:
        across = log10(point[0] / numbers[0]) / log10(numbers[-1] / numbers[0])
        scaled = log10 if is_logarithmic else float
        up = (scaled(point[1]) - scaled(ticks[0])) / (scaled(ticks[-1]) - scaled(ticks[0]))
        return _LEFT + 10 + across * (right - _LEFT - 20), bottom - (_PLOT - 10) * up

    lines = []
    for tick in ticks:
        _, y = place((numbers[0], tick))
        lines += [
            f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="{_INK}" stroke-opacity="0.25"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:,g}</text>',
        ]
    for number in numbers:
        x, _ = place((number, ticks[0]))
        lines.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{number:,.0f}</text>')
    lines.append(f'<text x="{(_LEFT + right) / 2}" y="{bottom + 38}" text-anchor="middle">{escape(across)}</text>')

    free = bottom  # labels from the lowest line up, none over another
    for name, points in sorted(figures.items(), key=lambda item: item[1][-1][1]):
        placed = [place(point) for point in points]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        x, y = placed[-1]
        free = min(y + 4, free - 16)
        lines += [
            f'<polyline points="{corners}" fill="none" stroke="{_colour(name)}" stroke-width="2"/>',
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{_colour(name)}"/>' for x, y in placed),
            f'<text x="{x + 10:.1f}" y="{free:.1f}">{escape(name)}</text>',
        ]
    scale = f"{unit}, logarithmic scale" if is_logarithmic else unit
    return _svg(title, scale, bottom + _FOOT, lines)


def _round_numbers(low: float, high: float, is_logarithmic: bool) -> list[float]:
    """From at most `low` to at least `high`: 1, 2, 5, 10 … or equal steps of such a size."""
    sizes = [digit * 10.0**power for power in range(-6, 10) for digit in (1, 2, 5)]
    if is_logarithmic:
        first = max(size for size in sizes if size <= low)
        last = min(size for size in sizes if size >= high)
        return [size for size in sizes if first <= size <= last]
    step = min(size for size in sizes if size * 5 >= high)
    return [step * number for number in range(int(-(-high // step)) + 1)]


def _svg(title: str, scale: str, height: float, lines: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img"',
            f' font-family="system-ui, sans-serif" font-size="13" fill="{_INK}">',
            f"<title>{escape(title)}</title>",
            f'<text x="8" y="22" font-size="15" font-weight="600">{escape(title)}</text>',
            f'<text x="8" y="42">{escape(scale)}; less is better</text>',
            *lines,
            "</svg>",
            "",
        ]
    )


def _colour(name: str) -> str:
    return _OURS if name.startswith(("ours", "deepseek_async")) else _OTHERS


def shown(figure: float) -> str:
    """Three digits that count."""
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"
