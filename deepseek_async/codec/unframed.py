"""JSON texts one after the other, without the frames of events: on lines, in an array, or end to end.

Some servers stream so: chunks on lines of their own (``application/x-ndjson``), in one array, behind record separators
(RFC 7464), or two of them in one read with nothing between. They are read as the events that they would be. It is known
by the second object: one alone is a whole answer.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from ..errors import ResponseTooLargeError

_MARKS: Final = re.compile(rb'["\\{}]')
# No server streams chunks that are longer than this; an answer that is one object is not looked through any further.
_LONGEST_FIRST: Final = 2**18
_BETWEEN: Final = b"[], \t\r\n\x1e"


class UnframedBody:
    """Finds the objects in a body, as its bytes come.

    Args:
        max_event_bytes: Cap on one object.

    Attributes:
        is_many: Whether a second object has begun, and the first has choices in it. Until then nothing is to be taken.
        data: What has come and is not taken.
    """

    __slots__ = ("_begin", "_depth", "_in_string", "_max_event_bytes", "_place", "_whole", "data", "is_many")

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self.data: bytearray = bytearray()
        self._place = 0  # so far it has been looked at
        self._begin = 0  # of the object that is open, or of what stands between two
        self._depth = 0
        self._in_string = False
        self._whole: list[bytes] = []
        self.is_many: bool = False

    def take(self, data: bytes) -> bytes:
        """Take what one read brought.

        Returns:
            The events that are whole by now; ``b""`` as long as `is_many` is not known to be so.

        Raises:
            ResponseTooLargeError: An object is larger than its cap.
        """
        self.data += data
        found = _MARKS.search(self.data, self._place)
        while found is not None:
            at, mark = found.start(), found[0]
            if at > _LONGEST_FIRST and not self._whole and not self.is_many:
                break
            self._place = at + 1
            if mark == b"\\" and self._in_string:
                if at + 1 == len(self.data):  # what it stands before is still to come
                    self._place = at
                    break
                self._place = at + 2
            elif mark == b'"':
                self._in_string = not self._in_string and self._depth > 0
            elif not self._in_string and mark == b"{":
                self._open(at)
            elif not self._in_string and mark == b"}" and self._depth:
                self._depth -= 1
                if not self._depth:
                    self._put(bytes(self.data[self._begin : self._place]), self._place)
            found = _MARKS.search(self.data, self._place)
        else:
            self._place = len(self.data)
        if self.is_many and len(self.data) - self._begin > self._max_event_bytes:
            cap = self._max_event_bytes
            raise ResponseTooLargeError(f"an event is larger than the cap of {cap:,} bytes", limit=cap)
        return self._events()

    def receive_eof(self) -> bytes:
        """Take the end of the bytes; return what is left, as the event that it cuts off."""
        left = bytes(self.data[self._begin :])
        if self._depth:
            return b"data: " + _on_one_line(left)
        left = left.strip(_BETWEEN)
        if left == b"DONE":
            return b"data: [DONE]\n\n"
        return b"data: " + (b"[" if b"DONE".startswith(left) else b"") + _on_one_line(left) if left else b""

    def _open(self, at: int) -> None:
        if not self._depth:
            between = bytes(self.data[self._begin : at]).strip(_BETWEEN)
            if between and self._whole:
                self._whole.append(between)
            self._begin = at
            self.is_many = self.is_many or (bool(self._whole) and b'"choices"' in self._whole[0])
        self._depth += 1

    def _put(self, whole: bytes, end: int) -> None:
        self._whole.append(whole)
        self._begin = end

    def _events(self) -> bytes:
        if not self.is_many:
            return b""
        if self._begin:
            del self.data[: self._begin]
            self._place -= self._begin
            self._begin = 0
        events = b"".join(b"data: " + _on_one_line(each) + b"\n\n" for each in self._whole)
        self._whole.clear()
        return events


def _on_one_line(text: bytes) -> bytes:
    """White space between JSON's tokens may be any, and within its strings no line ends."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")


def is_stream(body: bytes) -> bool:
    """Whether a whole body is such a stream, or the only chunk of one that was cut behind it."""
    unframed = UnframedBody(len(body))
    unframed.take(body[: 2 * _LONGEST_FIRST])  # a second object has begun by then, or there is none
    return unframed.is_many or unfinished_chunk(body) is not None


def unfinished_chunk(body: bytes) -> bytes | None:
    """The chunk that a body consists of, if it ends no choice: a whole answer has messages, or says how it ended."""
    if b'"delta"' not in body:
        return None
    text = body.decode("utf-8-sig", "replace").lstrip("[\x1e \t\r\n")
    try:
        parsed, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    choices = parsed.get("choices") if isinstance(parsed, dict) else None
    if not isinstance(choices, list) or not any(map(_is_open, choices)):
        return None
    return text[:end].encode("utf-8", "surrogatepass")


def _is_open(choice: Any) -> bool:
    return (
        isinstance(choice, dict) and "delta" in choice and not choice.get("message") and not choice.get("finish_reason")
    )
