"""What a person should hear while a batch runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ...calls.caller import Caller
from ...calls.resources import User
from ...errors import DeepSeekError, RateLimitError
from ...policy.signs import Notice

_BALANCE_SECONDS: Final = 10.0


async def words_of(notice: Notice, error: RateLimitError, caller: Caller) -> str:
    """A notice of the limiter's in words; where the balance runs out, with the balance."""
    if notice == "starved":
        return (
            "no answer for two minutes while requests are refused: something else uses the account's whole "
            "concurrency; trying one request every 10 s"
        )
    limit = "" if error.limit is None else f" to {error.limit}"
    text = f"the account's concurrency limit fell{limit}, because its balance runs out"
    try:
        async with asyncio.timeout(_BALANCE_SECONDS):
            balance = await User(caller).balance()
    except (DeepSeekError, TimeoutError):
        return text
    amounts = ", ".join(f"{info.total_balance} {info.currency}" for info in balance.balance_infos)
    return f"{text}: {amounts or 'nothing'} left"


class Notices:
    """Tells notices beside the batch, which waits for none of them.

    Args:
        caller: The client's.
        tell: Told each in words. If it raises, that is its own affair.
    """

    def __init__(self, caller: Caller, tell: Callable[[str], None]) -> None:
        self._caller = caller
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, notice: Notice, error: RateLimitError, tasks: asyncio.TaskGroup) -> None:
        """Tell one, as a task of the group."""
        task = tasks.create_task(self._run(notice, error))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, notice: Notice, error: RateLimitError) -> None:
        words = await words_of(notice, error, self._caller)
        with suppress(Exception):
            self._tell(words)

    def cancel(self) -> None:
        """Leave what is not told yet untold."""
        for task in self._tasks:
            task.cancel()
