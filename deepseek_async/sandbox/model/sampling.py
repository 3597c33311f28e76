"""From a distribution to a token: temperature, nucleus, and randomness that belongs to a place.

A draw depends on (seed, position) alone, not on how many draws came before it in this call. That is what makes an
answer repeatable, and what lets a request that carries the first half of an answer get the second half.
"""

from __future__ import annotations

import math
import sys
import zlib
from array import array
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

UNLIKELY: Final = -9999.0  # the wire's value for "not among the 20 most likely"
MAX_TOP: Final = 20

_MASK = (1 << 64) - 1
_NOISE = 1e-12  # of a sum: what is left of it after a subtraction and smaller than this is rounding


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


def forced(token: int) -> Step:
    """The step where only one token is possible."""
    return Step(token, 0.0, ((token, 0.0),))


def mix(value: int) -> int:
    """Scramble an integer to 64 bits (the finaliser of SplitMix64): equal on every platform and Python."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def uniform(key: int, position: int) -> float:
    """The draw for one position: evenly spread over [0, 1), a function of its arguments."""
    return (mix(key + position * 0xD1342543DE82EF95) >> 11) * 2.0**-53


@attrs.frozen(eq=False)
class Tail:
    """The tokens that a context says nothing about: by how common they are, at one temperature.

    Attributes:
        tokens: Most common first.
        ranks: The place of each in ``tokens``.
        weights: Each to the power 1/temperature, over that of the first.
        sums: Running sums of the weights; ``sums[n]`` is that of the first n.
        peak: Probability of the first.
    """

    tokens: array[int]
    ranks: dict[int, int]
    weights: array[float]
    sums: array[float]
    peak: float


def build_tail(tokens: array[int], ranks: dict[int, int], probabilities: array[float], temperature: float) -> Tail:
    """Raise the common part to a temperature: once for each temperature, some thousand powers."""
    peak = probabilities[0]
    weights = array("d", [(probability / peak) ** (1.0 / temperature) for probability in probabilities])
    return Tail(tokens, ranks, weights, array("d", accumulate(weights, initial=0.0)), peak)


class Distribution:
    """The next token's distribution: tokens that the context speaks for, and the tail of all others.

    Nothing of the size of the vocabulary is built for a step; the tail is shared, and a token that is listed is left
    out of it. Weights need not sum to one.

    Args:
        listed: Weights of the listed tokens, before the temperature.
        tail: The shared rest.
        tail_share: What the tail's probabilities are multiplied with, before the temperature.
        temperature: Over 0.
        top_p: Over 0, up to 1.
    """

    __slots__ = (
        "_bounds",
        "_excluded",
        "_likely",
        "_tail",
        "_tail_mass",
        "_tail_scale",
        "_tail_size",
        "_tokens",
        "_total",
        "_weights",
    )

    def __init__(
        self, listed: dict[int, float], tail: Tail, tail_share: float, temperature: float = 1.0, top_p: float = 1.0
    ) -> None:
        tokens = list(listed)
        weights = list(listed.values())
        scale = tail_share * tail.peak
        if temperature != 1.0:
            # Over the largest, or a low temperature would underflow all of them.
            peak = max(scale, max(weights, default=0.0))
            power = 1.0 / temperature
            weights = [(weight / peak) ** power for weight in weights]
            scale = (scale / peak) ** power
        self._tail = tail
        self._tail_scale = scale
        self._tail_size = len(tail.tokens)
        self._excluded = self._listed_ranks(tokens)
        self._likely: tuple[tuple[int, float], ...] | None = None
        self._settle(tokens, weights)
        if top_p < 1.0:
            self._keep_nucleus(top_p)

    def draw(self, chance: float) -> int:
        """The token at a place in [0, 1) of the distribution's mass."""
        place = chance * self._total
        bounds = self._bounds
        index = bisect_right(bounds, place)
        if index < len(bounds):
            return self._tokens[index]
        if not self._tail_mass:  # rounding at the upper edge
            return self.likely()[0][0]
        return self._from_tail((place - (bounds[-1] if bounds else 0.0)) / self._tail_scale)

    def likely(self) -> tuple[tuple[int, float], ...]:
        """Up to 20 most likely tokens and their log probabilities, most likely first; ties by id."""
        if self._likely is None:
            found = list(zip(self._weights, self._tokens, strict=True))
            if self._tail_mass:
                found += self._first_of_tail(MAX_TOP)
            found.sort(key=_falling)
            total = self._total
            self._likely = tuple(
                (token, min(0.0, math.log(weight / total))) for weight, token in found[:MAX_TOP] if weight > 0.0
            )
        return self._likely

    def logprob(self, token: int) -> float:
        """The log probability of a token if it is one of the 20 most likely, else -9999.0."""
        for likely, logprob in self.likely():
            if likely == token:
                return logprob
        return UNLIKELY

    def probabilities(self) -> dict[int, float]:
        """The whole distribution: every token that can be drawn and its probability."""
        spread = dict(zip(self._tokens, (weight / self._total for weight in self._weights), strict=True))
        if self._tail_mass:
            for weight, token in self._first_of_tail(self._tail_size):
                spread[token] = weight / self._total
        return {token: probability for token, probability in spread.items() if probability}

    def _settle(self, tokens: list[int], weights: list[float]) -> None:
        """Take the listed tokens as they are and measure what the tail holds beside them."""
        tail = self._tail
        self._tokens = tokens
        self._weights = weights
        self._bounds = list(accumulate(weights))
        whole = tail.sums[self._tail_size]
        rest = whole - math.fsum([tail.weights[rank] for rank in self._excluded])
        self._tail_mass = rest * self._tail_scale if rest > _NOISE * whole else 0.0
        self._total = (self._bounds[-1] if tokens else 0.0) + self._tail_mass

    def _listed_ranks(self, tokens: list[int]) -> list[int]:
        ranks = self._tail.ranks
        return sorted([ranks[token] for token in tokens if token in ranks])

    def _first_of_tail(self, size: int) -> list[tuple[float, int]]:
        excluded = set(self._excluded)
        tail, found = self._tail, list[tuple[float, int]]()
        for rank in range(self._tail_size):
            if rank not in excluded:
                found.append((tail.weights[rank] * self._tail_scale, tail.tokens[rank]))
                if len(found) == size:
                    break
        return found

    def _from_tail(self, place: float) -> int:
        """The tail's token at a place of its mass, as if the listed ones were cut out of it."""
        tail = self._tail
        for rank in self._excluded:
            if tail.sums[rank] > place:
                break
            place += tail.weights[rank]
        rank = min(bisect_right(tail.sums, place) - 1, self._tail_size - 1)
        excluded = set(self._excluded)
        while rank in excluded and rank + 1 < self._tail_size:  # rounding at an edge
            rank += 1
        while rank in excluded:
            rank -= 1
        return tail.tokens[rank]

    def _keep_nucleus(self, top_p: float) -> None:
        """Keep the smallest set of most likely tokens that has the mass ``top_p``."""
        order = sorted(zip(self._weights, self._tokens, strict=True), key=_falling)
        tail, scale, excluded = self._tail, self._tail_scale, set(self._excluded)
        wanted, mass, kept, rank = top_p * self._total, 0.0, 0, 0
        size = self._tail_size if self._tail_mass else 0
        while mass < wanted:
            while rank < size and rank in excluded:
                rank += 1
            from_tail = tail.weights[rank] * scale if rank < size else -1.0
            if kept < len(order) and order[kept][0] >= from_tail:
                mass += order[kept][0]
                kept += 1
            elif from_tail >= 0.0:
                mass += from_tail
                rank += 1
            else:
                break
        tokens = [token for _, token in order[:kept]]
        self._tail_size = rank
        self._excluded = [rank for rank in self._excluded if rank < self._tail_size]
        self._settle(tokens, [weight for weight, _ in order[:kept]])


def _falling(entry: tuple[float, int]) -> tuple[float, int]:
    return -entry[0], entry[1]


def salt(seed: int, context: Sequence[int]) -> int:
    """One key for the draws of an answer: two prompts with the same seed get different answers."""
    tokens = array("H", context)
    if sys.byteorder == "big":
        tokens.byteswap()
    return mix((seed & _MASK) ^ mix(zlib.crc32(tokens)))
