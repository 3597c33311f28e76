"""The state machine of an event stream: bytes in, however cut; events and comments out.

The machine reads lines: `Decoder._read_lines`, and below it `_interpret` for a line and `_dispatch` for a blank one.
Its answer does not depend on how the bytes are cut into reads. `Decoder.receive_payloads` puts that to use: it cuts
each read again, into the end of an event that an earlier read began, a run of whole events, and the beginning of an
event that a later read will end. Where the run has the one shape that nearly every server sends nearly always, it needs
no machine: `_split_run` takes it apart with one split, at a quarter of the cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidRequestError, ResponseTooLargeError
from .events import Comment, ServerSentEvent

if TYPE_CHECKING:
    from typing import NoReturn, TypeAlias

    _Item: TypeAlias = bytes | ServerSentEvent | Comment

__all__ = ["Decoder"]

_BOM = b"\xef\xbb\xbf"
_LF, _CR = b"\n\r"  # as numbers: `_LF in data` takes half the time of `b"\n" in data`
_MAX_UNFRAMED_BYTES = 64 * 2**10  # no error shows more of a body
_MAX_RETRY_DIGITS = 640  # what int() takes however sys.set_int_max_str_digits is set; as a time it is for ever anyway


class Decoder:
    """Incremental interpretation of one event stream, to the letter of the standard.

    Source: WHATWG HTML, section 9.2.6, "Interpreting an event stream"; the package's docstring tells the rules.

    Args:
        max_event_bytes: How much of one event is held, in bytes, at least 1. An event's size is that of its ``data``,
            ``event``, ``id`` and ``retry`` lines without their line ends. A line of any other kind counts while it
            is read, and no longer: keep-alives may go on for ever without a blank line between them.

    Raises:
        InvalidRequestError: ``max_event_bytes`` is not a whole number of at least 1.
    """

    __slots__ = (
        "_after_cr",
        "_data",
        "_event",
        "_has_ended",
        "_head",
        "_id",
        "_is_idle",
        "_is_over",
        "_line",
        "_max_event_bytes",
        "_retry",
        "_size",
        "_unfinished",
        "_unframed",
    )

    def __init__(self, max_event_bytes: int = 16 * 2**20) -> None:
        if not isinstance(max_event_bytes, int) or isinstance(max_event_bytes, bool) or max_event_bytes < 1:
            raise InvalidRequestError("max_event_bytes", max_event_bytes, "a whole number of bytes, at least 1")
        self._max_event_bytes = max_event_bytes

        # Of the stream.
        self._head: bytes | None = b""  # its first bytes, while they may still become a BOM
        self._id = ""
        self._retry: int | None = None
        self._unframed = bytearray()
        self._unfinished: ServerSentEvent | None = None
        self._is_over = False  # the cap was passed
        self._has_ended = False

        # Of the event in progress.
        self._event = b""
        self._data: list[bytes] = []
        self._size = 0

        # Of the line in progress.
        self._line = bytearray()
        self._after_cr = False  # an LF that comes next belongs to the line before

        # Nothing in progress and nothing in force: what comes next depends on nothing that came before.
        self._is_idle = False

    def receive_data(self, data: bytes | bytearray | memoryview) -> list[ServerSentEvent | Comment]:
        """Take what one read brought and return what it completes, in order.

        Args:
            data: Bytes as they come, cut anywhere. Empty data changes nothing: the end is `receive_eof`.

        Returns:
            Each event that its blank line dispatched and each comment that its line end completed.

        Raises:
            ResponseTooLargeError: An event or a line is larger than ``max_event_bytes``. What stood before it in the
                same data is returned first; the error then comes from the next call, and from every one after it.
            RuntimeError: The stream has ended.
        """
        return [
            ServerSentEvent("message", item.decode("utf-8", "replace")) if isinstance(item, bytes) else item
            for item in self.receive_payloads(data)
        ]

    def receive_payloads(self, data: bytes | bytearray | memoryview) -> list[bytes | ServerSentEvent | Comment]:
        """Do as `receive_data` does, but leave each plain event as the undecoded bytes of its ``data``.

        For a reader of JSON, which decodes bytes itself. An event is plain if its data is all there is to it: its type
        is ``"message"``, and the stream has set no ``id`` and no ``retry`` so far. Any other is a `ServerSentEvent`, so
        that nothing is lost: `receive_data` returns ``ServerSentEvent(data=payload.decode("utf-8", "replace"))`` in the
        place of a payload, and else the same. A payload may be invalid UTF-8, which a JSON decoder refuses and the
        standard replaces.

        Args:
            data: As for `receive_data`.

        Returns:
            Payloads, events and comments, in order.

        Raises:
            ResponseTooLargeError, RuntimeError: As `receive_data`.
        """
        if self._is_over or self._has_ended:
            raise self._refusal()
        if type(data) is not bytes:
            data = bytes(memoryview(data))
        if self._head is not None:
            data = self._skip_bom(data)
        items: list[_Item] = []
        try:
            if self._line and _LF not in data and _CR not in data:  # amid a line, which may come in millions of reads
                self._hold(data)
                return items
            start = 0
            if not self._is_idle and (blank := data.find(b"\n\n")) >= 0:
                start = blank + 2
                self._read_lines(data[:start], items)
            if self._is_idle:
                end = data.rfind(b"\n\n") + 2
                payloads = _split_run(data[start:end], self._max_event_bytes)
                if payloads is not None:
                    items += payloads
                    start = end
            if start < len(data):
                self._read_lines(data[start:], items)
        except ResponseTooLargeError:
            if not items:
                raise
        return items

    def receive_eof(self) -> list[ServerSentEvent | Comment]:
        """Take the end of the stream, which dispatches nothing: what it cuts off is in `unfinished` from here on.

        Returns:
            Nothing, ever: the standard discards an event that lacks its blank line, and a CR has ended its line before
            now. Whether the stream was allowed to end here is for the caller to know.

        Raises:
            ResponseTooLargeError: As `receive_data`.
        """
        if not self._has_ended:
            cut_off = self.receive_data(b"\n\n")  # what a server that ends its last event would have sent
            self._unfinished = next((item for item in cut_off if isinstance(item, ServerSentEvent)), None)
            self._has_ended = True
        return []

    @property
    def unfinished(self) -> ServerSentEvent | None:
        """The event that the end of the stream cut off, as far as it came; ``None`` before the end or without one.

        Not to be taken for an event: its data may be half a JSON text. But a ``data: [DONE]`` is whole in it.
        """
        return self._unfinished

    @property
    def unframed(self) -> bytes:
        """The lines that are neither fields nor comments, each with an LF after it; the first 64 KiB of them.

        The standard ignores them. They are what there is to show of a body that is no event stream, whatever its
        content type says: a bare JSON error, a page of HTML. After `receive_eof` the last line is among them.
        """
        return bytes(self._unframed)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in progress and nothing in force: what comes next depends on nothing that has come."""
        return self._is_idle and not self._is_over

    def _skip_bom(self, data: bytes) -> bytes:
        head = (self._head or b"") + data
        if _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        self._is_idle = True
        return head.removeprefix(_BOM)

    def _read_lines(self, data: bytes, items: list[_Item]) -> None:
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        self._after_cr = data.endswith(b"\r")
        lines = data.splitlines()  # bytes split at CRLF, LF and CR and nowhere else; a str would at U+2028 too
        rest = lines.pop() if lines and data[-1] not in b"\r\n" else b""
        if lines and self._line:
            lines[0] = bytes(self._line) + lines[0]
            self._line.clear()
        for line in lines:
            if line:
                self._interpret(line, items)
            else:
                self._dispatch(items)
        if rest:
            self._hold(rest)
        self._is_idle = not (
            self._line or self._after_cr or self._data or self._event or self._id or self._retry is not None
        )

    def _interpret(self, line: bytes, items: list[_Item]) -> None:
        """Take one line that is not blank, as the standard's "process the field" does."""
        size = self._size + len(line)
        if size > self._max_event_bytes:
            self._give_up()
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        match name:
            case b"data":
                self._data.append(value)
            case b"":
                items.append(Comment(value.decode("utf-8", "replace")))
                return
            case b"event":
                self._event = value
            case b"id":
                if b"\0" not in value:
                    self._id = value.decode("utf-8", "replace")
            case b"retry":
                if value.isdigit():  # of bytes: ASCII digits, at least one
                    self._retry = int(value.lstrip(b"0")[:_MAX_RETRY_DIGITS] or b"0")
            case _:
                self._unframed += (line + b"\n")[: _MAX_UNFRAMED_BYTES - len(self._unframed)]
                return
        self._size = size

    def _dispatch(self, items: list[_Item]) -> None:
        """Take a blank line."""
        if self._data:  # there was a `data` line, if an empty one; an event without any is dropped
            data = b"\n".join(self._data)
            event = self._event.decode("utf-8", "replace") or "message"
            if event == "message" and not self._id and self._retry is None:
                items.append(data)
            else:
                items.append(ServerSentEvent(event, data.decode("utf-8", "replace"), self._id, self._retry))
            self._data.clear()
        self._event = b""
        self._size = 0

    def _hold(self, rest: bytes) -> None:
        """Keep what there is of a line until its end comes."""
        self._line += rest
        if self._size + len(self._line) > self._max_event_bytes:
            self._give_up()

    def _give_up(self) -> NoReturn:
        self._is_over = True
        self._line.clear()
        self._data.clear()
        raise self._refusal()

    def _refusal(self) -> Exception:
        if self._has_ended:
            return RuntimeError("the stream has ended: receive_eof was called; another stream needs another Decoder")
        return ResponseTooLargeError(
            f"an event or a line of the stream is larger than the cap of {self._max_event_bytes:,} bytes; "
            "if events so large are expected, raise max_event_bytes",
            limit=self._max_event_bytes,
        )


def _split_run(run: bytes, max_event_bytes: int) -> list[bytes] | None:
    """Take apart a run of whole events, each a ``data: …`` line and a blank line ended by LF; ``None`` for any other.

    Between each payload and the next stand two line ends and ``data: ``, and within a payload no line end: then there
    is no other way to read the run.
    """
    if not run.startswith(b"data: ") or _CR in run or len(run) > max_event_bytes:
        return None
    body = run[len(b"data: ") : -len(b"\n\n")]
    if _LF not in body:
        return [body]
    payloads = body.split(b"\n\ndata: ")
    return payloads if _LF not in b"".join(payloads) else None
