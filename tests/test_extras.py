"""Whoever adds an extra says what it is for: in the table that is tried by `make test-extras`, and in docs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .extras import _ASK, USES, extras

DOCS = Path(__file__).parent.parent / "docs"


def test_each_extra_has_a_use() -> None:
    """And nothing else has."""
    assert sorted(USES) == sorted(extras())


@pytest.mark.parametrize("extra", USES)
def test_each_use_is_a_program(extra: str) -> None:
    """Its syntax is checked here, since it runs rarely."""
    ast.parse(_ASK + USES[extra])


@pytest.mark.parametrize("extra", USES)
def test_each_extra_is_told_of(extra: str) -> None:
    """Where a user looks for it."""
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    assert f"deepseek_async[{extra}]" in pages or f"extra `{extra}`" in pages or f"`{extra}`" in pages
