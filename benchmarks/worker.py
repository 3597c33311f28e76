"""One contestant in a process of its own: rounds asked for on stdin, figures answered on stdout, JSON a line.

python -m benchmarks.worker CONTESTANT ROOT_URL [--uvloop]
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from .contestants import BatchSession, Session, Tally, contestant
from .wire import ROWS, Spec


async def _many(ask: Callable[[Spec], Coroutine[Any, Any, Tally]], spec: Spec, count: int) -> list[Tally]:
    return await asyncio.gather(*(ask(spec) for _ in range(count)))


def check(tally: Tally, spec: Spec) -> None:
    for what in ("characters", "chunks", "alternatives"):
        seen, sent = getattr(tally, what), getattr(spec, what)
        if seen not in (sent, None):
            raise AssertionError(f"saw {seen} {what}, sent {sent}")


async def _streams(session: Session, spec: Spec, count: int) -> dict[str, float]:
    """CPU seconds of `count` streams (or answers in one piece) read at once, and the seconds that passed."""
    ask = session.stream if spec.burst else session.whole
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    tallies = await _many(ask, spec, count)
    figures = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    for tally in tallies:
        check(tally, spec)
    return figures


def _status(field: str) -> int:
    """A figure of the process by the kernel's own account, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


async def _idle(session: Session, spec: Spec, count: int) -> dict[str, float]:
    """Bytes of resident memory that each open stream holds after its first chunks, nothing more coming."""
    gc.collect()
    before = _status("VmRSS")
    reading = [asyncio.ensure_future(session.stream(spec)) for _ in range(count)]
    await asyncio.sleep(1.0 + count * 0.003)
    gc.collect()
    held = _status("VmRSS") - before
    stopped = [task for task in reading if task.done()]
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    assert not stopped, stopped[0]
    return {"bytes": held / count}


async def _peak(session: Session, spec: Spec, count: int) -> dict[str, float]:
    """By how many bytes the process grew at its largest while it got the answer."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _status("VmRSS")
    for tally in await _many(session.stream if spec.burst else session.whole, spec, count):
        check(tally, spec)
    return {"bytes": _status("VmHWM") - before}


async def _rows(session: BatchSession, spec: Spec, count: int) -> dict[str, float]:
    """CPU seconds of a batch of `ROWS` rows, `count` in flight, and the seconds that passed."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    answered = await session.rows(spec, ROWS, count)
    figures = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    assert answered == ROWS, f"{answered} rows were answered, {ROWS} sent"
    return figures


_MEASURES: dict[str, Callable[[Any, Spec, int], Coroutine[Any, Any, dict[str, float]]]] = {
    "streams": _streams,
    "idle": _idle,
    "peak": _peak,
    "rows": _rows,
}


async def _serve(name: str, root: str) -> None:
    loop = asyncio.get_running_loop()
    async with contestant(name)(root) as session:
        print(json.dumps({"ready": True}), flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            try:
                figures = await _MEASURES[order["measure"]](session, Spec.named(order["spec"]), order["count"])
            except Exception as error:
                figures = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(figures), flush=True)


def main() -> None:
    name, root = sys.argv[1:3]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        contestant(name)
    except ImportError as error:
        print(json.dumps({"absent": str(error)}), flush=True)
        return
    if "--uvloop" in sys.argv:
        import uvloop

        uvloop.run(_serve(name, root))
    else:
        asyncio.run(_serve(name, root))


if __name__ == "__main__":
    main()
