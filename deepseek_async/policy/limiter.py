"""How many requests may be in flight, learned from admissions and refusals. Pure: the clock is an argument.

DeepSeek limits concurrency, not rate, and the limit is hidden: it shrinks with the account's balance and is told only
in the text of a 429. Two facts make it learnable at the speed of the network instead of the speed of answers:
a refusal is instant and free, and an admission shows early, by the head of the answer. So:

1. **Grow on admissions.** Each admission adds 2 while at least 90 % of the limit is in flight (slow start).
   Where heads come only with the answer, silence for three times the usual time of a refusal counts as admission.
2. **A refusal cuts once.** The limit becomes what is truly admitted, and never more than the told limit's share that
   is ours. A new epoch begins; refusals of requests sent in an older one only correct that count.
3. **Probe.** While the limit is in use, some more than what is in flight are tried now and then: see `probing`. The
   next probe after a refused one waits until ten answers have paid for it, at least one second and at most ten.
4. **Failures of the server** (5xx, broken connections) halve the limit at most once while they last. Each puts off the
   next probe by a second, so that nothing grows while they come, and probing begins again a second after the last.
5. **Heed what the server asks for.** A ``Retry-After`` closes the limiter until it is over. Refusals without an answer
   among them are probed ever more seldom, told of and given up: see `signs`.

So a server that is well again is found from every state: a probe is due at most ten seconds after the last refusal, and
a second after the last failure, however small the limit has become.

Latency is no signal here: long answers look like congestion and are not. Everything is amortised constant time.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Literal

from ..errors import InvalidRequestError
from .outage import Outage
from .permit import Permit
from .probing import PROBE_SECONDS, Probing
from .signs import Notice, Signs

__all__ = ["AdmissionLimiter", "Permit"]

INITIAL_LIMIT: Final = 32
GROWTH: Final = 2
IN_USE: Final = 0.9
SILENCE: Final = 3.0
REFUSAL_SECONDS_GUESS: Final = 0.5  # before the first refusal; includes making a connection
REFUSAL_SECONDS_MIN: Final = 0.02
ANSWER_MEMORY: Final = 0.1  # weight of the newest answer in how long they take


class AdmissionLimiter:
    """The admission-count limiter of one base URL, account and model.

    Every method that takes ``now`` wants seconds of one monotonic clock. Its many attributes are one state, of which
    each rule above reads a good part.

    Args:
        ceiling: The limit never grows past this. At least 1.
        initial: The limit to begin with.

    Attributes:
        limit: Requests that may be in flight at present.
        in_flight: Requests sent and not yet ended.
        admitted: Those of them that the server has let in (by head, or presumed by silence).
        epoch: Counts the cuts.
        refusals: Refusals so far.
        is_starting: Whether the limit still grows with every admission.
    """

    def __init__(self, *, ceiling: int, initial: int = INITIAL_LIMIT) -> None:
        for name, value in (("ceiling", ceiling), ("initial", initial)):
            if value < 1:
                raise InvalidRequestError(name, value, "at least 1")
        self.ceiling = ceiling
        self.limit: int = min(initial, ceiling)
        self.in_flight: int = 0
        self.admitted: int = 0
        self.epoch: int = 0
        self.refusals: int = 0
        self.is_starting: bool = True
        self._ordinal = 0
        self._undecided: deque[Permit] = deque()  # in sending order; decided ones are dropped when they reach the head
        self._cut_ordinal = -1
        self._cut_by_count = False
        self._probing = Probing()
        self._refusal_seconds = REFUSAL_SECONDS_GUESS
        self._silence_seconds = SILENCE * REFUSAL_SECONDS_GUESS
        self._has_seen_refusal = False
        self._signs = Signs()
        self._answer_seconds: float | None = None
        self._outage = Outage()
        self._well_since = -math.inf  # when the latest of the requests was sent that the server is known to have let in

    def has_room(self, now: float) -> bool:
        """Whether `try_acquire` would give a permit now. Asking changes nothing."""
        if now < self._signs.closed_until:
            return False
        return self.in_flight < self.limit or self.in_flight < self._limit_at(now) or self._may_probe(now)

    def try_acquire(self, now: float) -> Permit | None:
        """A permit to send one request, or ``None``.

        Then ask again after any permit was handed back or decided, or at `wake_at`, whichever is first.
        """
        if self._undecided and self._undecided[0].sent_at <= now - self._silence_seconds:
            self._presume_admissions(now)
        if now < self._signs.closed_until:
            return None
        if self.in_flight >= self.limit:
            if not self._may_probe(now):
                return None
            step = self._probing.probe(self.limit, epoch=self.epoch, now=now)
            self.limit = min(max(self.limit, self.in_flight) + step, self.ceiling)
        permit = Permit(self._ordinal, self.epoch, now)
        self._ordinal += 1
        if not self.in_flight and self._signs.has_begun:
            self._signs.begin(now)
        self.in_flight += 1
        self._undecided.append(permit)
        return permit

    def wake_at(self, now: float) -> float:
        """When `try_acquire` may say yes although nothing was reported meanwhile; infinity for never."""
        self._drop_decided()
        wake = math.inf
        if self._undecided and (self.is_starting or self._undecided[0].epoch != self.epoch):
            wake = self._undecided[0].sent_at + self._silence_seconds
        if not self.is_starting and self.in_flight < self.ceiling:
            wake = min(wake, self._probing.due_at)
        if self.in_flight < self.limit:
            wake = now
        return max(wake, now, self._signs.closed_until)

    def admit(self, permit: Permit, now: float) -> None:
        """The head of a success arrived. Optional: where heads are not seen, silence or the answer itself tells."""
        if self._undecided and self._undecided[0].sent_at <= now - self._silence_seconds:
            self._presume_admissions(now)
        if permit.state == "undecided":
            self._count_admission(permit, "admitted")
        elif permit.state == "presumed":
            permit.state = "admitted"
        self._well_since = max(self._well_since, permit.sent_at)

    def complete(self, permit: Permit, now: float) -> None:
        """The request ended with an answer: a completion, or a refusal that is about the request itself (400, 422)."""
        if permit.state != "admitted":
            self.admit(permit, now)
        self._leave(permit)
        seconds = now - permit.sent_at
        before = seconds if self._answer_seconds is None else self._answer_seconds
        self._answer_seconds = before + ANSWER_MEMORY * (seconds - before)
        if self._signs.has_begun:
            self._signs.completed(now)
        if self._outage.share:
            self._outage.succeeded()
        if not self.limit and not self.in_flight:  # no answer will pay for a probe
            self._probing.due_at = min(self._probing.due_at, now + PROBE_SECONDS)

    def refuse(
        self,
        permit: Permit,
        now: float,
        told: int | None = None,
        current: int | None = None,
        *,
        retry_after: float | None = None,
        is_quota: bool = False,
    ) -> Notice | None:
        """The request was answered with 429.

        Args:
            told: The limit that the text tells, if it does (`RateLimitError.limit`).
            current: The account's concurrency that the text tells, this request included (`RateLimitError.current`).
            retry_after: How long the server wants to be left alone, in seconds, if it says so.
            is_quota: Whether it says that a quota is used up.

        Returns:
            Something the caller should say to a person, or ``None``.
        """
        self._presume_admissions(now)
        self.refusals += 1
        self._note_refusal_seconds(now - permit.sent_at)
        was_presumed = permit.state == "presumed"
        self._leave(permit)
        if permit.epoch == self.epoch:
            self._cut(permit, told, current)
        elif (
            self._cut_by_count
            and permit.epoch == self.epoch - 1
            and (was_presumed or permit.ordinal < self._cut_ordinal)
        ):
            # Counted as admitted when its burst was cut, and was not.
            self.limit = max(self.limit - 1, 0)
        notice = self._signs.refused(now, told, retry_after=retry_after, is_quota=is_quota)
        is_starved = self._signs.is_starved(now)
        answer_seconds = self._answer_seconds or 0.0
        self._probing.refused(now, answer_seconds=answer_seconds, admitted=self.admitted, is_starved=is_starved)
        if not self.limit and not self.in_flight:
            self._probing.hungry(now, since=self._signs.hungry_since, is_starved=is_starved)
        return notice

    def fail(self, permit: Permit, now: float, *, retry_after: float | None = None) -> Notice | None:
        """The request ended with a failure of the server or the network: 5xx, a broken connection, a timeout.

        A few are noise. When they are half of the answers, the limit is halved, once until they have become rare.

        Args:
            retry_after: How long the server wants to be left alone, in seconds, if it says so.

        Returns:
            As `refuse`.
        """
        self._leave(permit)
        if self._outage.failed():
            self.is_starting = False
            self.epoch += 1
            self._cut_by_count = False
            self.limit = max(self.limit // 2, 1)
            self._probing.failed(now)
        elif self._outage.is_on and permit.sent_at >= self._well_since:
            self._probing.failed(now)  # one that hung since before the server was well says nothing about now
        return self._signs.asked_to_wait(now, retry_after)

    def abandon(self, permit: Permit) -> None:
        """The caller gave the request up (cancelled it, or never sent it): nothing is learned."""
        self._leave(permit)

    # -- rule 1 ------------------------------------------------------------------------------------------------------

    def _drop_decided(self) -> None:
        undecided = self._undecided
        while undecided and undecided[0].state != "undecided":
            undecided.popleft()

    def _presume_admissions(self, now: float) -> None:
        undecided = self._undecided
        silent_since = now - self._silence_seconds
        while undecided and (undecided[0].state != "undecided" or undecided[0].sent_at <= silent_since):
            permit = undecided.popleft()
            if permit.state == "undecided":
                self._count_admission(permit, "presumed")

    def _count_admission(self, permit: Permit, state: Literal["presumed", "admitted"]) -> None:
        permit.state = state
        self.admitted += 1
        self.limit = self._grown(self.limit, permit)

    def _grown(self, limit: int, permit: Permit) -> int:
        """What becomes of a limit when a request turns out to be admitted."""
        if self.is_starting:
            return min(limit + GROWTH, self.ceiling) if self.in_flight >= IN_USE * limit else limit
        if self._cut_by_count and permit.epoch == self.epoch - 1 and permit.ordinal > self._cut_ordinal:
            return min(limit + 1, self.ceiling)  # counted as refused when its burst was cut, and was not
        return limit

    def _limit_at(self, now: float) -> int:
        """What the limit is once the silence up to now has been taken for admissions."""
        limit, silent_since = self.limit, now - self._silence_seconds
        for permit in self._undecided:
            if permit.state != "undecided":
                continue
            if permit.sent_at > silent_since or limit > self.in_flight:
                break
            limit = self._grown(limit, permit)
        return limit

    # -- rule 2 ------------------------------------------------------------------------------------------------------

    def _cut(self, permit: Permit, told: int | None, current: int | None) -> None:
        ahead = sum(1 for other in self._undecided if other.state == "undecided" and other.ordinal < permit.ordinal)
        own = self.admitted + ahead
        limit = own
        if told is not None and told < own:
            # The account's limit fell. Where other processes hold a part of it, ours is the part we held before.
            others = max((current or 0) - 1 - own, 0)
            limit = told if others <= own // 10 else told * own // (own + others)
        self.limit = min(max(limit, 0), self.ceiling)
        self.is_starting = False
        self.epoch += 1
        self._cut_ordinal = permit.ordinal
        self._cut_by_count = limit == own

    # -- rule 3 ------------------------------------------------------------------------------------------------------

    def _may_probe(self, now: float) -> bool:
        return not self.is_starting and now >= self._probing.due_at and self.in_flight < self.ceiling

    # -- what else is learned ----------------------------------------------------------------------------------------

    def _leave(self, permit: Permit) -> None:
        if permit.state == "ended":
            raise ValueError("this permit was handed back already")
        if permit.state != "undecided":
            self.admitted -= 1
        permit.state = "ended"
        self.in_flight -= 1

    def _note_refusal_seconds(self, seconds: float) -> None:
        # The first observation replaces the guess; then a slow rise and fall, so that one stray does not count.
        weight = 0.2 if self._has_seen_refusal else 1.0
        self._has_seen_refusal = True
        self._refusal_seconds += weight * (seconds - self._refusal_seconds)
        self._silence_seconds = SILENCE * max(self._refusal_seconds, REFUSAL_SECONDS_MIN)
