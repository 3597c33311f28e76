"""Does reading still cost what it did, next to hand-written loops? ``python -m benchmarks.guard [--quick | --store]``

What is compared with `STORED` are ratios of CPU, ours over each floor's (see `guarded`), which hardly depend on the
machine; and a case is slower only if it grew next to every floor, since from one processor to another the floors'
costs move as well, each in its own way. What looks slower is measured again, twice: the best of three counts.

``--quick`` measures for less long and grants more slack, for a machine that is busy with other tests. With ``--store``
the present ratios become the stored ones; do so with a change that is meant to move them.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .guarded import OVER_LOOPBACK, ratios

STORED = Path(__file__).with_name("guard.json")
SLACK, QUICK_SLACK, ELSEWHERE_SLACK = 1.12, 1.6, 1.4
"""How much more than stored is still taken for noise; the last with another Python than the stored ratios are of.

Beside other work, as in a quick run, chunks that are read by what they repeat have been seen at 1.5 times their quiet
ratio: they take so little that what others do to the caches shows."""
LOOPBACK_SLACK = 0.1
"""So much more for cases over loopback: asyncio's reads cost the floors two page faults each, or none, by chance."""

SECONDS, QUICK_SECONDS, AGAIN_SECONDS = 3.0, 0.1, 0.4
"""How long a case is measured; the last: at least so long where it looked slower."""
ATTEMPTS = 3

Ratios = Mapping[str, Mapping[str, float]]
"""Case → floor → ours over the floor."""


def growth(found: Mapping[str, float], kept: Mapping[str, float]) -> float:
    """By which factor a case costs more than stored, next to the floor that makes the least of it."""
    return min(ratio / kept[floor] for floor, ratio in found.items())


def allowed(name: str, slack: float) -> float:
    """The growth that is still taken for noise in one case."""
    return slack + LOOPBACK_SLACK if name in OVER_LOOPBACK else slack


def best_of(
    measure: Callable[[Iterable[str] | None], Ratios], kept: Ratios, slack: float
) -> dict[str, Mapping[str, float]]:
    """What was found; for the cases beyond their slack, the best of some attempts: a bad moment is no regression."""
    best = dict(measure(None))
    for _ in range(ATTEMPTS - 1):
        slower = [name for name in best.keys() & kept.keys() if growth(best[name], kept[name]) > allowed(name, slack)]
        if not slower:
            break
        for name, found in measure(slower).items():
            best[name] = min(best[name], found, key=lambda ratios, name=name: growth(ratios, kept[name]))
    return best


def regressions(found: Ratios, kept: Ratios, slack: float) -> list[str]:
    """A line for each case that grew beyond its slack, and for each that only one side knows."""
    lines = [f"{name}: stored, and not measured any more" for name in kept.keys() - found.keys()]
    for name, case in found.items():
        if name not in kept:
            lines.append(f"{name}: measured, and nothing is stored; run with --store")
        elif (factor := growth(case, kept[name])) > (most := allowed(name, slack)):
            lines.append(f"{name}: {factor:.2f} times what is stored, at most {most:g} with its slack")
    return lines


def stored() -> tuple[str, Ratios]:
    """The Python that the stored ratios are of, and those."""
    kept = json.loads(STORED.read_text())
    return kept["python"], kept["ratios"]


def this_python() -> str:
    """Implementation, version and architecture."""
    return f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor} {platform.machine()}"


def _store(found: Ratios) -> None:
    rounded = {name: {floor: round(ratio, 3) for floor, ratio in case.items()} for name, case in found.items()}
    STORED.write_text(json.dumps({"python": this_python(), "ratios": rounded}, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description="Compare ratios with stored ones.")
    parser.add_argument("--store", action="store_true", help="make the present ratios the stored ones")
    parser.add_argument("--quick", action="store_true", help="for less long, with more slack")
    arguments = parser.parse_args()
    python, kept = stored()
    slack = QUICK_SLACK if arguments.quick else SLACK
    if python != this_python():
        slack = max(slack, ELSEWHERE_SLACK)
        print(f"The stored ratios are of {python}, this is {this_python()}: up to {slack:g} times as much passes.")
    seconds = QUICK_SECONDS if arguments.quick else SECONDS

    def measure(names: Iterable[str] | None) -> Ratios:
        return ratios(seconds if names is None else max(seconds, AGAIN_SECONDS), names)

    found = ratios(seconds) if arguments.store else best_of(measure, kept, slack)
    for name, case in found.items():
        for floor, ratio in case.items():
            was = kept.get(name, {}).get(floor)
            print(f"{name:34} / {floor:7} {ratio:6.2f}   " + (f"stored {was:6.2f}" if was else "nothing stored"))
    if arguments.store:
        _store(found)
        return 0
    lines = regressions(found, kept, slack)
    for line in lines:
        print(f"slower than stored: {line}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
