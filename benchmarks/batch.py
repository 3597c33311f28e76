"""The bars of batches: ``python -m benchmarks.batch [NAME…]``, each against a fast stand-in in another process.

Counts and side-by-side ratios; figures that depend on the machine are shown as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import orjson
import psutil

from deepseek_async import AsyncClient, run_batch
from deepseek_async.batch.journal.journal import Journal
from deepseek_async.batch.outcomes import Succeeded
from deepseek_async.batch.source.row import row_of
from deepseek_async.codec import completion_from_json
from deepseek_async.transport import HTTPRequest, Progress
from tests.batch.standin import standin

_ANSWER: Final = msgspec.json.encode(
    {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "deepseek-flash",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Because. " * 20}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }
)


def _rows(count: int) -> Iterator[dict[str, str]]:
    return ({"custom_id": f"row-{number}", "prompt": f"say row-{number}"} for number in range(count))


def _resident() -> float:
    return psutil.Process().memory_info().rss / 2**20


async def _bare(base_url: str, count: int, at_once: int) -> float:
    """Seconds of the loop that a user would write: so many tasks, one session, JSON to a dict."""
    rows = _rows(count)

    async def work(session: aiohttp.ClientSession) -> None:
        for row in rows:
            body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": row["prompt"]}]}
            async with session.post(f"{base_url}/chat/completions", data=orjson.dumps(body)) as response:
                orjson.loads(await response.read())

    began = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(at_once)))
    return time.perf_counter() - began


async def _ours(base_url: str, count: int, output: Path, **options: Any) -> Any:
    async with AsyncClient("k", base_url=base_url) as client:
        return await run_batch(client, _rows(count), output, **options)


async def throughput(folder: Path) -> None:
    """Rows a second over those of a bare loop at the same in flight, journal on disk."""
    count, at_once = 4000, 128
    ratios: list[float] = []
    with standin(latency=0.25, jitter=0.5) as server:
        for number in range(3):
            bare = await _bare(server.base_url, count, at_once)
            report = await _ours(server.base_url, count, folder / f"throughput-{number}", max_concurrency=at_once)
            ratios.append(bare / report.seconds)
    print(f"throughput / bare aiohttp loop, 128 in flight, durability power: {statistics.median(ratios):.3f} (>= 0.95)")


async def instant(folder: Path) -> None:
    """The same where nothing but CPU counts: answers come at once, 64 in flight; by CPU and by the clock.

    A server that is idle is slow to wake, for which the client pays: so whoever sends a little faster than the stand-in
    answers pays less for each send, too, and other work on the machine turns figures around. So the quietest of many
    short runs counts, one after the other in turns.
    """
    count, at_once, rounds = 3000, 64, 9
    seconds: dict[str, list[tuple[float, float]]] = {"bare": [], "process": [], "power": []}
    with standin() as server:
        await _bare(server.base_url, count, at_once)
        for number in range(rounds):
            for kind, runs in seconds.items():
                wall, cpu = time.perf_counter(), time.process_time()
                if kind == "bare":
                    await _bare(server.base_url, count, at_once)
                else:
                    output = folder / f"instant-{kind}-{number}"
                    await _ours(server.base_url, count, output, max_concurrency=at_once, durability=kind)
                runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    least = {kind: [min(each) for each in zip(*runs, strict=True)] for kind, runs in seconds.items()}
    for kind, bar in (("process", " (>= 0.9)"), ("power", "")):
        wall, cpu = (bare / ours for bare, ours in zip(least["bare"], least[kind], strict=True))
        each = " and ".join(f"{least[which][1] / count * 1e6:.0f}" for which in ("bare", kind))
        print(
            f"instant server, 64 in flight, durability {kind}: a bare aiohttp loop / ours, CPU {cpu:.3f}{bar}, "
            f"clock {wall:.3f}{bar}; {each} us of CPU a row"
        )


async def limit(folder: Path) -> None:
    """A hidden limit of 300 on real sockets, 12,000 rows: the ideal is what the limit would have let through."""
    count, hidden, latency = 12_000, 300, 1.0
    with standin(latency=latency, jitter=0.5, limit=hidden) as server:
        report = await _ours(server.base_url, count, folder / "limit")
    ideal = count * latency / hidden / report.seconds
    print(
        f"hidden limit 300, 12,000 rows: {ideal:.1%} of ideal (>= 90 %), {report.failed} rows failed (0), "
        f"{report.refusals / report.succeeded:.3f} refusals a success (<= 0.1)"
    )


async def faults(folder: Path) -> None:
    """One bad row in a hundred, and five of a hundred requests answered with 503."""
    count = 4000
    rows = (
        {"custom_id": f"row-{number}", "prompt": f"row-{number} {'BAD' if number % 100 == 7 else ''}"}
        for number in range(count)
    )
    with standin(latency=0.05, jitter=0.5, limit=200, failing=0.05) as server:
        async with AsyncClient("k", base_url=server.base_url) as client:
            report = await run_batch(client, rows, folder / "faults")
    print(
        f"1 % bad rows, 5 % 503: {report.succeeded:,} of {count - count // 100:,} good rows out, {dict(report.reasons)}"
    )


async def interrupt(folder: Path) -> None:
    """Ctrl-C in the middle of some 2,000 rows a second: how long after it the server is still asked."""
    source = folder / "interrupt-in"
    source.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in _rows(100_000)))
    waits: list[float] = []
    quiet = subprocess.DEVNULL
    with standin(latency=0.2, jitter=0.5) as server:
        for number in range(5):
            command = [sys.executable, "-m", "deepseek_async.cli", "batch", "run", str(source)]
            command += ["-o", str(folder / f"interrupt-{number}"), "--base-url", server.base_url]
            with subprocess.Popen([*command, "--max-concurrency", "500"], stdout=quiet, stderr=quiet) as run:
                before = asked = server.asked()
                while asked < before + 2000:
                    await asyncio.sleep(0.01)
                    asked = server.asked()
                run.send_signal(signal.SIGINT)
                began = last = time.perf_counter()
                while time.perf_counter() < began + 0.6:
                    if (now := server.asked()) > asked:
                        asked, last = now, time.perf_counter()
                waits.append((last - began) * 1e3)
    print(f"Ctrl-C to the last request, CLI, 500 in flight: {max(waits):.0f} ms at most of five (<= 100)")


async def memory(_: Path) -> None:
    """Resident memory with 2,500 in flight, and a request's share."""
    with standin(latency=6.0) as server:
        async with AsyncClient("k", base_url=server.base_url) as client:
            async with client.batch(_rows(10), max_concurrency=10) as warm:  # what is loaded once is no request's
                [outcome async for outcome in warm]
            before = _resident()
            async with client.batch(_rows(10_000), max_concurrency=2500) as outcomes:
                task = asyncio.ensure_future(anext(outcomes))
                # Another process counts: there is no event to wait for.
                while (in_flight := server.stats()["in_flight"]) < 2500 and not task.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
                after = _resident()
                task.cancel()
    each = (after - before) * 1024 / max(in_flight, 1)
    print(f"{in_flight:,} in flight: {each:.1f} KiB each (<= 20), {after:.0f} MB in all (< 120)")


