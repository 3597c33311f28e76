"""Batches under a limit of requests per minute: aiolimiter's, in minutes that pass at once."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from typing import Any

import pytest
from aiolimiter import AsyncLimiter

from deepseek_async import RateLimiter, Succeeded

from ...leaping import leap
from ..account import Account, Reply, client_of, request

A_MINUTE = 60.0


class Watched(Account):
    """An account that notes when each request came."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.times: list[float] = []

    async def send(self, *arguments: Any) -> Any:
        self.times.append(asyncio.get_running_loop().time())
        return await super().send(*arguments)

    def most_in(self, seconds: float) -> int:
        """The most requests that came in any span of so many seconds; its end counts with the next one."""
        ends = (bisect_left(self.times, time + seconds - 1e-6) for time in self.times)
        return max(end - start for start, end in enumerate(ends))


async def send(account: Watched, limiter: RateLimiter, *batches: int, **options: Any) -> int:
    """Send so many rows in each of several batches of one client at once. Returns how many were answered."""
    client = client_of(account)

    async def one(number: int, rows: int) -> int:
        source = [request(f"row-{number}-{row}") for row in range(rows)]
        async with client.batch(source, rate_limiter=limiter, **options) as outcomes:
            return sum([isinstance(outcome, Succeeded) async for outcome in outcomes])

    return sum(await asyncio.gather(*(one(number, rows) for number, rows in enumerate(batches))))


def test_batches_share_a_limiter_and_keep_its_rate() -> None:
    """Sixty a minute for three batches at once and one after them: in no minute more, and the rate is used."""
    account = Watched()

    async def main() -> int:
        limiter = AsyncLimiter(1, A_MINUTE / 60)
        return await send(account, limiter, 150, 50, 80) + await send(account, limiter, 80)

    assert leap(main()) == 360
    # Each batch may have been let through before it had a row to send.
    assert account.most_in(A_MINUTE) <= 60 + 3
    # And once more when it has none left.
    assert account.times[-1] - account.times[0] == pytest.approx(359, abs=5)


def test_what_is_sent_again_counts() -> None:
    """The server counts requests, not rows."""
    account = Watched(reply=lambda _, attempt: Reply(503) if attempt == 1 else None)
    assert leap(send(account, AsyncLimiter(1, A_MINUTE / 60), 100)) == 100
    assert len(account.times) == 200
    assert account.most_in(A_MINUTE) <= 60 + 1


def test_a_limiter_of_a_whole_minute_lets_that_go_at_once() -> None:
    """aiolimiter's bucket begins empty: twice the rate in the first minute. The page says how to avoid it."""
    account = Watched()
    leap(send(account, AsyncLimiter(60, A_MINUTE), 200))
    assert account.most_in(1.0) >= 60
    assert account.most_in(A_MINUTE) >= 115
