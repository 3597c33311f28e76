"""Batches on real clusters of this machine, a worker of which is killed half way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import AsyncClient, BatchReport
from deepseek_async.errors import InvalidRequestError
from deepseek_async.sandbox import SandboxServer, in_background

PARTITION = 250
IN_FLIGHT = 16


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    """A sandbox slow enough to have rows in flight at any moment."""
    with in_background(SandboxServer(seed=1, latency=0.05, keep_requests=1)) as server:
        yield server


def partitions(rows: int) -> Iterator[list[dict[str, Any]]]:
    """Rows whose billing the server counts by their user_id."""
    for first in range(0, rows, PARTITION):
        names = [f"row-{n}" for n in range(first, min(first + PARTITION, rows))]
        yield [{"custom_id": name, "prompt": "Hi.", "user_id": name, "max_tokens": 1} for name in names]


def kill_half_way(server: SandboxServer, rows: int, pid: Any) -> threading.Thread:
    """Kill what ``pid()`` names once half of the rows were billed."""

    def wait_and_kill() -> None:
        deadline = time.monotonic() + 120
        # Half a partition past the half: at the half itself workers may be between two partitions.
        while len(server.ledger.billed) < (rows + PARTITION) / 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(pid(), signal.SIGKILL)

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    return thread


def check(reports: list[BatchReport], server: SandboxServer, folder: Path, rows: int, at_once: int) -> None:
    """No row lost, none doubled, billed again at most what was in flight, and that is told."""
    texts = (path.read_text() for path in folder.glob("part-?????.jsonl"))
    written = Counter(json.loads(line)["custom_id"] for text in texts for line in text.splitlines())
    assert len(written) == rows, "lost"
    assert set(written.values()) == {1}, "doubled"
    assert sum(report.succeeded + report.skipped for report in reports) == rows
    again = {name for name, count in server.ledger.billed.items() if count > 1}
    told = {name for report in reports for name in report.possibly_billed_twice}
    assert told, "nothing was in flight when the worker was killed: this shows nothing"
    assert again <= told
    assert sum(count - 1 for count in server.ledger.billed.values()) <= at_once


@pytest.mark.parametrize("rows", [1500, pytest.param(5000, marks=pytest.mark.distributed)])
@pytest.mark.filterwarnings("default")  # Dask's own, when a worker goes
def test_dask(server: SandboxServer, tmp_path: Path, rows: int) -> None:
    """A worker with a thread of its own is killed and replaced; its partitions go on from their journals."""
    distributed = pytest.importorskip("distributed")
    from deepseek_async.contrib.dask import run_on_dask

    client = AsyncClient(base_url=server.base_url)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50, local_directory=str(tmp_path)
        ) as local,
        distributed.Client(local) as cluster,
    ):
        pids = list(cluster.run(os.getpid).values())
        killer = kill_half_way(server, rows, lambda: pids[0])
        options = {"max_concurrency": IN_FLIGHT, "durability": "process"}
        reports = list(run_on_dask(cluster, client, partitions(rows), tmp_path, **options))
        killer.join()
    check(reports, server, tmp_path, rows, IN_FLIGHT)


async def _on_dask_async(server: SandboxServer, folder: Path) -> tuple[list[BatchReport], int]:
    import distributed

    from deepseek_async.contrib.dask import run_on_dask, run_on_dask_async

    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    async with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50, asynchronous=True,
            processes=False, local_directory=str(folder),
        ) as local,
        distributed.Client(local, asynchronous=True) as cluster,
    ):  # fmt: skip
        client = AsyncClient(base_url=server.base_url)
        with pytest.raises(InvalidRequestError, match="run_on_dask_async"):
            run_on_dask(cluster, client, partitions(500), folder)
        ticking = asyncio.ensure_future(tick())
        reports = [
            report async for report in run_on_dask_async(cluster, client, partitions(500), folder, durability="process")
        ]
        ticking.cancel()
    return reports, turns


@pytest.mark.filterwarnings("default")
def test_dask_in_a_loop(server: SandboxServer, tmp_path: Path) -> None:
    """With an asynchronous Dask client: the blocking form is refused at once, the other one lets the loop go on."""
    pytest.importorskip("distributed")
    reports, turns = asyncio.run(_on_dask_async(server, tmp_path))
    assert sum(report.succeeded for report in reports) == 500
    assert turns > 10


@pytest.mark.distributed
@pytest.mark.filterwarnings("default")
def test_ray(server: SandboxServer, tmp_path: Path) -> None:
    """The same on Ray: the process of a task is killed, the task runs again and goes on from its journal."""
    ray = pytest.importorskip("ray")
    import psutil

    from deepseek_async.contrib.ray import run_on_ray

    def running() -> int:
        pids = [p.pid for p in psutil.process_iter(["cmdline"]) if "ray::_run" in " ".join(p.info["cmdline"] or ())]
        return pids[0]

    client = AsyncClient(base_url=server.base_url)
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    try:
        killer = kill_half_way(server, 5000, running)
        options = {"max_concurrency": IN_FLIGHT, "durability": "process"}
        reports = list(run_on_ray(client, partitions(5000), tmp_path, **options))
        killer.join()
    finally:
        ray.shutdown()
    check(reports, server, tmp_path, 5000, IN_FLIGHT)
