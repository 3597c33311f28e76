"""What can go wrong on an answer's way: frozen values, each with the place where it happens.

A fault with a place takes exactly one of

- ``before``: ``"head"``, ``"first_chunk"``, ``"last_chunk"`` or ``"done"``: the ``[DONE]``, or the end of a whole body;
- ``after_chunk``: how many chunks went before it. The chunk with the role is the first one; ``[DONE]`` is none. An
  answer that is not streamed is one chunk;
- ``at_byte``: how many bytes of the body went before it, keep-alives and everything else counted as they were sent.

A place that the answer never reaches never comes: the fault does not happen.

Places are given by name, the rest also by position: ``Stall(2, after_chunk=1)``, ``Refuse(429)``.

These are structs and not attrs classes because there are two dozen of them: attrs takes 18 ms to make them, at every
start of the server, msgspec 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from ...types.structs import KnowsItsNames

Before = Literal["head", "first_chunk", "last_chunk", "done"]
_BEFORE = ("head", "first_chunk", "last_chunk", "done")


class Checked(Struct, frozen=True, kw_only=True, metaclass=KnowsItsNames):
    """What faults and scripts share: checks that name the field."""

    def _number(self, name: str) -> float | None:
        value = getattr(self, name)
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            return value
        raise TypeError(f"{name} of {type(self).__name__} must be a number, got {value!r}")

    def _not_negative(self, *names: str) -> None:
        for name in names:
            value = self._number(name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must not be negative, got {value}")

    def _positive(self, name: str) -> None:
        value = self._number(name)
        if value is not None and value <= 0:
            raise ValueError(f"{name} must be over 0, got {value}")

    def _one_line(self, name: str, *texts: object) -> None:
        for text in texts:
            if isinstance(text, str) and any(character in text for character in "\r\n\0"):
                raise ValueError(f"{name} goes into a header and must be one line, got {text!r}")

    def _one_of(self, name: str, allowed: Sequence[str]) -> None:
        value = getattr(self, name)
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")


class PlacedFault(Checked, frozen=True, kw_only=True):
    """A fault with a place; without one it is where the subclass says."""

    before: Before | None = None
    after_chunk: int | None = None
    at_byte: int | None = None

    def __post_init__(self) -> None:
        places = [name for name in ("before", "after_chunk", "at_byte") if getattr(self, name) is not None]
        if not places:
            force_setattr(self, "before", self._default_place())
        elif len(places) > 1:
            raise ValueError(f"{type(self).__name__} takes one place, got {' and '.join(places)}")
        if self.before is not None:
            self._one_of("before", _BEFORE)
        self._not_negative("after_chunk", "at_byte")

    def _default_place(self) -> Before:
        return "first_chunk"


class Stall(PlacedFault, frozen=True):
    """Silence. Without a place: before the first chunk, after the head."""

    seconds: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self._not_negative("seconds")


class Cut(PlacedFault, frozen=True, kw_only=True):
    """The connection is closed and the body stays unfinished. Without a place: before ``[DONE]``."""

    def _default_place(self) -> Before:
        return "done"


class Reset(PlacedFault, frozen=True, kw_only=True):
    """The connection is reset (RST). Without a place: before the head, so that no byte of an answer is seen."""

    def _default_place(self) -> Before:
        return "head"


class EarlyEnd(PlacedFault, frozen=True, kw_only=True):
    """The body ends as if it were whole, as far as HTTP can tell. Without a place: only the ``[DONE]`` is missing."""

    def _default_place(self) -> Before:
        return "done"


class KeepAlives(PlacedFault, frozen=True):
    """What a queued request receives: ``: keep-alive`` comments in a stream, blank lines before a whole body.

    Attributes:
        count: How many.
        every: Seconds before each.
    """

    count: int = 3
    every: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._not_negative("count", "every")


class Comment(PlacedFault, frozen=True):
    """An SSE comment with a text of its own, such as ``OPENROUTER PROCESSING``."""

    text: str = ""


class Garbage(PlacedFault, frozen=True):
    """An event whose data is no JSON."""

    data: str = '{"choices":[{"index":0,"delta":{"content":"half'


class InBandError(PlacedFault, frozen=True):
    """An error event inside a stream that began well; the stream ends after it. Without a place: before the last chunk.

    Attributes:
        done: Whether ``[DONE]`` still follows.
    """

    message: str = "The server had an error while processing your request."
    type: str = "server_error"
    code: str | None = "internal_server_error"
    done: bool = False

    def _default_place(self) -> Before:
        return "last_chunk"


class Refuse(Checked, frozen=True):
    """An error status instead of an answer.

    Attributes:
        status: The status; 400 to 599.
        message: Of the error object; left out, it is the API's own for that status, as are ``type`` and ``code``.
        retry_after: What ``Retry-After`` says: seconds, or text such as a date; None: no such header.
        body: The body as it is, instead of an error object.
        type, code: Of the error object.
    """

    status: int = 503
    message: str | None = None
    retry_after: float | str | None = None
    body: str | None = None
    type: str | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        if not 400 <= (self._number("status") or 0) <= 599:
            raise ValueError(f"status must be an error's, 400 to 599, got {self.status}")
        self._one_line("retry_after", self.retry_after)


class BareError(Checked, frozen=True):
    """A JSON error object as the whole body of a 200 that calls itself an event stream."""

    message: str = "Service is too busy."
    type: str = "service_unavailable_error"
    code: str | None = "service_unavailable_error"


class BlankBody(Checked, frozen=True):
    """A 200 with nothing but blank lines, as overloaded servers send it.

    Attributes:
        lines: How many.
        every: Seconds before each.
    """

    lines: int = 4
    every: float = 0.0

    def __post_init__(self) -> None:
        self._not_negative("lines", "every")


class WholeCompletion(Checked, frozen=True, kw_only=True):
    """The whole completion as JSON, although a stream was asked for."""


class Body(Checked, frozen=True):
    """These bytes as the body, whatever was asked: another server's dialect, a captured answer."""

    text: str = ""


