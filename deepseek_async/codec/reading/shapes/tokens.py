"""Shapes of logprobs → tokens, when somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import msgspec

from ....types import ChoiceLogprobs, TokenLogprob, TopLogprob
from ....types.values import NO_EXTRA
from . import documented

Decode = Callable[[Any], Any]
Later = Callable[[msgspec.Raw], Callable[[], Any]]
"""From the JSON of a token's alternatives to what makes them: something with ``top_logprobs``."""

_NO_TOPS = len("null")  # bytes that say there is none, so or as ``[]``

# Logprobs are checked to the last byte when they arrive, so that an error comes in time, and made when somebody looks.
# Until then they stay text: with 20 alternatives a token's values are 4 kB in 66 objects, its text is 1.3 kB in one.


def logprobs_checker(
    decode_token: Decode, load: Callable[[Any], ChoiceLogprobs]
) -> Callable[[documented.LogprobsShape], ChoiceLogprobs]:
    """A function that checks the logprobs of a whole answer, a shape in which each token is JSON, and defers them.

    Args:
        decode_token: From a token's JSON to its shape.
        load: From that shape to values.
    """

    def checked(shape: documented.LogprobsShape) -> ChoiceLogprobs:
        tokens: Any = chain(shape.content or (), shape.reasoning_content or ())
        for token in tokens:
            decode_token(token)  # one by one: together they would take several times the memory of the text
        return ChoiceLogprobs.deferred(partial(load, shape))

    return checked


def logprobs_of(
    shape: documented.LogprobsShape, later: Later | None = None, read: Decode | None = None
) -> ChoiceLogprobs:
    """The logprobs of one choice, or of one chunk of it.

    Args:
        shape: Its tokens are shapes, or values already, or JSON.
        later: What makes alternatives of their JSON; ``None``: they are none any more.
        read: From a token's JSON to its shape; ``None``: it is none any more.
    """
    content: Any = shape.content
    reasoning: Any = shape.reasoning_content
    if read is not None:
        content, reasoning = (None if one is None else tuple(map(read, one)) for one in (content, reasoning))
    extra = NO_EXTRA if shape.extra_in is None else shape.extra_in()
    return ChoiceLogprobs(_tokens_of(content, later), _tokens_of(reasoning, later), extra=extra)


def logprobs_of_one(shape: documented.LogprobsShape, load: Callable[[], Any]) -> ChoiceLogprobs | None:
    """The logprobs of a chunk of one token, its alternatives to be made by ``load``; ``None``: it has not just one."""
    content: Any = shape.content
    reasoning: Any = shape.reasoning_content
    tokens: Any = content or reasoning or ()
    if len(tokens) != 1 or (content and reasoning) or not tokens[0].top_logprobs:
        return None
    one = tokens[0]
    extra = NO_EXTRA if one.extra_in is None else one.extra_in()
    made: Any = (TokenLogprob.partly_deferred(load, one.token, one.logprob, one.bytes, extra=extra),)
    extra = NO_EXTRA if shape.extra_in is None else shape.extra_in()
    return ChoiceLogprobs(made if content else content, made if reasoning else reasoning, extra=extra)


def _tokens_of(tokens: Any, later: Later | None) -> tuple[TokenLogprob, ...] | None:
    if not tokens or isinstance(tokens[0], TokenLogprob):  # they are all of one kind
        return tokens  # type: ignore[no-any-return]
    if later is None:
        return tuple(map(_token_of, tokens))
    return tuple([_chosen_of(token, later) for token in tokens])


def _token_of(shape: documented.TokenShape) -> TokenLogprob:
    extra = NO_EXTRA if shape.extra_in is None else shape.extra_in()
    return TokenLogprob(shape.token, shape.logprob, shape.bytes, top_logprobs=tops_of(shape.top_logprobs), extra=extra)


def tops_of(shapes: Any) -> tuple[TopLogprob, ...]:
    """A token's alternatives. They are shapes, or values already."""
    if not shapes or isinstance(shapes[0], TopLogprob):
        return shapes or ()
    return tuple(
        [
            TopLogprob(top.token, top.logprob, top.bytes, extra=NO_EXTRA if top.extra_in is None else top.extra_in())
            for top in shapes
        ]
    )


def _chosen_of(shape: Any, later: Later) -> TokenLogprob:
    """A token whose alternatives are still JSON."""
    extra = NO_EXTRA if shape.extra_in is None else shape.extra_in()
    if len(shape.top_logprobs) <= _NO_TOPS:
        return TokenLogprob(shape.token, shape.logprob, shape.bytes, extra=extra)
    return TokenLogprob.partly_deferred(later(shape.top_logprobs), shape.token, shape.logprob, shape.bytes, extra=extra)
