"""An output as a story: when rows ended, how the limit went, run by run; old journals tell what they know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.batch.journal.history import Moment, history_of
from deepseek_async.batch.journal.journal import side_file_of
from deepseek_async.batch.journal.lines import Finished, SideLine, closing_line, header_line, mark_line, moment_line
from deepseek_async.batch.journal.unfinished import Marks
from deepseek_async.errors import InvalidRequestError


def line(name: str, sent_at: float, *, run: int = 1, **x: Any) -> bytes:
    error = x.pop("error", None)
    told = {"body_hash": "0", "run": run, "attempts": 1, "sent_at": sent_at, **x}
    return json.dumps({"id": "b", "custom_id": name, "response": None, "error": error, "x": told}).encode() + b"\n"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def test_runs_one_after_the_other(output: Path) -> None:
    """What each row's line tells, and the notes between the marks."""
    failed = {"code": "x", "type": "BadRequestError", "message": "m"}
    output.write_bytes(
        line("a", 100.0, latency=2.0, cost="0.5")
        + line("b", 101.0, error=failed)
        + line("b", 900.0, run=2, latency=1.0)
    )
    side_file_of(output).write_bytes(
        header_line(1, 1, 99.0, {})
        + mark_line("a", 1)
        + moment_line(100.5, limit=32, in_flight=2, refusals=0)
        + moment_line(101.5, limit=16, in_flight=1, refusals=7)
        + closing_line(1, 103.0, {"unfinished": []}, [])
        + header_line(1, 2, 890.0, {})
    )
    first, second = history_of(output)
    assert (first.began, first.ended) == (99.0, 103.0)
    assert list(first.ends) == [102.0, 101.0]
    assert (list(first.failed), list(first.costs), list(first.latencies)) == ([0, 1], [0.5, 0.0], [2.0, 0.0])
    assert first.moments == [Moment(100.5, 32, 2, 0), Moment(101.5, 16, 1, 7)]
    assert (second.began, second.ended, second.moments) == (890.0, 901.0, [])


def test_a_run_that_was_killed_ends_with_what_is_known_last(output: Path) -> None:
    output.write_bytes(line("a", 100.0, latency=2.0))
    side_file_of(output).write_bytes(header_line(1, 1, 99.0, {}) + moment_line(108.0, limit=1, in_flight=1, refusals=0))
    (run,) = history_of(output)
    assert (run.began, run.ended) == (99.0, 108.0)


def test_without_the_side_file(output: Path) -> None:
    output.write_bytes(line("a", 100.0, latency=2.0) + line("b", 110.0, latency=1.0) + line("no", 0.0))
    (run,) = history_of(output)
    assert (run.began, run.ended) == (102.0, 111.0)


def test_what_is_no_output(output: Path) -> None:
    with pytest.raises(InvalidRequestError, match="no such file"):
        history_of(output)
    output.write_bytes(b"id,text\n1,x\n")
    with pytest.raises(InvalidRequestError, match="is no output of a batch"):
        history_of(output)
    output.write_bytes(b"")
    assert history_of(output) == []


@pytest.mark.parametrize("together", [1, 2, 3, 100])
def test_notes_between_marks_change_nothing(together: int) -> None:
    """Which rows were sent and not finished is the same with notes among the marks, however they are read."""
    lines = [SideLine(run=1), SideLine(sent="a"), SideLine(sent="b"), SideLine(sent_again="c"), SideLine(sent="d")]
    noted = [part for told in lines for part in (told, SideLine(at=1.0))]
    finished = [[Finished("b", _key())]]
    for some in (lines, noted):
        blocks = [some[at : at + together] for at in range(0, len(some), together)]
        marks = Marks(finished, blocks)
        assert (marks.unfinished, list(marks.again), marks.runs) == ({"a", "c", "d"}, ["c"], 1)


def _key() -> Any:
    import msgspec

    return msgspec.json.decode(b'{"custom_id": "b", "x": {"body_hash": "0", "attempts": 1}}', type=Finished).x
