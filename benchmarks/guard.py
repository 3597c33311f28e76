"""Does reading still cost what it did, next to a hand-written loop? ``python -m benchmarks.guard [--quick | --store]``

Bytes → chunks → fold, without a network, in one process: ours and the floors take turns on the same reads, and the
least of many turns counts, since everything else that a machine does only adds. What is compared with `STORED` is the
ratio ours / floor, which hardly depends on the machine.

``--quick`` takes fewer turns and grants more slack, for a machine that is busy with other tests. With ``--store`` the
present ratios become the stored ones; do so with a change that is meant to move them.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import orjson

from deepseek_async.codec.fold import Fold
from deepseek_async.codec.stream import State, chat_decoder

from .wire import Spec, bursts

STORED = Path(__file__).with_name("guard.json")
SLACK, QUICK_SLACK = 1.35, 2.0
"""How much more than stored is still taken for noise."""

TURNS, QUICK_TURNS = 400, 40

Read = Callable[[list[bytes]], int]
"""Reads of one stream → characters of its text."""


def _iterate(reads: list[bytes]) -> int:
    decoder, characters = chat_decoder(), 0
    for data in reads:
        for chunk in decoder.receive_data(data):
            for choice in chunk.choices:
                characters += len(choice.delta.content or "")
    assert decoder.state is State.DONE
    return characters


def _fold(reads: list[bytes]) -> int:
    decoder, fold = chat_decoder(), Fold()
    for data in reads:
        for chunk in decoder.receive_data(data):
            fold.add(chunk)
    assert decoder.state is State.DONE
    return len(fold.completion(done=True).text)


def _floor(loads: Callable[[bytes], Any]) -> Read:
    """The loop that a user would write by hand."""

    def read(reads: list[bytes]) -> int:
        characters, rest = 0, b""
        for data in reads:
            *events, rest = (rest + data).split(b"\n\n")
            for event in events:
                payload = event[6:]
                if payload == b"[DONE]":
                    break
                for choice in loads(payload)["choices"]:
                    characters += len(choice["delta"].get("content") or "")
        return characters

    return read


_FLOORS = {"json": _floor(json.loads), "orjson": _floor(orjson.loads)}


@attrs.frozen
class Case:
    """Ours on one stream, next to both floors."""

    name: str
    read: Read
    spec: Spec


CASES = (
    Case("plain, iterate", _iterate, Spec("plain", 256)),
    Case("plain, fold", _fold, Spec("plain", 256)),
    Case("20 alternatives, fold", _fold, Spec("top20", 128)),
)


def _seconds(read: Read, reads: list[bytes], characters: int) -> float:
    start = time.process_time()
    seen = read(reads)
    seconds = time.process_time() - start
    assert seen == characters, f"saw {seen} characters, sent {characters}"
    return seconds


def ratios(turns: int) -> dict[str, float]:
    """``<case> / <floor>`` → ours over the floor, the least of `turns` turns each."""
    found = {}
    for case in CASES:
        reads, characters = bursts(case.spec), case.spec.characters
        contestants = {"ours": case.read, **_FLOORS}
        least = dict.fromkeys(contestants, float("inf"))
        gc.collect()
        for _ in range(turns):
            for name, read in contestants.items():
                least[name] = min(least[name], _seconds(read, reads, characters))
        for floor in _FLOORS:
            found[f"{case.name} / {floor}"] = least["ours"] / least[floor]
    return found


def stored() -> dict[str, float]:
    """The ratios to hold."""
    kept: dict[str, float] = json.loads(STORED.read_text())
    return kept


def regressions(found: Mapping[str, float], kept: Mapping[str, float], slack: float = SLACK) -> list[str]:
    """A line for each ratio that grew beyond its slack, and for each that only one side knows."""
    lines = [f"{name}: stored, and not measured any more" for name in kept.keys() - found.keys()]
    for name, ratio in found.items():
        if name not in kept:
            lines.append(f"{name}: measured {ratio:.2f}, and nothing is stored; run with --store")
        elif ratio > kept[name] * slack:
            limit = kept[name] * slack
            lines.append(f"{name}: {ratio:.2f}, stored {kept[name]:.2f}, at most {limit:.2f} with its slack")
    return lines


def confirmed_regressions(measure: Callable[[], Mapping[str, float]], slack: float) -> list[str]:
    """What two measurements agree on: one bad moment of the machine is no regression."""
    first = measure()
    if not regressions(first, stored(), slack):
        return []
    second = measure()
    return regressions({name: min(ratio, second[name]) for name, ratio in first.items()}, stored(), slack)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description="Compare ratios with stored ones.")
    parser.add_argument("--store", action="store_true", help="make the present ratios the stored ones")
    parser.add_argument("--quick", action="store_true", help="fewer turns, more slack")
    arguments = parser.parse_args()
    found = {}

    def measure() -> Mapping[str, float]:
        found.update(ratios(QUICK_TURNS if arguments.quick else TURNS))
        return found

    if arguments.store:
        STORED.write_text(json.dumps({name: round(ratio, 3) for name, ratio in measure().items()}, indent=1) + "\n")
        lines = []
    else:
        lines = confirmed_regressions(measure, QUICK_SLACK if arguments.quick else SLACK)
    for name, ratio in found.items():
        print(f"{name:32} {ratio:6.2f}   stored {stored().get(name, float('nan')):6.2f}")
    for line in lines:
        print(f"slower than stored: {line}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
