"""What docs/batch.md shows for engines that have no adapter, run as it stands on real ones of this machine."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.sandbox import SandboxServer, in_background

pytestmark = [pytest.mark.distributed, pytest.mark.filterwarnings("default")]  # the engines' own

PAGE = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```py(?:thon)?\n(.*?)^```$", PAGE, re.S | re.M)
ROWS = 400


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SandboxServer]:
    """A sandbox that the engine's workers find, and a working directory with rows of two kinds, one of them bad."""
    monkeypatch.chdir(tmp_path)
    rows: list[dict[str, Any]] = []
    for number in range(ROWS):
        asked = {"prompt": "Hi."} if number % 2 else {"messages": [{"role": "user", "content": "Hi."}]}
        rows.append({"custom_id": f"row-{number}", "user_id": f"row-{number}", "max_tokens": 1, **asked})
    rows[7] |= {"temperature": 9.0}
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with in_background(SandboxServer(seed=1, latency=0.1, keep_requests=1)) as server:
        monkeypatch.setenv("DEEPSEEK_BASE_URL", server.base_url)
        monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-sandbox")
        yield server


def example_with(word: str, **names: Any) -> dict[str, Any]:
    """Run the example that has a word in it, in the working directory. Returns what it has defined."""
    (example,) = (code for code in EXAMPLES if word in code)
    # Of a module that nobody can import, functions are sent to workers by value.
    names["__name__"] = "recipe"
    exec(example.replace("/shared/out", str(Path("out").absolute())), names)  # noqa: S102 - our own page
    return names


def test_spark(server: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is killed half way, its task goes on from the journal; asking again sends nothing."""
    sql = pytest.importorskip("pyspark.sql")
    import psutil

    Path("out").mkdir()
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    killed: list[int] = []

    def kill_half_way() -> None:
        deadline = time.monotonic() + 120
        while len(server.ledger.billed) < ROWS / 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        daemons = {p.pid: p.ppid() for p in psutil.Process().children(recursive=True) if "pyspark.daemon" in cmd(p)}
        killed.extend(pid for pid, parent in daemons.items() if parent in daemons)
        os.kill(killed[0], signal.SIGKILL)

    def cmd(process: psutil.Process) -> str:
        try:
            return " ".join(process.cmdline())
        except psutil.Error:
            return ""

    # In one process Spark repeats no task unless told to.
    builder = sql.SparkSession.builder.master("local[2,4]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.log.level", "ERROR").getOrCreate()
    try:
        killer = threading.Thread(target=kill_half_way)
        killer.start()
        names = example_with("mapInArrow", spark=spark)
        killer.join()
        answers = {row["custom_id"]: row for row in names["answers"].collect()}
        billed = server.ledger.billed.total()
        again = names["questions"].mapInArrow(names["send_partition"], "output string, report string").collect()
    finally:
        spark.stop()
    assert killed
    assert all(row["report"].startswith("0 succeeded, 0 failed") for row in again)
    assert [row["output"] for row in again] == [row["output"] for row in names["reports"]]
    assert len(answers) == ROWS
    assert [name for name, row in answers.items() if row["error"] is not None] == ["row-7"]
    written = Counter(
        json.loads(line)["custom_id"]
        for path in Path("out").glob("part-?????.jsonl")
        for line in path.read_text().splitlines()
    )
    assert set(written.values()) == {1}
    assert server.ledger.billed.total() == billed, "asking again was billed"
    assert billed <= ROWS - 1 + ROWS / 3, "more was billed twice than a partition has"
    assert len(server.ledger.billed) == ROWS - 1


def test_ray_data(server: SandboxServer) -> None:
    """Every row has its answer; the one that cannot be sent has its error, and ends nothing."""
    pytest.importorskip("ray.data")
    import ray

    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    try:
        example_with("map_batches", **example_with("def answers("))
        answered = ray.data.read_parquet("answered").take_all()
    finally:
        ray.shutdown()
    assert {row["custom_id"] for row in answered} == {f"row-{number}" for number in range(ROWS)}
    assert [row["custom_id"] for row in answered if row["error"] is not None] == ["row-7"]
    assert server.ledger.billed.total() == ROWS - 1
