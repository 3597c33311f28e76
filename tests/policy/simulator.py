"""A virtual-time account with a hidden concurrency limit, and contestants that try to fill it.

``python -m tests.policy.simulator`` prints goodput (answered work over what the limit would have allowed), the time to
reach 90 % of the limit, and refusals per success, for the admission-count limiter beside fixed limits and AIMD.
No sleeping and no sockets: a heap of events is the clock.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from deepseek_async.policy.limiter import AdmissionLimiter

HiddenLimit = Callable[[float], int]


def constant(limit: int) -> HiddenLimit:
    return lambda _now: limit


def step(before: int, after: int, at: float) -> HiddenLimit:
    return lambda now: before if now < at else after


def fall(start: int, end: int, seconds: float) -> HiddenLimit:
    """A balance that runs down: steps of a tenth of the way, as each top-up tier is left."""
    return lambda now: round(start + (end - start) * min(math.floor(10 * now / seconds) / 10, 1.0))


def sawtooth(low: int, high: int, period: float) -> HiddenLimit:
    """Rises evenly, then drops at once."""
    return lambda now: round(low + (high - low) * ((now % period) / period))


@dataclass(frozen=True)
class Scenario:
    """One account, one kind of traffic."""

    name: str
    hidden: HiddenLimit
    workers: int = 1
    has_early_heads: bool = True
    tells_limit: bool = True
    seconds: float = 600.0
    median_service: float = 8.0
    spread: float = 0.6  # sigma of the lognormal service time
    round_trip: float = 0.15
    ceiling: int = 10_000
    settle: float = 0.0  # goodput is counted from here on


@dataclass
class Outcome:
    """What a contestant made of a scenario."""

    goodput: float = 0.0
    seconds_to_90: float = math.inf
    refusals_per_success: float = 0.0
    dead: int = 0
    by_worker: list[int] = field(default_factory=list)


class Contestant(Protocol):
    """What decides when a worker may send. A permit is whatever `try_acquire` returned."""

    def try_acquire(self, now: float) -> Any: ...
    def wake_at(self, now: float) -> float: ...
    def admit(self, permit: Any, now: float) -> None: ...
    def complete(self, permit: Any, now: float) -> None: ...
    def refuse(self, permit: Any, now: float, told: int | None, current: int | None) -> Any: ...


class Fixed:
    """A semaphore. A refused request waits by exponential backoff with full jitter and dies after five attempts."""

    max_attempts: int | None = 5

    def __init__(self, limit: int) -> None:
        self.limit = float(limit)
        self.in_flight = 0

    def try_acquire(self, now: float) -> object | None:
        if self.in_flight >= int(self.limit):
            return None
        self.in_flight += 1
        return object()

    def wake_at(self, now: float) -> float:
        return math.inf

    def admit(self, permit: object, now: float) -> None:
        pass

    def complete(self, permit: object, now: float) -> None:
        self.in_flight -= 1

    def refuse(self, permit: object, now: float, told: int | None, current: int | None) -> None:
        self.in_flight -= 1


class Aimd(Fixed):
    """Additive increase by one for each answer while half the limit is used, times 0.9 on a refusal."""

    max_attempts = None

    def __init__(self, limit: int = 20) -> None:
        super().__init__(limit)

    def complete(self, permit: object, now: float) -> None:
        if 2 * self.in_flight >= self.limit:
            self.limit += 1
        super().complete(permit, now)

    def refuse(self, permit: object, now: float, told: int | None, current: int | None) -> None:
        self.limit = max(self.limit * 0.9, 1.0)
        super().refuse(permit, now, told, current)


class _Worker:
    def __init__(self, contestant: Contestant, max_attempts: int | None) -> None:
        self.contestant = contestant
        self.max_attempts = max_attempts
        self.refused: deque[int] = deque()  # attempts already made, of rows that go first
        self.wake_at = math.inf
        self.successes = 0


class _Simulation:
    def __init__(self, scenario: Scenario, make: Callable[[], Contestant], seed: int) -> None:
        self.scenario = scenario
        self.random = random.Random(seed)
        self.events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self.order = itertools.count()
        self.now = 0.0
        self.active = 0
        self.used = self.allowed = 0.0
        self.refusals = self.successes = self.dead = 0
        self.seconds_to_90 = math.inf
        self.workers = []
        for _ in range(scenario.workers):
            contestant = make()
            self.workers.append(_Worker(contestant, getattr(contestant, "max_attempts", None)))

    def run(self) -> Outcome:
        scenario = self.scenario
        for worker in self.workers:
            # Four machines do not start in the same instant.
            self.at(self.random.uniform(0, 0.5) if scenario.workers > 1 else 0.0, self.dispatch, worker)
        limit = scenario.hidden(0.0)
        while self.events and self.events[0][0] <= scenario.seconds:
            now, _, action, arguments = heapq.heappop(self.events)
            if now > scenario.settle:
                since = max(self.now, scenario.settle)
                self.used += min(self.active, limit) * (now - since)
                self.allowed += limit * (now - since)
            self.now = now
            limit = scenario.hidden(now)
            action(*arguments)
            if self.active >= 0.9 * limit and now < self.seconds_to_90:
                self.seconds_to_90 = now
        return Outcome(
            goodput=self.used / self.allowed,
            seconds_to_90=self.seconds_to_90,
            refusals_per_success=self.refusals / max(self.successes, 1),
            dead=self.dead,
            by_worker=[worker.successes for worker in self.workers],
        )

    def at(self, when: float, action: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self.events, (when, next(self.order), action, arguments))

    def half_trip(self) -> float:
        return self.scenario.round_trip / 2 * self.random.uniform(0.8, 1.4)

    # -- a worker ----------------------------------------------------------------------------------------------------

    def dispatch(self, worker: _Worker) -> None:
        while (permit := worker.contestant.try_acquire(self.now)) is not None:
            attempts = worker.refused.popleft() if worker.refused else 0
            self.at(self.now + self.half_trip(), self.arrive, worker, permit, attempts)
        wake = worker.contestant.wake_at(self.now)
        if wake < worker.wake_at or worker.wake_at <= self.now:
            worker.wake_at = wake
            if wake < math.inf:
                self.at(max(wake, self.now + 1e-3), self.dispatch, worker)

    def see_head(self, worker: _Worker, permit: Any) -> None:
        worker.contestant.admit(permit, self.now)
        self.dispatch(worker)

    def see_answer(self, worker: _Worker, permit: Any) -> None:
        self.successes += 1
        worker.successes += 1
        worker.contestant.complete(permit, self.now)
        self.dispatch(worker)

    def see_refusal(self, worker: _Worker, permit: Any, attempts: int, told: int | None, current: int | None) -> None:
        worker.contestant.refuse(permit, self.now, told, current)
        if worker.max_attempts is None:
            worker.refused.append(0)
        elif attempts + 1 < worker.max_attempts:
            self.at(self.now + self.random.uniform(0, min(0.5 * 2**attempts, 30.0)), self.requeue, worker, attempts + 1)
        else:
            self.dead += 1
        self.dispatch(worker)

    def requeue(self, worker: _Worker, attempts: int) -> None:
        worker.refused.append(attempts)
        self.dispatch(worker)

    # -- the server --------------------------------------------------------------------------------------------------

    def arrive(self, worker: _Worker, permit: Any, attempts: int) -> None:
        scenario = self.scenario
        limit = scenario.hidden(self.now)
        if self.active >= limit:
            self.refusals += 1
            told, current = (limit, self.active + 1) if scenario.tells_limit else (None, None)
            self.at(self.now + self.half_trip(), self.see_refusal, worker, permit, attempts, told, current)
            return
        self.active += 1
        service = scenario.median_service * math.exp(scenario.spread * self.random.gauss(0, 1))
        done = self.now + service
        self.at(done, self.finish, worker, permit)
        if scenario.has_early_heads:
            self.at(self.now + min(self.half_trip(), service), self.see_head, worker, permit)

    def finish(self, worker: _Worker, permit: Any) -> None:
        self.active -= 1
        self.at(self.now + self.half_trip(), self.see_answer, worker, permit)


def simulate(scenario: Scenario, make: Callable[[], Contestant] | None = None, seed: int = 1) -> Outcome:
    """Play ``scenario`` in virtual time; without ``make`` with the admission-count limiter."""
    return _Simulation(scenario, make or (lambda: AdmissionLimiter(ceiling=scenario.ceiling)), seed).run()


SCENARIOS: Sequence[Scenario] = (
    Scenario("constant 39", constant(39)),
    Scenario("constant 500", constant(500)),
    Scenario("constant 2500", constant(2500)),
    Scenario("constant 500, late heads", constant(500), has_early_heads=False),
    Scenario("constant 500, text tells nothing", constant(500), tells_limit=False),
    Scenario("step up 200 to 800", step(200, 800, 200.0)),
    Scenario("step down 800 to 200", step(800, 200, 200.0)),
    Scenario("step down 800 to 200, no text", step(800, 200, 200.0), tells_limit=False),
    Scenario("fall 500 to 50", fall(500, 50, 600.0)),
    Scenario("sawtooth 150 to 500 in 120 s", sawtooth(150, 500, 120.0)),
    Scenario("sawtooth, late heads", sawtooth(150, 500, 120.0), has_early_heads=False),
    Scenario("four workers share 500", constant(500), workers=4),
    Scenario("four workers, late heads", constant(500), workers=4, has_early_heads=False),
    Scenario("four workers, sawtooth", sawtooth(150, 500, 120.0), workers=4),
)


def _storm() -> Contestant:
    return Fixed(2500)


CONTESTANTS: Sequence[tuple[str, Callable[[], Contestant] | None]] = (
    ("admission count", None),
    ("fixed 100", lambda: Fixed(100)),
    ("fixed 2500, backoff", _storm),
    ("AIMD", Aimd),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="scenarios whose name holds this")
    parser.add_argument("--seconds", type=float, default=None, help="virtual seconds, instead of 600")
    parser.add_argument("--all", action="store_true", help="with the fixed limit far above the hidden one: minutes")
    arguments = parser.parse_args()
    print(f"{'scenario':34}{'contestant':22}{'goodput':>8}{'s to 90 %':>11}{'429/ok':>8}{'dead':>7}  share by worker")
    for scenario in SCENARIOS:
        if arguments.only not in scenario.name:
            continue
        if arguments.seconds:
            scenario = Scenario(**{**scenario.__dict__, "seconds": arguments.seconds})
        for name, make in CONTESTANTS:
            if make is _storm and not arguments.all:
                continue
            outcome = simulate(scenario, make)
            total = max(sum(outcome.by_worker), 1)
            shares = " ".join(f"{share / total:.0%}" for share in outcome.by_worker) if scenario.workers > 1 else ""
            reached = "never" if math.isinf(outcome.seconds_to_90) else f"{outcome.seconds_to_90:.1f}"
            print(
                f"{scenario.name:34}{name:22}{outcome.goodput:>8.1%}{reached:>11}"
                f"{outcome.refusals_per_success:>8.2f}{outcome.dead:>7}  {shares}"
            )


if __name__ == "__main__":
    main()
