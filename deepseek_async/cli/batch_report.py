"""``batch report``: what the runs on an output did, in words or as a page with charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import accumulate
from pathlib import Path

import attrs

from ..batch.journal.history import Told, history_of
from ..batch.journal.journal import side_file_of
from ..batch.journal.standing import Standing, standing_of
from ..errors import InvalidRequestError
from ..types.tokens.heat_map import page_of
from .batch_figures import duration, failures_line
from .charts import PATTERNS, STYLE, Axis, bars, figures, key, lines

_BINS = 60
_QUANTILES = (0.5, 0.9, 0.99)


@attrs.frozen
class Story:
    """The runs on an output on one axis of time: hours between two runs are left out.

    Attributes:
        standing: How the output stands.
        runs: What they did.
        seconds: All runs together.
        ends: When rows ended, seconds on that axis, with whether they failed and what they cost.
        latencies: Of answers, seconds, ascending.
    """

    standing: Standing
    runs: Sequence[Told]
    seconds: float
    ends: Sequence[tuple[float, bool, float]]
    latencies: Sequence[float]


def story_of(output: Path) -> Story:
    """Read an output; a run may be writing to it.

    Raises:
        InvalidRequestError: There is no such file, or it is no output.
    """
    standing, runs = standing_of(output), history_of(output)
    ends: list[tuple[float, bool, float]] = []
    latencies: list[float] = []
    base = 0.0
    for run in runs:
        for end, failed, cost, latency in zip(run.ends, run.failed, run.costs, run.latencies, strict=True):
            ends.append((base + (max(0.0, end - run.began) if end else 0.0), bool(failed), cost))
            if latency:
                latencies.append(latency)
        base += run.ended - run.began
    return Story(standing, runs, base, sorted(ends), sorted(latencies))


def quantile(ascending: Sequence[float], share: float) -> float:
    """The value that such a share of the values does not exceed."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]


def words_of(story: Story) -> list[str]:
    """What is told in a shell."""
    standing = story.standing
    rate = len(story.ends) / story.seconds if story.seconds else 0.0
    ended = f"{standing.succeeded:,} succeeded, {standing.failed:,} failed"
    tokens = f"{standing.prompt_tokens:,} tokens in ({standing.cached_tokens:,} from the cache)"
    runs = "1 run" if standing.runs == 1 else f"{standing.runs:,} runs"
    told = [
        f"{standing.output}: {ended}, {runs} in {duration(story.seconds)}, {rate:,.1f} rows/s",
        f"  cost {standing.cost:f}{_currency(standing)}, {tokens}, {standing.completion_tokens:,} out",
    ]
    if story.latencies:
        shares = ", ".join(f"{share:.0%} in {seconds_told(quantile(story.latencies, share))}" for share in _QUANTILES)
        told.append(f"  answers: {shares}")
    failures = sorted(standing.reasons.items())
    told += [failures_line(count, reason, standing.examples) for reason, count in failures]
    if (refusals := _refusals(story)) is not None:
        told.append(f"  refused: {refusals:,} times")
    return told


