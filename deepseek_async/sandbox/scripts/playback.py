"""`play` turns the events of an answer into the actions that send it, with the faults of a script among them.

Nothing here waits, sends or looks at a clock.

The stages follow each other as the bytes do: faults between chunks, then the encoding of the stream (byte order mark,
line ends), faults at a byte, how bytes share writes, and when the head goes out. A script that asks for none of a
stage leaves it out, so an answer without faults costs nothing for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

import msgspec

from .actions import Abort, Action, Close, End, Event, Head, Reply, Send, Wait
from .faults import (
    Bom,
    Coalesce,
    Comment,
    ContentType,
    Cut,
    EarlyEnd,
    Fault,
    Garbage,
    InBandError,
    KeepAlives,
    LateHead,
    LineEnds,
    PlacedFault,
    Reset,
    Split,
    Stall,
    WrongLength,
)
from .script import Script

__all__ = ["DONE", "EVENT_STREAM", "JSON", "play"]

DONE = b"data: [DONE]\n\n"
EVENT_STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json"

_STOPS = (Close, Abort, End)
_LINE_ENDS = {"lf": (b"\n",), "crlf": (b"\r\n",), "cr": (b"\r",), "mixed": (b"\r\n", b"\n", b"\r")}
_HEAD, _END = Head(), End()


def play(
    events: Iterable[Event | Wait],
    script: Script,
    *,
    status: int = 200,
    content_type: str = EVENT_STREAM,
    headers: Iterable[tuple[str, str]] = (),
    latency: float = 0.0,
    late_head: bool = False,
) -> Reply:
    """Decide what happens to a response.

    Args:
        events: The body, in order, and waits between its parts. They are drawn one by one, as late as possible.
        script: Its faults and headers are what counts here.
        latency: Seconds before the first chunk.
        late_head: The head comes with the first chunk, also without the script asking for it.

    Returns:
        The response, its actions still to be drawn.
    """
    faults = script.faults
    streamed = content_type == EVENT_STREAM
    actions = _placed(events, faults, streamed=streamed, latency=latency)
    if streamed:
        actions = _encoded(actions, faults)
    if any(isinstance(fault, PlacedFault) and fault.at_byte is not None for fault in faults):
        actions = _at_bytes(actions, faults, streamed=streamed)
    for fault in faults:
        if isinstance(fault, Coalesce):
            actions = _coalesced(actions, fault.chunks)
        elif isinstance(fault, Split):
            actions = _split(actions, fault)
    if late_head or any(isinstance(fault, LateHead) for fault in faults):
        actions = _with_late_head(actions)
    length, reusable = None, True
    for fault in faults:
        if isinstance(fault, ContentType):
            content_type = fault.value
        elif isinstance(fault, WrongLength):
            drawn = list(actions)
            true_length = sum(len(action.data) for action in drawn if isinstance(action, Send))
            length, reusable = max(0, true_length + fault.by), False
            actions = iter([Close() if isinstance(action, End) else action for action in drawn])
    named = {name.lower(): (name, value) for name, value in (("Content-Type", content_type), *headers)}
    named.update((name.lower(), (name, value)) for name, value in script.headers.items())
    return Reply(status, tuple(named.values()), actions, length, reusable)


def _placed(
    events: Iterable[Event | Wait], faults: Sequence[Fault], *, streamed: bool, latency: float
) -> Iterator[Action]:
    """Events become sends; faults with ``before`` or ``after_chunk`` come in at their places."""
    placed = [fault for fault in faults if isinstance(fault, PlacedFault) and fault.at_byte is None]

    def at(before: str | None, after_chunk: int | None) -> Iterator[Action]:
        for fault in placed:
            if fault.before == before if fault.before else fault.after_chunk == after_chunk:
                yield from _happen(fault, streamed=streamed)

    def stages() -> Iterator[Action]:
        yield from at("head", None)
        yield _HEAD
        if latency:
            yield Wait(latency)
        chunks = 0
        for event in events:
            if isinstance(event, Wait):
                yield event
                continue
            kind = event.kind
            if placed and kind != "work":
                if kind == "done":
                    yield from at("done", None)
                else:
                    if not chunks:
                        yield from at("first_chunk", 0)
                    if kind == "last":
                        yield from at("last_chunk", None)
                    chunks += 1
            yield Send(event.data, event.tokens)
            if placed and kind in ("chunk", "last"):
                yield from at(None, chunks)
        if placed and not streamed:
            yield from at("done", None)
        yield _END

    return _until_stop(stages())


def _until_stop(actions: Iterator[Action]) -> Iterator[Action]:
    for action in actions:
        yield action
        if isinstance(action, _STOPS):
            return


def _happen(fault: PlacedFault, *, streamed: bool) -> Iterator[Action]:
    match fault:
        case Stall():
            yield Wait(fault.seconds)
        case Cut():
            yield Close()
        case Reset():
            yield Abort()
        case EarlyEnd():
            yield _END
        case KeepAlives():
            for _ in range(fault.count):
                if fault.every:
                    yield Wait(fault.every)
                yield Send(b": keep-alive\n\n" if streamed else b"\n")
        case Comment():
            if streamed:
                yield Send(f": {fault.text}\n\n".encode())
        case Garbage():
            yield Send(f"data: {fault.data}\n\n".encode() if streamed else fault.data.encode())
        case InBandError():
            error = {"message": fault.message, "type": fault.type, "param": None, "code": fault.code}
            data = msgspec.json.encode({"error": error})
            yield Send(b"data: %b\n\n" % data if streamed else data)
            if streamed and fault.done:
                yield Send(DONE)
            yield _END


def _encoded(actions: Iterator[Action], faults: Sequence[Fault]) -> Iterator[Action]:
    for fault in faults:
        if isinstance(fault, LineEnds):
            actions = _with_line_ends(actions, _LINE_ENDS[fault.ends])
    if any(isinstance(fault, Bom) for fault in faults):
        actions = _with_bom(actions)
    return actions


def _with_line_ends(actions: Iterator[Action], ends: Sequence[bytes]) -> Iterator[Action]:
    turn = cycle(ends)
    for action in actions:
        if isinstance(action, Send) and action.data:
            lines = action.data.split(b"\n")
            data = b"".join(line + next(turn) for line in lines[:-1]) + lines[-1]
            yield Send(data, action.tokens)
        else:
            yield action


def _with_bom(actions: Iterator[Action]) -> Iterator[Action]:
    first = True
    for action in actions:
        if first and isinstance(action, Send) and action.data:
            first = False
            yield Send(b"\xef\xbb\xbf" + action.data, action.tokens)
        else:
            yield action


def _at_bytes(actions: Iterator[Action], faults: Sequence[Fault], *, streamed: bool) -> Iterator[Action]:
    """Faults with ``at_byte``: a send that reaches over such a place is divided there."""
    due: list[tuple[int, PlacedFault]] = sorted(
        ((fault.at_byte, fault) for fault in faults if isinstance(fault, PlacedFault) and fault.at_byte is not None),
        key=lambda entry: entry[0],
    )

    def stages() -> Iterator[Action]:
        sent = 0
        for action in actions:
            if isinstance(action, Send) and action.data:
                data, tokens = action.data, action.tokens
                while due and due[0][0] <= sent + len(data):
                    place, fault = due.pop(0)
                    if place > sent:
                        yield Send(data[: place - sent], tokens)
                        data, tokens, sent = data[place - sent :], 0, place
                    for happening in _happen(fault, streamed=streamed):
                        if isinstance(happening, Send):
                            sent += len(happening.data)
                        yield happening
                sent += len(data)
                if data:
                    yield Send(data, tokens)
            else:
                yield action

    return _until_stop(stages())


def _coalesced(actions: Iterator[Action], chunks: int) -> Iterator[Action]:
    held: list[Send] = []
    for action in actions:
        if isinstance(action, Send):
            held.append(action)
            if chunks and sum(1 for send in held if send.data) >= chunks:
                yield _joined(held)
        else:
            if held:
                yield _joined(held)
            yield action


def _joined(held: list[Send]) -> Send:
    joined = Send(b"".join(send.data for send in held), sum(send.tokens for send in held))
    held.clear()
    return joined


def _split(actions: Iterator[Action], fault: Split) -> Iterator[Action]:
    for action in actions:
        if not isinstance(action, Send) or not action.data:
            yield action
            continue
        tokens = action.tokens
        for start in range(0, len(action.data), fault.size):
            yield Send(action.data[start : start + fault.size], tokens)
            yield Wait(fault.every)
            tokens = 0


def _with_late_head(actions: Iterator[Action]) -> Iterator[Action]:
    late = False
    for action in actions:
        if isinstance(action, Head):
            late = True
            continue
        if late and not isinstance(action, Wait) and not (isinstance(action, Send) and not action.data):
            late = False
            if not isinstance(action, (Close, Abort)):
                yield _HEAD
        yield action
