"""Log probabilities as columns: numpy arrays with a row for each token."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import attrs

from ..values import Brief
from .token import BELOW_TOP


@attrs.frozen(eq=False, repr=False)
class LogprobColumns(Brief):
    """The tokens of one channel, as numpy arrays.

    Attributes:
        tokens: Their texts; of shape (n,), objects.
        logprobs: Natural logarithms of their probabilities; of shape (n,), float64. NaN where the server gave none.
        offsets: Where each stands in the channel's text, start and end in characters; of shape (n, 2), int64.
        top_tokens: The texts of the alternatives; of shape (n, width), objects. ``""`` where a token has fewer.
        top_logprobs: Their logprobs; of shape (n, width), float64. NaN where there is none, or it was not told.
    """

    tokens: Any
    logprobs: Any
    offsets: Any
    top_tokens: Any
    top_logprobs: Any


def columns_of(tokens: Sequence[Any], spans: Sequence[tuple[int, int]]) -> LogprobColumns:
    """Tokens as columns.

    Args:
        tokens: Each a `TokenLogprob`.
        spans: Where each stands in the text.

    Raises:
        ImportError: numpy is not installed.
    """
    # By name: what a value can be made into is nothing that a type has to know.
    try:
        numpy: Any = import_module("numpy")
    except ImportError as error:
        raise ImportError("array() needs numpy: pip install 'deepseek_async[numpy]'") from error
    width = max((len(token.top_logprobs) for token in tokens), default=0)
    shape = (len(tokens), width)
    texts = numpy.empty(len(tokens), dtype=object)
    texts[:] = [token.token for token in tokens]
    top_tokens = numpy.full(shape, "", dtype=object)
    top_logprobs = numpy.full(shape, numpy.nan)
    for row, token in enumerate(tokens):
        if tops := token.top_logprobs:
            top_tokens[row, : len(tops)] = [top.token for top in tops]
            top_logprobs[row, : len(tops)] = [top.logprob for top in tops]
    logprobs = numpy.array([token.logprob for token in tokens], dtype=numpy.float64)
    # -9999.0 stands for "unknown": as a number it would ruin every mean.
    logprobs[logprobs <= BELOW_TOP] = numpy.nan
    top_logprobs[top_logprobs <= BELOW_TOP] = numpy.nan
    return LogprobColumns(
        texts,
        logprobs,
        numpy.array(spans, dtype=numpy.int64).reshape(len(tokens), 2),
        top_tokens,
        top_logprobs,
    )
