"""Charts as inline SVG: no script, nothing from outside, told by shape and word as well as by colour.

Colours are those of Okabe and Ito, which people see apart whatever colours they see; what has failed is hatched, each
line is dashed in its own way. A pointer that rests on a mark is told its figures. All text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

import attrs

WIDTH, HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 12, 34
_INNER_WIDTH, _INNER_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
_TICKS = 4

Format = Callable[[float], str]

STYLE = """
.dsc{color-scheme:light dark;--ink:#1a1a1a;--dim:#555;--grid:#ddd;--paper:#fff;--good:#0072b2;--bad:#d55e00;
--third:#009e73;color:var(--ink);background:var(--paper);font:15px/1.5 system-ui,sans-serif;padding:1em}
@media(prefers-color-scheme:dark){.dsc{--ink:#f2f2f2;--dim:#b5b5b5;--grid:#3a3d42;--paper:#1b1d20;--good:#56b4e9;
--bad:#e69f00;--third:#2fc79b}body{background:#1b1d20;color:#f2f2f2}}
.dsc section{margin:1.6em 0}.dsc h2{font-size:1em;margin:0 0 .2em}.dsc p{margin:.2em 0;color:var(--dim);font-size:13px}
.dsc svg{width:100%;height:auto;max-width:60em;display:block}.dsc text{fill:var(--dim);font:11px system-ui,sans-serif}
.dsc .grid{stroke:var(--grid)}.dsc .mark{stroke:var(--dim);stroke-dasharray:2 4}
.dsc .good{fill:var(--good)}.dsc .bad{fill:var(--bad)}.dsc .hatch{stroke:var(--paper);stroke-width:2.5}
.dsc .line{fill:none;stroke-width:2}.dsc .l0{stroke:var(--good)}.dsc .l1{stroke:var(--bad);stroke-dasharray:7 4}
.dsc .l2{stroke:var(--third);stroke-dasharray:2 3}.dsc .hit{fill:transparent}.dsc .hit:hover{fill:#8884}
.dsc .key{display:inline-block;margin-right:1.2em}
.dsc .key svg{display:inline-block;width:26px;height:12px;margin-right:.4em}
.dsc table{border-collapse:collapse;font-size:13px}.dsc th,.dsc td{text-align:left;padding:.1em 1.2em .1em 0;
vertical-align:top;font-weight:400;overflow-wrap:anywhere}.dsc th{color:var(--dim)}
.dsc td.n{text-align:right;white-space:nowrap}
.dsc summary{cursor:pointer;color:var(--dim);font-size:13px}
"""
# Hatches, once a page.
PATTERNS = (
    '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs><pattern id="dsc-hatch" width="6" '
    'height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="bad" width="6" height="6"/>'
    '<line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs></svg>'
)


@attrs.frozen
class Axis:
    """What an axis measures.

    Attributes:
        most: Its upper end; the lower one is 0.
        told: Makes words of a place on it.
        marks: Places to mark, each with a word.
    """

    most: float
    told: Format
    marks: Sequence[tuple[float, str]] = ()


def bars(name: str, across: Axis, series: Sequence[tuple[str, Sequence[float]]], told: Format) -> str:
    """Columns of equal width from 0 to the end of an axis; a second series stands on the first, hatched.

    Args:
        name: Of the chart, for who hears it.
        series: One or two of (its name, its values).
        told: Makes words of a value.
    """
    count = len(series[0][1])
    totals = [sum(values[place] for _, values in series) for place in range(count)]
    up = Axis(max(totals, default=0.0), told)
    width = _INNER_WIDTH / max(count, 1)
    parts = []
    for place in range(count):
        x, base = _LEFT + place * width, 0.0
        span = f"{across.told(across.most * place / count)} to {across.told(across.most * (place + 1) / count)}"
        for number, (_, values) in enumerate(series):
            value = values[place]
            if value:
                top, bottom = _y(base + value, up), _y(base, up)
                fill = 'class="good"' if number == 0 else 'fill="url(#dsc-hatch)"'
                gap = min(1.0, width / 5)
                parts.append(
                    f'<rect {fill} x="{x:.1f}" y="{top:.1f}" width="{width - gap:.2f}" height="{bottom - top:.1f}"/>'
                )
                base += value
        if totals[place]:
            words = ", ".join(f"{label}: {told(values[place])}" for label, values in series)
            parts.append(_hit(x, width, f"{span}: {words}"))
    return _svg(name, across, up, "".join(parts))


def lines(name: str, across: Axis, series: Sequence[tuple[str, Sequence[tuple[float, float]]]], told: Format) -> str:
    """Lines through points, up to three, each dashed in its own way.

    Args:
        series: Of (its name, its points, ascending).
    """
    up = Axis(max((y for _, points in series for _, y in points), default=0.0), told)
    parts = []
    for number, (label, points) in enumerate(series):
        if points:
            if len(points) == 1:  # a run shorter than the time between two notes: one point makes no line
                points = [(0.0, points[0][1]), (across.most, points[0][1])]
            path = " ".join(f"{_x(x, across):.1f},{_y(y, up):.1f}" for x, y in _thinned(points))
            title = f"<title>{escape(f'{label}: {told(points[-1][1])} at the end')}</title>"
            parts.append(f'<polyline class="line l{number}" points="{path}">{title}</polyline>')
    return _svg(name, across, up, "".join(parts))


def key(kind: str, label: str) -> str:
    """An entry of a legend.

    Args:
        kind: ``"good"``, ``"bad"``: of bars; ``"l0"``, ``"l1"``, ``"l2"``: of lines.
    """
    if kind.startswith("l"):
        sample = f'<line class="line {kind}" x1="0" y1="6" x2="26" y2="6"/>'
    else:
        fill = 'class="good"' if kind == "good" else 'fill="url(#dsc-hatch)"'
        sample = f'<rect {fill} width="26" height="12"/>'
    return f'<span class="key"><svg viewBox="0 0 26 12" aria-hidden="true">{sample}</svg>{escape(label)}</span>'


def figures(across: Axis, series: Sequence[tuple[str, Sequence[float]]], told: Format) -> str:
    """What columns show as a table to unfold: for who does not see them, or wants the figures."""
    count = len(series[0][1])
    rows = [
        [across.told(across.most * place / count), *(told(values[place]) for _, values in series)]
        for place in range(count)
    ]
    return f"<details><summary>Figures</summary>{table(['from', *(name for name, _ in series)], rows)}</details>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are figures."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=n' if place else ''}>{escape(cell)}</td>" for place, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _svg(name: str, across: Axis, up: Axis, marks: str) -> str:
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(name)}">']
    for value in ticks_to(up.most):
        y = _y(value, up)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(up.told(value))}</text>')
    for number in range(_TICKS + 1):
        value = across.most * number / _TICKS
        anchor = "start" if number == 0 else "end" if number == _TICKS else "middle"
        x, y = _x(value, across), HEIGHT - _BOTTOM + 16
        parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(across.told(value))}</text>')
    for place, word in across.marks:
        x = _x(place, across)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>')
        is_right = x > _LEFT + 0.9 * _INNER_WIDTH
        side = f'x="{x - 3 if is_right else x + 3:.1f}" text-anchor="{"end" if is_right else "start"}"'
        parts.append(f'<text {side} y="{HEIGHT - 4}">{escape(word)}</text>')
    return "".join([*parts, marks, "</svg>"])


def _hit(x: float, width: float, words: str) -> str:
    """What a pointer meets: the whole height, since a small column is hard to hit."""
    place = f'x="{x:.1f}" y="{_TOP}" width="{width:.2f}" height="{_INNER_HEIGHT}"'
    return f'<rect class="hit" {place}><title>{escape(words)}</title></rect>'


def _x(value: float, across: Axis) -> float:
    return _LEFT + (_INNER_WIDTH * value / across.most if across.most else 0.0)


def _y(value: float, up: Axis) -> float:
    return HEIGHT - _BOTTOM - (_INNER_HEIGHT * value / up.most if up.most else 0.0)


def ticks_to(most: float) -> list[float]:
    """Round numbers from 0 to a greatest value, five or so."""
    if most <= 0:
        return [0.0]
    rough = most / _TICKS
    step = 10 ** math.floor(math.log10(rough))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if step * factor >= rough * 0.999)
    return [step * number for number in range(int(most / step + 1e-9) + 1)]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """No more points than there are places for; the last always."""
    every = max(1, len(points) // (2 * _INNER_WIDTH))
    return [*points[::every], *points[-1:]] if every > 1 else points
