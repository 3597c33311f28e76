"""Token counts, one by one and added up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.types import CompletionTokensDetails, PromptTokensDetails, Usage

COUNTS = st.integers(0, 10**9)
MAYBE = st.none() | COUNTS
USAGES = st.builds(
    Usage,
    COUNTS,
    COUNTS,
    COUNTS,
    MAYBE,
    MAYBE,
    st.none() | st.builds(PromptTokensDetails, MAYBE),
    st.none() | st.builds(CompletionTokensDetails, MAYBE),
)


@given(USAGES, USAGES, USAGES)
def test_adding_is_associative_and_commutative(one: Usage, other: Usage, third: Usage) -> None:
    """However the parts of an answer or the rows of a batch are added up, the sum is the same."""
    assert one + other == other + one
    assert (one + other) + third == one + (other + third)


@given(USAGES)
def test_nothing_adds_nothing(usage: Usage) -> None:
    """An empty usage is the neutral element, apart from unknown fields, which cannot be added."""
    assert usage + Usage() == usage
    assert sum([usage], Usage()) == usage


def test_a_count_that_neither_tells_stays_unknown() -> None:
    """Unknown is not zero; told by one, it is that one's."""
    assert (Usage(1, 2, 3) + Usage(1, 2, 3)).prompt_cache_hit_tokens is None
    assert (Usage(prompt_cache_hit_tokens=4) + Usage()).prompt_cache_hit_tokens == 4
    assert (Usage(prompt_cache_hit_tokens=0) + Usage()).prompt_cache_hit_tokens == 0
    both = Usage(completion_tokens_details=CompletionTokensDetails(2)) + Usage(
        completion_tokens_details=CompletionTokensDetails(3)
    )
    assert both.reasoning_tokens == 5


def test_only_usages_are_added() -> None:
    """A number is no usage."""
    assert Usage().__add__(1) is NotImplemented  # type: ignore[operator]


def test_the_cache_and_the_reasoning_are_found_in_either_place() -> None:
    """Top level first, then the details; unknown where neither tells."""
    assert Usage(prompt_cache_hit_tokens=3, prompt_tokens_details=PromptTokensDetails(9)).cached_tokens == 3
    assert Usage(prompt_tokens_details=PromptTokensDetails(9)).cached_tokens == 9
    assert Usage().cached_tokens is None
    assert Usage(completion_tokens_details=CompletionTokensDetails(5)).reasoning_tokens == 5
    assert Usage().reasoning_tokens is None


def test_usages_are_summed_as_numbers_are() -> None:
    """`sum` begins with 0, which is no count; nothing else is."""
    usages = [Usage(1, 2, 3), Usage(10, 20, 30, prompt_cache_hit_tokens=4)]
    assert sum(usages) == usages[0] + usages[1] == sum(usages, Usage())
    assert sum(usages[:1]) == usages[0]
    for other in (1, 0.5, "", None):
        with pytest.raises(TypeError):
            other + usages[0]  # type: ignore[operator]
