"""``deepseek-async decode``: a recorded stream, seen from any arrow of the data's way."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Annotated

import typer

from .endings import remark, told

_READ_BYTES = 65_536


class Level(enum.StrEnum):
    """How far to go: bytes → events → chunks → deltas → completion."""

    EVENTS = "events"
    CHUNKS = "chunks"
    DELTAS = "deltas"
    COMPLETION = "completion"


def decode(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(metavar="[FILE]", help="The stream; - or nothing: stdin.")
    ] = "-",  # type: ignore[assignment]
    level: Annotated[Level, typer.Option("--level", "-l", help="How far to go.")] = Level.COMPLETION,
) -> None:
    """Read a recorded event stream and print what it says as JSON lines, offline.

    Bytes become events, events chunks, chunks deltas, and they the completion. Lines are printed as soon as their
    bytes are there. A stream that does not end well is printed as far as it came, and the exit code is 1.
    """
    with told(advising=False):
        if file.isatty():
            remark("reading an event stream from the terminal; Ctrl-D ends it")
        _print(_reads(file), level)


def _reads(file: typer.FileBinaryRead) -> Iterator[bytes]:
    """What is there, as soon as it is there; `read` would wait for all."""
    read = getattr(file, "read1", file.read)
    while data := read(_READ_BYTES):
        yield data


def _print(reads: Iterator[bytes], level: Level) -> None:
    from ..errors import DeepSeekError
    from . import arrows
    from .encoding import print_json
    from .wire import to_json, to_plain

    lines: Iterator[object]
    match level:
        case Level.EVENTS:
            lines = arrows.events(reads)
        case Level.CHUNKS:
            lines = arrows.chunks(reads)
        case Level.DELTAS:
            lines = ({"index": index, **to_plain(delta)} for index, delta in arrows.deltas(reads))
        case Level.COMPLETION:
            try:
                lines = iter((arrows.completion(reads),))
            except DeepSeekError as error:
                if error.partial is not None and error.partial.choices:
                    print_json(to_json(error.partial))
                raise
    for line in lines:
        print_json(to_json(line))
