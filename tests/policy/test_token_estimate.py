"""Estimates by classes of characters: near what the API counts, additive, and linear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.policy.token_estimate import estimated_tokens


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("The ferry leaves the harbour at six in the evening, and the tide turns at seven. ", 15, 23),
        ("渡轮傍晚六点离开港口，七点潮水转向。", 9, 13),
        ("def tide(hours: int) -> float:\n    return 4.5 * hours / 12\n", 15, 30),
        ('{"pier": 4, "leaves": "18:40"}', 10, 20),
        ("1234567890", 10, 14),
        ("\n\n\n\n", 3, 5),
        ("Паром уходит в шесть", 5, 8),
    ],
)
def test_each_class_of_characters_has_its_weight(text: str, least: float, most: float) -> None:
    """Within what real tokenizers of that size say."""
    assert least <= estimated_tokens(text) <= most


@given(st.text(), st.text())
def test_a_text_has_the_tokens_of_its_parts(one: str, other: str) -> None:
    """No character is counted twice, and none is left out."""
    assert estimated_tokens(one + other) == pytest.approx(estimated_tokens(one) + estimated_tokens(other))
    assert estimated_tokens(one + "x") > estimated_tokens(one)
