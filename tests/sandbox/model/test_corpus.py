"""The text that the model learns from."""

from __future__ import annotations

import tomllib
from pathlib import Path

from deepseek_async.sandbox.model import corpus
from deepseek_async.sandbox.model.corpus import documents


def test_it_is_plain_prose() -> None:
    """Sentences in ASCII, in paragraphs, in documents; none of them empty, and no document twice."""
    found = documents()
    assert len(found) > 100
    assert len(set(found)) == len(found)
    for document in found:
        assert document.isascii()
        for paragraph in document.split("\n\n"):
            assert paragraph
            assert "\n" not in paragraph
            assert paragraph[-1] in ".!?"


def test_it_ships_with_the_package() -> None:
    """Beside the module, small, and in what is built."""
    assert corpus.__file__ is not None
    text = Path(corpus.__file__).with_name("prose.txt")
    assert 20_000 < text.stat().st_size < 100_000
    root = Path(__file__).parents[3]
    built = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert "exclude" not in built["wheel"]
    assert "exclude" not in built["sdist"]
