"""The vectors: real and invented streams with what the standard makes of them, fed in every cut, to both views."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.sse import ServerSentEvent

from .feeding import byte_by_byte, feed, two_way_cuts
from .reference import Reading, read

pytestmark = pytest.mark.usefixtures("untraced")

_CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "sse-cases.json").read_text(encoding="utf-8")
)

every_case = pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in _CASES])


every_long_case = pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in _CASES if "generate" in case]
)


def _stream_of(case: dict[str, Any], most: int = 2**20) -> bytes:
    """A vector's bytes; what it repeats, at most so often."""
    if "generate" in case:
        parts = case["generate"]["parts"]
        return b"".join(base64.b64decode(part["b64"]) * min(part["repeat"], most) for part in parts)
    return base64.b64decode(case["input_b64"])


def _assert_cuts_change_nothing(stream: bytes) -> None:
    whole = feed([stream])
    for reads in two_way_cuts(stream):
        assert feed(reads) == whole, f"cut at {len(reads[0])}"


# So often a vector repeats itself in the tests that feed it many times: as long as it is takes twenty seconds more.
_SHORT = 2000


def _events_of(listed: list[dict[str, Any]]) -> list[ServerSentEvent]:
    events = []
    for entry in listed:
        parts = entry.get("data_parts")
        data = entry["data"] if parts is None else "".join(part["text"] * part["repeat"] for part in parts)
        events += [ServerSentEvent(entry["event"], data, entry["id"], entry["retry"])] * entry.get("repeat", 1)
    return events


def _assert_reads_as(reading: Reading, case: dict[str, Any]) -> None:
    events = [item for item in reading.items if isinstance(item, ServerSentEvent)]
    assert events == _events_of(case["events"])
    flushed = events if reading.unfinished is None else [*events, reading.unfinished]
    assert flushed == _events_of(case.get("events_eof_flush", case["events"]))


@every_case
def test_reference(case: dict[str, Any]) -> None:
    """The reference parser, which the random streams are held against, reads every vector right itself."""
    _assert_reads_as(read(_stream_of(case)), case)


@every_case
def test_whole(case: dict[str, Any]) -> None:
    """A vector in one read gives its events; what the end cuts off, if anything, is the event it lists for a flush."""
    stream = _stream_of(case)
    _assert_reads_as(feed([stream]), case)
    assert feed([stream]).items == read(stream).items


@every_case
def test_cut_in_two(case: dict[str, Any]) -> None:
    """A vector cut in two at any place gives what it gives whole, comments and unframed text included."""
    _assert_cuts_change_nothing(_stream_of(case, _SHORT))


@every_case
def test_byte_by_byte(case: dict[str, Any]) -> None:
    """A vector in reads of one byte gives what it gives whole, comments and unframed text included."""
    stream = _stream_of(case, _SHORT)
    assert feed(byte_by_byte(stream)) == feed([stream])


@pytest.mark.soak
@every_long_case
def test_cuts_of_what_is_long(case: dict[str, Any]) -> None:
    """The long vectors as long as they are: cut in two, and byte by byte."""
    stream = _stream_of(case)
    _assert_cuts_change_nothing(stream)
    assert feed(byte_by_byte(stream)) == feed([stream])


def test_no_case_is_missing() -> None:
    """The vectors are all there, under names of their own."""
    assert len(_CASES) == 123
    assert len({case["name"] for case in _CASES}) == 123
