"""The next token's probabilities."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepseek_async.sandbox.model.distribution import Distribution, Mixture, Tail, build_tail
from deepseek_async.sandbox.model.sampling import mix, uniform

from .chisquare import surprise

COMMON = [(token, 0.5**token / 2) for token in range(1, 40)]  # 1 has a quarter, 2 an eighth, …


def tail_at(temperature: float) -> Tail:
    """A tail of 39 tokens, each half as common as the one before."""
    tokens = array("H", [token for token, _ in COMMON])
    return build_tail(
        tokens, {token: rank for rank, token in enumerate(tokens)}, array("d", [p for _, p in COMMON]), temperature
    )


def naive(
    listed: dict[int, float], tail_share: float, temperature: float, top_p: float
) -> tuple[dict[int, float], float]:
    """The same distribution over the whole vocabulary at once, and the mass at which the nucleus ends."""
    weights = {token: probability * tail_share for token, probability in COMMON} | listed
    peak = max(weights.values())
    raised = {token: (weight / peak) ** (1 / temperature) for token, weight in weights.items()}
    total = math.fsum(raised.values())
    kept: dict[int, float] = {}
    mass = 0.0
    for token in sorted(raised, key=lambda token: (-raised[token], token)):
        if mass >= top_p:
            break
        kept[token] = raised[token] / total
        mass += kept[token]
    return {token: probability / mass for token, probability in kept.items()}, mass - top_p


LISTED = st.dictionaries(st.integers(1, 60), st.floats(1e-6, 1.0), max_size=12)


@given(LISTED, st.floats(1e-4, 1.0), st.sampled_from([0.05, 0.3, 0.7, 1.0, 1.5, 2.0]), st.floats(0.05, 1.0))
def test_the_distribution_is_the_one_over_the_whole_vocabulary(
    listed: dict[int, float], tail_share: float, temperature: float, top_p: float
) -> None:
    """Sharing the tail, raising it once a temperature, cutting the nucleus by ranks: all of it changes nothing."""
    expected, spare = naive(listed, tail_share, temperature, top_p)
    assume(abs(spare) > 1e-9 or top_p == 1.0)  # at the very edge rounding decides
    made = Distribution(listed, tail_at(temperature), tail_share, temperature, top_p)
    found = made.probabilities()
    assert math.isclose(math.fsum(found.values()), 1.0, rel_tol=1e-9)
    for token in found.keys() | expected.keys():
        assert math.isclose(found.get(token, 0.0), expected.get(token, 0.0), rel_tol=1e-6, abs_tol=1e-9), token


@given(LISTED, st.floats(1e-4, 1.0), st.floats(0.3, 1.0))
def test_the_most_likely_tokens_are_listed_in_order(listed: dict[int, float], tail_share: float, top_p: float) -> None:
    """Up to 20, falling, ties by id, with the logarithms of the very probabilities."""
    made = Distribution(listed, tail_at(1.0), tail_share, 1.0, top_p)
    likely = made.likely()
    spread = made.probabilities()
    best = sorted(spread.items(), key=lambda entry: (-entry[1], entry[0]))[:20]
    assert [token for token, _ in likely] == [token for token, _ in best]
    for (_, logprob), (_, probability) in zip(likely, best, strict=True):
        assert logprob <= 0.0
        assert math.isclose(math.exp(logprob), probability, rel_tol=1e-9)


@given(LISTED, st.floats(1e-4, 1.0), st.floats(0.05, 1.0), st.lists(st.floats(0.0, 1.0, exclude_max=True)))
def test_only_what_has_a_probability_is_drawn(
    listed: dict[int, float], tail_share: float, top_p: float, chances: list[float]
) -> None:
    """Whatever the draw, also at the very edges of [0, 1)."""
    made = Distribution(listed, tail_at(1.0), tail_share, 1.0, top_p)
    possible = made.probabilities()
    for chance in (0.0, 1.0 - 2**-53, *chances):
        assert made.draw(chance) in possible


@given(LISTED, LISTED, st.floats(1e-4, 1.0), st.floats(0.0, 0.99))
def test_a_mixture_is_the_sum_of_its_parts(
    overlay: dict[int, float], listed: dict[int, float], tail_share: float, share: float
) -> None:
    """Laid over a base, probabilities add; the 20 most likely are those of the sum."""
    total = sum(overlay.values()) or 1.0
    overlay = {token: weight / total * share for token, weight in overlay.items()}
    base = Distribution(listed, tail_at(1.0), tail_share)
    made = Mixture(overlay, base)
    rest = 1.0 - sum(overlay.values())
    spread = made.probabilities()
    for token, probability in base.probabilities().items():
        assert math.isclose(spread[token], probability * rest + overlay.get(token, 0.0), rel_tol=1e-9, abs_tol=1e-12)
    likely = made.likely()
    weights = sorted(-probability for probability in spread.values())[: len(likely)]
    assert [-math.exp(logprob) for _, logprob in likely] == pytest.approx(weights, rel=1e-6, abs=1e-12)
    assert all(math.isclose(math.exp(logprob), spread[token], rel_tol=1e-6) for token, logprob in likely)
    assert all(made.draw(chance) in spread for chance in (0.0, share / 2, share, 1.0 - 2**-53))


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.7, 1.0), (1.0, 0.8), (1.6, 0.9)])
def test_draws_follow_the_distribution(temperature: float, top_p: float) -> None:
    """20,000 draws against the probabilities, by chi-square."""
    made = Distribution({3: 0.2, 50: 0.1, 51: 0.05}, tail_at(temperature), 0.6, temperature, top_p)
    drawn = [made.draw(uniform(mix(1), n)) for n in range(20_000)]
    assert surprise(drawn, made.probabilities()) < 4.8


def test_the_chi_square_notices_another_distribution() -> None:
    """The same draws do not pass for those of a slightly lower temperature: the test above can fail."""
    listed = {3: 0.2, 50: 0.1, 51: 0.05}
    made = Distribution(listed, tail_at(1.0), 0.6)
    drawn = [made.draw(uniform(mix(1), n)) for n in range(20_000)]
    assert surprise(drawn, Distribution(listed, tail_at(0.9), 0.6, 0.9).probabilities()) > 10.0


def test_a_low_temperature_neither_overflows_nor_underflows() -> None:
    """Whatever the order of size of the weights, the most likely token keeps the mass, and all of it at 0.001."""
    for size in (1e-300, 1.0, 1e200):
        made = Distribution({50: 0.3 * size, 51: 0.2 * size}, tail_at(0.001), 0.1 * size, 0.001)
        assert made.likely()[0] == (50, 0.0)
        assert made.draw(1.0 - 2**-53) == 50


@pytest.mark.parametrize(
    ("listed", "tail_share", "top_p"),
    [
        ({50: 0.3, 51: 0.0}, 0.0, 1.0),
        ({1: 0.1, 39: 0.2}, 0.5, 1.0),
        ({1: 0.5, 2: 0.1}, 0.5, 0.9),
        (dict.fromkeys(range(1, 39), 0.1), 0.5, 1.0),
    ],
)
def test_rounding_at_the_upper_edge_draws_something_possible(
    listed: dict[int, float], tail_share: float, top_p: float
) -> None:
    """A place that comes out at the very end of the mass still is a token with a probability."""
    made = Distribution(listed, tail_at(1.0), tail_share, 1.0, top_p)
    for chance in (1.0, 1.0 + 1e-12):
        assert made.draw(chance) in made.probabilities()
