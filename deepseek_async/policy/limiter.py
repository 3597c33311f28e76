"""How many requests may be in flight, learned from admissions and refusals. Pure: the clock is an argument.

DeepSeek limits concurrency, not rate, and the limit is hidden: it shrinks with the account's balance and is told only
in the text of a 429. Two facts make it learnable at the speed of the network instead of the speed of answers:
a refusal is instant and free, and an admission shows early, by the head of the answer. So:

1. **Grow on admissions.** Each admission adds 2 while at least 90 % of the limit is in flight (slow start).
   Where heads come only with the answer, silence for three times the usual time of a refusal counts as admission.
2. **A refusal cuts once.** The limit becomes what is truly admitted, and never more than the told limit's share that
   is ours. A new epoch begins; refusals of requests sent in an older one only correct that count.
3. **Probe.** While the limit is in use, one more than what is in flight is tried now and then. The step doubles after
   each clean probe (to a quarter of the limit) and falls back to 1 on a refusal. The next probe after a refused one
   waits until ten answers have paid for it, at least one second and at most ten.
4. **Failures of the server** (5xx, broken connections) halve the limit at most once while they last.

Latency is no signal here: long answers look like congestion and are not. Everything is amortised constant time.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Literal

from ..errors import InvalidRequestError
from .signs import Notice, Signs

__all__ = ["AdmissionLimiter", "Permit"]

INITIAL_LIMIT: Final = 32
GROWTH: Final = 2
IN_USE: Final = 0.9
PROBE_SECONDS: Final = 1.0
PROBE_SECONDS_MAX: Final = 10.0
ANSWERS_PER_REFUSED_PROBE: Final = 10
SILENCE: Final = 3.0
REFUSAL_SECONDS_GUESS: Final = 0.5  # before the first refusal; includes making a connection
REFUSAL_SECONDS_MIN: Final = 0.02
ANSWER_MEMORY: Final = 0.1  # weight of the newest answer in how long they take
FAILURE_MEMORY: Final = 0.05  # weight of the newest answer in the share of failures
FAILURE_SHARE_BAD: Final = 0.5
FAILURE_SHARE_GOOD: Final = 0.25


class Permit:
    """Leave to send one request. Hand it back to the limiter with what became of it."""

    __slots__ = ("epoch", "ordinal", "sent_at", "state")

    def __init__(self, ordinal: int, epoch: int, sent_at: float) -> None:
        self.ordinal = ordinal
        self.epoch = epoch
        self.sent_at = sent_at
        self.state: Literal["undecided", "presumed", "admitted", "ended"] = "undecided"


class AdmissionLimiter:
    """The admission-count limiter of one base URL, account and model.

    Every method that takes ``now`` wants seconds of one monotonic clock.

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
        self.limit = min(initial, ceiling)
        self.in_flight = 0
        self.admitted = 0
        self.epoch = 0
        self.refusals = 0
        self.is_starting = True
        self._ordinal = 0
        self._undecided: deque[Permit] = deque()  # in sending order; decided ones are dropped when they reach the head
        self._cut_ordinal = -1
        self._cut_by_count = False
        self._step = 1
        self._probe_at = -math.inf
        self._probe_epoch = -1
        self._refusal_seconds = REFUSAL_SECONDS_GUESS
        self._has_seen_refusal = False
        self._signs = Signs()
        self._answer_seconds: float | None = None
        self._failure_share = 0.0
        self._is_failing = False

    def try_acquire(self, now: float) -> Permit | None:
        """Ask for leave to send one request.

        Returns:
            A permit; ``None`` if the limit is reached. Then ask again after any permit was handed back or decided,
            or at `wake_at`, whichever is first.
        """
        self._presume_admissions(now)
        if self.in_flight >= self.limit and not self._probe(now):
            return None
        permit = Permit(self._ordinal, self.epoch, now)
        self._ordinal += 1
        if not self.in_flight:
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
        if not self.is_starting and not self._is_failing and self.in_flight < self.ceiling:
            wake = min(wake, self._probe_at)
        return max(wake, now)

    def admit(self, permit: Permit, now: float) -> None:
        """The head of a success arrived. Optional: where heads are not seen, silence or the answer itself tells."""
        self._presume_admissions(now)
        if permit.state == "undecided":
            self._count_admission(permit, "admitted")
        elif permit.state == "presumed":
            permit.state = "admitted"

    def complete(self, permit: Permit, now: float) -> None:
        """The request ended with an answer: a completion, or a refusal that is about the request itself (400, 422)."""
        self.admit(permit, now)
        self._leave(permit)
        seconds = now - permit.sent_at
        before = seconds if self._answer_seconds is None else self._answer_seconds
        self._answer_seconds = before + ANSWER_MEMORY * (seconds - before)
        self._signs.completed(now)
        self._note_failure_share(0.0)
        self._hasten_probe(now)

    def refuse(self, permit: Permit, now: float, told: int | None = None, current: int | None = None) -> Notice | None:
        """The request was answered with 429.

        Args:
            told: The limit that the text tells, if it does (`RateLimitError.limit`).
            current: The account's concurrency that the text tells, this request included (`RateLimitError.current`).

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
        self._probe_at = max(self._probe_at, now + self._probe_interval(now))
        self._step = 1
        self._hasten_probe(now)
        return self._signs.refused(now, told)

    def fail(self, permit: Permit, now: float) -> None:
        """The request ended with a failure of the server or the network: 5xx, a broken connection, a timeout.

        A few are noise. When they are half of the answers, the limit is halved, once until they have become rare.
        """
        self._leave(permit)
        self._note_failure_share(1.0)
        if not self._is_failing and self._failure_share > FAILURE_SHARE_BAD:
            self._is_failing = True
            self.is_starting = False
            self.epoch += 1
            self._cut_by_count = False
            self.limit = max(self.limit // 2, 1)
            self._step = 1
            self._probe_at = now + PROBE_SECONDS

    def abandon(self, permit: Permit) -> None:
        """The caller gave the request up (cancelled it, or never sent it): nothing is learned."""
        self._leave(permit)

    # -- rule 1 ------------------------------------------------------------------------------------------------------

    @property
    def _silence_seconds(self) -> float:
        return SILENCE * max(self._refusal_seconds, REFUSAL_SECONDS_MIN)

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
        if self.is_starting:
            if self.in_flight >= IN_USE * self.limit:
                self.limit = min(self.limit + GROWTH, self.ceiling)
        elif self._cut_by_count and permit.epoch == self.epoch - 1 and permit.ordinal > self._cut_ordinal:
            # Counted as refused when its burst was cut, and was not.
            self.limit = min(self.limit + 1, self.ceiling)

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

    def _probe(self, now: float) -> bool:
        if self.is_starting or self._is_failing or now < self._probe_at or self.in_flight >= self.ceiling:
            return False
        if self._probe_epoch == self.epoch:
            self._step = min(2 * self._step, max(self.limit // 4, 1))
        self._probe_epoch = self.epoch
        self._probe_at = now + PROBE_SECONDS
        self.limit = min(max(self.limit, self.in_flight) + self._step, self.ceiling)
        return True

    def _hasten_probe(self, now: float) -> None:
        """With nothing in flight and nothing allowed, no answer will pay for a probe: it comes at the usual time."""
        if not self.limit and not self.in_flight and not self._signs.is_starved(now):
            self._probe_at = min(self._probe_at, now + PROBE_SECONDS)

    def _probe_interval(self, now: float) -> float:
        if self._signs.is_starved(now):
            return PROBE_SECONDS_MAX
        paid = ANSWERS_PER_REFUSED_PROBE * (self._answer_seconds or 0.0) / max(self.admitted, 1)
        return min(max(paid, PROBE_SECONDS), PROBE_SECONDS_MAX)

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

    def _note_failure_share(self, failed: float) -> None:
        self._failure_share += FAILURE_MEMORY * (failed - self._failure_share)
        if self._is_failing and self._failure_share < FAILURE_SHARE_GOOD:
            self._is_failing = False
