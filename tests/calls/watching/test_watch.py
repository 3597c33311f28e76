"""What is told of a call, by a clock that the test turns: who waited for what, and how long."""

from __future__ import annotations

from typing import Any

import pytest

from deepseek_async.calls.watching.watch import CallWatch
from deepseek_async.hooks import Connected, Ended, FirstChunk, Record
from deepseek_async.transport import HTTPRequest

REQUEST = HTTPRequest("POST", "http://h/chat/completions", {}, b'{"messages":[]}')


class Watched:
    """A watch with its clock and its records."""

    def __init__(self) -> None:
        self.now = 0.0
        self.records: list[Record] = []
        self.watch = CallWatch([self.records.append], 1, 1, "m", lambda: self.now)

    def last(self) -> Any:
        return self.records[-1]

    def ended(self, outcome: str = "completed") -> Ended:
        self.watch.end(outcome, 1, 0, None, None, None, None)
        ended = self.records[-1]
        assert isinstance(ended, Ended)
        return ended


def test_the_wait_for_a_connection_has_a_record_of_its_own() -> None:
    """2 s in the queue, 0.5 s for the connection, 1 s for the answer: three figures."""
    it = Watched()
    it.watch.begin_attempt(1, REQUEST)
    it.watch.queued()
    it.now = 2.0
    it.watch.connecting()
    it.now = 2.5
    it.watch.connected(reused=False)
    assert it.last() == Connected(1, 1, waited=2.0, connecting=0.5, reused=False, client=1)
    it.now = 3.5
    it.watch.head(200, "r")
    it.watch.begun("r")
    assert it.last() == FirstChunk(1, 1, 1.0, "r", 1)
    it.now = 4.0
    ended = it.ended()
    assert (ended.first_chunk, ended.elapsed, ended.status, ended.model) == (1.0, 4.0, 200, "m")


@pytest.mark.parametrize("turns", [("queued", "connected"), ("connected",), ("queued", "connecting", "connected")])
def test_a_kept_connection_takes_no_time_to_make(turns: tuple[str, ...]) -> None:
    """Also where one was being made when another became free."""
    it = Watched()
    it.watch.begin_attempt(1, REQUEST)
    for turn in turns[:-1]:
        getattr(it.watch, turn)()
        it.now += 1.0
    it.watch.connected(reused=True)
    assert (it.last().connecting, it.last().reused) == (0.0, True)
    assert it.last().waited == (1.0 if turns[0] == "queued" else 0.0)


def test_a_request_that_goes_out_twice_counts_from_the_second() -> None:
    """Two connections, and the first chunk's time since the last."""
    it = Watched()
    it.watch.begin_attempt(1, REQUEST)
    it.watch.connected(reused=True)
    it.now = 1.0
    it.watch.connecting()
    it.now = 1.25
    it.watch.connected(reused=False)
    it.now = 2.0
    it.watch.head(200, None)
    it.watch.read(1, 0.0, None)
    assert [type(record) for record in it.records].count(Connected) == 2
    assert it.last().elapsed == 0.75


def test_the_callers_time_is_left_out() -> None:
    """Only waits count: 0.2 s to the head, 0.3 s and 0.1 s to the first chunk, then 0.4 s for the next two."""
    it = Watched()
    it.watch.begin_attempt(1, REQUEST)
    it.watch.connected(reused=True)
    it.now = 0.2
    it.watch.head(200, None)
    it.now = 60.0
    it.watch.read(0, 0.3, None)  # a keep-alive
    it.watch.read(1, 0.1, None)
    assert it.last().elapsed == pytest.approx(0.6)
    it.now = 120.0
    it.watch.read(2, 0.4, None)
    it.watch.read(0, 0.5, None)
    ended = it.ended()
    assert (ended.intervals.count, ended.intervals.max) == (2, 0.4)
    assert ended.intervals.mean == pytest.approx(0.2)


def test_each_attempt_begins_anew() -> None:
    """What is told at the end is the last attempt's."""
    it = Watched()
    it.watch.begin_attempt(1, REQUEST)
    it.watch.connected(reused=True)
    it.watch.head(503, "a")
    it.watch.read(3, 1.0, "a")
    it.watch.begin_attempt(2, REQUEST)
    ended = it.ended("failed")
    assert (ended.status, ended.first_chunk, ended.intervals.count) == (None, None, 0)
