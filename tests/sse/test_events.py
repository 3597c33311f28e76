"""`ServerSentEvent` and `Comment`: frozen values with the standard's defaults."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest

from deepseek_async.sse import Comment, ServerSentEvent

_VALUES = [ServerSentEvent(), ServerSentEvent("error", "x", "1", 3000), Comment("keep-alive")]


def test_defaults_are_the_standards() -> None:
    """An event of which nothing is said is an empty message without ID and reconnection time."""
    assert ServerSentEvent() == ServerSentEvent(event="message", data="", id="", retry=None)


@pytest.mark.parametrize("value", _VALUES)
def test_values_are_frozen_and_slotted(value: ServerSentEvent | Comment) -> None:
    """No field can be set, none added."""
    for name in (*[field.name for field in attrs.fields(type(value))], "other"):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(value, name, "x")
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize("value", _VALUES)
def test_values_compare_and_copy_by_value(value: ServerSentEvent | Comment) -> None:
    """Copies and pickles are equal and have the same hash; another value is not equal."""
    for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):  # noqa: S301 - our own
        assert twin == value
        assert hash(twin) == hash(value)
    assert all(value != other for other in _VALUES if other is not value)
