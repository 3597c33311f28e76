"""What a body asks for, without its texts; whatever stands in it."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.calls.watching.parameters import parameters_in
from deepseek_async.hooks import RequestParameters

SECRET = "a prompt that nobody is to see"


def asked(**body: Any) -> RequestParameters:
    found = parameters_in(json.dumps(body).encode())
    assert found is not None
    return attrs.evolve(found, size=0)


def test_every_parameter_is_told() -> None:
    """Numbers as they are, texts and schemas as their number, mappings by their type."""
    assert asked(
        model="m",
        messages=[{"role": "user", "content": SECRET}, {"role": "assistant", "content": SECRET}],
        tools=[{"type": "function", "function": {"name": SECRET}}],
        stream=True,
        max_tokens=5,
        temperature=0.5,
        top_p=1,
        frequency_penalty=-1,
        presence_penalty=2,
        stop=[SECRET, "b"],
        logprobs=True,
        top_logprobs=3,
        thinking={"type": "enabled"},
        reasoning_effort="high",
        response_format={"type": "json_schema", "json_schema": {"title": SECRET}},
        tool_choice={"type": "function", "function": {"name": SECRET}},
        n=2,
        seed=7,
        user_id=SECRET,
    ) == RequestParameters(
        messages=2, tools=1, stream=True, max_tokens=5, temperature=0.5, top_p=1, frequency_penalty=-1,
        presence_penalty=2, stop=2, logprobs=True, top_logprobs=3, thinking="enabled", reasoning_effort="high",
        response_format="json_schema", tool_choice="function", n=2, seed=7,
    )  # fmt: skip


def test_fill_in_the_middle_and_other_spellings() -> None:
    """Log probabilities are a number there; a stop is a text or several; a limit has two names."""
    fim = asked(model="m", prompt=SECRET, suffix=SECRET, logprobs=4, stop=SECRET)
    assert (fim.messages, fim.logprobs, fim.top_logprobs, fim.stop) == (0, True, 4, 1)
    assert asked(messages=[], max_completion_tokens=9).max_tokens == 9
    assert asked() == RequestParameters()


@pytest.mark.parametrize("body", [None, b"", b"{", b"[1]", b'"text"', b"null", b"\xff"])
def test_what_is_no_object_asks_for_nothing(body: bytes | None) -> None:
    """A list of models has no body; what a transport of the caller's sends is its own affair."""
    assert parameters_in(body) is None


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("type", "b")), inner, max_size=2),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([field.name for field in attrs.fields(RequestParameters)]), JSON, max_size=6))
def test_no_text_comes_through(body: dict[str, Any]) -> None:
    """`extra_body` can put anything anywhere."""
    assert SECRET not in repr(asked(**body))
