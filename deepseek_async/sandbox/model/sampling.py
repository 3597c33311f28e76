"""`Sampling` says how tokens are drawn; `uniform` gives the random number for one place of one answer.

A draw depends on (seed, position) alone, not on how many draws came before it in this call. That is what makes an
answer repeatable, and what lets a request that carries the first half of an answer get the second half.
"""

from __future__ import annotations

import zlib
from itertools import count
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

UNLIKELY: Final = -9999.0  # the wire's value for "not among the 20 most likely"

_MASK: Final = (1 << 64) - 1


@attrs.frozen
class Sampling:
    """How tokens are drawn. The names and ranges are the API's.

    Attributes:
        temperature: From 0. The distribution's probabilities are raised to 1/temperature; 0 takes the most likely
            token, and reports the probabilities of temperature 1.
        top_p: Over 0, up to 1. Only the most likely tokens that together have this mass can be drawn.
        frequency_penalty: -2 to 2, taken from a token's log probability for each time it stands in the answer so far.
        presence_penalty: -2 to 2, taken once if the token stands in the answer so far.
        seed: Any integer. None leaves the choice to the caller of `LanguageModel.generate`.
        min_tokens: The answer cannot end before it has as many tokens.
    """

    temperature: float = attrs.field(default=1.0, validator=attrs.validators.ge(0.0))
    top_p: float = attrs.field(default=1.0, validator=[attrs.validators.gt(0.0), attrs.validators.le(1.0)])
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None
    min_tokens: int = 0


@attrs.frozen
class Step:
    """One token of an answer.

    Attributes:
        token: Its id.
        logprob: Its natural logarithm of probability, or -9999.0 if it is not among the 20 most likely.
        top: Up to 20 most likely tokens with theirs, most likely first; from the distribution that was drawn from.
    """

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...]


def forced(token: int, *, logprobs: bool = True) -> Step:
    """The step where only one token is possible; with ``logprobs``, it is the list of alternatives too."""
    return Step(token, 0.0, ((token, 0.0),) if logprobs else ())


def mix(value: int) -> int:
    """Scramble an integer to 64 bits (the finaliser of SplitMix64): equal on every platform and Python."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def uniform(key: int, position: int) -> float:
    """The draw for one position: evenly spread over [0, 1), a function of its arguments."""
    return (mix(key + position * 0xD1342543DE82EF95) >> 11) * 2.0**-53


def even_draws() -> Callable[[], float]:
    """Draws that lie evenly in [0, 1), for trying what there is: multiples of the golden ratio."""
    numbers = count(1)
    return lambda: next(numbers) * 0.6180339887498949 % 1.0


def logprob_of(token: int, likely: tuple[tuple[int, float], ...]) -> float:
    """The log probability of a token among the most likely ones, else -9999.0."""
    for other, logprob in likely:
        if other == token:
            return logprob
    return UNLIKELY


def salt(seed: int, context: Sequence[int]) -> int:
    """One key for the draws of an answer: two prompts with the same seed get different answers."""
    return mix((seed & _MASK) ^ mix(zlib.crc32(" ".join(map(str, context)).encode("ascii"))))
