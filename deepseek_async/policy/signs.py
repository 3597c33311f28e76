"""What refusals tell a person besides the limit: the balance runs out, the quota is gone, somebody else has it all.

| the server | a notice | and then |
| --- | --- | --- |
| tells a limit under a quarter of its best | ``balance_low`` | |
| refuses for two minutes and answers nothing | ``starved`` | one request every 10 s |
| says that the quota is gone, and answers nothing | ``quota`` | one request every 10 s |
| asks to be left alone for half a minute or more | ``waits`` | nothing until then |
| is out of quota for a minute, or refuses for fifteen, without an answer | ``given_up`` | the run ends, resumable |
| asks to be left alone for more than fifteen minutes | ``given_up`` | the run ends, resumable |
"""

from __future__ import annotations

import math
from typing import Final, Literal

__all__ = ["GIVE_UP_SECONDS", "QUOTA_SECONDS", "Notice", "Signs"]

Notice = Literal["balance_low", "starved", "quota", "waits", "given_up"]
"""What a refusal can reveal, by the table above."""

STARVED_SECONDS: Final = 120.0
GIVE_UP_SECONDS: Final = 900.0
QUOTA_SECONDS: Final = 60.0
LONG_WAIT: Final = 30.0
LOW_BALANCE: Final = 0.25
# So long after a refusal, nothing in flight means that nobody has wanted anything. Longer than any probe waits.
IDLE_SECONDS: Final = 20.0


class Signs:
    """The signs of one account and model; each is told once until it has passed. ``now``: seconds of one clock.

    Attributes:
        hungry_since: When something was first wanted after the latest answer.
        has_begun: Whether there was a refusal; before, there is nothing to tell this of.
        closed_until: Until when the server wants to be left alone.
    """

    def __init__(self) -> None:
        self.hungry_since: float = math.inf
        self.has_begun: bool = False
        self.closed_until: float = -math.inf
        self._best_told = 0
        self._has_told_low = False
        self._has_told_starved = False
        self._asked_again_at = -math.inf
        self._quota_gone_since = math.inf

    def begin(self, now: float) -> None:
        """A request is on its way, and none was."""
        if now - self._asked_again_at > IDLE_SECONDS:
            self.completed(now)

    def completed(self, now: float) -> None:
        """A request was answered."""
        self.hungry_since = now
        self._has_told_starved = False
        self._quota_gone_since = math.inf

    def refused(
        self, now: float, told: int | None, *, retry_after: float | None = None, is_quota: bool = False
    ) -> Notice | None:
        """A request was refused. Returns what is new.

        Args:
            told: The limit that the text tells.
            retry_after: How long the server wants to be left alone, in seconds.
            is_quota: Whether the text says that a quota is used up.
        """
        self.has_begun = True
        self.hungry_since = min(self.hungry_since, now)
        self._asked_again_at = now + (retry_after or 0.0)
        if is_quota:
            self._quota_gone_since = min(self._quota_gone_since, now)
        if now - self.hungry_since >= GIVE_UP_SECONDS or now - self._quota_gone_since >= QUOTA_SECONDS:
            return "given_up"
        return self.asked_to_wait(now, retry_after) or self._told(told) or self._starved(now)

    def asked_to_wait(self, now: float, retry_after: float | None) -> Notice | None:
        """The server may have said how long it wants to be left alone. Returns what is new."""
        if retry_after is None:
            return None
        if retry_after > GIVE_UP_SECONDS:  # nobody waits for that; whoever tries again all the same is told again
            return "given_up"
        is_news = retry_after >= LONG_WAIT and now + retry_after >= self.closed_until + LONG_WAIT / 2
        self.closed_until = max(self.closed_until, now + retry_after)
        return "waits" if is_news else None

    def _told(self, told: int | None) -> Notice | None:
        if told is None:
            return None
        self._best_told = max(self._best_told, told)
        is_low = told < LOW_BALANCE * self._best_told
        is_news = is_low and not self._has_told_low
        self._has_told_low = is_low
        return "balance_low" if is_news else None

    def _starved(self, now: float) -> Notice | None:
        if self._has_told_starved or not self.is_starved(now):
            return None
        self._has_told_starved = True
        return "quota" if self._quota_gone_since < math.inf else "starved"

    def is_starved(self, now: float) -> bool:
        """Whether it is time to ask seldom: no answer for two minutes although something was wanted, or no quota."""
        return now - self.hungry_since >= STARVED_SECONDS or self._quota_gone_since <= now
