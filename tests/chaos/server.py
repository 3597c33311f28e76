"""The sandbox in a process of its own: the soak's figures are then the client's. ``python -m tests.chaos.server``"""

from __future__ import annotations

import asyncio
import sys

from deepseek_async.sandbox import SandboxServer


async def main() -> None:
    """Print the base URL; go when stdin is closed."""
    async with SandboxServer(prefix_cache=False, keep_requests=1) as server:
        print(server.base_url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
