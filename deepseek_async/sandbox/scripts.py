"""What to play: frozen values for what an answer says and for what goes wrong on its way.

    server.script(Script(say="Hello.", faults=(Stall(seconds=2, after_chunk=1), Cut(at_byte=400))))

A script without faults says what a test wants said; faults without a script happen to the model's own answer. Scripts
are also taken as JSON, from the header ``x-sandbox-script``, so that a client in any language can ask; `script_json`
has the rules.

Places. A fault with a place takes exactly one of

- ``before``: ``"head"``, ``"first_chunk"``, ``"last_chunk"`` or ``"done"``: the ``[DONE]``, or the end of a whole body;
- ``after_chunk``: how many chunks went before it. The chunk with the role is the first one; ``[DONE]`` is none. An
  answer that is not streamed is one chunk;
- ``at_byte``: how many bytes of the body went before it, keep-alives and everything else counted as they were sent.

A place that the answer never reaches never comes: the fault does not happen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

__all__ = [
    "BareError",
    "BlankBody",
    "Body",
    "Bom",
    "Call",
    "Coalesce",
    "Comment",
    "ContentType",
    "Cut",
    "EarlyEnd",
    "Fault",
    "Garbage",
    "InBandError",
    "KeepAlives",
    "LateHead",
    "LineEnds",
    "PlacedFault",
    "Refuse",
    "Reset",
    "Script",
    "Split",
    "Stall",
    "WholeCompletion",
    "WrongLength",
]

Before = Literal["head", "first_chunk", "last_chunk", "done"]
_BEFORE = ("head", "first_chunk", "last_chunk", "done")


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and value < 0:
        raise ValueError(f"{attribute.name} must not be negative, got {value}")


def _positive(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"{attribute.name} must be over 0, got {value}")


def _known_place(_: object, __: object, value: str | None) -> None:
    if value is not None and value not in _BEFORE:
        raise ValueError(f"before must be one of {', '.join(_BEFORE)}, got {value!r}")


@attrs.frozen(kw_only=True)
class PlacedFault:
    """A fault with a place; without one it is where the subclass says."""

    before: Before | None = attrs.field(default=None, validator=_known_place)
    after_chunk: int | None = attrs.field(default=None, validator=_not_negative)
    at_byte: int | None = attrs.field(default=None, validator=_not_negative)

    def __attrs_post_init__(self) -> None:
        places = [name for name in ("before", "after_chunk", "at_byte") if getattr(self, name) is not None]
        if not places:
            object.__setattr__(self, "before", self._default_place())
        elif len(places) > 1:
            raise ValueError(f"{type(self).__name__} takes one place, got {' and '.join(places)}")

    def _default_place(self) -> Before:
        return "first_chunk"


@attrs.frozen(kw_only=True)
class Stall(PlacedFault):
    """Silence. Without a place: before the first chunk, after the head."""

    seconds: float = attrs.field(validator=_not_negative)


@attrs.frozen(kw_only=True)
class Cut(PlacedFault):
    """The connection is closed and the body stays unfinished. Without a place: before ``[DONE]``."""

    def _default_place(self) -> Before:
        return "done"


@attrs.frozen(kw_only=True)
class Reset(PlacedFault):
    """The connection is reset (RST). Without a place: before the head, so that no byte of an answer is seen."""

    def _default_place(self) -> Before:
        return "head"


@attrs.frozen(kw_only=True)
class EarlyEnd(PlacedFault):
    """The body ends as if it were whole, as far as HTTP can tell. Without a place: only the ``[DONE]`` is missing."""

    def _default_place(self) -> Before:
        return "done"


@attrs.frozen(kw_only=True)
class KeepAlives(PlacedFault):
    """What a queued request receives: ``: keep-alive`` comments in a stream, blank lines before a whole body.

    Attributes:
        count: How many.
        every: Seconds before each.
    """

    count: int = attrs.field(default=3, validator=_not_negative)
    every: float = attrs.field(default=0.0, validator=_not_negative)


@attrs.frozen(kw_only=True)
class Comment(PlacedFault):
    """An SSE comment with a text of its own, such as ``OPENROUTER PROCESSING``."""

    text: str = ""


@attrs.frozen(kw_only=True)
class Garbage(PlacedFault):
    """An event whose data is no JSON."""

    data: str = '{"choices":[{"index":0,"delta":{"content":"half'


@attrs.frozen(kw_only=True)
class InBandError(PlacedFault):
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


@attrs.frozen(kw_only=True)
class Refuse:
    """An error status instead of an answer.

    Attributes:
        status: The status; 400 to 599.
        message, type, code: Of the error object; left out, they are the API's own for that status.
        retry_after: What ``Retry-After`` says: seconds, or text such as a date; None: no such header.
        body: The body as it is, instead of an error object.
    """

    status: int = attrs.field(default=503, validator=[attrs.validators.ge(400), attrs.validators.le(599)])
    message: str | None = None
    type: str | None = None
    code: str | None = None
    retry_after: float | str | None = None
    body: str | None = None


@attrs.frozen(kw_only=True)
class BareError:
    """A JSON error object as the whole body of a 200 that calls itself an event stream."""

    message: str = "Service is too busy."
    type: str = "service_unavailable_error"
    code: str | None = "service_unavailable_error"


@attrs.frozen(kw_only=True)
class BlankBody:
    """A 200 with nothing but blank lines, as overloaded servers send it.

    Attributes:
        lines: How many.
        every: Seconds before each.
    """

    lines: int = attrs.field(default=4, validator=_not_negative)
    every: float = attrs.field(default=0.0, validator=_not_negative)


@attrs.frozen(kw_only=True)
class WholeCompletion:
    """The whole completion as JSON, although a stream was asked for."""


@attrs.frozen(kw_only=True)
class Body:
    """These bytes as the body, whatever was asked: another server's dialect, a captured answer."""

    text: str = ""


