"""THREATS.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)`", (ROOT / "THREATS.md").read_text(encoding="utf-8"))))


@pytest.mark.parametrize("named", NAMED)
def test_it_is_there(named: str) -> None:
    """A line whose test was renamed or dropped is no line."""
    path, _, function = named.partition("::")
    assert (ROOT / path).exists()
    assert not function or f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")


def test_there_are_some() -> None:
    """The pattern that finds them still does."""
    assert len(NAMED) > 20
