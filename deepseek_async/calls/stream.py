"""A streamed answer, as the caller reads it: one loop around `StreamedAnswer`, which knows what everything means.

A class with ``__anext__``, no async generator: one that is left early frees its connection at once, from any task, and
no cancel scope is held while the caller works.

The class is long because the loop and what its caller sees of it (the ends, the figures, other names) are one state.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Literal, NoReturn, Self, TypeVar

from ..codec.answer import Complete, Interrupted, Seam, StreamedAnswer
from ..errors import DeepSeekError, StreamInterruptedError, name_ours, of_another_loop, refuse_sync, unforeseen
from ..transport.base import lowered
from ..types import ChatCompletion, ChatCompletionChunk, Delta, TextCompletion
from .arguments.spellings import WORDS_OF_STREAMS
from .attempt import Attempt
from .call import Call
from .streams.estimates import settle_stream, with_estimate
from .streams.reading import Reading, content_in, delta_in, text_in

if TYPE_CHECKING:
    from .streams.resumption import Resumption

C = TypeVar("C", bound=ChatCompletionChunk | TextCompletion)
W = TypeVar("W", bound=ChatCompletion | TextCompletion)

# After [DONE] only the end of the body is missing, and it usually came in the same packet: worth a moment, since then
# the connection serves the next request.
DRAIN_SECONDS = 0.25
DRAIN_BYTES = 65_536


class Stage(enum.Enum):
    """How far the reading is; but for the first, the outcome that hooks are told."""

    UNDER_WAY = "under way"
    COMPLETED = "completed"
    FAILED = "failed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ChunkStream(Generic[C, W]):
    """What the streams of both endpoints share. Single use.

    Opens itself at its first use. As long as no text has been delivered, a failed attempt may be followed by another,
    as the retry policy says; see `StreamedAnswer` for what is delivered when.

    Args:
        start: Makes the call.
        answer: What is made of its bytes.
        resumption: How the answer is continued, if it may be.
    """

    def __init__(
        self, start: Callable[[], Call], answer: StreamedAnswer[C, W], resumption: Resumption | None = None
    ) -> None:
        self._start = start
        self._answer = answer
        self._outlet = answer.outlet
        self._ready = answer.ready
        self._resumption = resumption
        self._stage = Stage.UNDER_WAY
        self._is_busy = False  # a task waits in here
        self._call: Call | None = None
        self._attempt: Attempt | None = None  # whose response is being read
        self._loop: asyncio.AbstractEventLoop | None = None
        self._counted: tuple[int, int] | None = None  # the prompt's tokens, estimated, of a part

    # -- for the caller ----------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> C:
        ready = self._ready
        if not ready:
            is_fresh = self._answer.chunks > 0 and not self._answer.is_idling
            while not ready:
                # As `_advance` does where there are bytes to wait for, without a coroutine of its own.
                if (reading := self._begin_read(is_fresh=is_fresh)) is None:
                    if not await self._advance():
                        raise StopAsyncIteration
                    continue
                try:
                    data = await reading
                except BaseException as error:
                    if not self._is_end(error):
                        raise
                else:
                    is_fresh = self._end_read(data)
        self._outlet.delivered += 1
        return ready.popleft()

    async def completion(self) -> W:
        """Read what is left and return the whole answer.

        Raises:
            StreamInterruptedError: The stream did not end well; ``partial`` carries what arrived.
            DeepSeekError: Any other end; see the error tree.
            RuntimeError: Another task is reading.
        """
        self._check_reader()
        self._answer.drain()
        while await self._advance():
            pass
        return self._priced(self._answer.completion())

    def snapshot(self) -> W:
        """What has arrived so far, folded; ``complete`` is False until the end. Costs the length of the answer."""
        return self._priced(self._answer.snapshot())

    def _priced(self, completion: W) -> W:
        return completion if self._call is None else with_estimate(completion, self._answer, self._prompt_tokens)

    def _prompt_tokens(self) -> int:
        """Counted once for each part: whoever looks on asks again and again."""
        part = len(self._answer.seams)
        if self._counted is None or self._counted[0] != part:
            self._counted = part, 0 if self._call is None else self._call.prompt_tokens()
        return self._counted[1]

    async def open(self, *, until: Literal["head", "first_text"] = "head") -> None:
        """Send the request and wait for the response's head; done at the first use of itself.

        Args:
            until: ``"first_text"`` waits until there is something to show, so that a relay can still answer with a
                status of its own: a failure before is raised here, after all attempts.

        Raises:
            APIConnectionError, APITimeoutError: No response.
            APIStatusError: The server refused.
            StreamInterruptedError, APIResponseError: With ``"first_text"``: the answer ended before any text.
            RuntimeError: Another task is opening it.
        """
        while self._attempt is None and self._stage is Stage.UNDER_WAY:
            await self._advance(opening=True)
        if self._stage is not Stage.UNDER_WAY:
            self._has_more()
        elif until == "first_text":
            await self._advance()
            if isinstance(self._answer.end, Interrupted) and not self._answer.has_text:
                self._answer.drain()  # nothing in it to show
                await self._advance()

    async def aclose(self) -> None:
        """Free the connection at once; works from another task too. What has arrived stays readable by `snapshot`."""
        if self._stage is not Stage.UNDER_WAY:
            return
        if isinstance(self._answer.end, Complete):
            self._answer.conclude()  # it is whole: whoever reads on in another task misses nothing
            await self._finish()
        else:
            self._leave(Stage.CLOSED)

    async def close(self) -> None:
        """As `aclose`."""
        await self.aclose()

    async def get_final_completion(self) -> W:
        """As `completion`, by the openai package's name."""
        return await self.completion()

    async def until_done(self) -> Self:
        """Read to the end; `snapshot` has it all then. Raises as `completion`."""
        await self.completion()
        return self

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            self._leave(Stage.CANCELLED)
        else:
            await self.aclose()

    @property
    def request_id(self) -> str | None:
        """The server's id of the request (``x-ds-trace-id``); ``None`` before the head."""
        return self._answer.request_id

    @property
    def status(self) -> int | None:
        """HTTP status; ``None`` before the head."""
        return self._attempt.response.status if self._attempt is not None and self._attempt.response else None

    @property
    def headers(self) -> Mapping[str, str]:
        """The response's headers, names in lower case; empty before the head."""
        return lowered(self._attempt.response.headers) if self._attempt and self._attempt.response else {}

    @property
    def keepalives(self) -> int:
        """Keep-alive comments and leading blank lines so far: the request is queued, and the server alive."""
        return self._answer.keepalives

    @property
    def delivered(self) -> int:
        """Chunks that the caller has received."""
        return self._answer.delivered

    @property
    def attempts(self) -> int:
        """How many times the request was sent."""
        return self._call.attempts if self._call is not None else 0

    @property
    def ended_without_done(self) -> bool:
        """Whether the answer is whole by its finish reasons, though the server never said ``[DONE]``."""
        end = self._answer.end
        return isinstance(end, Complete) and end.ended_without_done

    # -- the loop ----------------------------------------------------------------------------------------------------

    def _check_reader(self) -> None:
        if self._is_busy:
            raise RuntimeError("two tasks read one stream at the same time")

    async def _advance(self, *, opening: bool = False) -> bool:
        """Go on until a chunk is ready (or the head is there); False: the answer has ended, and well.

        Raises:
            DeepSeekError: It has ended, and not well. Raised again whenever asked again.
        """
        stage, answer = self._stage, self._answer
        if stage is not Stage.UNDER_WAY:
            return self._has_more()
        self._check_reader()
        # The last read brought a chunk, and something in it: the time until the next begins.
        is_fresh = answer.chunks > 0 and not answer.is_idling
        while not self._ready:
            if (stage := self._stage) is not Stage.UNDER_WAY:
                return self._has_more()
            if (reading := self._begin_read(is_fresh=is_fresh)) is not None:
                try:
                    data = await reading
                except BaseException as error:
                    if not self._is_end(error):
                        raise
                else:
                    is_fresh = self._end_read(data)
                continue
            is_fresh = False
            self._is_busy = True
            try:
                if answer.end is not None:
                    await self._act_on(answer.end)
                else:
                    await self._open()
                    if opening and self._attempt is not None:
                        return True
            except DeepSeekError:
                raise
            except BaseException:
                self._leave(Stage.CANCELLED)
                raise
            finally:
                self._is_busy = False
        return True

    def _begin_read(self, *, is_fresh: bool) -> Awaitable[bytes] | None:
        """Begin to wait for bytes; ``None``: there is something else to do."""
        call, attempt = self._call, self._attempt
        if (
            self._is_busy
            or call is None
            or attempt is None
            or attempt.response is None
            or self._answer.end is not None
            or self._stage is not Stage.UNDER_WAY
        ):
            return None
        reading = attempt.response.receive()
        if not call.deadlines.begin(is_fresh=is_fresh):
            self._answer.receive_break(of_another_loop(reading))
            self._settle_read(call)
            return None
        self._is_busy = True
        return reading

    def _end_read(self, data: bytes) -> bool:
        """Take what came, ``b""`` if it is the end; whether there was a chunk in it, and something in that."""
        call, answer = self._call, self._answer
        assert call is not None  # noqa: S101 - it waited
        deadlines, before = call.deadlines, answer.chunks
        deadlines.end()
        self._is_busy = False
        try:
            answer.receive_data(data) if data else answer.receive_eof()
        except DeepSeekError as error:
            answer.receive_break(error)
        except Exception as error:
            answer.receive_break(unforeseen(error))
        except BaseException:
            self._leave(Stage.CANCELLED)
            raise
        else:
            if call.watch is not None:
                call.watch.read(answer.chunks - before, deadlines.waited, answer.request_id)
            if answer.chunks == before or answer.is_idling:
                deadlines.go_on()
        self._settle_read(call)
        return answer.chunks > before and not answer.is_idling

    def _is_end(self, error: BaseException) -> bool:
        """Whether what a wait for bytes raised is for the answer to take; if not, it is for the caller."""
        call, answer = self._call, self._answer
        assert call is not None  # noqa: S101 - it waited
        due = call.deadlines.end(error)
        self._is_busy = False
        if due is not None:
            answer.receive_break(due)
        elif isinstance(error, Exception):
            answer.receive_break(error if isinstance(error, DeepSeekError) else unforeseen(error))
        else:
            self._leave(Stage.CANCELLED)
            return False
        self._settle_read(call)
        return True

    def _settle_read(self, call: Call) -> None:
        answer, attempt = self._answer, self._attempt
        call.deadlines.keepalives = answer.keepalives
        if answer.end is None or attempt is None or attempt.response is None:
            return
        if attempt.response.is_at_end or isinstance(answer.end, Interrupted):
            attempt.close()  # free for the next request before this one's last chunks are looked at

    def _has_more(self) -> bool:
        """Whether chunks are left after the end."""
        if self._ready:
            return True
        if isinstance(self._answer.end, Interrupted):
            raise self._answer.end.error
        return False

    async def _open(self) -> None:
        """Make an attempt: send the request and wait for the head. Its failure is for `_act_on`."""
        if self._call is None:
            self._call = self._start()
            self._loop = asyncio.get_running_loop()
        attempt: Attempt | None = None
        try:
            attempt = await self._call.begin_attempt()
            await attempt.open()
        except BaseException as error:
            if attempt is not None:
                attempt.close()
                if self._stage is Stage.UNDER_WAY:  # closed meanwhile, it has told its id already
                    self._answer.request_id = attempt.request_id
            if not isinstance(error, Exception):
                settle_stream(self._call.meter, self._answer, is_billed=attempt is not None and attempt.is_sent)
                raise
            refusal = error if isinstance(error, DeepSeekError) else unforeseen(error)
            refusal.billed_before |= attempt is not None and attempt.was_resent
            self._answer.receive_refusal(refusal)
        else:
            self._attempt = attempt
            self._answer.request_id = attempt.request_id

    async def _act_on(self, end: Complete | Interrupted) -> None:
        """No chunk is ready, and the attempt has ended: go on with another part or attempt, or be over."""
        answer, call = self._answer, self._call
        assert call is not None  # noqa: S101 - an attempt was made
        resumption = self._resumption
        if resumption is not None and resumption.is_whole(answer):
            answer.accept()
        elif resumption is not None and resumption.follows(answer):
            settle_stream(call.meter, answer, goes_on=True)
            self._close_attempt()
            self._attempt = None
            self._resumption, request = resumption.continued(answer)
            call.go_on(request)
        elif isinstance(end, Complete):
            if not answer.conclude():
                await self._finish()
        elif answer.has_held and (answer.has_shown or not call.may_try_again(end.error)):
            answer.conclude()  # no other attempt will bring them: first what arrived, then the failure
        else:
            await self._try_again(end.error)

    async def _try_again(self, error: DeepSeekError) -> None:
        """Wait for the next attempt, or fail."""
        answer, call = self._answer, self._call
        assert call is not None  # noqa: S101
        self._close_attempt()
        settle_stream(call.meter, answer, is_billed=error.may_be_billed)
        try:
            await call.after(error, delivered=answer.delivered, has_shown=answer.has_shown)
        except DeepSeekError as final:
            if self._stage is Stage.UNDER_WAY:
                answer.fail(final)
                final.partial = with_estimate(final.partial, answer, self._prompt_tokens)
                self._stage = Stage.FAILED
                self._end_call(final)
        else:
            self._attempt = None
            answer.begin_attempt()

    async def _finish(self) -> None:
        """The answer is complete: read the body's end if it is near, and leave the connection to the next request."""
        self._stage = Stage.COMPLETED
        call, attempt = self._call, self._attempt
        if call is not None:
            settle_stream(call.meter, self._answer)
        if call is None or attempt is None or attempt.response is None:
            return
        response = attempt.response
        try:
            if not response.is_at_end:
                call.deadlines.enter("idle", DRAIN_SECONDS)
                left = DRAIN_BYTES
                while left > 0 and (data := await call.deadlines.wait(response.receive())):
                    left -= len(data)
        except DeepSeekError:
            pass  # the answer is whole; the connection is not worth an error
        finally:
            attempt.close()
            self._end_call()

    def _leave(self, stage: Stage) -> None:
        """Be over before the end."""
        if self._stage is not Stage.UNDER_WAY:
            return
        self._stage = stage
        self._answer.close(self.attempts)
        if self._call is not None:
            settle_stream(self._call.meter, self._answer)
            self._call.deadlines.interrupt(StreamInterruptedError("closed"))  # another task may wait for bytes
        self._close_attempt()
        self._end_call()

    def _close_attempt(self) -> None:
        if self._attempt is not None:
            self._attempt.close()

    def _end_call(self, error: DeepSeekError | None = None) -> None:
        if self._call is not None:
            answer = self._answer
            self._call.end(
                self._stage.value, chunks=answer.chunks, request_id=answer.request_id, error=error, streamed=answer
            )

    def __del__(self) -> None:
        # Left without aclose(): the connection must not stay open until somebody notices.
        call = getattr(self, "_call", None)
        if call is None or self._stage is not Stage.UNDER_WAY:
            return
        attempt, answer = self._attempt, self._answer

        def discard() -> None:
            if attempt is not None:
                attempt.close()
            settle_stream(call.meter, answer)
            call.end(Stage.CLOSED.value, chunks=answer.chunks, request_id=answer.request_id, streamed=answer)

        loop = self._loop
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(discard)
        else:
            discard()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a stream cannot be copied or pickled: it is one connection; its snapshot() can")

    def __repr__(self) -> str:
        if not hasattr(self, "_stage"):
            return f"<{type(self).__name__}, not made>"
        state = self._answer.state.value if self._stage is Stage.UNDER_WAY else "closed"
        return f"<{type(self).__name__} {state}, {self.delivered} chunks delivered, request_id={self.request_id}>"


