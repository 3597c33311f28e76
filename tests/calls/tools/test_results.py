"""What a tool returned, as the model reads it."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest

from deepseek_async.calls.tools.results import content_of
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
