"""Pearson's test: do draws come from the distribution that was reported?"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FEWEST_EXPECTED = 5.0  # in a class; smaller ones are thrown together


def surprise(drawn: Iterable[int], reported: Mapping[int, float]) -> float:
    """How many standard deviations the draws lie from what was to be expected.

    Args:
        drawn: The outcomes.
        reported: Probabilities of some outcomes; what they lack to one belongs to all others together.

    Returns:
        The statistic turned to a normal variable (Wilson and Hilferty's cube root): over 4.8 by chance once in a
        million.
    """
    counts = Counter(drawn)
    total = counts.total()
    observed, expected = [0], [0.0]  # the first class takes the rest and whatever is too rare for one of its own
    expected[0] = (1.0 - sum(reported.values())) * total
    observed[0] = sum(count for outcome, count in counts.items() if outcome not in reported)
    for outcome, probability in reported.items():
        if probability * total < _FEWEST_EXPECTED:
            expected[0] += probability * total
            observed[0] += counts[outcome]
        else:
            expected.append(probability * total)
            observed.append(counts[outcome])
    if expected[0] < 1e-6 * total:  # rounding: nothing else can be drawn
        assert observed[0] == 0, "something was drawn that was reported as impossible"
        del expected[0], observed[0]
    statistic = sum((seen - due) ** 2 / due for seen, due in zip(observed, expected, strict=True))
    freedom = len(expected) - 1
    if not freedom:
        return 0.0
    variance = 2.0 / (9.0 * freedom)
    return ((statistic / freedom) ** (1 / 3) - (1.0 - variance)) / math.sqrt(variance)
