"""Interleaved rounds of one axis, and the medians of what they cost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from statistics import median

import attrs

from .axes import SCALES, SLOW, Axis
from .processes import Absent, Worker

_IMPORT = "import time; start = time.process_time(); from {} import {}; print(time.process_time() - start)"


@attrs.frozen
class Figures:
    """What one contestant took on one axis, in the axis' unit, a figure a round."""

    at_once: int
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.rounds)


def measured(axis: Axis, root: str, tell: Callable[[str], None]) -> dict[str, Figures]:
    """Give every contestant its turn before any has its next; the first turn of the quick ones only warms up.

    Args:
        axis: What to measure.
        root: URL of the replaying server.
        tell: Takes a line on whoever could not take part.
    """
    rounds: dict[str, list[float]] = {name: [] for name in axis.at_once}
    workers: dict[str, Worker] = {}
    left: set[str] = set()
    try:
        for turn in range(axis.rounds + 1):
            for name, at_once in axis.at_once.items():
                is_warming_up = turn == 0 and not axis.is_fresh and axis.spec is not None
                if name in left or (is_warming_up and name in SLOW) or len(rounds[name]) >= axis.rounds_of(name):
                    continue
                if axis.spec is None:
                    figure = _import_seconds(name)
                else:
                    try:
                        worker = workers.get(name) or Worker(name, root, uvloop=axis.with_uvloop)
                        workers[name] = worker
                        figure = _per_unit(axis, worker.measure(axis.measure, axis.spec, at_once), at_once)
                    except (Absent, RuntimeError) as error:
                        tell(f"{name}: left out, {error}")
                        left.add(name)
                        continue
                    if axis.is_fresh:
                        workers.pop(name).stop()
                if not is_warming_up:
                    rounds[name].append(figure * SCALES[axis.unit])
    finally:
        for worker in workers.values():
            worker.stop()
    return {name: Figures(axis.at_once[name], tuple(figures)) for name, figures in rounds.items() if name not in left}


def _per_unit(axis: Axis, figures: dict[str, float], at_once: int) -> float:
    if axis.measure == "streams":
        assert axis.spec is not None
        return figures["cpu"] / at_once / (axis.spec.chunks if axis.spec.burst else 1)
    return figures["bytes"]


def _import_seconds(qualified: str) -> float:
    module, name = qualified.rsplit(".", 1)
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT.format(module, name)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)
