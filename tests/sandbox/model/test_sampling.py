"""How to draw."""

from __future__ import annotations

import pytest

from deepseek_async.sandbox.model.sampling import (
    UNLIKELY,
    Sampling,
    Step,
    even_draws,
    forced,
    logprob_of,
    mix,
    salt,
    uniform,
)

from .chisquare import surprise


def test_draws_are_even_and_depend_on_seed_and_position_alone() -> None:
    """The numbers are SplitMix64's, the same on every platform, and spread over [0, 1)."""
    assert [mix(n) for n in (0, 1, 2**64 - 1)] == [16294208416658607535, 10451216379200822465, 16490336266968443936]
    assert uniform(mix(7), 3) == 0.6028159196962521
    drawn = [int(uniform(mix(seed), position) * 10) for seed in range(20) for position in range(500)]
    assert surprise(drawn, dict.fromkeys(range(10), 0.1)) < 4.8


def test_another_prompt_gets_other_draws() -> None:
    """The key depends on the seed, whatever its size, and on each token of the context."""
    keys = {salt(seed, context) for seed in (0, 1, -1, 2**70 + 1) for context in ((), (1,), (2,), (1, 2), (2, 1))}
    assert len(keys) == 4 * 5 - 5  # 2**70 + 1 and 1 are the same in 64 bits


def test_outside_the_most_likely_there_is_no_log_probability() -> None:
    """The wire's -9999.0, and 0.0 for a token that had to be."""
    likely = ((5, -0.1), (7, -3.0))
    assert logprob_of(7, likely) == -3.0
    assert logprob_of(8, likely) == UNLIKELY == -9999.0
    assert forced(7) == Step(7, 0.0, ((7, 0.0),))
    assert forced(7, logprobs=False) == Step(7, 0.0, ())


@pytest.mark.parametrize("wrong", [{"temperature": -0.1}, {"top_p": 0.0}, {"top_p": 1.1}])
def test_sampling_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    """There is no distribution for it."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Sampling(**wrong)  # type: ignore[arg-type]


def test_even_draws_leave_no_gap() -> None:
    """After some draws every tenth of [0, 1) has had its share."""
    draw = even_draws()
    tenths = [int(draw() * 10) for _ in range(100)]
    assert all(9 <= tenths.count(tenth) <= 11 for tenth in range(10))
