"""What a person should hear while a batch runs, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from ...calls.caller import Caller
from ...calls.resources.account import User
from ...errors import APIStatusError, DeepSeekError
from ...policy.signs import GIVE_UP_SECONDS, QUOTA_SECONDS, Notice

_BALANCE_SECONDS: Final = 10.0


async def words_of(notice: Notice, error: DeepSeekError, caller: Caller) -> str:
    """A notice of the limiter's in words; where the balance runs out, with the balance.

    Args:
        error: The refusal that it was seen by.
    """
    if notice == "starved":
        return (
            "no answer for two minutes while requests are refused: something else uses the account's whole "
            f"concurrency; trying one request every 10 s, and giving up after {span(GIVE_UP_SECONDS)} without an answer"
        )
    if notice == "quota":
        return (
            f"the server says that the quota is gone: trying one request every 10 s for {span(QUOTA_SECONDS)} "
            f"({error.message})"
        )
    if notice == "waits":
        return f"the server asks to be left alone for {span(_retry_after_of(error))}: nothing is sent until then"
    limit = getattr(error, "limit", None)
    text = (
        f"the account's concurrency limit fell{'' if limit is None else f' to {limit}'}, because its balance runs out"
    )
    balance = await _balance(caller)
    return text if balance is None else f"{text}: {balance} left"


def given_up(error: DeepSeekError) -> DeepSeekError:
    """The refusal after which a batch sends nothing more, with the reason in its message."""
    if (retry_after := _retry_after_of(error)) > GIVE_UP_SECONDS:
        reason = f"the server asks to be left alone for {span(retry_after)}"
    else:
        reason = f"no answer for {span(GIVE_UP_SECONDS)}, or for {span(QUOTA_SECONDS)} since the quota was gone"
    error.message = f"{reason}: {error.message}"
    error.args = (error.message,)
    return error


def span(seconds: float) -> str:
    """A length of time as people say it: ``"40 s"``, ``"15 min"``, ``"2 h 30 min"``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def _retry_after_of(error: DeepSeekError) -> float:
    return (error.retry_after or 0.0) if isinstance(error, APIStatusError) else 0.0


async def _balance(caller: Caller) -> str | None:
    try:
        async with asyncio.timeout(_BALANCE_SECONDS):
            balance = await User(caller).balance()
    except (DeepSeekError, TimeoutError):
        return None
    return ", ".join(f"{info.total_balance} {info.currency}" for info in balance.balance_infos) or "nothing"


class Notices:
    """Tells notices beside the batch. The batch waits for none of them, and none of them can end it.

    Args:
        caller: The client's.
        tell: Told each in words. If it raises, that is its own affair.
    """

    def __init__(self, caller: Caller, tell: Callable[[str], None]) -> None:
        self._caller = caller
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, notice: Notice, error: DeepSeekError) -> None:
        """Tell one, in a task of its own: an error in the batch's group of tasks would end the batch."""
        task = asyncio.create_task(self._run(notice, error))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else asks for it

    async def _run(self, notice: Notice, error: DeepSeekError) -> None:
        try:
            words = await words_of(notice, error, self._caller)
        except Exception:  # a look at the balance goes through hooks and a transport, which may be the caller's
            words = f"the account's limits have changed: {error.message}"
        self._tell(words)

    def cancel(self) -> None:
        """Leave what is not told yet untold."""
        for task in self._tasks:
            task.cancel()
