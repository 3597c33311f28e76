"""A batch on the nodes of a Ray cluster: a task for each partition, run again if its worker is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import ray

from ..batch.report import BatchReport
from ..batch.run import run_partition
from ..batch.source.rows import Source
from ..client import AsyncClient


def run_on_ray(
    client: AsyncClient, partitions: Iterable[Source], folder: Path | str, **options: Any
) -> Iterator[BatchReport]:
    """Run partitions of rows on the cluster that `ray.init` found; yields each one's report as it ends.

    Args as of `contrib.dask.run_on_dask`; partitions are pulled two ahead of each processor.

    Raises: what ended a partition three times. What the others have done is in their outputs.
    """
    task = ray.remote(max_retries=2, retry_exceptions=True)(_run)
    waiting, running, room = enumerate(partitions), list[Any](), 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
    while True:
        for number, rows in islice(waiting, room - len(running)):
            running.append(task.remote(client, rows, Path(folder) / f"part-{number:05}.jsonl", options))
        if not running:
            return
        done, running = ray.wait(running)
        yield ray.get(done[0])


def _run(client: AsyncClient, rows: Source, output: Path, options: dict[str, Any]) -> BatchReport:
    return asyncio.run(run_partition(client, rows, output, **options))