async def endless(folder: Path) -> None:
    """What an endless source costs a row: memory after 60,000 rows over that after 20,000, over sockets."""
    marks: list[float] = []
    with standin() as server:
        async with AsyncClient("k", base_url=server.base_url) as client:
            taken = 0
            async with client.batch(_rows(10_000_000), max_concurrency=64) as outcomes:
                async for _outcome in outcomes:
                    taken += 1
                    if taken in (20_000, 60_000):
                        marks.append(_resident())
                    if taken == 60_000:
                        break
        grown = (marks[1] - marks[0]) * 2**20 / 40_000
        print(f"an endless source, client.batch: {grown:.1f} bytes a row (0), {marks[1]:.0f} MB (< 150)")
        seen = _Seen(60_000, (20_000, 60_000))
        async with AsyncClient("k", base_url=server.base_url) as client:
            await run_batch(client, seen.rows(), folder / "endless", max_concurrency=64)
    print(f"an endless source, run_batch, ids given: {seen.bytes_a_row:.1f} bytes a row, {seen.peak:.0f} MB (< 150)")


class _Seen:
    """What memory was resident as a source of so many rows was pulled."""

    def __init__(self, count: int, at: Sequence[int]) -> None:
        self._count = count
        self._at = at
        self._resident: list[float] = []
        self.peak = 0.0

    def rows(self) -> Iterator[dict[str, str]]:
        for number, row in enumerate(_rows(self._count), 1):
            yield row
            if number % 10_000 == 0:
                self.peak = max(self.peak, _resident())
            if number in self._at:
                self._resident.append(_resident())

    @property
    def bytes_a_row(self) -> float:
        """Between the first and the last of the places."""
        return (self._resident[-1] - self._resident[0]) * 2**20 / (self._at[-1] - self._at[0])


