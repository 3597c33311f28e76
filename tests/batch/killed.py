"""A run that is there to be killed: ``python -m tests.batch.killed BASE_URL INPUT OUTPUT DURABILITY``."""

from __future__ import annotations

import asyncio
import json
import sys

from deepseek_async import AsyncClient, run_batch


async def _run(base_url: str, source: str, output: str, durability: str) -> None:
    async with AsyncClient(base_url=base_url) as client:
        report = await run_batch(
            client,
            source,
            output,
            max_concurrency=32,
            durability=durability,  # type: ignore[arg-type]
        )
    print(json.dumps(report.to_json()))


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
