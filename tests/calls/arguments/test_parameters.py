"""Keyword arguments → requests: what is not checked again because it was left out, and what is."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from deepseek_async import AsyncClient
from deepseek_async.calls.arguments.parameters import chat_request_of, text_request_of
from deepseek_async.errors import InvalidRequestError
from deepseek_async.types import ChatRequest, TextRequest

from ...wire import HELLO

pytestmark = pytest.mark.anyio

CHAT: dict[str, Any] = {"model": "m", "messages": HELLO}
TEXT: dict[str, Any] = {"model": "m", "prompt": "def f("}


@pytest.mark.parametrize(("cls", "given"), [(ChatRequest, CHAT), (TextRequest, TEXT)])
def test_every_default_is_right(cls: type[Any], given: dict[str, Any]) -> None:
    """So that what is left out needs no check."""
    request = cls(**given)
    for field in attrs.fields(cls):
        if field.default is not attrs.NOTHING and field.validator is not None:
            field.validator(request, field, field.default)


@pytest.mark.parametrize("more", [{}, {"temperature": 0.5, "stop": ["a", "b"], "extra_body": {"a": 1}}])
def test_it_is_the_request_that_its_class_makes(more: dict[str, Any]) -> None:
    """Equal, of that class, and frozen."""
    request = chat_request_of({**CHAT, **more}, stream=False)
    assert request == ChatRequest(**CHAT, **more)
    assert type(request) is ChatRequest
    assert type(text_request_of(dict(TEXT), stream=True)) is TextRequest
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        request.model = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 3},
        {"max_tokens": 0},
        {"top_logprobs": 3},
        {"stream_options": {"include_usage": True}},
        {"messages": []},
        {"stop": ["a"] * 17},
        {"tools": [{"type": "function"}]},
        {"extra_body": {1: 2}},
        {"response_format": {"type": "xml"}},
    ],
)
def test_what_is_given_is_checked_as_its_class_does(wrong: dict[str, Any]) -> None:
    """The same error, word for word."""
    with pytest.raises(InvalidRequestError) as by_class:
        ChatRequest(**{**CHAT, **wrong})
    with pytest.raises(InvalidRequestError) as by_keywords:
        chat_request_of({**CHAT, **wrong}, stream=False)
    assert str(by_keywords.value) == str(by_class.value)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"include_usage": True}),
        ({"stream_options": None}, None),
        ({"stream_options": {"include_usage": False}}, {"include_usage": False}),
        ({"stream_options": {}}, {}),
        ({"stream_options": {"include_obfuscation": False}}, {"include_obfuscation": False}),
    ],
)
def test_a_stream_asks_for_its_usage(given: dict[str, Any], sent: Any) -> None:
    """Unless the caller says otherwise, on both endpoints; an answer in one piece has it anyway."""
    assert chat_request_of({**CHAT, **given}, stream=True).stream_options == sent
    assert text_request_of({**TEXT, **given}, stream=True).stream_options == sent
    assert chat_request_of(dict(CHAT), stream=False).stream_options is None
    assert text_request_of(dict(TEXT), stream=False).stream_options is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mesages", "messages"),
        ("max_token", "max_tokens"),
        ("temprature", "temperature"),
        ("timeout_s", "timeouts"),
        ("max_turn", None),  # of `run_tools`; what is a little like it is not meant
        ("retries", None),
    ],
)
async def test_an_unknown_name_is_told_with_what_is_meant(name: str, meant: str | None) -> None:
    """Before the list of all there is."""
    async with AsyncClient(base_url="http://127.0.0.1:9") as client:
        ask: dict[str, Any] = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Hi"}], name: 1}
        with pytest.raises(InvalidRequestError) as caught:
            await client.chat.completions.create(**ask)
    assert caught.value.parameter == name
    guess = f" (did you mean {meant}?)" if meant else ""
    assert str(caught.value).startswith(f"{name} is unknown{guess}; allowed: budget, custom_id, ")
    assert str(caught.value).endswith("user_id, via; anything else goes into extra_body={…}")


def test_an_unknown_setting_is_told_with_what_is_meant() -> None:
    """Of a client, and of a copy with other settings, which has fewer."""
    with pytest.raises(
        InvalidRequestError, match=r"^time_out is unknown \(did you mean timeout\?\); .*, via; help"
    ) as caught:
        AsyncClient("sk-1", time_out=3)  # type: ignore[call-arg]
    assert "sk-1" not in str(caught.value)
    with pytest.raises(
        InvalidRequestError, match=r"^proxi is unknown; allowed: budget, default_headers, headers, max_r"
    ):
        AsyncClient("sk-1").with_options(proxi="")  # type: ignore[call-arg]
