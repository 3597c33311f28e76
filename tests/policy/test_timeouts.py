"""The four durations, checked; and what `None` means for the first chunk."""

from __future__ import annotations

import math
from typing import Any

import attrs
import pytest

from deepseek_async import InvalidRequestError, Timeouts

PHASES = ("connect", "first_chunk", "idle", "total")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("value", [0.001, 1, 86_400.0, math.inf, None])
def test_seconds_above_zero_or_none(phase: str, value: float | None) -> None:
    """Any positive duration, without end too."""
    assert getattr(Timeouts(**{phase: value}), phase) == value


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("value", [0, -1, -math.inf, math.nan, "5", True, [5]])
def test_all_else_is_refused_by_the_phases_name(phase: str, value: Any) -> None:
    """Zero is no duration to wait for, and a word no number."""
    with pytest.raises(InvalidRequestError) as raised:
        Timeouts(**{phase: value})
    assert raised.value.parameter == f"timeouts.{phase}"
    assert raised.value.allowed == "seconds above 0, or None"


def test_the_first_chunk_waits_longer_than_the_servers_queue() -> None:
    """A queued stream is closed by the server after 600 s; an answer in one piece comes after its whole generation."""
    assert Timeouts().first_chunk_of(streamed=True) == 630.0
    assert Timeouts().first_chunk_of(streamed=False) == 1800.0
    assert Timeouts(first_chunk=5).first_chunk_of(streamed=True) == 5
    assert Timeouts(first_chunk=5).first_chunk_of(streamed=False) == 5


def test_the_defaults_are_the_documented_ones() -> None:
    """And the value is frozen: one may be shared by all clients."""
    assert Timeouts() == Timeouts(connect=10.0, first_chunk=None, idle=120.0, total=None)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Timeouts().idle = 5  # type: ignore[misc]
    assert attrs.evolve(Timeouts(), total=60).total == 60