@attrs.frozen(kw_only=True)
class ContentType:
    """Another content type than the body has."""

    value: str = "text/html"


@attrs.frozen(kw_only=True)
class WrongLength:
    """A ``Content-Length`` that is wrong by so many bytes; the connection is closed after the body."""

    by: int = 10


@attrs.frozen(kw_only=True)
class LateHead:
    """The head comes with the first chunk (for a whole answer: with its body) instead of at once."""


@attrs.frozen(kw_only=True)
class Bom:
    """A byte order mark in front of the body."""


@attrs.frozen(kw_only=True)
class LineEnds:
    """Other line ends in a stream: ``"crlf"``, ``"cr"``, or ``"mixed"``, each in turn."""

    ends: Literal["crlf", "cr", "lf", "mixed"] = attrs.field(
        default="crlf", validator=attrs.validators.in_(("crlf", "cr", "lf", "mixed"))
    )


@attrs.frozen(kw_only=True)
class Split:
    """Writes of so many bytes, whatever they cut in two.

    Attributes:
        size: Bytes of each write.
        every: Seconds between writes; 0 leaves a turn of the event loop between them.
    """

    size: int = attrs.field(default=1, validator=_positive)
    every: float = attrs.field(default=0.0, validator=_not_negative)


@attrs.frozen(kw_only=True)
class Coalesce:
    """Writes of so many chunks at once; 0: the whole body in one."""

    chunks: int = attrs.field(default=0, validator=_not_negative)


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


@attrs.frozen
class Call:
    """A tool call to make.

    Attributes:
        name: The function; it need not be among the request's tools.
        arguments: A mapping, or JSON text, which may be broken.
        id: None for one of the server's making.
    """

    name: str
    arguments: Mapping[str, Any] | str = attrs.field(factory=dict)
    id: str | None = None


@attrs.frozen(kw_only=True)
class Script:
    """What one request is answered.

    Attributes:
        say: The content; a string goes out token by token, a sequence of strings as one chunk each. None leaves it to
            the model, unless there are calls.
        think: The reasoning, in the same forms. None leaves it to the model (in thinking mode).
        calls: Tool calls, after the content.
        interleave: Send the fragments of several calls in turn instead of one call after the other.
        finish_reason: Another reason than the answer has.
        usage: Fields that replace those of the usage.
        faults: What goes wrong, in any order; see the module's text for places.
        rate: Tokens a second; None: the server's.
        latency: Seconds before the first token; None: the server's.
        headers: More response headers; they replace those of the same name.
    """

    say: str | Sequence[str] | None = None
    think: str | Sequence[str] | None = None
    calls: Sequence[Call] = attrs.field(default=(), converter=tuple)
    interleave: bool = False
    finish_reason: str | None = None
    usage: Mapping[str, Any] | None = None
    faults: Sequence[Fault] = attrs.field(default=(), converter=tuple)
    rate: float | None = attrs.field(default=None, validator=_positive)
    latency: float | None = attrs.field(default=None, validator=_not_negative)
    headers: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def speaks(self) -> bool:
        """Whether it says what to answer, and so fits only requests that are answered by a model."""
        return self.say is not None or self.think is not None or bool(self.calls)
