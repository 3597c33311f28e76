"""What to play: what an answer says, and what goes wrong on its way.

    server.script(Script(say="Hello.", faults=(Stall(seconds=2, after_chunk=1), Cut(at_byte=400))))

A script without faults says what a test wants said; faults without a script happen to the model's own answer. Scripts
are also taken as JSON, from the header ``x-sandbox-script``, so that a client in any language can ask; `json_form`
has the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from msgspec import Struct, field
from msgspec.structs import force_setattr

from ...types.structs import KnowsItsNames
from .faults import Checked, Fault


class Call(Struct, frozen=True, metaclass=KnowsItsNames):
    """A tool call to make.

    Attributes:
        name: The function; it need not be among the request's tools.
        arguments: A mapping, or JSON text, which may be broken.
        id: None for one of the server's making.
    """

    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)
    id: str | None = None


class Script(Checked, frozen=True):
    """What one request is answered.

    Attributes:
        say: The content; a string goes out token by token, a sequence of strings as one chunk each. None leaves it to
            the model, unless there are calls.
        think: The reasoning, in the same forms. None leaves it to the model (in thinking mode).
        calls: Tool calls, after the content.
        interleave: Send the fragments of several calls in turn instead of one call after the other.
        finish_reason: Another reason than the answer has.
        usage: Fields that replace those of the usage.
        faults: What goes wrong, in any order; see `faults` for places.
        rate: Tokens a second; None: the server's.
        latency: Seconds before the first token; None: the server's.
        headers: More response headers; they replace those of the same name.
    """

    say: str | Sequence[str] | None = None
    think: str | Sequence[str] | None = None
    calls: Sequence[Call] = ()
    interleave: bool = False
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    faults: Sequence[Fault] = ()
    rate: float | None = None
    latency: float | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("say", "think"):
            text = getattr(self, name)
            if text is not None and not isinstance(text, str):
                force_setattr(self, name, _all_of(name, text, str))
        force_setattr(self, "calls", _all_of("calls", self.calls, Call))
        force_setattr(self, "faults", _all_of("faults", self.faults, get_args(Fault)))
        self._positive("rate")
        self._not_negative("latency")
        for header in self.headers.items():
            self._one_line("headers", *header)

    @property
    def speaks(self) -> bool:
        """Whether it says what to answer, and so fits only requests that are answered by a model."""
        return self.say is not None or self.think is not None or bool(self.calls)


def _all_of(name: str, given: Any, kinds: Any) -> tuple[Any, ...]:
    """A sequence of values of some kinds.

    Raises:
        TypeError: It is none; the text says what was given and what is allowed.
    """
    allowed = {str: "strings", Call: "Call values"}.get(kinds, "faults such as Cut() and Stall(seconds=2)")
    if isinstance(given, str) or not isinstance(given, Iterable):
        only = " or one string" if kinds is str else ""
        raise TypeError(f"{name} must be a sequence of {allowed}{only}, got {type(given).__name__}")
    values = tuple(given)
    for value in values:
        if not isinstance(value, kinds):
            raise TypeError(f"{name} must hold {allowed}, got {value!r}")
    return values
