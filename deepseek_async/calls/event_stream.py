"""A streamed answer, as the caller reads it.

A class with ``__anext__``, no async generator: one that is left early frees its connection at once, from any task, and
no cancel scope is held while the caller works.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import anyio

from ..codec.endings import broken_off, interruption_in
from ..codec.stream import State, StreamDecoder
from ..errors import APIConnectionError, DeepSeekError, StreamInterruptedError
from ..transport.base import lowered
from ..types import ChatCompletion, TextCompletion
from .attempt import Exchange
from .call import Call

C = TypeVar("C")
W = TypeVar("W", bound=ChatCompletion | TextCompletion)
C_contra = TypeVar("C_contra", contravariant=True)
W_co = TypeVar("W_co", covariant=True)

# After [DONE] only the end of the body is missing, and it usually came in the same packet: worth a moment, since then
# the connection serves the next request.
DRAIN_SECONDS = 0.25
DRAIN_BYTES = 65_536


class Folding(Protocol[C_contra, W_co]):
    request_id: str | None

    @property
    def finish_reasons(self) -> list[str | None]: ...
    def add(self, chunk: C_contra) -> None: ...
    def completion(self, *, done: bool) -> W_co: ...


class EventStream(Generic[C, W]):
    """What the streams of both endpoints share. Single use.

    Opens itself at its first use. As long as nothing has been delivered, a failed attempt may be followed by another,
    as the retry policy says; chunks without any text in them (the role, at first) are held back until some comes, so
    that "nothing" means no text.
    """

    def __init__(
        self,
        start: Callable[[], Call],
        make_decoder: Callable[[], StreamDecoder[C]],
        make_fold: Callable[[], Folding[C, W]],
        has_text: Callable[[C], bool],
    ) -> None:
        self._start = start
        self._make_decoder = make_decoder
        self._make_fold = make_fold
        self._has_text = has_text
        self._call: Call | None = None
        self._exchange: Exchange | None = None
        self._decoder = make_decoder()
        self._fold = make_fold()
        self._ready: deque[C] = deque()
        self._held: list[C] = []
        self._part_has_text = False  # what the present attempt brings has begun to show
        self._is_draining = False
        self._is_over = False
        self._is_complete = False
        self._is_reading = False
        self._failure: DeepSeekError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.delivered = 0
        """Chunks that the caller has received."""

    # -- for the caller ----------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> C:
        if not self._ready and not await self._fill():
            raise StopAsyncIteration
        self.delivered += 1
        return self._ready.popleft()

    async def completion(self) -> W:
        """Read what is left and return the whole answer.

        Raises:
            StreamInterruptedError: The stream did not end well; ``partial`` carries what arrived.
            DeepSeekError: Any other end; see the error tree.
        """
        self._is_draining = True
        self._held.clear()
        while await self._fill():
            self._ready.clear()
        return self._fold.completion(done=True)

    def snapshot(self) -> W:
        """What has arrived so far, folded; ``complete`` is False until the end. Costs the length of the answer."""
        return self._fold.completion(done=self._is_complete)

    async def aclose(self) -> None:
        """Free the connection at once; works from another task too. What has arrived stays readable by `snapshot`."""
        if self._is_over:
            return
        if self._decoder.state is State.DONE and self._interruption() is None:
            self._release()  # the answer is whole: whoever reads on in another task misses nothing
            await self._finish()
        else:
            self._close("closed")

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            self._close("cancelled")
        else:
            await self.aclose()

    async def open(self) -> None:
        """Send the request and wait for the answer's head; done at the first use of itself.

        Raises:
            APIConnectionError, APITimeoutError: No answer.
            APIStatusError: The server refused.
        """
        while self._exchange is None and not self._is_over:
            try:
                await self._attempt()
            except DeepSeekError as error:
                if self._is_over:
                    raise
                await self._again(error)

    @property
    def request_id(self) -> str | None:
        """The server's id of the request (``x-ds-trace-id``); ``None`` before the head."""
        return self._exchange.request_id if self._exchange is not None else None

    @property
    def status(self) -> int | None:
        """HTTP status; ``None`` before the head."""
        return self._exchange.response.status if self._exchange is not None and self._exchange.response else None

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers, names in lower case; empty before the head."""
        return lowered(self._exchange.response.headers) if self._exchange and self._exchange.response else {}

    @property
    def keepalives(self) -> int:
        """Keep-alive comments and leading blank lines so far: the request is queued, and the server alive."""
        return self._decoder.keepalives

    @property
    def attempts(self) -> int:
        """How many times the request was sent."""
        return self._call.attempts if self._call is not None else 0

    # -- the attempt -------------------------------------------------------------------------------------------------

    async def _attempt(self) -> None:
        if self._call is None:
            self._loop = asyncio.get_running_loop()
            self._call = self._start()
        exchange: Exchange | None = None
        try:
            exchange = await self._call.begin_attempt()
            self._decoder = self._make_decoder()
            self._begin_fold()
            await exchange.open()
        except BaseException as error:
            if exchange is not None:
                exchange.close()
            if not isinstance(error, DeepSeekError):
                self._close("cancelled")
            elif self._is_over:
                raise self._left_early() from None
            elif exchange is not None:
                error.request_id = error.request_id or exchange.request_id
            raise
        self._exchange = exchange
        self._fold.request_id = exchange.request_id

    def _begin_fold(self) -> None:
        self._fold = self._make_fold()

    def _has_shown_part(self) -> bool:
        """Whether the caller has seen some of what another attempt would bring again."""
        return self.delivered > 0

    async def _again(self, error: DeepSeekError) -> None:
        """Wait for the next attempt, or raise: the stream is over."""
        assert self._call is not None  # noqa: S101 - an attempt has failed
        self._close_exchange()
        try:
            await self._call.after(error, delivered=self.delivered, has_shown=self._has_shown_part())
        except DeepSeekError as final:
            if self._is_over:
                raise self._left_early() from None
            self._fail(final)
            raise
        except asyncio.CancelledError:
            self._close("cancelled")
            raise
        self._begin_part()

    def _begin_part(self) -> None:
        self._held.clear()
        self._ready.clear()
        self._part_has_text = False
        self._exchange = None

    async def _fill(self) -> bool:
        """Read until a chunk is ready; False at the end.

        Raises:
            DeepSeekError: The end was no good one. Raised again whenever asked again.
        """
        while not self._ready:
            if self._is_over:
                if self._failure is not None:
                    raise self._failure
                if not self._is_complete:
                    raise self._left_early()
                return False
            if self._exchange is None:
                await self.open()
                continue
            if self._decoder.state is State.DONE:
                if (failure := self._interruption()) is None:
                    await self._end_well()
                else:
                    await self._end_badly(failure)
            elif self._decoder.failure is not None:
                await self._end_badly(self._decoder.failure)
            else:
                await self._read(self._exchange)
        return True

    async def _read(self, exchange: Exchange) -> None:
        decoder = self._decoder
        if self._is_reading:
            raise RuntimeError("two tasks read one stream at the same time")
        self._is_reading = True
        try:
            data = await exchange.receive()
        except DeepSeekError as error:
            if self._is_over:
                raise self._left_early() from None
            exchange.close()  # nothing more can come; what came is still to be delivered
            # Without its traceback, which holds us: a stream that is dropped must not wait for the collector.
            decoder.receive_break(_interrupted_by(error.with_traceback(None)))
            return
        except asyncio.CancelledError:
            self._close("cancelled")
            raise
        finally:
            self._is_reading = False
        chunks = decoder.receive_data(data) if data else decoder.receive_eof()
        if self._call is not None:
            self._call.watch.keepalives = decoder.keepalives
        if chunks:
            if decoder.chunks == len(chunks) and self._call is not None:
                self._call.tell_first_chunk(exchange.request_id)
            exchange.progressed()
            add = self._fold.add
            for chunk in chunks:
                add(chunk)
            self._part_has_text = self._part_has_text or any(map(self._has_text, chunks))
            if not self._is_draining:  # else the fold has them, and no one will ask for them one by one
                self._take(chunks)
        else:
            exchange.go_on()
        if decoder.state is State.DONE:
            response = exchange.response
            if response is not None and response.is_at_end:
                response.close()  # free for the next request before this one's last chunks are looked at

    def _take(self, chunks: list[C]) -> None:
        if self._held or not self._part_has_text:
            self._held += chunks
            if self._part_has_text:
                self._release()
        else:
            self._ready.extend(chunks)

    def _release(self) -> None:
        self._ready.extend(self._held)
        self._held.clear()

    # -- the end -----------------------------------------------------------------------------------------------------

    def _interruption(self) -> DeepSeekError | None:
        """The server's own word, in a stream that ended in form, that it broke the generation off."""
        reason = interruption_in(self._fold.finish_reasons)
        if reason is None:
            return None
        cause = broken_off(reason)
        return StreamInterruptedError(
            cause.message,
            cause=cause,
            partial=self._fold.completion(done=False),
            delivered=self.delivered,
            request_id=self.request_id,
        )

    async def _end_badly(self, failure: DeepSeekError) -> None:
        if self._goes_on(failure):
            return
        failure.partial = self._fold.completion(done=False)
        failure.request_id = failure.request_id or self.request_id
        if self._held and (self._call is None or not self._call.may_try_again(failure)):
            self._release()  # no other attempt will bring them: first what arrived, then the failure
            return
        await self._again(failure)

    async def _end_well(self) -> None:
        if self._goes_on(None):
            return
        if self._held:
            self._release()
        else:
            await self._finish()

    def _goes_on(self, failure: DeepSeekError | None) -> bool:  # noqa: ARG002 - for subclasses
        """Whether this end was dealt with, so that reading goes on; ``None``: a good end."""
        return False

    async def _finish(self) -> None:
        """The answer is complete: read the body's end if it is near, and leave the connection to the next request."""
        self._is_over = self._is_complete = True
        exchange = self._exchange
        if exchange is None or exchange.response is None:
            return
        response = exchange.response
        try:
            if not response.is_at_end:
                with anyio.move_on_after(DRAIN_SECONDS, shield=True):
                    left = DRAIN_BYTES
                    while left > 0 and (data := await response.receive()):
                        left -= len(data)
        except DeepSeekError:
            pass  # the answer is whole; the connection is not worth an error
        finally:
            exchange.close()
            self._end_call("completed")

    def _close_exchange(self) -> None:
        if self._exchange is not None:
            self._exchange.close()

    def _fail(self, failure: DeepSeekError) -> None:
        self._failure = failure
        self._is_over = True
        self._close_exchange()
        self._end_call("failed", failure)

    def _close(self, outcome: str) -> None:
        self._is_over = True
        self._ready.clear()
        self._held.clear()
        if self._call is not None:
            self._call.watch.interrupt(StreamInterruptedError("closed"))  # another task may wait for bytes
        self._close_exchange()
        self._end_call(outcome)

    def _end_call(self, outcome: str, error: DeepSeekError | None = None) -> None:
        if self._call is not None:
            chunks, request_id = self._decoder.chunks, self.request_id
            self._call.end(outcome, chunks=chunks, request_id=request_id, error=error)

    def _left_early(self) -> StreamInterruptedError:
        return StreamInterruptedError(
            "the stream was closed before its end",
            partial=self._fold.completion(done=False),
            delivered=self.delivered,
            request_id=self.request_id,
            attempts=self.attempts,
            by_caller=True,
        )

    def __del__(self) -> None:
        # Left without aclose(): the connection must not stay open until somebody notices.
        exchange = getattr(self, "_exchange", None)
        if exchange is None or self._is_over:
            return
        loop = self._loop
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self._discard(exchange))
        else:
            self._discard(exchange)()

    def _discard(self, exchange: Exchange) -> Callable[[], None]:
        call = self._call

        def discard() -> None:
            exchange.close()
            if call is not None:
                call.end("closed")

        return discard

    def __repr__(self) -> str:
        state = "closed" if self._is_over else self._decoder.state.value
        return f"<{type(self).__name__} {state}, {self.delivered} chunks delivered, request_id={self.request_id}>"


def _interrupted_by(error: DeepSeekError) -> DeepSeekError:
    """How a broken connection ends a stream; whatever else can end it, a deadline say, keeps its own name."""
    if not isinstance(error, APIConnectionError):
        return error
    return StreamInterruptedError(f"the stream was cut: {error.message}", cause=error)
