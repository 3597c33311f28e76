"""Texts that match a regular expression."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.sandbox.model.schema.patterns import UnmatchedPatternError, matching_text

PATTERNS = [
    r"^[A-Z]{3}-\d{4}$",
    r"^\+?[1-9]\d{1,14}$",
    r"^(?:red|green|blue)(?:-(?:dark|light))?$",
    r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
    r"^#(?:[0-9a-fA-F]{3}){1,2}$",
    r"\d+",
    r"^.*$",
    r"^$",
    r"a|b|",
    r"^\w+(?P<tail>\s\w+)*?$",
    r"^(?<year>\d{4})-(?<month>0[1-9]|1[0-2])$",
    r"^[\w.\-]+$",
    r"^[]a]b[a-]$",
    r"^\x41\u0042\/\.\n$",
    r"^a{2}b{1,}c{0,2}d?e*$",
    r"^a+?b*?$",
    r"^(?i:abc)$",
    r"\bword\b",
    r"^[^a-z]{5}$",
    r"^\{x\}$",
    r"^a{,3}$",
    r"^x{y$",
    r"^日本[ぁ-ん]+$",
    r"^(?!cat)(?=[a-z])\w{3}$",
    r"^\S\D\W$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_text_matches(pattern: str) -> None:
    """By `re`'s own judgement, for many draws, and not always the same text where there are several."""
    chance = random.Random(1).random
    texts = [matching_text(pattern, chance, lambda text: len(text) < 200) for _ in range(40)]
    expression = re.compile(pattern.replace("(?<year", "(?P<year").replace("(?<month", "(?P<month"))
    assert all(expression.search(text) for text in texts)


def test_what_varies_varies() -> None:
    """Branches, classes and counts are all drawn from."""
    chance = random.Random(1).random
    texts = {matching_text(r"^(?:a|b)[0-2]x{0,2}$", chance, lambda text: True) for _ in range(500)}
    assert len(texts) == 2 * 3 * 3


@given(st.integers(0, 4), st.integers(0, 10**6))
def test_a_further_demand_holds_too(length: int, seed: int) -> None:
    """The length, for instance."""
    text = matching_text(r"^[a-z]*$", random.Random(seed).random, lambda text: len(text) == length)
    assert len(text) == length


@pytest.mark.parametrize(
    "pattern", ["(", "[", "a{3", "*", "(?P<n>a)(?P<n>b)", "\\", "[z-a]", r"\p{L}", r"^(a)\1b\1$", "(?=a)b", "^a$b"]
)
def test_what_cannot_be_matched_is_said(pattern: str) -> None:
    """Malformed, or nothing found: an error, never a text that does not match."""
    if pattern == "a{3":  # not a count, hence literal
        assert matching_text(pattern, lambda: 0.0, lambda text: True) == "a{3"
        return
    with pytest.raises(UnmatchedPatternError, match=r"regular expression|no text"):
        matching_text(pattern, random.Random(1).random, lambda text: True)
