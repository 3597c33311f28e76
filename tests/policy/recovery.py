"""Servers that fall ill in every way and become well again: how long the limiter takes to find that out.

``python -m tests.policy.recovery 1000`` plays so many random servers in virtual time and prints the slowest.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import sys
from collections.abc import Callable
from typing import Any, Literal

import attrs

from deepseek_async.policy.limiter import AdmissionLimiter, Permit

Kind = Literal["well", "refuses", "fails", "fails late", "hangs", "half", "tiny", "asks to wait"]
KINDS: tuple[Kind, ...] = ("well", "refuses", "fails", "fails late", "hangs", "half", "tiny", "asks to wait")


@attrs.frozen
class Server:
    """What a server does, and from when on it is well.

    Attributes:
        phases: Until when, in seconds, which kind lasts; after the last one the server is well.
        limit: Requests that it takes at once while it is well.
    """

    phases: tuple[tuple[float, Kind], ...]
    limit: int
    ceiling: int
    service: float
    round_trip: float
    has_early_heads: bool
    tells_limit: bool

    @property
    def well_from(self) -> float:
        return self.phases[-1][0]

    def kind(self, now: float) -> Kind:
        return next((kind for end, kind in self.phases if now < end), "well")


def server_of(seed: int) -> Server:
    """A random server."""
    chance = random.Random(seed)
    ends = itertools.accumulate(chance.choice((0.5, 3, 20, 60)) * chance.uniform(0.3, 1) for _ in itertools.count())
    return Server(
        phases=tuple((next(ends), chance.choice(KINDS)) for _ in range(chance.randint(1, 6))),
        limit=chance.choice((1, 2, 5, 20, 60, 150)),
        ceiling=chance.choice((8, 100, 2500)),
        service=chance.choice((0.1, 1.0, 4.0, 15.0)),
        round_trip=chance.choice((0.01, 0.1, 0.3)),
        has_early_heads=chance.random() < 0.5,
        tells_limit=chance.random() < 0.5,
    )


class _Play:
    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.limiter = AdmissionLimiter(ceiling=server.ceiling)
        self.events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self.order = itertools.count()
        self.now = 0.0
        self.active = 0
        self.wake_at = -math.inf
        self.last = -math.inf

    def at(self, when: float, action: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self.events, (when, next(self.order), action, arguments))

    def seconds(self, patience: float) -> float:
        """From the server's recovery until it is used to 90 %; infinity if not within patience."""
        server = self.server
        on_the_way = 1.5 * server.round_trip / (server.round_trip + server.service)  # of what is in flight, about
        enough = 0.9 * min(server.limit, server.ceiling * (1 - min(on_the_way, 0.6)))
        self.at(0.0, self.send)
        while self.events and self.events[0][0] <= server.well_from + patience:
            self.now, _, action, arguments = heapq.heappop(self.events)
            action(*arguments)
            if self.now >= server.well_from and self.active >= enough:
                return self.now - server.well_from
        return math.inf

    def send(self) -> None:
        limiter = self.limiter
        self.wake_at = math.inf
        while True:
            has_room, permit = limiter.has_room(self.now), limiter.try_acquire(self.now)
            assert has_room is (permit is not None), "what it says when asked is not what it does"
            if permit is None:
                break
            self.at(self.now + self.round_trip() / 2, self.arrive, permit)
        if (wake := limiter.wake_at(self.now)) < self.wake_at and wake < math.inf:
            self.wake_at = wake
            self.at(max(wake, self.now + 1e-3), self.wake, wake)

    def wake(self, wake: float) -> None:
        if wake == self.wake_at:  # else a later look has set another time
            self.send()

    def round_trip(self) -> float:
        return self.server.round_trip * self.random.uniform(0.8, 1.4)

    def arrive(self, permit: Permit) -> None:
        server, kind, back = self.server, self.server.kind(self.now), self.now + self.round_trip() / 2
        limit = 2 if kind == "tiny" else server.limit
        if kind == "half" and self.random.random() < 0.6:
            kind = self.random.choice(("fails", "refuses"))
        if kind in ("refuses", "asks to wait") or (kind in ("well", "half", "tiny") and self.active >= limit):
            told = (limit, limit + 1) if server.tells_limit and kind != "refuses" else (None, None)
            self.at(back, self.refused, permit, *told, 5.0 if kind == "asks to wait" else None)
        elif kind in ("fails", "fails late", "hangs"):
            late = {"fails": 0.0, "fails late": self.random.uniform(0, 5), "hangs": 30.0}[kind]
            self.at(back + late, self.failed, permit)
        else:
            self.active += 1
            done = self.now + server.service * math.exp(0.5 * self.random.gauss(0, 1))
            self.at(done, self.finished, permit)
            if server.has_early_heads:
                self.at(min(back, done), self.admitted, permit)

    def admitted(self, permit: Permit) -> None:
        self.limiter.admit(permit, self.now)
        self.send()

    def finished(self, permit: Permit) -> None:
        self.active -= 1
        self.at(self.now + self.round_trip() / 2, self.completed, permit)

    def completed(self, permit: Permit) -> None:
        self.limiter.complete(permit, self.now)
        self.send()

    def refused(self, permit: Permit, told: int | None, current: int | None, retry_after: float | None) -> None:
        self.limiter.refuse(permit, self.now, told, current, retry_after=retry_after)
        self.send()

    def failed(self, permit: Permit) -> None:
        self.limiter.fail(permit, self.now)
        # A row that failed rests, and ten a second are sent again: a server that fails at once is not asked for ever.
        self.at(self.now + 0.1, self.send)


def seconds_to_recover(seed: int, patience: float = 120.0) -> float:
    """How long after its recovery the server of that number is used again; infinity: not within patience."""
    return _Play(server_of(seed), seed).seconds(patience)


def main() -> None:
    count = int(sys.argv[1])
    slowest = sorted(((seconds_to_recover(seed), seed) for seed in range(count)), reverse=True)
    for seconds, seed in slowest[:8]:
        print(f"{seconds:8.1f} s  server {seed}: {server_of(seed)}")
    print(f"median {slowest[count // 2][0]:.1f} s of {count} servers")


if __name__ == "__main__":
    main()
