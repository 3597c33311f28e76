"""One attempt: one request sent, its response opened or read whole, its deadlines kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..codec.body import MAX_BODY_BYTES, without_blank
from ..codec.heads import request_id_of
from ..errors import DeepSeekError, EmptyResponseError, ResponseTooLargeError
from ..policy.timeouts import Timeouts
from ..transport import HTTPRequest, Response, Transport
from ..transport.base import lowered
from .deadlines import Deadlines

if TYPE_CHECKING:
    from .watching.figures import Figures
    from .watching.watch import CallWatch
    from .watching.witness import Witness

# 201 and 203 from gateways and caches, 206 where somebody counts bytes: the body is the whole answer. 202 promises one
# for later, 204 and 205 have none.
_ACCEPTED = 202
ANSWERS = frozenset(range(200, 300)) - {_ACCEPTED, 204, 205}
# What an answer consists of, and the promise of one does not: some servers say 202 of what they bring.
_BROUGHT = re.compile(rb'"(?:choices|data|deleted|balance_infos|filename)"\s{0,8}:')
MAX_ERROR_BYTES = 256 * 2**10
# The status is the news; what the body adds is not worth a long wait.
ERROR_BODY_SECONDS = 10.0


class Attempt:
    """One try to have a request answered. `whole`, or `open` and then the response's own bytes; `close` at any time.

    Its attributes are what it was made with, and how far it is by what the transport has told.

    Args:
        transport: What moves the bytes.
        request: What to send.
        timeouts: Durations of the phases.
        first_chunk: That of the phase ``first_chunk``, for this kind of answer.
        deadlines: The call's; ``total`` runs on in them.
        figures: The client's figures.
        watch: Told of what happens, if somebody watches the call.

    Attributes:
        response: Once its head has come.
        request_id: The server's id of the request, once the head has come.
        arrived: Of an answer in one piece that broke off, what had come of its body.
        was_resent: Whether the request went out twice, since the first connection was stale. A proxy whose server died
            closes its side just as one whose server never saw the request; so the first may have been billed.
    """

    __slots__ = (
        "_deadlines",
        "_figures",
        "_first_chunk",
        "_is_connected",
        "_is_open",
        "_is_queued",
        "_request",
        "_timeouts",
        "_transport",
        "_watch",
        "arrived",
        "request_id",
        "response",
        "was_resent",
    )

    def __init__(
        self,
        transport: Transport,
        request: HTTPRequest,
        timeouts: Timeouts,
        first_chunk: float,
        deadlines: Deadlines,
        figures: Figures,
        watch: CallWatch | None = None,
    ) -> None:
        self._transport = transport
        self._request = request
        self._timeouts = timeouts
        self._deadlines = deadlines
        self._figures = figures
        self._watch = watch
        self._first_chunk = first_chunk
        self._is_queued = False
        self._is_open = False
        self._is_connected = False
        self.arrived: list[bytes] = []
        self.was_resent: bool = False
        self.response: Response | None = None
        self.request_id: str | None = None

    @property
    def is_sent(self) -> bool:
        """Whether a connection was there, so that a server may have seen the request."""
        return self._is_connected

    # What a transport tells.

    def queued(self) -> None:
        self._is_queued = True
        self._figures.waiting_for_connection += 1
        if self._watch is not None:
            self._watch.queued()

    def connecting(self) -> None:
        if self._is_queued:
            self._leave_queue()
        self._deadlines.enter("connect", self._timeouts.connect)
        if self._watch is not None:
            self._watch.connecting()

    def connected(self, *, reused: bool) -> None:
        if self._is_queued:
            self._leave_queue()
        if self._is_connected and not self.was_resent:
            self.was_resent = True
            self._figures.resent += 1
        self._is_connected = True
        if reused:
            self._figures.connections_reused += 1
        else:
            self._figures.connections_made += 1
        self._deadlines.enter("first_chunk", self._first_chunk)
        if self._watch is not None:
            self._watch.connected(reused=reused)

    def _leave_queue(self) -> None:
        self._is_queued = False
        self._figures.waiting_for_connection -= 1

    # What the client asks for.

    async def open(self, max_bytes: int = MAX_BODY_BYTES) -> Response:
        """Send the request and wait for the head.

        Args:
            max_bytes: Cap on a body that must be read to know whether it is an answer.

        Raises:
            APIConnectionError, APITimeoutError: The head did not come.
            APIStatusError: It came with a status that is none of `ANSWERS`; the body has been read.
        """
        self._deadlines.enter("connect", None)  # nothing but the total runs while the request waits for a connection
        response = await self._deadlines.wait(self._send())
        if response.status in ANSWERS or _is_of_events(response):
            return response
        if response.status != _ACCEPTED:
            raise await self._failure(response)
        brought = await self._deadlines.wait(self._brought(response, max_bytes))
        if _BROUGHT.search(brought) is None:
            raise await self._failure(response, brought)
        self.response = _Brought(response, brought)
        return self.response

    async def _send(self) -> Response:
        self._is_open = True
        self._figures.in_flight += 1
        try:
            response = self.response = await self._transport.send(self._request, self)
        finally:
            if self._is_queued:
                self._leave_queue()
        self.request_id = request_id_of(response.headers)
        if self._watch is not None:
            self._watch.head(response.status, self.request_id)
        return response

    async def whole(self, max_bytes: int, witness: Witness | None = None) -> bytes:
        """Send the request and wait for an answer that is not streamed.

        Args:
            max_bytes: Cap on the body.
            witness: Told when the head of a success has come.

        Returns:
            The body, without the blank lines that kept it alive.

        Raises:
            APIConnectionError, APITimeoutError: It did not come whole.
            APIStatusError: As `open`.
            EmptyResponseError: Nothing but white space.
            ResponseTooLargeError: More than ``max_bytes``.
        """
        self._deadlines.enter("connect", None)
        # In one wait: no one else's time is in it.
        answer = await self._deadlines.wait(self._send_and_read(max_bytes, witness))
        if isinstance(answer, bytes):
            return answer
        raise await self._failure(*answer)

    async def _send_and_read(self, max_bytes: int, witness: Witness | None) -> bytes | tuple[Response, bytes]:
        response = await self._send()
        if response.status == _ACCEPTED:
            brought = await self._brought(response, max_bytes)
            is_answer = brought and (_is_of_events(response) or _BROUGHT.search(brought))
            return brought if is_answer else (response, brought)
        if response.status not in ANSWERS:
            return response, b""
        if witness is not None:
            witness.admitted()
        return await self._read(response, max_bytes)

    async def _read(self, response: Response, max_bytes: int) -> bytes:
        parts = self.arrived
        size = 0
        is_at_end = False
        while not is_at_end and (data := await response.receive()):
            is_at_end = response.is_at_end
            said, blank_lines = without_blank(data) if data[0] <= 0x20 else (data, 0)
            if not said or not parts:
                self._deadlines.keepalives += blank_lines
            if said:
                if not is_at_end:
                    self._deadlines.enter("idle", self._timeouts.idle)
            elif not parts:  # blank lines re-arm nothing, wherever they come
                continue
            if not parts and self._watch is not None:
                self._watch.begun(self.request_id)
            parts.append(data if parts else said)
            size += len(data)
            if size > max_bytes:
                raise ResponseTooLargeError(f"the body is larger than the cap of {max_bytes:,} bytes", limit=max_bytes)
        if not parts:
            raise EmptyResponseError(
                f"the answer is empty: status 200 and {self._deadlines.keepalives} blank lines, no body; "
                "an overloaded server does so"
            )
        answer = b"".join(parts)
        parts.clear()
        return answer

    async def _brought(self, response: Response, max_bytes: int) -> bytes:
        """What a 202 brings; ``b""``: nothing."""
        try:
            return await self._read(response, max_bytes)
        except EmptyResponseError:
            return b""

    async def _failure(self, response: Response, body: bytes = b"") -> DeepSeekError:
        from ..codec.failures.statuses import failure_from  # not for those who are never refused

        idle = self._timeouts.idle
        self._deadlines.enter("idle", ERROR_BODY_SECONDS if idle is None else min(idle, ERROR_BODY_SECONDS))
        try:
            while len(body) < MAX_ERROR_BYTES and (data := await self._deadlines.wait(response.receive())):
                body += data
        except DeepSeekError:
            pass  # a body that breaks off only says less
        return failure_from(response.status, lowered(response.headers), body, datetime.now(UTC))

    def close(self) -> None:
        """Let go of the connection. Never waits, may be called twice."""
        if self._is_open:
            self._is_open = False
            self._figures.in_flight -= 1
        self.arrived.clear()  # an error's frames hold it
        if self.response is not None:
            self.response.close()


def _is_of_events(response: Response) -> bool:
    """Whether a 202 calls itself an event stream."""
    return response.status == _ACCEPTED and "event-stream" in response.headers.get("content-type", "")


class _Brought:
    """An answer of which the whole body has been read, to be read again."""

    def __init__(self, response: Response, body: bytes) -> None:
        self._response = response
        self._body = body

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    @property
    def is_at_end(self) -> bool:
        return not self._body

    async def receive(self) -> bytes:
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        self._response.close()
