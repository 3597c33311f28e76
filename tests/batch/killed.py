"""A run to be killed: ``python -m tests.batch.killed BASE_URL INPUT OUTPUT DURABILITY [HOW NUMBER SHARE]``.

It kills itself, too: ``call 3 0.5`` in its third change of the output's files, half of which is then written;
``closing 0.1 0.5`` asks the run to stop after a tenth of a second and kills it half way through the closing report.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from itertools import count

from deepseek_async import AsyncClient, run_batch


def _kill_in(is_now: Callable[[bytes], bool], share: float) -> None:
    """Let the process die in the middle of a change of a file; of what it writes, a share is there then."""
    write, truncate = os.write, os.ftruncate

    def dying_write(fd: int, data: bytes) -> int:
        if is_now(data):
            write(fd, data[: round(len(data) * share)])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(fd, data)

    def dying_truncate(fd: int, length: int) -> None:
        truncate(fd, length)
        if is_now(b""):
            os.kill(os.getpid(), signal.SIGKILL)

    os.write, os.ftruncate = dying_write, dying_truncate  # type: ignore[assignment]


async def _run(base_url: str, source: str, output: str, durability: str, how: str, number: float, share: float) -> None:
    stop = asyncio.Event()
    if how == "call":
        calls = count(1)
        _kill_in(lambda _: next(calls) == number, share)
    elif how == "closing":
        _kill_in(lambda data: data.startswith(b'{"closed"'), share)
        asyncio.get_running_loop().call_later(number, stop.set)
    async with AsyncClient(base_url=base_url) as client:
        report = await run_batch(
            client,
            source,
            output,
            max_concurrency=32,
            durability=durability,  # type: ignore[arg-type]
            stop=stop,
        )
    print(json.dumps(report.to_json()))


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *("", "0", "0")[len(sys.argv) - 5 :]]
    asyncio.run(_run(*arguments[:5], *map(float, arguments[5:])))  # type: ignore[arg-type]
