"""What our connections speak: aiohttp's protocol, with a way past its parser for reads that need none.

A stream comes an event a read, and that event in one frame. To aiohttp each such read is a parser's three calls, a
buffer, a count and, when the buffer is emptied, another parse, of nothing. But where somebody waits for it, and it is
whole frames, what is in them is all that there is to say; see `frames`. Whatever else comes goes aiohttp's way, and so
does what comes while nobody waits: there it is counted, and the connection held back where it becomes too much.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiohttp.client_proto import ResponseHandler

from .frames import Boundaries, body_in, boundaries_behind_head

_MAX_HEAD_BYTES = 2**16


class Listener(Protocol):
    """An answer whose body may come past the parser: `DirectAnswer`."""

    is_awaited: bool

    def give(self, body: bytes) -> bool: ...
    def pass_by(self, data: bytes) -> None: ...
    def look(self) -> None: ...


class AnswerProtocol(ResponseHandler):
    """One connection.

    Attributes:
        answer: Whose body is coming, if that may go past the parser.
        is_paused: Whether aiohttp has stopped reading, and may have bytes that it has not parsed.
    """

    __slots__ = ("_boundaries", "_has_paused", "_heard", "answer", "is_paused")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.answer: Listener | None = None
        self.is_paused: bool = False
        self._has_paused = False
        self._heard: bytes | None = None  # of a head that is awaited
        self._boundaries: Boundaries | None = None  # behind it

    def expect(self) -> None:
        """A request goes out: what comes next is the head of its answer."""
        self._heard, self._boundaries = b"", None

    def boundaries(self) -> Boundaries | None:
        """Where frames end in what has come behind the head; ``None``: it is not known. From here on ask `answer`."""
        boundaries, self._boundaries = self._boundaries, None
        self._heard = None
        return boundaries if boundaries is not None and boundaries.are_known else None

    def _hear(self, data: bytes) -> None:
        """Look for the end of the head. Nothing that has come is held any longer."""
        if self._boundaries is not None:
            self._boundaries.pass_by(data)
        elif self._heard is not None:
            heard = self._heard + data
            if b"\r\n\r\n" in heard:
                self._heard, self._boundaries = None, boundaries_behind_head(heard)
            else:
                self._heard = heard if len(heard) < _MAX_HEAD_BYTES else None

    def data_received(self, data: bytes) -> None:
        """Take what one read brought."""
        answer = self.answer
        if type(data) is not bytes:
            data = bytes(data)  # Windows' loop hands over its buffer's part
        if answer is None:
            self._hear(data)
            super().data_received(data)
        elif not (answer.is_awaited and (body := body_in(data)) is not None and answer.give(body)):
            answer.pass_by(data)
            self._parse(data)
            answer.look()

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        # A pause at a frame's end is heeded by the parser amid the next frame that it sees. That may be long after
        # reading went on, and then nobody would tell it to do so, too.
        if self._has_paused and not self.is_paused and self.exception() is None:
            super().data_received(b"")

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take the end of the connection."""
        answer, self.answer = self.answer, None
        super().connection_lost(exc)
        if answer is not None:
            answer.look()

    def pause_reading(self) -> None:
        """Read no more for now."""
        self.is_paused = self._has_paused = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Read on. aiohttp asks for it after every read, and would parse nothing each time."""
        if self.is_paused:
            self.is_paused = False
            super().resume_reading(resume_parser)
