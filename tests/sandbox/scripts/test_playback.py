"""Scripts over answers, as actions: exact, and without a network."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.sandbox import (
    Bom,
    Coalesce,
    Comment,
    ContentType,
    Cut,
    EarlyEnd,
    Garbage,
    InBandError,
    KeepAlives,
    LateHead,
    LineEnds,
    Reset,
    Script,
    Split,
    Stall,
    WrongLength,
)
from deepseek_async.sandbox.scripts.actions import Abort, Action, Close, End, Event, Head, Reply, Send, Wait
from deepseek_async.sandbox.scripts.playback import DONE, JSON, play

STREAM = [
    Event(b"data: 1\n\n", "chunk"),
    Event(b"data: 2\n\n", "chunk", 1),
    Event(b"data: 3\n\n", "last"),
    Event(DONE, "done"),
]
WHOLE = [Event(b"", "work", 1), Event(b'{"a":1}', "last")]


def played(*faults: Any, events: list[Event] = STREAM, **options: Any) -> list[Action]:
    """The actions of a script with these faults."""
    return list(play(events, Script(faults=faults), **options).actions)


def short(actions: list[Action]) -> list[object]:
    """Sends as their bytes, waits as their seconds, all else as the name."""
    names: list[object] = []
    for action in actions:
        match action:
            case Send(data=data):
                names.append(data)
            case Wait(seconds=seconds):
                names.append(seconds)
            case _:
                names.append(type(action).__name__)
    return names


ONE, TWO, THREE = b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"


def test_without_faults() -> None:
    """Head, events, end; tokens stay with their events."""
    assert played() == [Head(), Send(ONE), Send(TWO, 1), Send(THREE), Send(DONE), End()]


@pytest.mark.parametrize(
    ("place", "position"),
    [
        ({"before": "head"}, 0),
        ({"before": "first_chunk"}, 1),
        ({"after_chunk": 0}, 1),
        ({"after_chunk": 1}, 2),
        ({"after_chunk": 2}, 3),
        ({"before": "last_chunk"}, 3),
        ({"after_chunk": 3}, 4),
        ({"before": "done"}, 4),
        ({}, 1),
        ({"at_byte": 0}, 1),
        ({"at_byte": 9}, 2),
    ],
    ids=str,
)
def test_places(place: dict[str, Any], position: int) -> None:
    """Where a fault happens."""
    expected: list[object] = ["Head", ONE, TWO, THREE, DONE, "End"]
    expected.insert(position, 5.0)
    assert short(played(Stall(seconds=5.0, **place))) == expected


def test_a_place_inside_a_chunk() -> None:
    """Byte 12 divides the second chunk; its tokens go with the first part."""
    actions = played(Stall(seconds=5.0, at_byte=12))
    assert actions[2:5] == [Send(b"dat", 1), Wait(5.0), Send(b"a: 2\n\n")]


def test_a_place_that_never_comes() -> None:
    """Past the end nothing happens."""
    assert played(Cut(after_chunk=9), Reset(at_byte=10_000)) == played()


@pytest.mark.parametrize(("fault", "action"), [(Cut, Close()), (Reset, Abort()), (EarlyEnd, End())])
def test_ends(fault: type[Any], action: Action) -> None:
    """Cut, reset and early end are the last thing that happens, wherever they are."""
    assert played(fault(after_chunk=1))[1:] == [Send(ONE), action]
    assert short(played(fault(at_byte=10)))[1:] == [ONE, b"d", type(action).__name__]
    assert short(played(fault(before="done")))[1:] == [ONE, TWO, THREE, type(action).__name__]


def test_reset_is_before_the_head_by_default() -> None:
    """No byte of an answer is seen; likewise an early end is by default only a missing [DONE]."""
    assert played(Reset()) == [Abort()]
    assert short(played(EarlyEnd())) == ["Head", ONE, TWO, THREE, "End"]
    assert short(played(Cut())) == ["Head", ONE, TWO, THREE, "Close"]


def test_what_comes_between_chunks() -> None:
    """Keep-alives, comments, garbage, in this order if at one place."""
    actions = short(played(KeepAlives(count=2, every=0.5), Comment(text="HI"), Garbage(data="{", after_chunk=1)))
    assert actions[:8] == ["Head", 0.5, b": keep-alive\n\n", 0.5, b": keep-alive\n\n", b": HI\n\n", ONE, b"data: {\n\n"]


def test_an_error_in_the_band_ends_the_stream() -> None:
    """With or without [DONE]."""
    error = b'data: {"error":{"message":"m","type":"t","param":null,"code":null}}\n\n'
    fault = {"message": "m", "type": "t", "code": None}
    assert short(played(InBandError(**fault)))[1:] == [ONE, TWO, error, "End"]
    assert short(played(InBandError(**fault, done=True, after_chunk=1)))[1:] == [ONE, error, DONE, "End"]


def test_a_whole_body_is_one_chunk() -> None:
    """Keep-alives are blank lines before it; a byte place divides it; an error takes its place."""
    whole: dict[str, Any] = {"events": WHOLE, "content_type": JSON}
    assert short(played(KeepAlives(count=2), **whole)) == ["Head", b"", b"\n", b"\n", b'{"a":1}', "End"]
    assert short(played(Cut(at_byte=3), **whole)) == ["Head", b"", b'{"a', "Close"]
    assert short(played(Cut(), **whole)) == ["Head", b"", b'{"a":1}', "Close"]
    assert short(played(Garbage(data="<html>"), **whole)) == ["Head", b"", b"<html>", b'{"a":1}', "End"]
    assert short(played(Comment(text="x"), Bom(), LineEnds(), **whole)) == short(played(**whole))
    assert b'{"error":' in short(played(InBandError(), **whole))[2][:10]  # type: ignore[index]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("lf", b"data: 1\n\ndata: 2\n\n"),
        ("crlf", b"data: 1\r\n\r\ndata: 2\r\n\r\n"),
        ("cr", b"data: 1\r\rdata: 2\r\r"),
        ("mixed", b"data: 1\r\n\ndata: 2\r\r\n"),
    ],
)
def test_line_ends(ends: Any, expected: bytes) -> None:
    """Every kind, and each in turn."""
    body = b"".join(action.data for action in played(LineEnds(ends=ends)) if isinstance(action, Send))
    assert body.startswith(expected)


def test_the_byte_order_mark_is_first() -> None:
    """Once, before keep-alives too."""
    assert short(played(Bom(), KeepAlives(count=1)))[1:3] == [b"\xef\xbb\xbf: keep-alive\n\n", ONE]


def test_split_and_coalesce() -> None:
    """Writes of so many bytes, with a turn of the loop between; so many chunks in a write."""
    assert short(played(Split(size=5)))[1:5] == [b"data:", 0.0, b" 1\n\n", 0.0]
    assert short(played(Coalesce(chunks=2))) == ["Head", ONE + TWO, THREE + DONE, "End"]
    assert played(Coalesce())[1] == Send(ONE + TWO + THREE + DONE, 1)
    assert short(played(Coalesce(), Stall(seconds=1.0, after_chunk=1))) == ["Head", ONE, 1.0, TWO + THREE + DONE, "End"]


def test_a_late_head() -> None:
    """It comes with the first byte of the body, or not at all if the connection breaks before."""
    assert short(played(Stall(seconds=1.0), LateHead())) == [1.0, "Head", ONE, TWO, THREE, DONE, "End"]
    assert short(played(LateHead(), latency=2.0))[:3] == [2.0, "Head", ONE]
    assert short(played(late_head=True, events=WHOLE, content_type=JSON)) == [b"", "Head", b'{"a":1}', "End"]
    assert short(played(LateHead(), Cut(before="first_chunk"))) == ["Close"]
    assert short(played(LateHead(), EarlyEnd(before="first_chunk"))) == ["Head", "End"]


def test_a_wrong_length() -> None:
    """Content-Length is off by so much, and the connection closes after the body."""
    reply = play(STREAM, Script(faults=(WrongLength(by=-2),)))
    assert (reply.length, reply.reusable) == (len(ONE) * 3 + len(DONE) - 2, False)
    assert list(reply.actions)[-1] == Close()
    assert play(STREAM, Script(faults=(WrongLength(by=-1000),))).length == 0


def test_headers() -> None:
    """A content type by fault; headers by script, in the place of those of the same name."""
    script = Script(faults=(ContentType(value="text/html"),), headers={"X-Ds-Trace-Id": "mine", "X-More": "1"})
    reply: Reply = play(STREAM, script, headers=[("x-ds-trace-id", "theirs")])
    assert reply.headers == (("Content-Type", "text/html"), ("X-Ds-Trace-Id", "mine"), ("X-More", "1"))


@given(st.integers(0, 60), st.integers(1, 12), st.sampled_from(["crlf", "cr", "lf", "mixed"]), st.booleans())
def test_a_cut_at_byte_n_lets_n_bytes_through(place: int, size: int, ends: Any, bom: bool) -> None:
    """Whatever else is done to the stream, at_byte counts the bytes as they are sent."""
    encoded = [LineEnds(ends=ends), *([Bom()] if bom else []), KeepAlives(count=1)]
    whole = b"".join(action.data for action in played(*encoded) if isinstance(action, Send))
    actions = played(*encoded, Split(size=size), Cut(at_byte=place))
    body = b"".join(action.data for action in actions if isinstance(action, Send))
    assert body == whole[:place]
    assert all(len(action.data) <= size for action in actions if isinstance(action, Send))


def test_events_are_drawn_as_late_as_possible() -> None:
    """Generation takes time: nothing is drawn before it is needed."""
    drawn = []

    def events() -> Any:
        for event in STREAM:
            drawn.append(event)
            yield event

    actions = play(events(), Script(faults=(Stall(seconds=1, after_chunk=2),))).actions
    assert drawn == []
    next(actions)
    next(actions)
    assert len(drawn) == 1
