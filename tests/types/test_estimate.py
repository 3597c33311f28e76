"""Estimates by classes of characters: near what the API counts, additive, and linear."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async import AssistantMessage
from deepseek_async.types import FunctionCall, ToolCall
from deepseek_async.types.tokens.estimate import TOOLS_EXPLAINED, answer_tokens_of, estimated_tokens, prompt_tokens_of

# Requests with tools that the API answered in June and August 2026, with the tokens that it counted. Their texts are
# not here, only their shape: an x for each letter, a 0 for each digit, all else as it was.
RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "requests_with_tools.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("The ferry leaves the harbour at six in the evening, and the tide turns at seven. ", 15, 23),
        ("渡轮傍晚六点离开港口，七点潮水转向。", 9, 13),
        ("def tide(hours: int) -> float:\n    return 4.5 * hours / 12\n", 15, 30),
        ('{"pier": 4, "leaves": "18:40"}', 10, 20),
        ("1234567890", 10, 14),
        ("\n\n\n\n", 3, 5),
        ("Паром уходит в шесть", 5, 8),
    ],
)
def test_each_class_of_characters_has_its_weight(text: str, least: float, most: float) -> None:
    """Within what real tokenizers of that size say."""
    assert least <= estimated_tokens(text) <= most


@given(st.text(), st.text())
def test_a_text_has_the_tokens_of_its_parts(one: str, other: str) -> None:
    """No character is counted twice, and none is left out."""
    assert estimated_tokens(one + other) == pytest.approx(estimated_tokens(one) + estimated_tokens(other))
    assert estimated_tokens(one + "x") > estimated_tokens(one)


def test_recorded_requests_with_tools() -> None:
    """Each estimate is within 0.85 to 1.2 of what the API counted, and all together within 2 %."""
    ratios = [prompt_tokens_of(each["request"]) / each["prompt_tokens"] for each in RECORDED]
    assert len(ratios) >= 10
    assert 0.85 <= min(ratios) <= max(ratios) <= 1.2
    assert sum(ratios) / len(ratios) == pytest.approx(1, abs=0.02)


def test_tools_that_are_not_offered_cost_nothing() -> None:
    """As recorded: with ``tool_choice="none"`` a prompt is as long as without tools."""
    (told,) = [each for each in RECORDED if each["request"].get("tool_choice") == "none"]
    without = {name: value for name, value in told["request"].items() if name != "tools"}
    assert prompt_tokens_of(told["request"]) == prompt_tokens_of(without) < 30 < TOOLS_EXPLAINED


def asked(content: Any, **more: Any) -> dict[str, Any]:
    """A request's body."""
    return {"model": "deepseek-flash", "messages": [{"role": "user", "content": content}], **more}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a" * 1000, 240),
        ("雨" * 1000, 630),
        ("a" * 500 + "雨" * 500, 435),
        ("é" * 1000, 310),
        ("1" * 100, 120),
        ("", 0),
        ([{"type": "text", "text": "a" * 1000}], 240),
        ([{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}], 384),
        ([{"type": "file", "file_id": "file-api-" + "0" * 32}], 0),
    ],
)
def test_tokens_of_a_prompt(text: Any, tokens: int) -> None:
    """By classes of characters, and four for the template's marks; an image counts as one, not by its letters."""
    assert prompt_tokens_of(asked(text)) == tokens + 4


def test_tools_and_schemas_count() -> None:
    """They are part of the prompt, with their keys and brackets; and so is a schema of the answer."""
    parameters = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    tool = {"type": "function", "function": {"name": "weather", "description": "x" * 1000, "parameters": parameters}}
    assert prompt_tokens_of(asked("", tools=[tool])) == pytest.approx(TOOLS_EXPLAINED + 240 + 60, abs=25)
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": parameters}}
    assert prompt_tokens_of(asked("", response_format=schema)) > 40


def test_reasoning_is_read_again_only_with_tools() -> None:
    """Source: page "Thinking Mode": without tools earlier reasoning is ignored."""
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": "c" * 1000}]
    body = {"messages": said}
    assert prompt_tokens_of(body) < 10
    assert prompt_tokens_of({**body, "tools": [{"function": {"name": "f"}}]}) > TOOLS_EXPLAINED + 240


def test_fill_in_the_middle() -> None:
    """Both sides of the gap count."""
    assert prompt_tokens_of({"prompt": "a" * 100, "suffix": "b" * 100}) == 51


@pytest.mark.parametrize(
    "odd",
    [
        {"messages": None},
        {"messages": [3, {"role": "tool"}, {"content": [None, "a", {"type": "text"}]}]},
        {"messages": [{"tool_calls": [None, {"function": 3}]}], "tools": [None, {"function": None}, 7]},
        {"messages": "text", "tools": "text", "response_format": "text"},
    ],
)
def test_odd_bodies_raise_nothing(odd: Any) -> None:
    """An estimate is asked for when something has failed already."""
    assert prompt_tokens_of(odd) >= 3


def test_tokens_of_an_answer() -> None:
    """Text, reasoning and calls."""
    assert answer_tokens_of(AssistantMessage()) == 0
    assert answer_tokens_of(AssistantMessage("a" * 100, reasoning_content="b" * 100)) == 48
    call = ToolCall("call_0", function=FunctionCall("weather", '{"city":"Rome"}'))
    assert 30 < answer_tokens_of(AssistantMessage("", tool_calls=(call,))) < 50


def test_a_megabyte_is_a_matter_of_milliseconds() -> None:
    """Estimates are made while others wait."""
    text = "The tide turns at 7. " * 50_000
    began = time.process_time()
    estimated_tokens(text)
    assert time.process_time() - began < 0.1
