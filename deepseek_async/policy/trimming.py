"""Which turns of a long conversation are sent. Pure: policies to pass to `Conversation`, which trims nothing by itself.

A policy gets the finished turns, oldest first, and returns those to send. It takes whole turns, so that a tool's result
never stands without its call. The system message and the new question are always sent; the conversation keeps all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs

from ..errors import InvalidRequestError
from ..types.requests.numbers import integer_in
from ..types.tokens.estimate import estimated_tokens


class Exchange(Protocol):
    """A turn, as far as trimming looks at it: its messages."""

    @property
    def messages(self) -> Sequence[Any]:
        """The question, and what came of it, in order."""
        ...


Trim = Callable[[Sequence[Any]], Sequence[Any]]


def last_messages(count: int) -> Trim:
    """Send the newest turns that together have at most ``count`` messages. Raises `InvalidRequestError`."""
    _check(count)
    return lambda turns: _newest(turns, count, lambda turn: len(turn.messages))


def within_tokens(count: int) -> Trim:
    """Send the newest turns that together have about ``count`` tokens at most. Raises `InvalidRequestError`."""
    _check(count)
    return lambda turns: _newest(turns, count, lambda turn: sum(map(estimated_tokens, _texts_in(turn.messages))))


def _check(count: object) -> None:
    if (number := integer_in(count)) is None or number < 0:
        raise InvalidRequestError("trim", count, "an integer of at least 0")


def _newest(turns: Sequence[Exchange], limit: float, size_of: Callable[[Exchange], float]) -> Sequence[Exchange]:
    first, size = len(turns), 0.0
    while first > 0 and (size := size + size_of(turns[first - 1])) <= limit:
        first -= 1
    return turns[first:]


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            if field.name not in ("role", "type", "extra"):
                yield from _texts_in(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name not in ("role", "type"):
                yield from _texts_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts_in(item)
