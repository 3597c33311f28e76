"""JSON while it comes: each state is true, and the last is the whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_async.codec.structuring.growing import NOTHING, GrowingJSON

from ...examples import examples

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
WHOLE = st.lists(JSON) | st.dictionaries(st.text(), JSON)


def fed(text: str, sizes: list[int] | None = None) -> tuple[GrowingJSON, list[Any]]:
    growing, seen, place = GrowingJSON(), [], 0
    for size in sizes or [1] * len(text):
        growing.feed(text[place : place + size])
        seen.append(growing.snapshot())
        place += size
    growing.feed(text[place:])
    return growing, seen


@settings(max_examples=examples(20), deadline=None)
@given(WHOLE, st.booleans(), st.lists(st.integers(1, 9), max_size=40), st.sampled_from(["", "Here: ", "```json\n"]))
def test_cut_anywhere_it_ends_as_the_whole(value: Any, ascii_only: bool, sizes: list[int], before: str) -> None:
    """However the text is cut, with words before and behind it."""
    text = before + json.dumps(value, ensure_ascii=ascii_only) + " and that is it"
    growing, _ = fed(text, sizes)
    assert growing.is_complete
    assert growing.snapshot() == value


def is_part(part: Any, whole: Any) -> bool:
    """Whether one is a state of the other while it came."""
    if isinstance(whole, dict):
        keys = list(part)
        return keys == list(whole)[: len(keys)] and all(is_part(part[key], whole[key]) for key in keys)
    if isinstance(whole, list):
        return len(part) <= len(whole) and all(map(is_part, part, whole))
    return bool(whole.startswith(part)) if isinstance(whole, str) else bool(part == whole)


@settings(max_examples=examples(15), deadline=None)
@given(WHOLE)
def test_each_state_is_a_part_of_the_whole(value: Any) -> None:
    """Nothing in it is ever taken back, and what was handed out does not change."""
    text = json.dumps(value, ensure_ascii=False)
    _, seen = fed(text)
    for state in seen:
        assert is_part(state, value), state


def test_what_is_half_there_is_left_out() -> None:
    """A number could grow, a key has no value yet; a text is shown as it grows."""
    growing = GrowingJSON()
    states = []
    for piece in ('{"a": 1', "2", ', "b', '": "x', "y", '", "c": [tr', "ue, {", "}]"):
        growing.feed(piece)
        states.append(growing.snapshot())
    assert states == [
        {}, {}, {"a": 12}, {"a": 12, "b": "x"}, {"a": 12, "b": "xy"}, {"a": 12, "b": "xy", "c": []},
        {"a": 12, "b": "xy", "c": [True, {}]}, {"a": 12, "b": "xy", "c": [True, {}]},
    ]  # fmt: skip
    growing.feed("}")
    assert growing.is_complete


@pytest.mark.parametrize(
    "text", ["{braces} ", "{'a': 1} ", '{"a" 1} ', '{"a": 1,} ', "[1 2] ", '{"a": nope} ', '{"a": "\\x"} ']
)
def test_what_is_no_json_is_passed_over(text: str) -> None:
    """And what follows it is read."""
    growing, _ = fed(text + '{"right": [1]}')
    assert growing.snapshot() == {"right": [1]}


def test_before_it_begins_there_is_nothing() -> None:
    """Words are no value."""
    growing, seen = fed("Let me see")
    assert growing.snapshot() is NOTHING
    assert all(state is NOTHING for state in seen)
