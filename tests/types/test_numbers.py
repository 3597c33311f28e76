"""Numbers of other libraries' classes where numbers are wanted: numpy's, fractions and decimals are sent as JSON."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from deepseek_async import (
    AsyncClient,
    ChatRequest,
    InvalidRequestError,
    Resume,
    RetryPolicy,
    Timeouts,
    UserMessage,
)
from deepseek_async.codec.requests import request_to_json
from deepseek_async.types import TextRequest
from deepseek_async.types.requests.numbers import integer_in, number_in

from ..wire import HELLO, client_on, completion, whole

INTEGERS: list[Any] = [np.int64(5), np.int32(5), np.uint8(5), np.array(5), np.array(5, dtype=np.int8)]
NUMBERS: list[Any] = [*INTEGERS, np.float64(0.5), np.float32(0.5), np.float16(0.5), np.array(0.5), Fraction(1, 2),
                      Decimal("0.5"), np.longdouble(0.5)]  # fmt: skip
NO_NUMBERS: list[Any] = [True, np.True_, np.array(True), "5", b"5", np.str_("5"), None, [5], np.array([5]), 5j,
                         np.complex64(5), ..., np.datetime64("2026-01-01"), np.timedelta64(5, "s")]  # fmt: skip


@pytest.mark.parametrize("value", INTEGERS, ids=repr)
def test_integers(value: Any) -> None:
    """Exactly of the built-in class, so that everything below knows them."""
    assert (type(integer_in(value)), integer_in(value)) == (int, 5)
    assert (type(number_in(value)), number_in(value)) == (int, 5)


@pytest.mark.parametrize("value", NUMBERS[len(INTEGERS) :], ids=repr)
def test_numbers(value: Any) -> None:
    """The same, with what is behind the point."""
    assert (type(number_in(value)), number_in(value)) == (float, 0.5)
    assert integer_in(value) is None


HUGE: list[Any] = [10**400, Fraction(10**400, 3), 10**5000]


@pytest.mark.parametrize("value", HUGE, ids=["int", "fraction", "digits"])
def test_what_no_float_holds(value: Any) -> None:
    """Beyond every limit, and told so; nothing that compares raises an error of its own."""
    assert (number_in(value), number_in(-value)) == (math.inf, -math.inf)
    for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty", "max_tokens", "top_logprobs"):
        for given in (value, -value):
            with pytest.raises(InvalidRequestError, match=name) as caught:
                ChatRequest(messages=(UserMessage("x"),), model="m", **{name: given})
            assert len(str(caught.value)) < 200
    assert Timeouts(total=value).total == math.inf
    for name in ("wait_initial", "wait_max", "retry_after_max"):
        with pytest.raises(InvalidRequestError, match=name):
            RetryPolicy(**{name: value})


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_number(value: Any) -> None:
    """Truth values, texts, arrays with an axis, complex ones, dates."""
    assert integer_in(value) is None
    assert number_in(value) is None


PARAMETERS: dict[str, Any] = {
    "max_tokens": np.int64(5),
    "temperature": np.float32(0.5),
    "top_p": np.float64(0.25),
    "frequency_penalty": np.int8(-1),
    "presence_penalty": Fraction(1, 2),
    "top_logprobs": np.uint16(3),
    "logprobs": True,
}
AS_SENT = {
    "max_tokens": 5,
    "temperature": 0.5,
    "top_p": 0.25,
    "frequency_penalty": -1,
    "presence_penalty": 0.5,
    "top_logprobs": 3,
    "logprobs": True,
}


def test_a_request_holds_plain_numbers() -> None:
    """It equals one that was made with them, hashes and prints as it, and is the same body."""
    ours = ChatRequest(model="m", messages=HELLO, **AS_SENT)
    theirs = ChatRequest(model="m", messages=HELLO, **PARAMETERS)
    assert ours == theirs
    assert repr(ours) == repr(theirs)
    assert request_to_json(ours) == request_to_json(theirs)
    assert type(theirs.max_tokens) is int
    text = TextRequest(model="m", prompt="p", logprobs=np.int64(3), max_tokens=np.array(4))  # type: ignore[arg-type]
    assert json.loads(request_to_json(text)) == {"model": "m", "prompt": "p", "logprobs": 3, "max_tokens": 4}


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_sends_them(stream: bool) -> None:
    """Parameters, seeds and other fields of the body, numbers in messages, tools and schemas."""
    client, transport = client_on(whole(completion()))
    number = {"type": "integer", "minimum": np.int64(1), "maximum": np.float32(9.5)}
    schema = {"type": "object", "properties": {"n": number}}
    answer = await client.chat.completions.create(
        model="m",
        messages=[*HELLO, {"role": "user", "content": [{"type": "text", "text": "a", "score": np.float64(0.5)}]}],
        tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}],
        seed=np.int64(7),
        n=np.int32(1),
        extra_body={"top_k": np.int16(4), "min_p": np.float32(0.25), "bias": {"5": np.int8(-3)}},
        timeout=np.float32(30.0),
        max_retries=np.int64(1),
        stream=stream,
        **PARAMETERS,
    )
    if stream:
        await answer.completion()
    sent = json.loads(transport.requests[0].body or b"")
    assert AS_SENT.items() <= sent.items()
    assert {name: sent[name] for name in ("seed", "n", "top_k", "min_p", "bias")} == {
        "seed": 7, "n": 1, "top_k": 4, "min_p": 0.25, "bias": {"5": -3},
    }  # fmt: skip
    assert sent["messages"][1]["content"][0]["score"] == 0.5
    plain = {"type": "integer", "minimum": 1, "maximum": 9.5}
    assert sent["tools"][0]["function"]["parameters"]["properties"] == {"n": plain}


@pytest.mark.parametrize(
    "parameters",
    [
        {"temperature": np.float32(2.5)},
        {"temperature": np.float32("nan")},
        {"temperature": np.array([0.5])},
        {"temperature": np.True_},
        {"temperature": Decimal("Infinity")},
        {"temperature": Decimal("sNaN")},
        {"max_tokens": np.float64(5.0)},
        {"max_tokens": np.int64(0)},
        {"top_logprobs": np.int64(21), "logprobs": True},
    ],
)
def test_ranges_hold_for_them_too(parameters: dict[str, Any]) -> None:
    """Refused by name, as any number would be."""
    with pytest.raises(InvalidRequestError) as refused:
        ChatRequest(model="m", messages=HELLO, **parameters)
    assert refused.value.parameter == next(iter(parameters))


@pytest.mark.parametrize("value", [np.float32("nan"), np.float64("inf")])
def test_what_json_cannot_say_is_refused_by_its_place(value: Any) -> None:
    """Deep in the body as well."""
    request = ChatRequest(model="m", messages=HELLO, extra_body={"a": {"b": [1, value]}})
    with pytest.raises(InvalidRequestError, match=r"a\.b\[1\]"):
        request_to_json(request)
    with pytest.raises(InvalidRequestError, match=r"a\.b"):
        request_to_json(ChatRequest(model="m", messages=HELLO, extra_body={"a": {"b": np.array([1, 2])}}))


def test_text_of_other_classes_is_text() -> None:
    """An element of numpy's array of strings."""
    request = ChatRequest(model="m", messages=[UserMessage(np.str_("Hello?"))])
    assert request_to_json(request) == request_to_json(ChatRequest(model="m", messages=HELLO))


def test_settings_take_them() -> None:
    """Timeouts, retries, caps: equal to plain ones, and plain inside."""
    assert Timeouts(connect=np.float32(2.5), total=np.int64(9)) == Timeouts(connect=2.5, total=9)
    assert type(Timeouts(total=np.float64(9)).total) is float
    policy = RetryPolicy(attempts=np.int64(2), wait_initial=np.float32(0.5), wait_max=np.int8(3))  # type: ignore[arg-type]
    assert policy == RetryPolicy(attempts=2, wait_initial=0.5, wait_max=3)
    assert type(policy.attempts) is int
    assert Resume(attempts=np.int64(2)).attempts == 2  # type: ignore[arg-type]
    caps: Any = {"max_connections": np.int64(4), "max_event_bytes": np.int32(999), "max_body_bytes": np.int64(999)}
    assert AsyncClient("k", **caps)._settings["max_connections"] == 4
    for wrong in ({"total": np.float32(0)}, {"total": np.True_}, {"idle": np.float32("nan")}, {"idle": "5"}):
        with pytest.raises(InvalidRequestError, match="timeouts"):
            Timeouts(**wrong)
