"""One answer: its head, and its body's bytes as they come.

- Bodies are read as they come (`readany`), never by lines, whose length aiohttp caps; it inflates none, see
  `compression`.
- After a broken connection aiohttp's reader raises at once and keeps what had arrived to itself; see `_rescued`.
- Where the framing of a body is wrong it closes the connection and tells its reader nothing; see `_watch_loss`.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

import aiohttp

from ...errors import DeepSeekError
from ..compression import Inflater, inflater_for
from .direct_answer import DirectAnswer
from .failures import BADLY_FRAMED, broke_off, closed
from .forks import FORKS, INHERITED


class NetworkAnswer:
    """An answer that aiohttp received, as a `Response`.

    Args:
        response: aiohttp's own object for the answer; its head has arrived.
        session: The session through which the request went.
        among: The answers that nobody has closed yet; this one is added, and taken out when it is closed.
    """

    __slots__ = (
        "__weakref__",
        "_among",
        "_content",
        "_encoding",
        "_forks",
        "_kept",
        "_readany",
        "_response",
        "_session",
        "headers",
        "status",
    )

    def __init__(
        self,
        response: aiohttp.ClientResponse | DirectAnswer,
        session: aiohttp.ClientSession,
        among: set[NetworkAnswer],
    ) -> None:
        self._response = response
        self._content = response.content
        self._readany: Callable[[], Awaitable[bytes | None]] = (
            response.readany if isinstance(response, DirectAnswer) else response.content.readany
        )
        self._kept = b""  # was received by somebody who was cancelled
        self._session = session
        self._among = among
        among.add(self)
        self._encoding: Inflater | DeepSeekError | None = None
        self._forks = FORKS.count
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        if (connection := response.connection) is not None:
            _watch_loss(self, connection)
        if (encoding := self.headers.get("Content-Encoding")) is not None:
            try:
                self._encoding = inflater_for(encoding)
            except DeepSeekError as error:  # raised when the body is read: the status may be news enough
                self._encoding = error

    def receive(self) -> Coroutine[Any, Any, bytes]:
        return self._receive_plain() if self._encoding is None else self._receive_inflated(self._encoding)

    async def _receive_plain(self) -> bytes:
        if self._kept:
            data, self._kept = self._kept, b""
            return data
        left: bytes | Exception
        try:
            while True:
                reading = self._readany()
                if (read := await reading) is not None:
                    return read
        except asyncio.CancelledError:
            # What was handed over in the same turn is not lost.
            if isinstance(reading, asyncio.Future) and not reading.cancelled():
                self._kept = reading.result() or b""
            raise
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError, RuntimeError) as error:
            left = self._left_after(error)
        if isinstance(left, bytes):
            return left
        raise left  # here, where no exception of aiohttp's becomes its context

    async def _receive_inflated(self, encoding: Inflater | DeepSeekError) -> bytes:
        if isinstance(encoding, DeepSeekError):
            raise encoding
        # A few bytes may bring many slices: others get their turn, and deadlines theirs. Behind it nothing is lost.
        await asyncio.sleep(0)
        while not (data := encoding.take()):
            compressed = await self._receive_plain()
            if not compressed:
                if not encoding.is_whole:
                    raise broke_off(aiohttp.ClientPayloadError("its compressed body is cut"))
                return b""
            encoding.put(compressed)
        return data

    def _left_after(self, error: Exception) -> bytes | Exception:
        """What had arrived before the connection broke, or the error to raise."""
        # aiohttp's reader keeps the exception, whose frames keep this answer and, on Python 3.12, the stream above it.
        error.with_traceback(None)
        if self._session.closed:
            return closed()
        if isinstance(error, RuntimeError):  # the reader has been told nothing, but refuses to wait
            if (connection := self._response.connection) is not None and not connection.closed:
                return error
            error = aiohttp.ClientPayloadError(BADLY_FRAMED)
        if isinstance(error, aiohttp.http.HttpProcessingError):  # of its parser in Python; the one in C says nothing
            error = aiohttp.ClientPayloadError(BADLY_FRAMED)
        return self._rescued() or broke_off(error)

    def _rescued(self) -> bytes:
        """What is still in aiohttp's reader. There is no public way to it once it has an exception."""
        content: Any = self._content
        buffer = getattr(content, "_buffer", None)
        return content._read_nowait(-1) if buffer else b""  # noqa: SLF001

    @property
    def is_at_end(self) -> bool:
        encoding = self._encoding
        if encoding is not None and isinstance(encoding, Inflater) and not encoding.is_whole:
            return False
        return not self._kept and self._content.at_eof()

    def lose(self) -> None:
        """The connection is gone: let the reader know, if it does not."""
        if not self._content.is_eof() and self._content.exception() is None:
            self._content.set_exception(aiohttp.ClientPayloadError(BADLY_FRAMED))
            if isinstance(self._response, DirectAnswer):
                self._response.look()

    def break_off(self) -> None:
        """Close the connection under the answer: the client is being closed."""
        self._among.discard(self)
        if not self._content.at_eof():
            self.close()

    def close(self) -> None:
        self._among.discard(self)
        if self._forks != FORKS.count:
            INHERITED.append(self._response)
        elif self._content.at_eof():
            self._response.release()
        else:
            self._response.close()


# Of each connection, the answer that is coming over it.
_ANSWERS: weakref.WeakKeyDictionary[Any, weakref.ref[NetworkAnswer]] = weakref.WeakKeyDictionary()


def _watch_loss(response: NetworkAnswer, connection: aiohttp.connector.Connection) -> None:
    """See that whoever reads the answer learns when its connection is gone."""
    protocol = connection.protocol
    if protocol is None:  # the whole body is there
        return
    if protocol not in _ANSWERS and (lost := protocol.closed) is not None:
        lost.add_done_callback(partial(_tell_loss, weakref.ref(protocol)))
    _ANSWERS[protocol] = weakref.ref(response)


def _tell_loss(connection: weakref.ref[Any], lost: asyncio.Future[None]) -> None:
    if not lost.cancelled():
        lost.exception()  # else asyncio complains that nobody asked
    protocol = connection()
    answer = _ANSWERS.get(protocol) if protocol is not None else None
    response = answer() if answer is not None else None
    if response is not None:
        response.lose()