def write_page(story: Story, file: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        InvalidRequestError: It would replace the output.
        OSError: It cannot be written.
    """
    output = story.standing.output
    if file.exists() and any(path.exists() and file.samefile(path) for path in (output, side_file_of(output))):
        raise InvalidRequestError("file", str(file), message=f"{file} is the journal; choose another path")
    part = file.with_name(f"{file.name}.part")
    part.write_text(page(story), encoding="utf-8", errors="replace")
    part.replace(file)


def page(story: Story) -> str:
    """The page: facts, and a chart each for rows, the limit, latencies, money, errors."""
    facts = "".join(f"<p>{escape(line.strip())}</p>" for line in words_of(story)[:3])
    parts = [facts, _rows(story), _limit(story), _latency(story), _cost(story), _errors(story)]
    body = f'<div class="dsc"><style>{STYLE}</style>{PATTERNS}{"".join(parts)}</div>'
    return page_of(body, f"Batch {story.standing.output.name}")


def _time(story: Story) -> Axis:
    marks: list[tuple[float, str]] = []
    at = 0.0
    for run in story.runs:
        if run is not story.runs[0]:
            marks.append((at, f"run {run.number}"))
        at += run.ended - run.began
    shown = marks if len(marks) <= 12 else [(place, "") for place, _ in marks[:200]]
    return Axis(story.seconds, duration if story.seconds >= 60 else seconds_told, shown)


def _rows(story: Story) -> str:
    bins = _bins_for(len(story.ends))
    good, bad = [0.0] * bins, [0.0] * bins
    for end, failed, _ in story.ends:
        (bad if failed else good)[_bin(end, story.seconds, bins)] += 1
    series = [("succeeded", good), ("failed", bad)]
    chart = bars("Rows that ended, over time", _time(story), series, _count) + figures(_time(story), series, _count)
    legend = key("good", "succeeded") + key("bad", "failed")
    width = story.seconds / bins
    return _section("Rows over time", f"<p>{legend} each column is {escape(seconds_told(width))} long</p>{chart}")


def _limit(story: Story) -> str:
    limit: list[tuple[float, float]] = []
    in_flight: list[tuple[float, float]] = []
    bins = _bins_for(len(story.ends))
    refused = [0.0] * bins
    at, is_noted = 0.0, False
    for run in story.runs:
        before = 0
        for moment in run.moments:
            is_noted = True
            place = at + max(0.0, moment.at - run.began)
            if moment.limit:  # before the first request there is none
                limit.append((place, moment.limit))
            in_flight.append((place, moment.in_flight))
            refused[_bin(place, story.seconds, bins)] += max(0, moment.refusals - before)
            before = moment.refusals
        at += run.ended - run.began
    if not is_noted:
        return _section("Limit and refusals over time", "<p>not noted: the output is of an earlier version</p>")
    legend = key("l0", "in flight") + key("l1", "limit")
    chart = lines(
        "Rows in flight and their limit, over time", _time(story), [("in flight", in_flight), ("limit", limit)], _count
    )
    total = _refusals(story) or 0
    told = f"<p>Refusals (429): {total:,}</p>"
    if total:
        told += bars("Refusals, over time", _time(story), [("refused", refused)], _count)
    return _section("Limit and refusals over time", f"<p>{legend}</p>{chart}{told}")


def _latency(story: Story) -> str:
    seconds = story.latencies
    if not seconds:
        return _section("Latency of answers", "<p>no answers</p>")
    most = quantile(seconds, 0.995) * 1.02 or seconds[-1]  # one straggler must not press all others into a column
    shown = [value for value in seconds if value <= most]
    bins = _bins_for(len(shown))
    counts = [0.0] * bins
    for value in shown:
        counts[_bin(value, most, bins)] += 1
    marks = [(quantile(seconds, share), f"{share:.0%}") for share in _QUANTILES[:2]]
    chart = bars("Answers by their latency", Axis(most, seconds_told, marks), [("answers", counts)], _count)
    facts = ", ".join(f"{share:.0%} in {seconds_told(quantile(seconds, share))}" for share in _QUANTILES)
    beyond = len(seconds) - len(shown)
    chart += figures(Axis(most, seconds_told), [("answers", counts)], _count)
    facts += f"; the longest took {seconds_told(seconds[-1])}" + (f" ({beyond:,} not drawn)" if beyond else "")
    return _section("Latency of answers", f"<p>{escape(facts)}</p>{chart}")


def _cost(story: Story) -> str:
    sums = list(accumulate(cost for _, _, cost in story.ends))
    points = [(0.0, 0.0), *((end, total) for (end, _, _), total in zip(story.ends, sums, strict=True))]
    if not points[-1][1]:
        return _section("Cost", "<p>no answer has a known price</p>")
    step = max(1, len(points) // 2000)
    chart = lines(
        "Cost so far, over time", _time(story), [("cost", [*points[::step], points[-1]])], lambda value: f"{value:.3g}"
    )
    standing = story.standing
    each = f", {standing.cost / standing.succeeded:.3g} a row" if standing.succeeded else ""
    unpriced = f"; {standing.unpriced:,} answers of unknown price" if standing.unpriced else ""
    return _section("Cost", f"<p>{escape(f'{standing.cost:f}{_currency(standing)}{each}{unpriced}')}</p>{chart}")


def _errors(story: Story) -> str:
    reasons = sorted(story.standing.reasons.items(), key=lambda item: (-item[1], item[0]))
    if not reasons:
        return _section("Errors by kind", "<p>none</p>")
    most, total = reasons[0][1], sum(count for _, count in reasons)
    rows = "".join(
        f"<tr><td>{escape(reason)}</td><td class=n>{count:,}</td><td class=n>{count / total:.0%}</td><td>"
        f'<svg viewBox="0 0 200 12" style="width:200px" role="img" aria-label="{escape(f"{reason}: {count:,}")}">'
        f'<rect fill="url(#dsc-hatch)" width="{200 * count / most:.1f}" height="12"/></svg></td></tr>'
        f'<tr><td colspan="4">{escape(story.standing.examples.get(reason, ""))}</td></tr>'
        for reason, count in reasons
    )
    return _section("Errors by kind", f"<table><tbody>{rows}</tbody></table>")


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inside}</section>"


def _refusals(story: Story) -> int | None:
    noted = [run.moments[-1].refusals for run in story.runs if run.moments]
    return sum(noted) if noted else None


def _currency(standing: Standing) -> str:
    """What the latest run that has a report counted in."""
    currency = (standing.last_report or {}).get("currency")
    return f" {currency}" if isinstance(currency, str) else ""


def _bins_for(count: int) -> int:
    """As many columns as the rows fill: a few rows in sixty columns are sixty gaps."""
    return max(8, min(_BINS, math.isqrt(count) * 2))


def _bin(value: float, most: float, bins: int) -> int:
    return min(bins - 1, int(value / most * bins)) if most > 0 else 0


def _count(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def seconds_told(seconds: float) -> str:
    """A duration in three digits."""
    if seconds >= 100:
        return duration(seconds)
    return f"{seconds:.3g} s" if seconds >= 1 or not seconds else f"{seconds * 1000:.3g} ms"
