"""What the bytes of a streamed answer mean, and how it ended: bytes in, chunks and a verdict out.

The end is an input. A connection that closes tells nothing by itself; what it means depends on what came before:

| state | event | `[DONE]` | an error in the band | end of the bytes |
| --- | --- | --- | --- | --- |
| WAITING: no chunk yet | → STREAMING | → FAILED, empty | → FAILED, interrupted | → FAILED, empty |
| STREAMING | a chunk | → DONE | → FAILED, interrupted | → FAILED, interrupted |
| DOCUMENT: no event stream at all | (bytes are kept) | | | a whole completion → DONE, else FAILED |
| DONE, FAILED | ignored | ignored | ignored | ignored |

"empty" is `EmptyResponseError`, "interrupted" `StreamInterruptedError`. A payload that is no chunk (no JSON, a wrong
type) leads to FAILED with `MalformedResponseError` from anywhere. A chunk that came before a failure is always
delivered before it, also when both came in one read. A body whose first byte cannot begin an event stream is a
document: an error object, a gateway's page, or the whole completion that a server without streaming sends.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import (
    APIStatusError,
    DeepSeekError,
    EmptyResponseError,
    MalformedResponseError,
    ResponseTooLargeError,
    StreamInterruptedError,
)
from ..sse import Comment, Decoder, ServerSentEvent
from ..types import (
    ChatCompletionChunk,
    TextCompletion,
)
from .in_band import in_band_failure
from .lenient import MAX_SHOWN_BODY, parse_json, summary_of
from .responses import chunk_from_json, text_completion_from_json, text_from_json
from .whole import chunk_from_whole

C = TypeVar("C")

MAX_EVENT_BYTES = 16 * 2**20
MAX_BODY_BYTES = 256 * 2**20

# No line of an event stream that a chat server sends begins so, and every JSON or HTML document does.
_DOCUMENT_STARTS = frozenset((b"{", b"[", b'"', b"<"))
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


class State(enum.Enum):
    """Where a streamed answer stands; see the table above."""

    WAITING = "waiting"
    STREAMING = "streaming"
    DOCUMENT = "document"
    DONE = "done"
    FAILED = "failed"


class StreamDecoder(Generic[C]):
    """The states of one streamed answer.

    Args:
        read: One event's payload → chunk.
        read_whole: A whole body → the one chunk that says the same.
        max_event_bytes: Cap on one event.
        max_body_bytes: Cap on a body that is no event stream.
    """

    def __init__(
        self,
        read: Callable[[bytes], C],
        read_whole: Callable[[bytes], C],
        *,
        max_event_bytes: int = MAX_EVENT_BYTES,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.state = State.WAITING
        self.failure: DeepSeekError | None = None
        """Why the stream failed; to be raised after the chunks that came before it."""
        self.keepalives = 0
        """Comments and leading blank lines so far."""
        self.chunks = 0
        """Chunks so far."""
        self._read = read
        self._read_whole = read_whole
        self._sse = Decoder(max_event_bytes)
        self._max_body_bytes = max_body_bytes
        self._document = bytearray()
        self._has_begun = False
        self._head = b""

    def receive_data(self, data: bytes) -> list[C]:
        """Take what one read brought; return the chunks that it completes. Never raises: see `failure`."""
        if not self._has_begun:
            data = self._skip_blank(data)
        if self.state is State.DOCUMENT:
            self._keep(data)
            return []
        chunks: list[C] = []
        if not data or self.state is State.DONE or self.state is State.FAILED:
            return chunks
        try:
            read = self._read
            for payload in self._sse.receive_payloads(data):
                if type(payload) is bytes and payload.startswith(b"{"):
                    chunks.append(read(payload))
                elif type(payload) is Comment:
                    self.keepalives += 1
                elif self._take_other(payload, chunks):
                    self.state = State.DONE
                    break
        except APIStatusError as error:
            self._fail(_interrupted(error))
        except DeepSeekError as error:
            self._fail(error)
        if chunks:
            self.chunks += len(chunks)
            if self.state is State.WAITING:
                self.state = State.STREAMING
        return chunks

    def receive_eof(self) -> list[C]:
        """Take the end of the bytes; return what it completes. Afterwards the state is DONE or FAILED."""
        chunks: list[C] = []
        try:
            if self.state is State.DOCUMENT:
                chunks.append(self._read_whole(bytes(self._document)))
                self.chunks += 1
                self.state = State.DONE
            elif self.state is State.WAITING or self.state is State.STREAMING:
                self._end()
        except APIStatusError as error:
            self._fail(_interrupted(error))
        except DeepSeekError as error:
            self._fail(error)
        return chunks

    def receive_break(self, error: DeepSeekError) -> None:
        """Take that the connection broke, or that a deadline passed."""
        if self.state is not State.DONE and self.failure is None:
            self._fail(error)

    def _take_other(self, payload: bytes | ServerSentEvent | Comment, chunks: list[C]) -> bool:
        """Take a payload that is no plain object; True if it is the end."""
        event = "message"
        if isinstance(payload, ServerSentEvent):
            event, payload = payload.event, payload.data.encode()
        assert isinstance(payload, bytes)  # noqa: S101 - comments were taken before
        text = payload.strip()
        if text == b"[DONE]":
            if not chunks and not self.chunks:
                raise self._emptiness()
            return True
        if not text:
            return False
        if event == "error":
            raise _error_event(text)
        chunks.append(self._read(text))
        return False

    def _skip_blank(self, data: bytes) -> bytes:
        """Skip what stands before the body's first byte, and see by that one what kind of body it is."""
        body = (self._head + data).lstrip(_BLANK)
        self.keepalives += data[: max(0, len(data) - len(body))].count(b"\n")
        if _BOM.startswith(body):  # or a part of it: what it stands before is still to come
            self._head = body
            return b""
        self._has_begun = True
        if body.removeprefix(_BOM)[:1] in _DOCUMENT_STARTS:
            self.state = State.DOCUMENT
        return body

    def _keep(self, data: bytes) -> None:
        if self.failure is not None:
            return
        self._document += data
        if len(self._document) > self._max_body_bytes:
            self._document.clear()
            self._fail(
                ResponseTooLargeError(
                    f"the body is larger than the cap of {self._max_body_bytes:,} bytes", limit=self._max_body_bytes
                )
            )

    def _end(self) -> None:
        self._sse.receive_eof()
        unfinished = self._sse.unfinished.data if self._sse.unfinished is not None else ""
        if unfinished.strip() == "[DONE]" and self.chunks:  # every chunk came; only the last blank line did not
            self.state = State.DONE
            return
        unframed = self._sse.unframed
        cause = _error_in(unfinished.encode("utf-8", "replace")) or _error_in(unframed)
        if cause is not None:
            raise _interrupted(cause)
        if self.chunks:
            raise StreamInterruptedError(f"the stream ended without [DONE] after {self.chunks} chunks")
        if unframed.strip():
            body = unframed.decode("utf-8", "replace")
            raise MalformedResponseError(
                f"the answer is no event stream but {summary_of(body)}", body=body[:MAX_SHOWN_BODY]
            )
        if unfinished and unfinished.strip() != "[DONE]":
            raise StreamInterruptedError("the stream was cut inside its first event")
        raise self._emptiness()

    def _emptiness(self) -> EmptyResponseError:
        return EmptyResponseError(
            f"the answer to a streamed request is empty: status 200, {self.keepalives} keep-alives, no chunk"
        )

    def _fail(self, error: DeepSeekError) -> None:
        self.state = State.FAILED
        self.failure = error


