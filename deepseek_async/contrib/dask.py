"""A batch on the workers of a Dask cluster: a coroutine task for each partition, run again if its worker is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import distributed

from ..batch.report import BatchReport
from ..batch.run import run_partition
from ..batch.source.rows import Source
from ..client import AsyncClient


def run_on_dask(
    cluster: distributed.Client, client: AsyncClient, partitions: Iterable[Source], folder: Path | str, **options: Any
) -> Iterator[BatchReport]:
    """Run partitions of rows on a cluster; yields each one's report as it ends.

    Args:
        cluster: The Dask client.
        client: Pickled with each task; the key comes from the workers' DEEPSEEK_API_KEY.
        partitions: Pulled two ahead of each worker; the same each time that a run is repeated.
        folder: Where ``part-00000.jsonl`` … go: the same place for every worker.
        options: Of `run_batch`. One account's limit is shared by all: with more than four workers set max_concurrency.

    Raises: what ended a partition three times. What the others have done is in their outputs.
    """
    waiting = enumerate(partitions)
    running, room = distributed.as_completed(), 2 * max(1, len(cluster.scheduler_info(n_workers=-1)["workers"]))
    while True:
        for number, rows in islice(waiting, room - running.count()):
            output = Path(folder) / f"part-{number:05}.jsonl"
            running.add(cluster.submit(run_partition, client, rows, output, pure=False, retries=2, **options))
        if running.is_empty():
            return
        yield next(running).result()
