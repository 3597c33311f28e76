"""``batch report``: words in the shell, and a page that needs nothing from outside and believes nothing it quotes."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_async.batch.journal.journal import side_file_of
from deepseek_async.batch.journal.lines import header_line, moment_line
from deepseek_async.cli.batch_report import page, quantile, story_of
from deepseek_async.cli.charts import Axis, bars, lines, ticks_to
from deepseek_async.sandbox import Refuse, SandboxServer, Script

from ..batch.journal.test_history import line
from ..browser import CHROMIUM, opened
from .conftest import Run

EVIL = "<img src=x onerror=document.title='broken'><script>document.title='broken'</script>"


def written(output: Path, rows: int = 200) -> Path:
    """An output of two runs, of one of which there is a story, with whatever a server may say."""
    error = {"code": EVIL, "type": EVIL, "message": EVIL}
    parts = [
        line(f"{EVIL}{number}", 1000.0 + number / 10, latency=0.5 + number % 7 / 10, cost="0.001")
        for number in range(rows)
    ]
    parts += [line(f"no{number}", 1010.0, error=error) for number in range(3)]
    parts.append(line("late", 9000.0, run=2, latency=200.0))
    output.write_bytes(b"".join(parts))
    notes = [moment_line(1000.0 + at, limit=32 + at, in_flight=at, refusals=at // 2) for at in range(20)]
    side_file_of(output).write_bytes(header_line(1, 1, 999.0, {}) + b"".join(notes))
    return output


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_is_complete_and_safe(tmp_path: Path) -> None:
    """Five sections; no script, no address, nothing that a server said as markup."""
    text = page(story_of(written(tmp_path / f"{'<b>'}out.jsonl")))
    tags = _Tags(text).tags
    assert not {tag for tag, _ in tags} & {"script", "img", "link", "iframe", "b", "object", "style onload"}
    assert not [
        attributes
        for _, attributes in tags
        if any(name.startswith("on") or name in ("src", "href") for name in attributes)
    ]
    assert not re.search(r"https?:|url\((?!#)|@import", text)
    for title in ("Rows over time", "Limit and refusals over time", "Latency of answers", "Cost", "Errors by kind"):
        assert f"<h2>{title}</h2>" in text
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(svg)  # noqa: S314 - ours
    assert "Refusals (429): 9" in text
    assert "run 2" in text


def test_old_journals_are_read(tmp_path: Path) -> None:
    """Without notes the page says so, and shows all else."""
    output = written(tmp_path / "out.jsonl")
    side_file_of(output).unlink()
    text = page(story_of(output))
    assert "not noted: the output is of an earlier version" in text
    assert "<h2>Latency of answers</h2>" in text


@pytest.mark.parametrize(
    "data",
    [b"", line("a", 0.0), line("a", 5.0, latency=1.0), line("a", 5.0, error={"code": "", "type": "", "message": ""})],
)
def test_little_to_tell(tmp_path: Path, data: bytes) -> None:
    """An empty output, one row, one failure: a page all the same."""
    output = tmp_path / "out.jsonl"
    output.write_bytes(data)
    text = page(story_of(output))
    assert "nan" not in text
    assert text.count("<section>") == 5


def test_one_note_makes_a_line() -> None:
    """Of a run that ended before a second one: an empty picture would say that nothing was in flight."""
    drawn = lines("n", Axis(2.0, str), [("a", [(1.0, 5.0)]), ("b", [])], str)
    (points,) = re.findall(r'points="([^"]*)"', drawn)
    (left, up), (right, down) = (point.split(",") for point in points.split())
    assert float(left) < float(right)
    assert up == down


def test_in_the_shell(run: Run, server: SandboxServer, tmp_path: Path) -> None:
    """Words; a page beside the output; a page on stdout."""
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(f'{{"custom_id": "r{n}", "prompt": "q{n}", "max_tokens": 3}}\n' for n in range(8)))
    server.script(Script(faults=(Refuse(status=400),)), when=lambda seen: "q3" in str(seen.json["messages"]))
    run("batch", "run", str(source), "-o", str(output), "--base-url", server.base_url)
    told = run("batch", "report", str(output))
    assert told.exit_code == 0
    assert "7 succeeded, 1 failed, 1 run in" in told.stdout
    assert "failed: 1 × BadRequestError" in told.stdout
    assert re.search(r"answers: 50% in .*s, 90% in .*s, 99% in .*s", told.stdout)
    made = run("batch", "report", str(output), "--html")
    assert made.stdout == f"{output.with_suffix('.html')}\n"
    drawn = output.with_suffix(".html").read_text(encoding="utf-8")
    assert drawn.startswith("<!doctype html>")
    assert ">r3: HTTP 400: Error 400</td>" in drawn
    assert run("batch", "report", str(output), "-o", "-").stdout.startswith("<!doctype html>")
    elsewhere = tmp_path / "page.html"
    assert run("batch", "report", str(output), "-o", str(elsewhere)).exit_code == 0
    assert elsewhere.exists()
    before = output.read_bytes()
    refused = run("batch", "report", str(output), "-o", str(output))
    assert (refused.exit_code, output.read_bytes()) == (2, before)
    assert run("batch", "report", str(source)).exit_code == 2
    assert run("batch", "report", str(tmp_path / "no")).exit_code == 2


@pytest.mark.anyio
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
async def test_in_a_browser(tmp_path: Path) -> None:
    """No script error, no request but the page itself, readable in light and dark, nothing wider than a phone."""
    file = tmp_path / "out.html"
    file.write_text(page(story_of(written(tmp_path / "out.jsonl"))), encoding="utf-8")
    async with opened(file.as_uri()) as browser:
        await browser.call(
            "Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True
        )
        assert await browser.run("document.title") == "Batch out.jsonl"
        assert await browser.run("document.querySelectorAll('section svg[role=img]').length") >= 6
        assert await browser.run("document.documentElement.scrollWidth <= innerWidth")
        ink = "getComputedStyle(document.querySelector('.dsc')).color"
        ground = "getComputedStyle(document.querySelector('.dsc')).backgroundColor"
        light = [await browser.run(ink), await browser.run(ground)]
        await browser.prefer("dark")
        dark = [await browser.run(ink), await browser.run(ground)]
        assert light == ["rgb(26, 26, 26)", "rgb(255, 255, 255)"]
        assert dark == ["rgb(242, 242, 242)", "rgb(27, 29, 32)"]
        titles = await browser.run("[...document.querySelectorAll('.hit title')].map((title) => title.textContent)")
        assert any("succeeded:" in title for title in titles)
        await browser.run("document.querySelector('summary').click()")
        assert await browser.run("document.querySelector('details[open] td').checkVisibility()")
        for scheme in ("light", "dark"):
            await browser.prefer(scheme)
            assert await browser.contrast("h2", ".dsc p", ".dsc summary", ".dsc td", ".key") >= 4.5
        assert browser.errors == []
        assert [url for url in browser.urls if not url.startswith("file:")] == []


@given(st.floats(1e-9, 1e12))
@settings(max_examples=50)
def test_ticks_are_round_and_few(most: float) -> None:
    ticks = ticks_to(most)
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-1] <= most * 1.0001


def test_charts_of_nothing() -> None:
    """No division by nothing."""
    axis = Axis(0.0, str)
    for chart in (
        bars("x", axis, [("a", [])], str),
        bars("x", axis, [("a", [0.0])], str),
        lines("x", axis, [("a", [])], str),
    ):
        ET.fromstring(chart)  # noqa: S314 - ours


def test_quantiles() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    assert [quantile(values, share) for share in (0.0, 0.25, 0.5, 0.51, 0.99, 1.0)] == [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]
    assert not math.isnan(quantile([0.0], 0.5))
