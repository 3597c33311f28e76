"""What happens in a run of tools, as frozen values, in the order in which it happens.

    TurnStarted  TurnDelta*  TurnFinished  (CallStarted  CallFinished)*  TurnStarted …  TurnFinished

A turn is one answer of the model. The calls of one turn run side by side, so that their events may interleave.
"""

from __future__ import annotations

import attrs

from ...types import ChatCompletion, Delta, ToolCall, ToolMessage
from ...types.values import Brief, hidden


@attrs.frozen(repr=False)
class TurnStarted(Brief):
    """A request is about to be sent. ``turn`` counts from 1."""

    turn: int


@attrs.frozen(repr=False)
class TurnDelta(Brief):
    """What a streamed answer has brought (``stream=True`` alone)."""

    turn: int
    delta: Delta


@attrs.frozen(repr=False)
class TurnFinished(Brief):
    """The model's answer to a turn is whole: its last words, or calls that are run next."""

    turn: int
    completion: ChatCompletion


@attrs.frozen(repr=False)
class CallStarted(Brief):
    """A tool is about to run. It was allowed to, and its arguments fit."""

    turn: int
    call: ToolCall


@attrs.frozen(repr=False)
class CallFinished(Brief):
    """A call is answered.

    Attributes:
        turn: The turn that asked for it.
        call: What the model asked for.
        message: What the model is told.
        value: What the function returned; ``None`` where it was not run to its end.
        error: Why it was not: what the function raised, `TimeoutError`, or what was wrong with the call; ``None``
            where all went well.
        elapsed: Seconds that the function took; 0 where it was not called.
    """

    turn: int
    call: ToolCall
    message: ToolMessage
    value: object = attrs.field(default=None, repr=hidden)
    error: Exception | None = None
    elapsed: float = 0.0


ToolEvent = TurnStarted | TurnDelta | TurnFinished | CallStarted | CallFinished
