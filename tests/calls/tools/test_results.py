"""What a tool returned, as the model reads it."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest

from deepseek_async.calls.tools.results import content_of, told_of
from deepseek_async.types import ImagePart, ImageURL, TextPart


@attrs.frozen
class Place:
    name: str


@dataclasses.dataclass
class Depth:
    metres: float
    at: Place


class Scalar:
    """As numpy's are."""

    def tolist(self) -> float:
        return 4.5


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, None),
        (3, 3),
        (Depth(4.5, Place("Sund")), {"metres": 4.5, "at": {"name": "Sund"}}),
        ([Place("Sund")], [{"name": "Sund"}]),
        ({"day": date(2026, 11, 27)}, {"day": "2026-11-27"}),
        ((1, "a"), [1, "a"]),
        (Decimal("0.1"), "0.1"),
        (Scalar(), 4.5),
        ([], []),
    ],
)
def test_values_are_json(value: Any, said: Any) -> None:
    """As the reader of their type would take them back."""
    content = content_of(value)
    assert isinstance(content, str)
    assert json.loads(content) == said


def test_text_and_parts_are_what_they_are() -> None:
    """Text has no quotes around it; parts go as parts, one as a list of one."""
    image = ImagePart(ImageURL("data:image/png;base64,AA=="))
    assert content_of("18:40") == "18:40"
    assert content_of(image) == [image]
    assert content_of((TextPart("This:"), image)) == [TextPart("This:"), image]


def test_what_json_cannot_say_is_told() -> None:
    """By its type."""
    with pytest.raises(TypeError, match="object"):
        content_of(object())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("caf\udce9", "caf\ufffd"),
        (["a", "caf\udce9"], '["a","caf\ufffd"]'),
        ({"caf\udce9": [Place("\ud800")], "é": 1.5}, '{"caf\ufffd":[{"name":"\ufffd"}],"é":1.5}'),
        ("\ud83e\udd84", "🦄"),
        (TextPart("\udcff"), [TextPart("\ufffd")]),
    ],
)
def test_names_of_files_that_are_no_utf8(value: Any, said: Any) -> None:
    """As `os.listdir` gives them: nothing could send them, and the run would end for it."""
    content = content_of(value)
    assert content == said
    json.dumps([part.text if isinstance(part, TextPart) else part for part in content], ensure_ascii=False).encode()


class WordlessError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def test_what_was_raised_is_told_in_words() -> None:
    """Whatever they are, and if there are none."""
    assert told_of(FileNotFoundError(2, "No such file", "caf\udce9")).startswith("The tool failed: FileNotFoundError:")
    assert told_of(OSError("caf\udce9")) == "The tool failed: OSError: caf\ufffd"
    assert told_of(WordlessError()) == "The tool failed: WordlessError: an error without words"