class ChatCompletionStream(ChunkStream[ChatCompletionChunk, ChatCompletion]):
    """A streamed chat answer: ``async for`` over `ChatCompletionChunk`, or `deltas`, `text_deltas`, `completion`.

    Use it as an async context manager, or read it to its end, or `aclose` it. Each chunk is delivered once, whichever
    way it is read.

    Raises:
        StreamInterruptedError: From reading: the stream did not end well.
        APITimeoutError: From reading: a deadline passed; its ``phase`` says which.
    """

    @property
    def seams(self) -> tuple[Seam, ...]:
        """Where the answer was continued (see `Resume`); empty if it came in one piece."""
        return tuple(self._answer.seams)

    def deltas(self, index: int = 0) -> Reading[ChatCompletionChunk, Delta]:
        """The deltas of one choice, each with its tokens in ``logprobs``; empty ones are left out."""
        return Reading(self, index, delta_in, is_of_one=lambda: self._answer.is_of_one)

    def text_deltas(self, index: int = 0) -> Reading[ChatCompletionChunk, str]:
        """The content of one choice as it comes; never empty strings."""
        return Reading(self, index, content_in, is_of_one=lambda: self._answer.is_of_one)


class TextCompletionStream(ChunkStream[TextCompletion, TextCompletion]):
    """A streamed fill-in-the-middle answer: ``async for`` over `TextCompletion`, each a piece."""

    def text_deltas(self, index: int = 0) -> Reading[TextCompletion, str]:
        """The text of one choice as it comes; never empty strings."""
        return Reading(self, index, text_in, is_of_one=lambda: self._answer.is_of_one)


name_ours(ChunkStream, WORDS_OF_STREAMS)
refuse_sync(ChunkStream)
