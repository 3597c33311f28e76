"""Tokens become emissions here, which is what one chunk of a stream carries.

Characters are put together, stop sequences are held back, and log probabilities are listed.
"""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from ..model import Step
from .answer import Alternative, Called, Channel, Emission, Token
from .stops import StopGate

if TYPE_CHECKING:
    from ..model import Tokenizer

__all__ = ["Ending", "PlannedCall", "emit_calls", "emit_pieces", "emit_text", "word_steps"]


class Ending(Struct, frozen=True):
    """How a text ended.

    Attributes:
        reason: ``end``: there was no more; ``stop``: at a stop sequence; ``length``: the budget was used up.
        drawn: Tokens generated.
        unreported: Those among them that no emission counted.
        text: Everything that was shown.
    """

    reason: Literal["end", "stop", "length"]
    drawn: int
    unreported: int = 0
    text: str = ""


def word_steps(tokenizer: Tokenizer, text: str) -> Iterator[Step]:
    """The steps that write a given text: each token is certain."""
    for token in tokenizer.encode(text):
        yield Step(token, 0.0, ((token, 0.0),))


def emit_text(
    steps: Iterable[Step],
    tokenizer: Tokenizer,
    channel: Channel,
    *,
    budget: int,
    stops: Sequence[str] = (),
    top: int | None = None,
) -> Generator[Emission, None, Ending]:
    """Turn steps into emissions of one channel.

    A token that is part of a character goes out with empty text if tokens are listed; the text comes with the token
    that completes the character. What could become a stop sequence is held back, with its tokens. A token belongs to
    the answer if a character of it does.

    Args:
        budget: How many tokens may be drawn.
        stops: The text ends before the first one.
        top: How many alternatives each token lists; None: tokens are not listed.
    """
    eos, bytes_of = tokenizer.eos, tokenizer.token_bytes
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    gate = StopGate(stops)
    listed = None if top is None else _TokenList(tokenizer, top)
    pieces: list[str] = []
    decoded = shown = drawn = unreported = 0
    reason: Literal["end", "stop", "length"] = "end"
    for step in steps:
        if step.token == eos:
            break
        if drawn == budget:
            reason = "length"
            break
        drawn += 1
        unreported += 1
        if listed is not None:
            listed.append(decoded, step)
        text = decode(bytes_of(step.token) or b"")
        decoded += len(text)
        visible = gate.receive_text(text) if stops else text
        tokens = None
        if listed is not None:
            shown += len(visible)
            # Without stop sequences nothing can take half a character back, so it needs not be held.
            tokens = listed.release(shown if stops else None)
        if visible or tokens:
            yield Emission(channel, visible, unreported, tokens)
            pieces.append(visible)
            unreported = 0
        if gate.stopped:
            reason = "stop"
            break
    rest = gate.receive_end()
    tokens = listed.release(shown if gate.stopped else None) if listed is not None else None
    if rest or tokens:
        yield Emission(channel, rest, unreported, tokens)
        pieces.append(rest)
        unreported = 0
    return Ending(reason, drawn, unreported, "".join(pieces))


def emit_pieces(
    pieces: Iterable[str], tokenizer: Tokenizer, channel: Channel, *, top: int | None = None
) -> Generator[Emission, None, Ending]:
    """A script's pieces of text, one emission each, as they are."""
    drawn = 0
    for piece in pieces:
        listed = None if top is None else _TokenList(tokenizer, top)
        count = 0
        for step in word_steps(tokenizer, piece):
            count += 1
            if listed is not None:
                listed.append(0, step)
        drawn += count
        yield Emission(channel, piece, count, None if listed is None else listed.release(None))
    return Ending("end", drawn)


class PlannedCall(Struct, frozen=True):
    """A call to be made: its arguments are still to be written."""

    id: str
    name: str
    steps: Iterator[Step]


def emit_calls(
    calls: Sequence[PlannedCall], tokenizer: Tokenizer, *, budget: int, interleaved: bool = False
) -> Generator[Called, None, Ending]:
    """Write calls in fragments, one after the other or in turn.

    Args:
        budget: How many tokens may be drawn; a call may be cut by it.
    """
    turns = [_fragments(index, call, tokenizer) for index, call in enumerate(calls)]
    drawn = 0
    while turns:
        for turn in tuple(turns) if interleaved else turns[:1]:
            fragment = next(turn, None)
            if fragment is None:
                turns.remove(turn)
                continue
            if drawn + fragment.count > budget:
                return Ending("length", drawn)
            drawn += fragment.count
            yield fragment
    return Ending("end", drawn)


def _fragments(index: int, call: PlannedCall, tokenizer: Tokenizer) -> Iterator[Called]:
    yield Called(index, "", tokenizer.count(call.name), call.id, call.name)
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    count = 0
    for step in call.steps:
        if step.token == tokenizer.eos:
            break
        count += 1
        text = decode(tokenizer.token_bytes(step.token) or b"")
        if text:
            yield Called(index, text, count)
            count = 0


class _TokenList:
    """Tokens waiting to be listed in ``logprobs``, each with the place in the text where it begins."""

    __slots__ = ("_held", "_tokenizer", "_top")

    def __init__(self, tokenizer: Tokenizer, top: int) -> None:
        self._tokenizer = tokenizer
        self._top = top
        self._held: list[tuple[int, Token]] = []

    def append(self, start: int, step: Step) -> None:
        alternatives = tuple([Alternative(*self._named(*entry)) for entry in step.top[: self._top]])
        self._held.append((start, Token(*self._named(step.token, step.logprob), alternatives)))

    def release(self, shown: int | None) -> tuple[Token, ...]:
        """Take the tokens that begin before that place; None: all."""
        taken = [token for start, token in self._held if shown is None or start < shown]
        del self._held[: len(taken)]
        return tuple(taken)

    def _named(self, token: int, logprob: float) -> tuple[str, float, tuple[int, ...] | None]:
        data = self._tokenizer.token_bytes(token)
        return self._tokenizer.token_text(token), logprob, None if data is None else tuple(data)
