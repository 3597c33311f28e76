"""Numbers that a schema allows."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.sandbox.model.schema.numbers import allowed_numbers, is_allowed

BOUND = st.integers(-1000, 1000) | st.floats(-1000, 1000, allow_nan=False).map(lambda value: round(value, 3))
STEP = st.integers(1, 50) | st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.5, 2.5])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "minimum": BOUND,
            "maximum": BOUND,
            "exclusiveMinimum": BOUND,
            "exclusiveMaximum": BOUND,
            "multipleOf": STEP,
        },
    ),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_what_is_offered_is_allowed(schema: dict[str, Any], whole: bool, seed: int) -> None:
    """A validator accepts every number that is offered, and `is_allowed` says what the validator says."""
    validator = jsonschema.Draft202012Validator({**schema, "type": "integer" if whole else "number"})
    offered = allowed_numbers(schema, ["7", "12.5", "-3"], random.Random(seed).random, whole=whole)
    for text, weight in offered:
        assert validator.is_valid(json.loads(text)), text
        assert weight > 0
    for value in (0, 7, -3, 250, 0.5, 12.5):
        if not whole or isinstance(value, int):
            assert is_allowed(schema, value) == validator.is_valid(value)


@pytest.mark.parametrize(
    ("schema", "whole", "expected"),
    [
        ({"minimum": 3, "maximum": 5}, True, {"3", "4", "5"}),
        ({"exclusiveMinimum": 3, "exclusiveMaximum": 5}, True, {"4"}),
        ({"minimum": 3, "exclusiveMinimum": True, "maximum": 4}, True, {"4"}),
        ({"minimum": 1, "maximum": 100, "multipleOf": 33}, True, {"33", "66", "99"}),
        ({"minimum": 0.5, "maximum": 2.2, "multipleOf": 0.5}, True, {"1", "2"}),
        ({"minimum": 10**20, "maximum": 10**20}, True, {str(10**20)}),
        ({"minimum": 0.1, "maximum": 0.1}, False, {"0.1"}),
        ({"minimum": 5, "maximum": 4}, True, set()),
        ({"exclusiveMinimum": 1, "exclusiveMaximum": 2}, True, set()),
    ],
)
def test_a_small_range_is_offered_whole(schema: dict[str, Any], whole: bool, expected: set[str]) -> None:
    """So a single admissible number is found for certain, and none means that there is none."""
    assert {text for text, _ in allowed_numbers(schema, (), lambda: 0.5, whole=whole)} == expected


def test_numbers_of_the_prompt_are_preferred_if_they_are_allowed() -> None:
    """The number that the user named weighs more than invented ones."""
    weights = dict(allowed_numbers({"minimum": 1, "maximum": 14}, ["5", "99", "2.5"], lambda: 0.5, whole=True))
    assert weights["5"] == max(weights.values()) > weights["4"]
    assert "99" not in weights
    assert "2.5" not in weights
    assert dict(allowed_numbers({}, ["2.5"], lambda: 0.5, whole=False))["2.5"] == weights["5"]


def test_a_narrow_range_of_reals_has_a_number() -> None:
    """Also between two exclusive bounds that lie close together."""
    schema = {"exclusiveMinimum": 0, "exclusiveMaximum": 0.0001}
    offered = allowed_numbers(schema, (), random.Random(1).random, whole=False)
    assert offered
    assert all(0 < json.loads(text) < 0.0001 for text, _ in offered)