def chat_decoder(
    max_event_bytes: int = MAX_EVENT_BYTES, max_body_bytes: int = MAX_BODY_BYTES
) -> StreamDecoder[ChatCompletionChunk]:
    """The decoder of a streamed chat answer."""
    return StreamDecoder(
        chunk_from_json, chunk_from_whole, max_event_bytes=max_event_bytes, max_body_bytes=max_body_bytes
    )


def text_decoder(
    max_event_bytes: int = MAX_EVENT_BYTES, max_body_bytes: int = MAX_BODY_BYTES
) -> StreamDecoder[TextCompletion]:
    """The decoder of a streamed fill-in-the-middle answer."""
    return StreamDecoder(
        text_from_json, text_completion_from_json, max_event_bytes=max_event_bytes, max_body_bytes=max_body_bytes
    )


def _interrupted(cause: APIStatusError) -> StreamInterruptedError:
    message = f"the server broke the stream off: {cause.message}"
    return StreamInterruptedError(message, cause=cause)


def _error_event(text: bytes) -> APIStatusError:
    """What an event of type ``error`` says, JSON or not."""
    try:
        parsed = parse_json(text, "the error event")
    except MalformedResponseError:
        parsed = text.decode("utf-8", "replace")
    failure = in_band_failure(parsed) or in_band_failure({"error": parsed if parsed else {"message": ""}})
    assert failure is not None  # noqa: S101 - the second shape always is one
    return failure


def _error_in(text: bytes) -> APIStatusError | None:
    """The error that stands bare in a text which is no event stream, whole or as one of its lines."""
    for candidate in (text, *text.split(b"\n")):
        if candidate.lstrip().startswith(b"{"):
            try:
                failure = in_band_failure(parse_json(candidate, "the line"))
            except MalformedResponseError:
                continue
            if failure is not None:
                return failure
    return None
