"""Bar charts as SVG, readable on light and dark pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from xml.sax.saxutils import escape

_WIDTH, _LABELS, _BAR, _GAP, _TOP = 760, 210, 20, 8, 58
_OURS, _OTHERS, _INK = "#2f81f7", "#9aa4af", "#7d8590"


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

    height = _TOP + len(ordered) * (_BAR + _GAP) + 8
    scale = f"{unit}, logarithmic scale" if is_logarithmic else unit
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img"',
        f' font-family="system-ui, sans-serif" font-size="13" fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        f'<text x="8" y="22" font-size="15" font-weight="600">{escape(title)}</text>',
        f'<text x="8" y="42">{escape(scale)}; less is better</text>',
    ]
    for row, (name, figure) in enumerate(ordered):
        top = _TOP + row * (_BAR + _GAP)
        end = _LABELS + length(figure)
        fill = _OURS if name.startswith(("ours", "deepseek_async")) else _OTHERS
        lines += [
            f'<text x="{_LABELS - 8}" y="{top + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LABELS}" y="{top}" width="{end - _LABELS:.1f}" height="{_BAR}" rx="3" fill="{fill}"/>',
            f'<text x="{end + 6:.1f}" y="{top + 15}">{shown(figure)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def shown(figure: float) -> str:
    """Three digits that count."""
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"
