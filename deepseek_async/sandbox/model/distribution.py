"""A `Distribution` has the probabilities of the next token, without a list of the whole vocabulary.

A context speaks for some dozens of tokens. All others share what is left by how common they are: the tail, which is
worked out once for each temperature.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_TOP: Final = 20  # alternatives that the API lists at most

_KEPT: Final = 36  # of the most likely tokens of a distribution; what is laid over it lists up to a dozen more
_NOISE: Final = 1e-12  # of a sum: what is left of it after a subtraction and smaller than this is rounding


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
        "_heaviest",
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
        self._excluded = sorted([tail.ranks[token] for token in listed if token in tail.ranks])
        self._likely: tuple[tuple[int, float], ...] | None = None
        self._heaviest: list[tuple[float, int]] = []
        self._settle(list(listed), array("d", weights))
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
            self._likely = _logarithms(self.heaviest(MAX_TOP))
        return self._likely

    def heaviest(self, size: int) -> list[tuple[float, int]]:
        """The most likely tokens as (minus probability, token): in this order, most likely first and ties by id."""
        if size > len(self._heaviest):
            wanted = max(size, _KEPT)
            total = self._total
            found = [(-weight / total, token) for weight, token in zip(self._weights, self._tokens, strict=True)]
            found.sort()
            enough = -found[wanted - 1][0] if len(found) >= wanted else 0.0
            from_tail = self._first_of_tail(wanted, enough)
            if from_tail:
                found += from_tail
                found.sort()
            self._heaviest = found[:wanted]
        return self._heaviest[:size]

    def probabilities(self) -> dict[int, float]:
        """The whole distribution: every token that can be drawn and its probability."""
        size = len(self._tokens) + self._tail_size
        return {token: -turned for turned, token in self.heaviest(size) if turned}

    def probabilities_of(self, tokens: Collection[int]) -> dict[int, float]:
        """The probabilities of some tokens."""
        total = self._total
        found = {
            token: weight / total for token, weight in zip(self._tokens, self._weights, strict=True) if token in tokens
        }
        ranks, weights, scale = self._tail.ranks, self._tail.weights, self._tail_scale / total
        for token in tokens:
            if token not in found:
                rank = ranks.get(token, self._tail_size)
                found[token] = weights[rank] * scale if rank < self._tail_size and self._tail_mass else 0.0
        return found

    def scaled(self, share: float) -> tuple[dict[int, float], float]:
        """The listed tokens' weights and the tail's share, made to sum to ``share``; at temperature 1 only."""
        scale = share / self._total
        listed = {token: weight * scale for token, weight in zip(self._tokens, self._weights, strict=True)}
        return listed, self._tail_scale / self._tail.peak * scale

    def _settle(self, tokens: list[int], weights: array[float]) -> None:
        """Take the listed tokens as they are and measure what the tail holds beside them."""
        tail = self._tail
        self._tokens = tokens
        self._weights = weights
        self._bounds = array("d", accumulate(weights))
        whole = tail.sums[self._tail_size]
        rest = whole - math.fsum([tail.weights[rank] for rank in self._excluded])
        self._tail_mass = rest * self._tail_scale if rest > _NOISE * whole else 0.0
        self._total = (self._bounds[-1] if tokens else 0.0) + self._tail_mass

    def _first_of_tail(self, size: int, enough: float) -> list[tuple[float, int]]:
        """The most likely tokens of the tail, as `heaviest`: up to so many, and while they are no less likely."""
        found: list[tuple[float, int]] = []
        if not self._tail_mass:
            return found
        excluded, tail, scale = set(self._excluded), self._tail, self._tail_scale / self._total
        for rank in range(self._tail_size):
            probability = tail.weights[rank] * scale
            if probability < enough or len(found) == size:
                break
            if rank not in excluded:
                found.append((-probability, tail.tokens[rank]))
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
        order = sorted([(-weight, token) for weight, token in zip(self._weights, self._tokens, strict=True)])
        tail, scale, excluded = self._tail, self._tail_scale, set(self._excluded)
        wanted, mass, kept, rank = top_p * self._total, 0.0, 0, 0
        size = self._tail_size if self._tail_mass else 0
        while mass < wanted:
            while rank < size and rank in excluded:
                rank += 1
            from_tail = tail.weights[rank] * scale if rank < size else -1.0
            if kept < len(order) and -order[kept][0] >= from_tail:
                mass -= order[kept][0]
                kept += 1
            elif from_tail >= 0.0:
                mass += from_tail
                rank += 1
            else:
                break
        self._tail_size = rank
        self._excluded = [rank for rank in self._excluded if rank < self._tail_size]
        self._settle([token for _, token in order[:kept]], array("d", [-turned for turned, _ in order[:kept]]))


class Mixture:
    """A distribution at temperature 1 with something laid over it, for next to nothing.

    Args:
        overlay: Probabilities to add.
        base: What the rest of the mass is spread as.
    """

    __slots__ = ("_base", "_bounds", "_likely", "_mass", "_overlay", "_tokens")

    def __init__(self, overlay: dict[int, float], base: Distribution) -> None:
        self._base = base
        self._overlay = overlay
        self._tokens = tuple(overlay)
        self._bounds = tuple(accumulate(overlay.values()))
        self._mass = self._bounds[-1] if overlay else 0.0
        self._likely: tuple[tuple[int, float], ...] | None = None

    def draw(self, chance: float) -> int:
        """The token at a place in [0, 1) of the distribution's mass."""
        if chance < self._mass:
            return self._tokens[bisect_right(self._bounds, chance)]
        return self._base.draw((chance - self._mass) / (1.0 - self._mass))

    def likely(self) -> tuple[tuple[int, float], ...]:
        """Up to 20 most likely tokens and their log probabilities, most likely first; ties by id."""
        if self._likely is None:
            self._likely = _logarithms(self._heaviest(MAX_TOP))
        return self._likely

    def probabilities(self) -> dict[int, float]:
        """The whole distribution: every token that can be drawn and its probability."""
        spread = {token: probability * (1.0 - self._mass) for token, probability in self._base.probabilities().items()}
        for token, probability in self._overlay.items():
            spread[token] = spread.get(token, 0.0) + probability
        return spread

    def _heaviest(self, size: int) -> list[tuple[float, int]]:
        base, overlay, rest = self._base, self._overlay, 1.0 - self._mass
        below = base.probabilities_of(overlay)
        found = [(-mass - rest * below[token], token) for token, mass in overlay.items()]
        found += [
            (turned * rest, token) for turned, token in base.heaviest(size + len(overlay)) if token not in overlay
        ]
        found.sort()
        return found[:size]


def _logarithms(heaviest: list[tuple[float, int]]) -> tuple[tuple[int, float], ...]:
    # A single possible token can come out a rounding error over one.
    return tuple([(token, math.log(-turned) if turned > -1.0 else 0.0) for turned, token in heaviest if turned])
