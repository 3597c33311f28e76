"""A streamed answer, from its first byte to its end: bytes in; chunks, the whole and a verdict out. No I/O, no clock.

The end is an input. A connection that closes tells nothing by itself; what it means depends on what came before:

| state | what comes | the state after it |
| --- | --- | --- |
| WAITING: no chunk yet | a chunk | STREAMING |
| | the first byte of a document | DOCUMENT |
| STREAMING | ``[DONE]``; the end of the bytes, once every choice has its ``finish_reason`` | DONE |
| DOCUMENT: no event stream at all | the end of the bytes, in form or not, if it is a whole completion | DONE |
| | a chunk: JSON texts one after the other | STREAMING |
| WAITING, STREAMING, DOCUMENT | anything else that ends it: see below | FAILED |
| FAILED | another attempt | WAITING |
| DONE, FAILED | a continuation: a seam | WAITING |
| any but DONE | the caller closes it | CLOSED |

What a state does not name changes nothing: a connection that breaks behind ``[DONE]`` is no news.

What ends an answer badly, and as which error: nothing came, or no choice in all that came (`EmptyResponseError`); an
error in the band, a finish reason by which the server says that it broke off, the end of the bytes amid the answer, a
broken connection (`StreamInterruptedError`); a payload that is no chunk (`MalformedResponseError`); a deadline, a
refusal, under their own names. A chunk that came before is always delivered before it, also when both came in one read.

The module is long because the machine is one: every method below moves the same state, and is read beside the table.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Any, Final, Generic, TypeVar

import attrs

from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    DeepSeekError,
    EmptyResponseError,
    MalformedResponseError,
    StreamInterruptedError,
)
from ..sse import Comment, ServerSentEvent
from ..types import ChatCompletion, ChatCompletionChunk, TextCompletion, Usage
from ..types.values import Brief
from .body import (
    DONE,
    MAX_BODY_BYTES,
    MAX_EVENT_BYTES,
    StreamBody,
    error_in,
    interrupted,
    no_stream,
    payload_in,
    payloads_in,
    without_frames,
)
from .dialects import AloneReader, Dialect
from .endings import broken_off, interruption_in
from .folding.facts import AnswerFacts
from .folding.fold import Fold
from .folding.identities import Identities, begins_anew, parts_of
from .outlet import Outlet, Probation
from .reading.halves import Halves
from .reading.repetition import Repetition

C = TypeVar("C", bound=ChatCompletionChunk | TextCompletion)
W = TypeVar("W", bound=ChatCompletion | TextCompletion)


class State(enum.Enum):
    """Where a streamed answer stands; see the table above."""

    WAITING = "waiting"
    STREAMING = "streaming"
    DOCUMENT = "document"
    DONE = "done"
    FAILED = "failed"
    CLOSED = "closed"


class What(enum.Enum):
    """What can happen to it."""

    CHUNK = enum.auto()
    DOCUMENT = enum.auto()
    END = enum.auto()
    FAILURE = enum.auto()
    ATTEMPT = enum.auto()
    SEAM = enum.auto()
    CLOSE = enum.auto()


TABLE: Final = {
    (State.WAITING, What.CHUNK): State.STREAMING,
    (State.WAITING, What.DOCUMENT): State.DOCUMENT,
    (State.WAITING, What.FAILURE): State.FAILED,
    (State.WAITING, What.CLOSE): State.CLOSED,
    (State.STREAMING, What.END): State.DONE,
    (State.STREAMING, What.FAILURE): State.FAILED,
    (State.STREAMING, What.CLOSE): State.CLOSED,
    (State.DOCUMENT, What.CHUNK): State.STREAMING,
    (State.DOCUMENT, What.END): State.DONE,
    (State.DOCUMENT, What.FAILURE): State.FAILED,
    (State.DOCUMENT, What.CLOSE): State.CLOSED,
    (State.DONE, What.SEAM): State.WAITING,
    (State.FAILED, What.ATTEMPT): State.WAITING,
    (State.FAILED, What.SEAM): State.WAITING,
    (State.FAILED, What.END): State.DONE,  # see `accept`
    (State.FAILED, What.CLOSE): State.CLOSED,
}
"""The state after what happened; what stands not here changes nothing."""


@attrs.frozen(repr=False)
class Complete(Brief):
    """The server has ended the answer.

    Attributes:
        ended_without_done: By the end of the bytes alone, after every choice had its ``finish_reason``.
    """

    ended_without_done: bool = False


@attrs.frozen(repr=False)
class Interrupted(Brief):
    """The attempt has ended, and the answer has not.

    Attributes:
        error: How; to be raised unless another attempt or a continuation follows.
    """

    error: DeepSeekError


@attrs.frozen(repr=False)
class Seam(Brief):
    """Where a continued answer was joined.

    Attributes:
        position: Characters of ``content`` before the seam.
        reasoning_position: Characters of ``reasoning_content`` before it.
        cause: The error that ended the part before it, or ``"length"``.
        usage: Token counts of the part before it; ``None`` where they were lost with its end.
        request_id: The server's id of that part's request.
    """

    position: int
    reasoning_position: int
    cause: DeepSeekError | str
    usage: Usage | None = None
    request_id: str | None = None


class StreamedAnswer(Generic[C, W]):
    """One streamed answer, with all its attempts and parts.

    It has an attribute for each thing that can be known of one: that is what it is for.

    Args:
        dialect: Which endpoint's it is.
        choices: How many choices were asked for; ``None``: nobody knows.
        is_continuable: Whether a continuation may follow its end.
        max_event_bytes: Cap on one event.
        max_body_bytes: Cap on a body that is no event stream.

    Attributes:
        state: Where the present attempt stands.
        end: How it has ended; ``None``: it goes on. Looked at when no chunk is ready.
        outlet: What holds chunks back; counts those that are taken.
        ready: Chunks that may be shown; `next_chunk` takes them one by one.
        chunks: Chunks of the present attempt so far.
        keepalives: Comments and leading blank lines of the present attempt so far.
        is_idling: Whether the last chunks had neither a choice nor a usage: gateways keep a stream alive with such.
        seams: Where it was continued.
    """

    def __init__(
        self,
        dialect: Dialect[C, W],
        *,
        choices: int | None = None,
        is_continuable: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._dialect = dialect
        self._choices = choices
        self._is_continuable = is_continuable
        self._limits = max_event_bytes, max_body_bytes
        self._body = StreamBody(*self._limits)
        self._reader = self._dialect.reader()
        self._halves = Halves()
        self._fold = dialect.fold(choices)
        self.outlet: Outlet[C] = Outlet(dialect, is_continuable=is_continuable)
        self.ready: deque[C] = self.outlet.ready
        self._refrain: AloneReader[C] | None = None
        self._is_concluded = False
        self.state: State = State.WAITING
        self.end: Complete | Interrupted | None = None
        self.chunks: int = 0
        self.keepalives: int = 0
        self.is_idling: bool = False
        self.seams: list[Seam] = []
        self._identities = self._followed()
        self._probation: Probation[C] | None = None

    # -- what comes in -----------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take what one read brought. Never raises: see `end`."""
        if self.end is not None:
            return
        refrain, self._refrain = self._refrain, None
        if refrain is not None and (alike := refrain.read(data)) is not None:
            self._refrain = refrain
            self.chunks += 1
            self.ready.append(alike)
            return
        chunks: list[C] = []
        runs: list[Repetition] = []
        failure: DeepSeekError | None = None
        is_done = False
        reader = self._reader
        slow_before = reader.slow_chunks
        try:
            if not self._body.is_events and not (data := self._begin(data)):
                return
            payloads = self._body.events.receive_payloads(data)
            at = 0
            while (at := reader.read_run(payloads, at, chunks, runs)) < len(payloads):
                payload = payloads[at]
                at += 1
                if type(payload) is Comment:
                    self.keepalives += 1
                elif self._take_other(payload, chunks):
                    is_done = True
                    break
        except (APIStatusError, MalformedResponseError) as error:
            if (rest := self._dialect.salvage(error.body)) is not None:
                chunks.append(rest)  # what can be read beside the error, or of what is none, comes first
            failure = interrupted(error) if isinstance(error, APIStatusError) else error
        except DeepSeekError as error:
            failure = error
        # What reads fast refuses half a character: only what was read slowly may have one.
        if reader.slow_chunks != slow_before or failure is not None or self._halves.is_waiting:
            chunks, runs = list(map(self._halves.joined, chunks)), []
        if chunks:
            if not self.chunks:
                self._move(What.CHUNK)
            if (ids := self._identities) is not None and ids.differs_in(chunks, runs):
                self._meet(ids, chunks)
            self.chunks += len(chunks)
            self.is_idling = not chunks[-1].choices and not any(chunk.choices or chunk.usage for chunk in chunks)
            if self._is_continuable:
                runs = []
                chunks = [one for chunk in chunks for one in self._dialect.with_halves_apart(chunk)]
                if self._probation is not None:
                    chunks = self._tried(chunks)
            self._fold.add_all(chunks, runs)
            if changed := self._fold.changed:
                chunks = [self._dialect.with_changes(chunk, changed) for chunk in chunks]
                changed.clear()
            if not self.outlet.is_open:
                self.outlet.sort(chunks)
            elif not self.outlet.is_drained:
                self.ready.extend(chunks)
                is_plain = not self._is_continuable and not self._halves.is_waiting
                if len(chunks) == 1 and is_plain and self._body.events.is_idle:
                    self._refrain = reader.refrain(data, self._fold.append_to, self._limits[0])
        if failure is not None:
            self._fail(failure)
        elif is_done:
            self._let_pass()
            if self.end is None:
                self._finish()

    def receive_eof(self) -> None:
        """Take the end of the bytes, as HTTP tells it. Never raises: see `end`."""
        if self.end is not None:
            return
        try:
            if self._body.is_document:
                self._take_document()
            else:
                self._end()
        except APIStatusError as error:
            self._fail(interrupted(error))
        except DeepSeekError as error:
            self._fail(error)

    def receive_break(self, error: DeepSeekError) -> None:
        """Take that the connection broke, or that a deadline passed, amid the answer."""
        partial = None
        if self.end is None and self._body.is_document and isinstance(error, APIConnectionError | APITimeoutError):
            try:
                self._take_document()  # it says by itself where it ends
                return
            except APIStatusError as told:
                error = interrupted(told)
            except DeepSeekError as cut:
                partial = cut.partial
        if isinstance(error, APIConnectionError):
            message = f"the stream was cut: {error.message}"
            error = StreamInterruptedError(message, cause=error)
        error.partial = partial or error.partial
        self._fail(error)

    def receive_refusal(self, error: DeepSeekError) -> None:
        """Take that the attempt ended before an answer began: with another status, or without a head."""
        self._fail(error, has_begun=bool(self.seams))

    def close(self, attempts: int = 0) -> None:
        """Take that the caller wants no more of it, after so many attempts. `snapshot` still shows what arrived."""
        if self._move(What.CLOSE):
            self.outlet.clear()
            message = "the stream was closed before its end"
            self._break_off(StreamInterruptedError(message, attempts=attempts, by_caller=True))

    # -- what goes out -----------------------------------------------------------------------------------------------

    def next_chunk(self) -> C | None:
        """The next chunk that may be shown; ``None``: more data is needed, or see `end`."""
        if not self.ready:
            return None
        self.outlet.delivered += 1
        return self.ready.popleft()

    @property
    def delivered(self) -> int:
        """Chunks that were taken by `next_chunk`."""
        return self.outlet.delivered

    @property
    def has_held(self) -> bool:
        """Whether chunks are held back."""
        return bool(self.outlet.held or self.outlet.closing)

    @property
    def has_text(self) -> bool:
        """Whether the present attempt has brought any text."""
        return self.outlet.has_text

    @property
    def has_shown(self) -> bool:
        """Whether some of what another attempt would bring has been shown.

        A continuation's text is in the fold as soon as it comes, shown or not.
        """
        return self.outlet.has_text if self.seams else self.outlet.has_shown

    @property
    def is_finished(self) -> bool:
        """Whether every choice has its ``finish_reason``, and no one says that the server broke off."""
        reasons = self._fold.finish_reasons
        return len(reasons) >= (self._choices or 1) and None not in reasons and interruption_in(reasons) is None

    @property
    def is_of_one(self) -> bool:
        """Whether all chunks are of one choice, because one was asked for."""
        return self._fold.is_of_one

    @property
    def finish_reason(self) -> str | None:
        """That of the first choice."""
        return next(iter(self._fold.finish_reasons), None)

    @property
    def usage(self) -> Usage | None:
        """What the server has told of the tokens of the present part."""
        return self._fold.usage

    @property
    def request_id(self) -> str | None:
        """The server's id of the present attempt's request."""
        return self._fold.request_id

    @request_id.setter
    def request_id(self, request_id: str | None) -> None:
        self._fold.request_id = request_id

    def facts(self) -> AnswerFacts:
        """What has arrived so far besides the texts."""
        return self._fold.facts()

    def completion(self) -> W:
        """The whole answer.

        Raises:
            DeepSeekError: It did not end well.
            RuntimeError: It has not ended.
        """
        if isinstance(self.end, Interrupted):
            raise self.end.error
        if self.end is None:
            raise RuntimeError("the answer has not ended: see snapshot()")
        return self._fold.completion(done=True)

    def snapshot(self) -> W:
        """What has arrived so far; ``complete`` is False until the end stands. Costs the length of the answer."""
        return self._fold.completion(done=self._is_concluded and isinstance(self.end, Complete))

    # -- what is decided about it ------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Show no more chunks: from here on they are only folded."""
        self._refrain = None
        self.outlet.is_drained = True
        self.outlet.clear()

    def begin_attempt(self) -> None:
        """Another attempt follows: what the one before brought is forgotten, but for the parts before a seam."""
        if self._move(What.ATTEMPT):
            if self.seams:
                self._chat_fold.drop(self.outlet.pending)
                message = self._chat_fold.completion(done=False).message
                self._probation = Probation(message.content or "", message.reasoning_content or "")
            else:
                self._fold = self._dialect.fold(self._choices)
            self._start_anew(is_again=self.delivered > 0)

    def reopen(self, cause: DeepSeekError | str) -> None:
        """Another part follows, which continues the answer: make the seam."""
        if self._move(What.SEAM):
            fold = self._chat_fold
            usage = fold.usage
            fold.reopen(self.outlet.pending)
            message = fold.completion(done=False).message
            content, reasoning = message.content or "", message.reasoning_content or ""
            self.seams.append(Seam(len(content), len(reasoning), cause, usage, self.request_id))
            self._probation = Probation(content, reasoning)
            self._start_anew(is_again=True)

    def accept(self) -> None:
        """Take what came for the whole: nothing is missing but the chunk that says so."""
        if self._move(What.END):
            self.end = Complete(ended_without_done=True)

    def fail(self, error: DeepSeekError) -> None:
        """No other attempt follows a failed one: this is the error to raise from now on."""
        if self.state is State.FAILED:
            if error.partial is None and (self.chunks or self.seams):
                error.partial = self._fold.completion(done=False)
            self.end = Interrupted(without_frames(error))

    def conclude(self) -> bool:
        """The end stands: no attempt and no part follows. True: chunks that were held back are ready now."""
        self._is_concluded = True
        self.outlet.release()
        return bool(self.ready)

    # -- inside ------------------------------------------------------------------------------------------------------

    @property
    def _chat_fold(self) -> Fold:
        fold: Any = self._fold
        assert isinstance(fold, Fold)  # noqa: S101 - no other answers are continued
        return fold

    def _move(self, what: What) -> bool:
        """Go where the table says; False: it changes nothing."""
        state = TABLE.get((self.state, what))
        if state is None:
            return False
        self.state = state
        return True

    def _start_anew(self, *, is_again: bool) -> None:
        self.end = None
        self.chunks = self.keepalives = 0
        self._body = StreamBody(*self._limits)
        self._reader = self._dialect.reader()
        self._halves = Halves()
        self._refrain = None
        self._identities = self._followed()
        self.outlet.begin(is_again=is_again)

    def _begin(self, data: bytes) -> bytes:
        """See what kind of body it is; return what is left of the data."""
        body = self._body
        before = body.blank_lines
        data = body.begin(data)
        self.keepalives += body.blank_lines - before
        if body.is_document:
            self._move(What.DOCUMENT)
        return data

    def _take_other(self, payload: bytes | ServerSentEvent | Comment, chunks: list[C]) -> bool:
        """Take a payload that is no plain object; True if it is the end."""
        event = "message"
        if isinstance(payload, ServerSentEvent):
            event, payload = payload.event, payload.data.encode()
        assert isinstance(payload, bytes)  # noqa: S101 - comments were taken before
        text = payload_in(event, payload)
        if text == DONE:
            if not chunks and not self.chunks:
                raise self._emptiness()
            if (cause := error_in(self._body.unframed)) is not None:
                raise cause
            return True
        if text is None:
            self.keepalives += 1
        elif text:
            chunks.append(self._reader.read(text))
        return False

    def _end(self) -> None:
        """What the end of a stream of events means that has not said ``[DONE]``."""
        body = self._body
        unfinished, unframed = body.receive_eof().strip(), body.unframed
        cause = error_in(unfinished.encode("utf-8", "replace")) or error_in(unframed)
        if cause is None and (payloads := payloads_in(unfinished)):
            self._take_last([self._reader.read(payload) for payload in payloads if payload != DONE])
            unfinished = "[DONE]" if payloads[-1] == DONE else ""
        self._let_pass()
        if self.end is not None:
            return
        if unfinished == "[DONE]" and self.chunks:  # every chunk came; only the last blank line did not
            self._finish()
        elif cause is not None:
            raise interrupted(cause)
        elif self.chunks and self.is_finished and "[DONE]".startswith(unfinished):  # not amid another event
            self._finish(without_done=True)
        elif self.chunks and interruption_in(self._fold.finish_reasons) is not None:
            self._finish()  # it has said how it ended
        elif (failure := self._failure_in_words()) is not None:
            raise interrupted(failure)
        elif self.chunks and self._fold.is_blank and isinstance(error := self._emptiness(), MalformedResponseError):
            raise error
        elif self.chunks:
            raise StreamInterruptedError(f"the stream ended without [DONE] after {self.chunks} chunks")
        elif unframed.strip():
            raise no_stream(unframed)
        elif unfinished and unfinished != "[DONE]":
            raise StreamInterruptedError("the stream was cut inside its first event")
        else:
            raise self._emptiness()

    def _take_document(self) -> None:
        from .unframed import unfinished_chunk  # for those bodies only that are no streams

        document = self._body.document
        if (chunk := unfinished_chunk(document)) is not None:
            self._take_last([self._reader.read(chunk)])
            raise StreamInterruptedError("the stream ended after its first chunk, which no other followed")
        self._take_last([self._dialect.read_whole(document)])
        if self.end is None:
            self._finish()

    def _take_last(self, chunks: list[C]) -> None:
        """Take chunks that the end of the bytes brings: a document, or an event that nothing else ended."""
        if chunks and not self.chunks:
            self._move(What.CHUNK)
        self.chunks += len(chunks)
        if self._probation is not None:
            self._probation.kept += chunks
            self._let_pass()
            return
        for chunk in chunks:
            self._fold.add(chunk)
        self.outlet.sort(chunks)

    def _emptiness(self) -> EmptyResponseError | MalformedResponseError:
        from .failures.foreign import foreign_form  # which good answers can do without

        if (whose := foreign_form(self._fold.extra)) is not None:
            return MalformedResponseError(f"the answer is no chat completion: {whose}")
        nothing = f"{self.keepalives} keep-alives, no chunk" if not self.chunks else "no choice in any chunk"
        if self._fold.finish_reasons:
            nothing = "no message in any choice"
        return EmptyResponseError(f"the answer to a streamed request is empty: status 200, {nothing}")

    def _finish(self, *, without_done: bool = False) -> None:
        """The server has said that this is the end."""
        reason = interruption_in(self._fold.finish_reasons)
        if reason is not None:
            cause = broken_off(reason)
            self._fail(StreamInterruptedError(cause.message, cause=cause))
        elif (failure := self._failure_in_words()) is not None:
            self._fail(interrupted(failure))
        elif self._fold.is_blank:
            self._fail(self._emptiness())
        elif not self._is_of_two() and self._move(What.END):
            self.end = Complete(without_done)

    def _followed(self) -> Identities | None:
        """What follows the ids of a chat's chunks; ``None``: of several choices each may have its own."""
        fold: Any = self._fold
        return Identities() if self._choices == 1 and isinstance(fold, Fold) else None

    def _meet(self, ids: Identities, chunks: list[Any]) -> None:
        """Chunks of another id have come, the first ones for instance."""

        def lengths() -> tuple[int, int]:
            message = self._chat_fold.completion(done=False).message
            return len(message.content or ""), len(message.reasoning_content or "")

        ids.take(chunks, self.chunks, lengths)
        if ids.id is None:
            self._identities = None

    def _is_of_two(self) -> bool:
        """Whether the stream was two answers, of which the second began anew; then that is how it ends."""
        if self._identities is None or not self._identities.changes:
            return False
        whole = self._chat_fold.completion(done=True)
        content, reasoning = whole.message.content or "", whole.message.reasoning_content or ""
        for change in self._identities.changes:
            if begins_anew(change, content, reasoning):
                first, second = parts_of(whole, change)
                message = (
                    f"amid the stream the answer began anew, under another id ({change.before[:60]!r}, then "
                    f"{change.after[:60]!r}), as a gateway does that goes on with another server: see `partial` and "
                    "`continuation`"
                )
                error = MalformedResponseError(message, path="$.id")
                error.continuation = second
                if self._move(What.FAILURE):
                    self._break_off(error)
                error.partial = first
                return True
        return False

    def _failure_in_words(self) -> APIStatusError | None:
        """What chunks without a choice told in words alone, if the answer has no end of its own."""
        reasons = self._fold.finish_reasons
        if reasons and None not in reasons:
            return None
        from .failures.in_band import failure_in_words

        return failure_in_words(self._fold.extra, is_all=self._fold.is_blank)

    def _tried(self, chunks: list[C]) -> list[C]:
        """What of a continuation's first chunks may be taken; none, and the end, if it begins the answer anew."""
        probation = self._probation
        assert probation is not None  # noqa: S101
        passed = probation.take(chunks)
        if passed is None:
            self._begin_anew(probation)
            return []
        if probation.is_over:
            self._probation = None
        return passed

    def _let_pass(self) -> None:
        """A continuation has ended: what is still kept of it is looked at for the last time."""
        probation, self._probation = self._probation, None
        if probation is None or self.end is not None:
            return
        passed = probation.take([], at_end=True)
        if passed is None:
            self._begin_anew(probation)
            return
        for chunk in passed:
            self._fold.add(chunk)
        self.outlet.sort(passed)

    def _begin_anew(self, probation: Probation[C]) -> None:
        """The server does not continue: both parts are in the error, as they are."""
        self._probation = None
        message = "the server began the answer anew instead of continuing it: see `partial` and `continuation`"
        error = MalformedResponseError(message, path="$.choices[0].delta")
        again: Any = self._dialect.fold(self._choices)
        for chunk in probation.kept:
            again.add(chunk)
        error.continuation = again.completion(done=False)
        self._fail(error)

    def _fail(self, error: DeepSeekError, *, has_begun: bool = True) -> None:
        self._let_pass()
        if self._is_continuable and self.chunks and self.is_finished and self._move(What.END):
            self.end = Complete(ended_without_done=True)  # asking on would invent text
        elif self._move(What.FAILURE):
            self._break_off(error, has_begun=has_begun)

    def _break_off(self, error: DeepSeekError, *, has_begun: bool = True) -> None:
        if has_begun and (self.chunks or error.partial is None):
            error.partial = self._fold.completion(done=False)
        error.delivered = self.delivered
        error.request_id = error.request_id or self.request_id
        self.end = Interrupted(without_frames(error))