class ContentType(Checked, frozen=True):
    """Another content type than the body has."""

    value: str = "text/html"

    def __post_init__(self) -> None:
        self._one_line("value", self.value)


class WrongLength(Checked, frozen=True):
    """A ``Content-Length`` that is wrong by so many bytes; the connection is closed after the body."""

    by: int = 10


class LateHead(Checked, frozen=True, kw_only=True):
    """The head comes with the first chunk (for a whole answer: with its body) instead of at once."""


class Bom(Checked, frozen=True, kw_only=True):
    """A byte order mark in front of the body."""


class LineEnds(Checked, frozen=True):
    """Other line ends in a stream: ``"crlf"``, ``"cr"``, or ``"mixed"``, each in turn."""

    ends: Literal["crlf", "cr", "lf", "mixed"] = "crlf"

    def __post_init__(self) -> None:
        self._one_of("ends", ("crlf", "cr", "lf", "mixed"))


class Split(Checked, frozen=True):
    """Writes of so many bytes, whatever they cut in two.

    Attributes:
        size: Bytes of each write.
        every: Seconds between writes; 0 leaves a turn of the event loop between them.
    """

    size: int = 1
    every: float = 0.0

    def __post_init__(self) -> None:
        self._positive("size")
        self._not_negative("every")


class Coalesce(Checked, frozen=True):
    """Writes of so many chunks at once; 0: the whole body in one."""

    chunks: int = 0

    def __post_init__(self) -> None:
        self._not_negative("chunks")


Fault = (
    Stall
    | Cut
    | Reset
    | EarlyEnd
    | KeepAlives
    | Comment
    | Garbage
    | InBandError
    | Refuse
    | BareError
    | BlankBody
    | WholeCompletion
    | Body
    | ContentType
    | WrongLength
    | LateHead
    | Bom
    | LineEnds
    | Split
    | Coalesce
)
