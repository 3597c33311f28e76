"""Interleaved rounds of one axis, and the medians of what they cost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median

import attrs

from .axes import SCALES, SLOW, Axis
from .processes import Absent, Server, Worker, environment
from .wire import ROWS

_IMPORT = "import time; start = time.process_time(); from {} import {}; {}; print(time.process_time() - start)"
_BUSY = 0.8
"""A server that is busier than that might be what is measured."""


@attrs.frozen
class Round:
    """What one turn of a contestant took, in the axis' unit, and of the seconds of that turn the shares in which its
    core and the server's were busy (CPU rounds only)."""

    figure: float
    busy: float | None = None
    server: float | None = None


@attrs.frozen
class Figures:
    """A contestant's counted rounds on one axis."""

    at_once: int
    rounds: tuple[Round, ...]

    @property
    def median(self) -> float:
        return median(turn.figure for turn in self.rounds)

    def share(self, name: str) -> float | None:
        """The median of ``busy`` or ``server``, where it was measured."""
        shares = [share for turn in self.rounds if (share := getattr(turn, name)) is not None]
        return median(shares) if shares else None


def measured(axis: Axis, server: Server, tell: Callable[[str], None]) -> dict[str, Figures]:
    """Give every contestant its turn before any has its next; the first turn only warms up.

    Args:
        axis: What to measure.
        server: The replaying server.
        tell: Takes a line on whoever could not take part, and on a server that was too busy.
    """
    rounds: dict[str, list[Round]] = {name: [] for name in axis.at_once}
    workers: dict[str, Worker] = {}
    left: set[str] = set()
    warm_ups = 0 if axis.is_fresh else 1
    try:
        for turn in range(axis.rounds + warm_ups):
            for name in axis.at_once:
                if name in left or len(rounds[name]) >= axis.rounds_of(name):
                    continue
                try:
                    if axis.spec is not None and name not in workers:
                        workers[name] = Worker(name, server.root, uvloop=axis.with_uvloop)
                    taken = _turn(axis, name, workers.get(name), server, is_warming_up=turn < warm_ups)
                except (Absent, RuntimeError) as error:
                    tell(f"{name}: left out, {error}")
                    left.add(name)
                    continue
                if axis.is_fresh:
                    workers.pop(name).stop()
                if turn >= warm_ups:
                    rounds[name].append(taken)
    finally:
        for worker in workers.values():
            worker.stop()
    found = {name: Figures(axis.at_once[name], tuple(turns)) for name, turns in rounds.items() if name not in left}
    for name, figures in found.items():
        if (share := figures.share("server") or 0) > _BUSY:
            tell(f"{name}: the server was busy for {share:.0%} of the time; its pace may be what was measured")
    return found


def _turn(axis: Axis, name: str, worker: Worker | None, server: Server, *, is_warming_up: bool) -> Round:
    scale = SCALES[axis.unit]
    if axis.spec is None or worker is None:
        return Round(_import_seconds(name) * scale)
    # One at a time warms up whom many would keep busy for long: its lazy imports, its caches, its compiled schemas.
    at_once = 1 if is_warming_up and name in SLOW else axis.at_once[name]
    if axis.measure not in ("streams", "rows"):
        return Round(worker.measure(axis.measure, axis.spec, at_once)["bytes"] * scale)
    if axis.measure == "streams" and not axis.spec.burst:
        # Beside an answer in one piece a connection costs much. All are open, as in a running program: each client
        # drops those that were unused for a time of its own, which the others' turns must not use up.
        worker.measure(axis.measure, axis.spec, at_once)
    before = server.cpu_seconds()
    took = worker.measure(axis.measure, axis.spec, at_once)
    served = server.cpu_seconds() - before
    if axis.measure == "rows":  # what counts is when they are done
        figure = took["wall"] / ROWS
    else:
        figure = took["cpu"] / at_once / (axis.spec.chunks if axis.spec.burst else 1)
    return Round(figure * scale, took["cpu"] / took["wall"], served / took["wall"])


def _import_seconds(qualified: str) -> float:
    module, name = qualified.removesuffix("()").rsplit(".", 1)
    then = f"{name}('sk-0')" if qualified.endswith("()") else "None"
    package = module.partition(".")[0]
    if find_spec(package) is None:
        raise Absent(f"No module named {package!r}")
    command = [sys.executable, "-c", _IMPORT.format(module, name, then)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment())
    return float(done.stdout)