class _Answers:
    """A transport without a network: every request has its answer a turn of the loop later."""

    async def send(self, request: HTTPRequest, progress: Progress) -> _Answered:
        progress.connected(reused=True)
        await asyncio.sleep(0)
        return _Answered()

    async def aclose(self) -> None:
        pass


class _Answered:
    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.is_at_end = False

    async def receive(self) -> bytes:
        if self.is_at_end:
            return b""
        self.is_at_end = True
        return _ANSWER

    def close(self) -> None:
        pass


async def ten_million(folder: Path) -> None:
    """Ten million rows with ids of their own through the whole of a run but the network: the peak of its memory."""
    await _many(folder, 10_000_000)


async def one_million(folder: Path) -> None:
    """The same with a million rows."""
    await _many(folder, 1_000_000)


async def _many(folder: Path, count: int) -> None:
    free, wanted = shutil.disk_usage(folder).free / 1e9, count * 800 / 1e9
    if free < wanted:
        raise SystemExit(f"{folder} has {free:.0f} GB free, {wanted:.0f} are needed; TMPDIR chooses another folder")
    output, seen = folder / "many", _Seen(count, (count // 10, count))
    async with AsyncClient("k", base_url="http://127.0.0.1:1", transport=_Answers()) as client:
        report = await run_batch(client, seen.rows(), output, max_concurrency=256, durability="process")
    assert (report.succeeded, report.failed, report.stopped) == (count, 0, None)
    print(
        f"{count:,} rows with ids through run_batch, no network: {seen.peak:.0f} MB at most (< 150), "
        f"{seen.bytes_a_row:.1f} bytes a row; {report.seconds / count * 1e6:.0f} us a row, "
        f"{output.stat().st_size / 1e9:.1f} GB written"
    )
    before = _resident()
    log = Journal.open(output, durability="process")
    print(f"resumed: {log.succeeded_before:,} rows known, {_resident() - before:.0f} MB more, {_resident():.0f} MB")
    await log.aclose()
    output.unlink()


_Parts = list[list[dict[str, str]]]
_Spread = Callable[[AsyncClient, _Parts, Path], Iterable[Any]]


async def dask(folder: Path) -> None:
    """Partitions on two workers of a Dask cluster against one process with as many in flight; start-up excluded."""
    import distributed

    from deepseek_async.contrib.dask import run_on_dask

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        distributed.Client(local) as cluster,
    ):
        await _adapter("Dask", folder / "dask", partial(run_on_dask, cluster, max_concurrency=_SHARE))


async def ray(folder: Path) -> None:
    """The same on a Ray of this machine."""
    import ray as engine

    from deepseek_async.contrib.ray import run_on_ray

    engine.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    try:
        await _adapter("Ray", folder / "ray", partial(run_on_ray, max_concurrency=_SHARE))
    finally:
        engine.shutdown()


_SHARE: Final = 32  # in flight, of each worker


async def _adapter(name: str, folder: Path, spread: _Spread) -> None:
    rows = list(_rows(8000))
    parts = [rows[start : start + 1000] for start in range(0, len(rows), 1000)]
    ratios: list[float] = []

    def wall(of: _Parts, base_url: str) -> float:
        output = folder / str(len(list(folder.iterdir())))
        output.mkdir()
        began = time.perf_counter()
        for report in spread(AsyncClient("k", base_url=base_url), of, output):
            assert (report.failed, report.stopped) == (0, None)
        return time.perf_counter() - began

    folder.mkdir()
    with standin(latency=0.1, jitter=0.5) as server:
        wall([part[:10] for part in parts[:2]], server.base_url)  # the workers import what they need
        for number in range(3):
            many = wall(parts, server.base_url)
            report = await _ours(server.base_url, len(rows), folder / f"one-{number}", max_concurrency=2 * _SHARE)
            ratios.append(many / report.seconds)
    print(f"{name}, 8,000 rows in 8 partitions on 2 workers / one process: {statistics.median(ratios):.3f} (<= 1.1)")


async def journal(folder: Path) -> None:
    """What marking and recording a row cost; the answer is there as bytes."""
    count = 50_000
    completion = completion_from_json(_ANSWER)
    lines = [msgspec.json.encode(row) for row in _rows(count)]
    rows = [row_of(line, number, f"in.jsonl:{number}") for number, line in enumerate(lines, 1)]
    log = Journal.open(folder / "journal", durability="process", settings={})
    began = time.perf_counter()
    for row in rows:
        log.mark(row)
    marked = time.perf_counter()
    for row in rows:
        assert row.request is not None
        log.record(Succeeded(row.custom_id, row.request, completion, 1, 0.5), row, _ANSWER, cost=Decimal("0.0001"))
    ended = time.perf_counter()
    await log.aclose()
    print(
        f"journal: {(ended - began) / count * 1e6:.1f} us a row (<= 10): "
        f"mark {(marked - began) / count * 1e6:.1f}, record {(ended - marked) / count * 1e6:.1f}"
    )


async def resume(folder: Path) -> None:
    """A million rows that are done: seconds until the journal knows them, and its memory."""
    count, output = 1_000_000, folder / "resume"
    log = Journal.open(output, durability="process", settings={})
    completion = completion_from_json(_ANSWER)
    for number, row in enumerate(_rows(count), 1):
        made = row_of(msgspec.json.encode(row), number, "in.jsonl")
        assert made.request is not None
        log.mark(made)
        log.record(Succeeded(made.custom_id, made.request, completion, 1, 0.5), made, _ANSWER)
    await log.aclose()
    size = output.stat().st_size / 2**20
    del log
    with standin() as server:
        before, began = _resident(), time.perf_counter()
        again = Journal.open(output, durability="process", settings={})
        opened, after = time.perf_counter() - began, _resident()
        done = again.succeeded_before
        await again.aclose()
        began = time.perf_counter()
        rows = [*_rows(count), {"custom_id": "row-new", "prompt": "say row-10000001"}]
        making = time.perf_counter() - began
        source = folder / "resume-in"
        source.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        del rows
        report = await _whole_resume(server.base_url, source, output)
    print(
        f"resume over {done:,} done rows ({size:,.0f} MB): indexed in {opened:.2f} s, {after - before:.0f} MB more; "
        f"the whole run with one new row, of {report.skipped:,} passed over, {report.seconds:.2f} s "
        f"(<= 5 before the first dispatch; {making:.1f} s to make the rows not counted)"
    )


async def _whole_resume(base_url: str, source: Path, output: Path) -> Any:
    async with AsyncClient("k", base_url=base_url) as client:
        return await run_batch(client, source, output)


MEASURES: Final[dict[str, Callable[[Path], Awaitable[None]]]] = {
    "throughput": throughput,
    "instant": instant,
    "limit": limit,
    "faults": faults,
    "interrupt": interrupt,
    "memory": memory,
    "endless": endless,
    "journal": journal,
    "resume": resume,
}
BY_NAME: Final[dict[str, Callable[[Path], Awaitable[None]]]] = {
    "one-million": one_million,
    "ten-million": ten_million,
    "dask": dask,
    "ray": ray,
}
"""Not taken unasked: a minute for each million rows, and 0.8 GB of the temporary folder; what extras install."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    known = {**MEASURES, **BY_NAME}
    told = f"of {', '.join(MEASURES)}, which are taken if none is named, and {', '.join(BY_NAME)}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=told)
    names = parser.parse_args().names or list(MEASURES)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"{', '.join(unknown)}: no measure; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            # Each in a process of its own: what one leaves in memory is not the next one's.
            pid = os.fork()
            if pid == 0:
                asyncio.run(known[name](Path(folder)))
                os._exit(0)
            if os.waitpid(pid, 0)[1]:
                raise SystemExit(f"{name} failed")


if __name__ == "__main__":
    main()
