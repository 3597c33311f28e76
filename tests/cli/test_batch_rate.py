"""``batch run --requests-per-minute``."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from deepseek_async.cli.batch_run import limiter_of
from deepseek_async.sandbox import SandboxServer

from ..leaping import leap
from .conftest import Run


@pytest.mark.parametrize(("requests_per_minute", "most_at_once"), [(1, 1), (300, 1), (6000, 10), (60_000, 100)])
def test_the_rate_is_kept_and_used(requests_per_minute: int, most_at_once: int) -> None:
    """Evenly, or a tenth of a second's at once: never a minute's in its first moment."""
    count = min(3 * requests_per_minute, 12_000)

    async def times() -> list[float]:
        limiter, clock, entered = limiter_of(requests_per_minute), asyncio.get_running_loop().time, []
        for _ in range(count):
            async with limiter:
                entered.append(clock())
        return entered

    entered = leap(times())
    spacing = 60 / requests_per_minute
    assert entered[-1] == pytest.approx((count - most_at_once) * spacing, rel=1e-3, abs=1e-6)
    for start, end in zip(entered, entered[most_at_once:], strict=False):
        assert end - start >= spacing * 0.999, "more at once than that"


def test_without_the_library(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong usage, with what to install; nothing is sent or written."""
    monkeypatch.setitem(sys.modules, "aiolimiter", None)
    output = tmp_path / "out.jsonl"
    result = run("batch", "run", "in.jsonl", "-o", str(output), "--sandbox", "--requests-per-minute", "300")
    assert result.exit_code == 2
    assert "pip install 'deepseek_async[rate]'" in result.stderr.replace("\n", " ")
    assert not output.exists()


def test_a_run_takes_its_time(run: Run, server: SandboxServer, tmp_path: Path) -> None:
    """Twenty-one rows at 6,000 a minute: ten go at once, the others take a tenth of a second at least."""
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f'{{"prompt": "Say {n}.", "max_tokens": 4}}\n' for n in range(21)))
    result = run(
        *("batch", "run", str(source), "-o", str(tmp_path / "out.jsonl"), "--base-url", server.base_url),
        *("--requests-per-minute", "6000", "--log-json"),
        env={"DEEPSEEK_API_KEY": "k"},
    )
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["succeeded"] == 21
    assert report["seconds"] >= 0.1
