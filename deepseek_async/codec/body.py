"""What a body is: a stream of events, a document, or JSON texts one after the other; and what its last words mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..errors import (
    APIStatusError,
    DeepSeekError,
    MalformedResponseError,
    ResponseTooLargeError,
    StreamInterruptedError,
)
from ..sse import Decoder
from .reading.bodies import MAX_SHOWN_BODY, parse_json, summary_of
from .reading.quirks.messages import is_json

if TYPE_CHECKING:
    from .unframed import UnframedBody

MAX_EVENT_BYTES: Final = 16 * 2**20
MAX_BODY_BYTES: Final = 256 * 2**20

KEEP_ALIVE_EVENTS: Final = frozenset(("ping", "pong", "keepalive", "keep-alive", "keep_alive", "heartbeat"))
"""Types of events that say nothing, whatever their data: gateways send them in place of comments."""

DONE: Final = b"[DONE]"
_NOTHINGS: Final = frozenset((b"null", b'""', b"[]", b"\x00"))  # data by which gateways say that they are there
_PLAIN_EVENTS: Final = frozenset(("message", "completion", "chunk", "data", "delta"))
_OF_FAILURE: Final = re.compile(r"err|exception|fail|abort", re.I)
_FAILURE: Final = re.compile(rb"\[?error\]?(?::\s*|\s+|$)", re.I)

# No line of an event stream that a chat server sends begins so, and every JSON or HTML document does; RFC 7464 begins
# each of its texts with the last.
_DOCUMENT_STARTS = frozenset((b"{", b"[", b'"', b"<", b"\x1e"))
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


def payload_in(event: str, data: bytes) -> bytes | None:
    """What an event says that is no plain object, whatever its type.

    Returns:
        JSON; `DONE`; ``b""``: nothing; ``None``: that the connection is alive.

    Raises:
        APIStatusError: It tells an error.
    """
    text = data.strip()
    if text[:5] == b"data:":  # a gateway's prefix, and that of the server behind it
        text = text[5:].lstrip()
    if text.strip(b'"').upper() in (DONE, b"DONE"):
        return DONE
    if event.lower() in KEEP_ALIVE_EVENTS:
        return None
    if text and event not in _PLAIN_EVENTS and _OF_FAILURE.search(event):
        raise error_event(text)
    if text in _NOTHINGS:
        return None
    if text[:1] in (b"", b"{"):
        return text
    if (found := _FAILURE.match(text)) is not None:
        raise error_event(text[found.end() :] or text)
    is_word = text.strip(b"[]").lower().decode("utf-8", "replace") in KEEP_ALIVE_EVENTS
    return None if is_word or event not in _PLAIN_EVENTS else text


def payloads_in(text: str) -> list[bytes]:
    """What the last event says that nothing ended: its JSON, or that of its lines where a server sends no blank ones.

    Returns:
        JSON and `DONE`; nothing, if any of it is not whole.
    """
    for parts in ([text], text.split("\n")):
        if all(part == DONE.decode() or (part[:1] == "{" and is_json(part)) for part in parts):
            return [part.encode("utf-8", "surrogatepass") for part in parts]
    return []


def without_blank(data: bytes) -> tuple[bytes, int]:
    """What is left of a body's first data without the white space before it, and how many lines that was.

    Each such line is a keep-alive: servers send them while a request waits.
    """
    left = data.lstrip(_BLANK)
    return left, data.count(b"\n", 0, len(data) - len(left))


class StreamBody:
    """One body, as its bytes come.

    A body whose first byte cannot begin an event stream is a document: an error object, a gateway's page, or the whole
    completion that a server without streaming sends. If a second JSON text follows its first, it is a stream all the
    same; see `unframed`.

    Args:
        max_event_bytes: Cap on one event.
        max_body_bytes: Cap on a document.

    Attributes:
        events: Reads the body once it has turned out to be a stream of events.
        is_events: Whether it has.
        is_document: Whether it is a document, as far as it came.
        blank_lines: How many stood before the first byte: they keep the connection alive.
    """

    __slots__ = (
        "_head",
        "_max_body_bytes",
        "_max_event_bytes",
        "_unframed",
        "blank_lines",
        "events",
        "is_document",
        "is_events",
    )

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self.events: Decoder = Decoder(max_event_bytes)
        self.is_events: bool = False
        self.is_document: bool = False
        self.blank_lines: int = 0
        self._max_body_bytes = max_body_bytes
        self._unframed: UnframedBody | None = None
        self._max_event_bytes = max_event_bytes
        self._head = b""

    def begin(self, data: bytes) -> bytes:
        """Take what one read brought, as long as it is not known to be events.

        Returns:
            What is left for `events` to read.

        Raises:
            ResponseTooLargeError: The document is larger than its cap.
        """
        if self._unframed is not None and self._unframed.is_many:
            return self._unframed.take(data)
        if not self.is_document:
            body, blank_lines = without_blank(self._head + data)
            self.blank_lines += blank_lines
            rest = body.removeprefix(_BOM).lstrip(_BLANK)
            if _BOM.startswith(body) or not rest:  # what it stands before is still to come
                self._head = body
                return b""
            if rest[:1] not in _DOCUMENT_STARTS:
                self.is_events = True
                return body
            self.is_document, data = True, body
        if self._unframed is None:
            from .unframed import UnframedBody  # for those bodies only that are no streams

            self._unframed = UnframedBody(self._max_event_bytes)
        if events := self._unframed.take(data):
            self.is_document = False
            return events
        if len(self._unframed.data) > self._max_body_bytes:
            self._unframed.data.clear()
            cap = self._max_body_bytes
            raise ResponseTooLargeError(f"the body is larger than the cap of {cap:,} bytes", limit=cap)
        return b""

    @property
    def document(self) -> bytes:
        """The document as far as it came."""
        return bytes(self._unframed.data) if self._unframed is not None else b""

    def receive_eof(self) -> str:
        """Take the end of the bytes; return the data of the event that it cut off.

        Raises:
            ResponseTooLargeError: An event was larger than its cap.
        """
        if self._unframed is not None and self._unframed.is_many and (rest := self._unframed.receive_eof()):
            self.events.receive_payloads(rest)
        self.events.receive_eof()
        return self.events.unfinished.data if self.events.unfinished is not None else ""

    @property
    def unframed(self) -> bytes:
        """The lines that no rule of event streams knows."""
        return self.events.unframed


def interrupted(cause: APIStatusError) -> StreamInterruptedError:
    """How an error that the server sends in place of the rest ends a stream."""
    message = f"the server broke the stream off: {cause.message}"
    return StreamInterruptedError(message, cause=cause)


def no_stream(unframed: bytes) -> MalformedResponseError:
    """What a body is that holds no event at all."""
    body = unframed.decode("utf-8", "replace")
    return MalformedResponseError(f"the answer is no event stream but {summary_of(body)}", body=body[:MAX_SHOWN_BODY])


def error_event(text: bytes) -> APIStatusError:
    """What an event of type ``error`` says, JSON or not."""
    try:
        parsed = parse_json(text, "the error event")
    except MalformedResponseError:
        parsed = text.decode("utf-8", "replace")
    from .failures.in_band import in_band_failure

    failure = in_band_failure(parsed) or in_band_failure({"error": parsed if parsed else {"message": ""}})
    assert failure is not None  # noqa: S101 - the second shape always is one
    return failure


def error_in(text: bytes) -> APIStatusError | None:
    """The error that stands bare in a text which is no event stream, whole or as one of its lines."""
    from .failures.in_band import in_band_failure

    for candidate in (text, *text.split(b"\n")):
        candidate = candidate.strip()
        if (found := _FAILURE.match(candidate)) is not None and candidate[found.end() :]:
            return error_event(candidate[found.end() :])
        if candidate.startswith(b"{"):
            try:
                failure = in_band_failure(parse_json(candidate, "the line"))
            except MalformedResponseError:
                continue
            if failure is not None:
                return failure
    return None


def without_frames(error: DeepSeekError) -> DeepSeekError:
    """The error without the frames that it was raised through.

    They hold whoever keeps the error: a stream that is dropped would stay open until the collector finds the circle.
    """
    met: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and id(one) not in met:
            met.add(id(one))
            one.__traceback__ = None
            left += (one.__cause__, one.__context__)
    return error
