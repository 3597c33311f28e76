"""Logprobs that stay text until somebody looks at them, and what makes them then.

With 20 alternatives a token's values are 4 kB in 66 objects, its text is 1.3 kB in one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import msgspec

from ....types import ChatCompletionChunk, ChoiceLogprobs, TokenLogprob, TopLogprob
from .tokens import tops_of


class Looked(Protocol):
    """Is told when somebody looks: at the tokens of logprobs that were made late; at their alternatives (called)."""

    def __call__(self) -> object: ...
    def at_tokens(self) -> object: ...


class Decoders(Protocol):
    """What text becomes logprobs by; see `learned.Shapes`."""

    @property
    def read_tops(self) -> Any: ...
    def chunk_at_once(self, text: bytes) -> ChatCompletionChunk: ...
    def logprobs_in_chunk(self, text: bytes, looked: Looked | None, number: int) -> ChoiceLogprobs: ...


# In the place of closures, of which the collector would have to look at four for each chunk that is kept.


class LaterLogprobs(msgspec.Struct, gc=False):
    """Makes the logprobs of a choice, by its place in the chunk."""

    shapes: Decoders
    text: bytes
    looked: Looked | None
    number: int

    def __call__(self) -> ChoiceLogprobs:
        if self.looked is not None:
            self.looked.at_tokens()
        return self.shapes.logprobs_in_chunk(self.text, self.looked, self.number)


class LaterTops(msgspec.Struct, gc=False):
    """Makes the alternatives of a token."""

    shapes: Decoders
    looked: Looked | None
    text: msgspec.Raw
    top_logprobs: tuple[TopLogprob, ...] = ()

    def __call__(self) -> LaterTops:
        if self.looked is not None:
            self.looked()
        self.top_logprobs = tops_of(self.shapes.read_tops(self.text))
        return self


class _LaterTopsOfLong(LaterTops):
    """The same of a token of a long answer."""

    known: dict[Any, Any] = {}

    def __call__(self) -> LaterTops:
        super().__call__()
        said = [top.bytes for top in self.top_logprobs]
        for top, known in zip(self.top_logprobs, map(self.known.setdefault, said, said), strict=True):
            _put_bytes(top, known)
        return self


_top: Any = TopLogprob
_put_bytes: Callable[[TopLogprob, Any], None] = _top.bytes.__set__

LONG_ANSWER = 2**20
"""Bytes of JSON, from which on equal ``bytes`` of alternatives are one."""


def later_tops(shapes: Decoders, size: int) -> Callable[[msgspec.Raw], LaterTops]:
    """What makes late alternatives of their JSON, where the tokens of a choice take so many bytes in a whole answer.

    Each has a copy of its own, so that whoever keeps one token does not keep the text of all.

    In a long answer they may be a million, of some thousand words. Their ``bytes`` would be a third of what they take,
    and equal ones become one: that takes 3 µs a token, of which freeing fewer gives one back.
    """
    make: Callable[[msgspec.Raw], LaterTops] = partial(LaterTops, shapes, None)
    if size >= LONG_ANSWER:
        make = partial(_LaterTopsOfLong, shapes, None, known={})
    return lambda text: make(text.copy())


class LaterTopsOfOne(msgspec.Struct, gc=False):
    """Makes the alternatives of the one token of a choice in a chunk."""

    shapes: Decoders
    text: bytes
    looked: Looked | None
    number: int

    def __call__(self) -> TokenLogprob:
        if self.looked is not None:
            self.looked()
        logprobs: Any = self.shapes.chunk_at_once(self.text).choices[self.number].logprobs
        (token,) = logprobs.content or logprobs.reasoning_content
        return token  # type: ignore[no-any-return]


def put_off(logprobs: ChoiceLogprobs, text: bytes, shapes: Decoders, looked: Looked, *, but_token: bool) -> None:
    """Forget the logprobs of a chunk of one choice: they will be made of its text again when somebody looks at them.

    Args:
        but_token: Whether their token stays, if it is but one, and only its alternatives are forgotten.
    """
    content, reasoning = logprobs.content, logprobs.reasoning_content
    tokens = content or reasoning or ()
    if but_token and len(tokens) == 1 and not (content and reasoning):
        if tokens[0].top_logprobs:
            tokens[0].defer(LaterTopsOfOne(shapes, text, looked, 0))
    elif tokens:
        logprobs.defer(LaterLogprobs(shapes, text, looked, 0))
