"""A batch on the workers of a Dask cluster: a coroutine task for each partition, run again if its worker is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import distributed

from ..batch.report import BatchReport
from ..batch.run import run_partition
from ..batch.source.rows import Source
from ..client import AsyncClient
from ..errors import InvalidRequestError


def run_on_dask(
    cluster: distributed.Client, client: AsyncClient, partitions: Iterable[Source], folder: Path | str, **options: Any
) -> Iterator[BatchReport]:
    """Run partitions of rows on a cluster; yields each one's report as it ends.

    Args:
        cluster: The Dask client. One that is asynchronous is for `run_on_dask_async`.
        client: Pickled with each task; the key comes from the workers' DEEPSEEK_API_KEY.
        partitions: Pulled two ahead of each worker; the same each time that a run is repeated.
        folder: Where ``part-00000.jsonl`` … go: the same place for every worker.
        options: Of `run_batch`. One account's limit is shared by all: with more than four workers set max_concurrency.

    Raises: what ended a partition three times. What the others have done is in their outputs.
    """
    if cluster.asynchronous:
        todo = "a Dask client that is not asynchronous; for one that is, async for report in run_on_dask_async(…)"
        raise InvalidRequestError("cluster", None, todo)
    return _reports(_Submitting(cluster, client, partitions, folder, options))


def run_on_dask_async(
    cluster: distributed.Client, client: AsyncClient, partitions: Iterable[Source], folder: Path | str, **options: Any
) -> AsyncIterator[BatchReport]:
    """The same in an event loop, which goes on meanwhile: ``async for report in run_on_dask_async(…)``.

    Args as of `run_on_dask`; the Dask client is asynchronous: ``await distributed.Client(…, asynchronous=True)``.
    """
    if not cluster.asynchronous:
        raise InvalidRequestError("cluster", None, "an asynchronous Dask client; for another one, run_on_dask(…)")
    return _reports_async(_Submitting(cluster, client, partitions, folder, options))


class _Submitting:
    """Submits partitions, two ahead of each worker."""

    def __init__(
        self,
        cluster: distributed.Client,
        client: AsyncClient,
        partitions: Iterable[Source],
        folder: Path | str,
        options: dict[str, Any],
    ) -> None:
        self._submit = partial(cluster.submit, run_partition, client, pure=False, retries=2, **options)
        self._waiting = enumerate(partitions)
        self._folder = Path(folder)
        # As the client knows it: asking the scheduler would be a coroutine for one kind of client.
        self._room = 2 * max(1, len(cluster.scheduler_info(n_workers=-1)["workers"]))
        self.running = distributed.as_completed()

    def fill(self) -> bool:
        """Submit what there is room for. Returns whether anything runs."""
        for number, rows in islice(self._waiting, self._room - self.running.count()):
            self.running.add(self._submit(rows, self._folder / f"part-{number:05}.jsonl"))
        return not self.running.is_empty()


def _reports(submitting: _Submitting) -> Iterator[BatchReport]:
    while submitting.fill():
        yield next(submitting.running).result()


async def _reports_async(submitting: _Submitting) -> AsyncIterator[BatchReport]:
    while submitting.fill():
        future = await anext(submitting.running)
        yield await future.result()
