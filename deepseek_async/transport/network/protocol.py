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

from .frames import body_in

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
        heard: What has come since `expect`, until there is an answer; ``None``: nobody wants to know.
        is_paused: Whether aiohttp has stopped reading, and may have bytes that it has not parsed.
    """

    __slots__ = ("_has_paused", "answer", "heard", "is_paused")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.answer: Listener | None = None
        self.heard: bytes | None = None
        self.is_paused: bool = False
        self._has_paused = False

    def data_received(self, data: bytes) -> None:
        """Take what one read brought."""
        answer = self.answer
        if type(data) is not bytes:
            data = bytes(data)  # Windows' loop hands over its buffer's part
        if answer is None:
            if self.heard is not None:
                self.heard = self.heard + data if len(self.heard) < _MAX_HEAD_BYTES else None
            super().data_received(data)
        elif not (answer.is_awaited and (body := body_in(data)) is not None and answer.give(body)):
            answer.pass_by(data)
            super().data_received(data)
            answer.look()

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
        """Read on. aiohttp asks for it after every read, and would parse nothing each time.

        But once it has paused, its parser may stop at any later time (a pause at a frame's end is heeded amid the next
        frame that it sees), and goes on when it is asked.
        """
        if self._has_paused:
            self.is_paused = False
            super().resume_reading(resume_parser)
