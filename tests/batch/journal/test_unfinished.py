"""Rows that were sent and not finished: read in step, it is what it would be with everything in memory."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import msgspec
import pytest

from deepseek_async.batch.journal import unfinished as module
from deepseek_async.batch.journal.lines import (
    Finished,
    SideLine,
    closing_line,
    finished_decoder,
    header_line,
    mark_line,
    side_decoder,
)
from deepseek_async.batch.journal.unfinished import Marks


@attrs.define
class History:
    """What runs have written, and what of it nobody knows the end of."""

    rows: list[Finished] = attrs.field(factory=list)
    side: list[SideLine] = attrs.field(factory=list)
    unfinished: set[str] = attrs.field(factory=set)
    runs: int = 0

    def begin(self) -> None:
        self.runs += 1
        self.side.append(side_decoder.decode(header_line(1, self.runs, 0.0, {})))

    def mark(self, name: str) -> None:
        self.side.append(side_decoder.decode(mark_line(name, 1, is_again=name in self.unfinished)))

    def finish(self, name: str, *, attempts: int = 1) -> None:
        x: dict[str, Any] = {"body_hash": "0", "run": self.runs, "attempts": attempts}
        self.rows.append(finished_decoder.decode(msgspec.json.encode({"custom_id": name, "x": x})))
        self.unfinished.discard(name)

    def close(self, unfinished: list[str], unsent: Sequence[str] = ()) -> None:
        self.side.append(side_decoder.decode(closing_line(self.runs, 0.0, {"unfinished": unfinished}, unsent)))


def blocks(lines: Sequence[Any], chance: random.Random) -> Iterator[Sequence[Any]]:
    """Lines as a scan brings them: in blocks of any length, some of them empty."""
    at = 0
    while at < len(lines):
        size = chance.choice([0, 1, 2, 3, 10, 50])
        yield lines[at : at + size]
        at += size


def play(seed: int) -> History:
    """Some runs over some rows: killed or stopped, finished out of order, failed and sent again by the next."""
    chance, history = random.Random(seed), History()
    to_do = [f"row-{number}" for number in range(chance.choice([0, 3, 40, 200]))]
    for _ in range(chance.randint(1, 4)):
        history.begin()
        todo_next: list[str] = []
        in_flight: list[str] = []
        rows, most = list(to_do), chance.choice([1, 5, 30])
        is_killed, left = chance.random() < 0.6, chance.choice([0, chance.randint(0, len(rows))])
        while (rows or in_flight) and not (left and len(rows) < left):
            if rows and len(in_flight) < most and (not in_flight or chance.random() < 0.5):
                name = rows.pop(0)
                if chance.random() < 0.1:
                    history.finish(name, attempts=0)  # it cannot be sent: no mark
                else:
                    history.mark(name)
                    in_flight.append(name)
            else:
                name = in_flight.pop(chance.randrange(len(in_flight)))
                history.finish(name)
                if chance.random() < 0.2:
                    todo_next.append(name)
        if is_killed:
            history.unfinished.update(in_flight)
        else:
            unsent = chance.sample(in_flight, len(in_flight) // 2)
            for name in unsent:
                in_flight.remove(name)  # it was read ahead, and the run knows that it was not sent
                rows.append(name)
            history.close(in_flight, unsent)
            history.unfinished.update(in_flight)
        to_do = todo_next + in_flight + rows
        chance.shuffle(to_do)
    return history


@pytest.mark.parametrize("waiting", [0, 1, 7, 10_000])
def test_any_history(waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the two files are cut, however far one is read before the other."""
    monkeypatch.setattr(module, "_WAITING", waiting)
    for seed in range(150):
        history, chance = play(seed), random.Random(seed)
        marks = Marks(blocks(history.rows, chance), blocks(history.side, chance))
        assert marks.unfinished == history.unfinished, seed
        assert marks.runs == history.runs


def test_a_side_file_that_is_gone() -> None:
    """Runs are counted by their rows; nothing of them counts as unfinished; later marks are not taken for theirs."""
    history = History()
    history.begin()
    history.mark("a")
    history.finish("a")
    history.side.clear()
    assert Marks([history.rows], []).runs == 1
    history.begin()
    history.mark("a")  # it had failed
    marks = Marks([history.rows], [history.side])
    assert (marks.runs, marks.unfinished) == (2, {"a"})


def test_lines_that_somebody_cut() -> None:
    """A run ended well, and rows of it have no line any more: they were sent, and nobody has their answers."""
    history = History()
    history.begin()
    for name in ("a", "b", "c"):
        history.mark(name)
    history.finish("a")
    history.close([], ["c"])
    assert Marks([history.rows], [history.side]).unfinished == {"b"}


def test_the_report_of_the_latest_run() -> None:
    """It is told as long as no further run has begun."""
    history = History()
    history.begin()
    history.mark("a")
    history.close(["a"])
    marks = Marks([], [history.side])
    assert (marks.report, marks.unfinished) == ({"unfinished": ["a"]}, {"a"})
    history.begin()
    assert Marks([], [history.side]).report is None


def _many(count: int) -> Iterator[tuple[list[SideLine], list[Finished]]]:
    history = History()
    history.begin()
    for first in range(0, count, 500):
        for number in range(first, first + 500):
            history.mark(f"row-{number}")
            if number >= 100:
                history.finish(f"row-{number - 100}")
        yield history.side, history.rows
        history.side, history.rows = [], []


@pytest.mark.usefixtures("untraced")
def test_memory_is_that_of_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """40,000 rows, of which 100 are under way at a time: their names are never all in memory."""
    monkeypatch.setattr(module, "_WAITING", 500)
    tracemalloc.start()
    try:
        marks = Marks((rows for _, rows in _many(40_000)), (side for side, _ in _many(40_000)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert marks.unfinished == {f"row-{number}" for number in range(39_900, 40_000)}
    assert peak < 2**20, "in a set, all of them are 4 MB"
