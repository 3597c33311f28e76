"""Requests → bytes: what is sent, what is not, and what cannot be."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import traceback
from collections import OrderedDict, UserDict, UserList, deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec.requests import body_of, request_to_json
from deepseek_async.errors import InvalidRequestError
from deepseek_async.types import (
    AssistantMessage,
    ChatRequest,
    FilePart,
    FunctionCall,
    FunctionDefinition,
    ImagePart,
    ImageURL,
    SystemMessage,
    TextPart,
    TextRequest,
    Tool,
    ToolCall,
    ToolMessage,
    UserMessage,
)

CALL = ToolCall("c1", "function", FunctionCall("f", "{}"))


def sent(*messages: Any, **parameters: Any) -> dict[str, Any]:
    """The body of a request, as the server reads it."""
    request = ChatRequest(model="m", messages=messages or (UserMessage("hi"),), **parameters)
    body: dict[str, Any] = json.loads(request_to_json(request))
    return body


def message(value: Any) -> Any:
    """One message, as the server reads it."""
    return sent(value)["messages"][0]


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (SystemMessage("s"), {"role": "system", "content": "s"}),
        (SystemMessage("s", name="n"), {"role": "system", "content": "s", "name": "n"}),
        (SystemMessage(""), {"role": "system", "content": ""}),
        (UserMessage("u"), {"role": "user", "content": "u"}),
        (UserMessage("é🦔"), {"role": "user", "content": "é🦔"}),
        (UserMessage("u", name=""), {"role": "user", "content": "u", "name": ""}),
        (AssistantMessage("a"), {"role": "assistant", "content": "a"}),
        (AssistantMessage(), {"role": "assistant", "content": None}),
        (AssistantMessage(""), {"role": "assistant", "content": ""}),
        (AssistantMessage("a", ""), {"role": "assistant", "content": "a", "reasoning_content": ""}),
        (AssistantMessage("a", prefix=True), {"role": "assistant", "content": "a", "prefix": True}),
        (AssistantMessage("a", prefix=False), {"role": "assistant", "content": "a", "prefix": False}),
        (AssistantMessage("a", extra={"refusal": None}), {"role": "assistant", "content": "a"}),
        (
            AssistantMessage(None, "r", (CALL,)),
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "r",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
        ),
        (
            AssistantMessage("", None, (ToolCall(extra={"x": 1}),)),
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "", "type": "function", "function": {"name": "", "arguments": ""}}],
            },
        ),
        (ToolMessage("r", "c1"), {"role": "tool", "content": "r", "tool_call_id": "c1"}),
        (ToolMessage("", ""), {"role": "tool", "content": "", "tool_call_id": ""}),
        (
            UserMessage([TextPart("t"), ImagePart(ImageURL("http://x", "low")), {"type": "text", "text": "m"}]),
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "t"},
                    {"type": "image_url", "image_url": {"url": "http://x", "detail": "low"}},
                    {"type": "text", "text": "m"},
                ],
            },
        ),
        (UserMessage(()), {"role": "user", "content": []}),
        (ImagePart(ImageURL("http://x")), None),
        (
            ToolMessage((FilePart("file-api-1"), FilePart(file_data="data:,x", filename="f.txt")), "c1"),
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [
                    {"type": "file", "file_id": "file-api-1"},
                    {"type": "file", "file_data": "data:,x", "filename": "f.txt"},
                ],
            },
        ),
        ({"role": "user", "content": "u"}, {"role": "user", "content": "u"}),
        (MappingProxyType({"role": "user", "content": "u"}), {"role": "user", "content": "u"}),
        ({"role": "user", "content": (TextPart("t"),)}, {"role": "user", "content": [{"type": "text", "text": "t"}]}),
        ({"role": "latest_reminder", "anything": [None]}, {"role": "latest_reminder", "anything": [None]}),
        (
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
        ),
    ],
)
def test_a_message_goes_out_as_it_is_documented(value: Any, wire: Any) -> None:
    """`None` is left out where it may be, `""` never; role, type and an assistant's content are always said."""
    if wire is None:
        with pytest.raises(InvalidRequestError, match=r"messages\[0\]"):
            message(value)
        return
    assert message(value) == wire


def test_values_and_mappings_mix() -> None:
    """A conversation of both kinds goes out in its order."""
    body = sent(
        {"role": "system", "content": "s"}, UserMessage("u"), AssistantMessage("a"), {"role": "user", "content": "v"}
    )
    assert [m["content"] for m in body["messages"]] == ["s", "u", "a", "v"]


def test_what_is_none_is_not_sent_and_all_else_is() -> None:
    """The body has what was given, zeros, False and empty values included, and nothing of ours."""
    assert sent() == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    given: dict[str, Any] = {
        "thinking": {"type": "disabled"}, "reasoning_effort": "low", "max_tokens": 1, "temperature": 0, "top_p": 0.0,
        "frequency_penalty": -2, "presence_penalty": 2.0, "stop": "", "stream": True,
        "stream_options": {"include_usage": False}, "response_format": {"type": "json_object"}, "tools": [],
        "tool_choice": "none", "logprobs": True, "top_logprobs": 0, "user_id": "",
    }  # fmt: skip
    body = sent(**given, custom_id="mine", extra_body={"n": 2})
    assert {name: body[name] for name in given} == given
    assert body["n"] == 2
    assert set(body) == {"model", "messages", "n", *given}


def test_extra_body_wins() -> None:
    """What it says stands in the body, null included, unknown or not, in place of the parameter of that name."""
    body = sent(
        temperature=0.5,
        extra_body={"temperature": None, "model": "other", "seed": 7, "nested": {"a": (1, TextPart("t"))}},
    )
    assert (body["temperature"], body["model"], body["seed"]) == (None, "other", 7)
    assert body["nested"] == {"a": [1, {"type": "text", "text": "t"}]}
    assert sent(extra_body={"proxy": MappingProxyType({"b": MappingProxyType({"c": 1})})})["proxy"] == {"b": {"c": 1}}


def test_stop_is_a_string_or_a_list() -> None:
    """Each as it was given; a tuple is a list to JSON."""
    assert sent(stop="END")["stop"] == "END"
    assert sent(stop=("a", "b"))["stop"] == ["a", "b"]
    assert sent(stop=["a"])["stop"] == ["a"]


def test_tools_go_out_with_their_schema() -> None:
    """Values and mappings mixed; what a function does not say is not sent, an empty description is."""
    schema = {"type": "object", "properties": {"city": {"type": "string", "enum": ["a", "b"]}}, "required": ["city"]}
    tools = [
        Tool(FunctionDefinition("f", "", schema, strict=True)),
        Tool(FunctionDefinition("g")),
        {"type": "function", "function": {"name": "h", "parameters": schema}},
    ]
    assert sent(tools=tools, tool_choice={"type": "function", "function": {"name": "f"}})["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "", "parameters": schema, "strict": True}},
        {"type": "function", "function": {"name": "g"}},
        {"type": "function", "function": {"name": "h", "parameters": schema}},
    ]


def test_a_fill_in_the_middle_request_goes_out_likewise() -> None:
    """Its own parameters, `None` left out."""
    request = TextRequest(model="m", prompt="", suffix="s", logprobs=0, stop=["x"], extra_body={"seed": 1})
    assert json.loads(request_to_json(request)) == {
        "model": "m", "prompt": "", "suffix": "s", "logprobs": 0, "stop": ["x"], "seed": 1,
    }  # fmt: skip


def test_the_message_of_an_answer_goes_back_as_it_came() -> None:
    """Reasoning, `""` included, and calls are there; what only an answer may hold is not."""
    answer = AssistantMessage("", "", (CALL,), extra={"refusal": None, "annotations": []})
    assert message(answer) == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }


HALF = "secret \ud83e"


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"messages": [UserMessage("a"), UserMessage(HALF)]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": HALF}]}, "messages[0].content"),
        ({"messages": [UserMessage([TextPart("a"), TextPart(HALF)])]}, "messages[0].content[1].text"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": HALF}]}]}, "messages[0].content[0].text"),
        ({"messages": [AssistantMessage("", HALF)]}, "messages[0].reasoning_content"),
        (
            {"messages": [AssistantMessage("", None, (ToolCall("c", "function", FunctionCall("f", HALF)),))]},
            "messages[0].tool_calls[0].function.arguments",
        ),
        ({"stop": ["a", HALF]}, "stop[1]"),
        ({"user_id": HALF}, "user_id"),
        ({"model": HALF}, "model"),
        ({"extra_body": {"a": {"b": [HALF]}}}, "a.b[0]"),
        ({"extra_body": {HALF: 1}}, "a key of the request"),
        ({"extra_body": {"a": [{HALF: HALF}]}}, "a key of a[0]"),
        ({"tools": [Tool(FunctionDefinition("f", HALF))]}, "tools[0].function.description"),
    ],
)
def test_half_a_character_is_named_by_its_place(parameters: dict[str, Any], where: str) -> None:
    """A lone surrogate, which UTF-8 cannot say and DeepSeek refuses: the place is told, the text is not."""
    request = ChatRequest(**{"model": "m", "messages": [UserMessage("hi")], **parameters})
    with pytest.raises(InvalidRequestError, match="half of a surrogate pair \\(U\\+D83E\\)") as raised:
        request_to_json(request)
    assert raised.value.parameter == where
    assert raised.value.message.startswith(f"{where}: the character at 7 ")
    shown = "".join(traceback.format_exception(raised.value))
    shown.encode()  # can be printed
    assert "secret" not in shown
    assert "msgspec" not in shown


ENDLESS: dict[str, Any] = {}
ENDLESS["again"] = ENDLESS


@pytest.mark.parametrize(
    ("value", "where", "words"),
    [
        (object(), "x", "not object"),
        ({"y": [1, object()]}, "x.y[1]", "not object"),
        (math.nan, "x", "finite"),
        ({"y": (math.inf, None)}, "x.y[0]", "finite"),
        ({(1, 2): 3}, "x.(1, 2)", "a string as the key"),
        (ENDLESS, "the request", "comes to an end"),
        (lambda: None, "x", "not function"),
    ],
)
def test_what_json_cannot_say_is_named(value: Any, where: str, words: str) -> None:
    """An object, NaN, a cycle: the error says where it stands and what is allowed there."""
    with pytest.raises(InvalidRequestError) as raised:
        request_to_json(ChatRequest(model="m", messages=[UserMessage("hi")], extra_body={"x": value, "null": None}))
    assert raised.value.parameter == where
    assert words in raised.value.message
    assert "msgspec" not in "".join(traceback.format_exception(raised.value))


class Word(enum.Enum):
    """An enumeration of no type of JSON's."""

    LOW = "low"


@dataclasses.dataclass
class Point:
    """A record of the caller's."""

    x: int = 1


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1.10"), "1.10"),
        (Decimal("0.1234567890123456789012345"), "0.1234567890123456789012345"),
        (Decimal("1E+30"), "1E+30"),
        (Decimal(-0), "0"),
        ({"a": [Decimal("2.50")]}, '{"a":[2.50]}'),
        (OrderedDict(a=Decimal(2)), '{"a":2}'),
        (np.float32(0.5), "0.5"),
        (np.int64(3), "3"),
        (np.True_, "true"),
        (Fraction(1, 2), "0.5"),
        (Word.LOW, '"low"'),
        (HTTPStatus.OK, "200"),
        (range(3), "[0,1,2]"),
        (deque([Decimal(1), "a"]), '[1,"a"]'),
        (UserList(["a"]), '["a"]'),
        (UserDict(a=1), '{"a":1}'),
        (Point(), '{"x":1}'),
    ],
    ids=repr,
)
def test_values_of_other_classes_go_out_as_what_they_are(value: Any, written: str) -> None:
    """A decimal as a number, digit by digit; numbers, sequences and mappings of any class; enumerations by value."""
    message = {"role": "user", "content": "hi", "x": value}
    request = ChatRequest(model="m", messages=[message], extra_body={"y": {"deep": value}})
    for sort_keys in (False, True):
        text = request_to_json(request, sort_keys=sort_keys).decode()
        assert f'"x":{written}}}' in text
        assert f'"y":{{"deep":{written}}}' in text
    parts = UserMessage([{"type": "text", "text": "hi", "x": value}])
    tool = Tool(FunctionDefinition("f", parameters={"x": value}))
    text = request_to_json(ChatRequest(model="m", messages=[parts], tools=[tool])).decode()
    assert text.count(f'"x":{written}}}') == 2
    if not isinstance(value, (Word, UserDict, UserList, deque, range)):
        assert f'"deep":{written}' in request.to_json()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "not datetime; text: .isoformat()"),
        (datetime(2026, 1, 1, tzinfo=UTC).date(), "not date; text: .isoformat()"),
        (timedelta(1), "not timedelta; a number: .total_seconds()"),
        (Path("secret.txt"), "Path; text: str(…)"),
        (UUID(int=1), "not UUID; text: str(…)"),
        ({"secret"}, "not set; a list of its items"),
        (frozenset(), "not frozenset; a list of its items"),
        (b"secret", "not bytes; text: .decode()"),
        (bytearray(b"secret"), "not bytearray; text: .decode()"),
        (memoryview(b"secret"), "not memoryview; text: .decode()"),
        (np.array([1]), "not ndarray; a list: .tolist()"),
        (iter(["secret"]), "not list_iterator"),
        (1j, "not complex"),
        (int, "not type"),
        (Decimal("NaN"), "a finite number"),
        (Decimal("-Infinity"), "is -inf; allowed: a finite number"),
    ],
    ids=lambda given: given if isinstance(given, str) else type(given).__name__,  # the same in every process
)
def test_what_json_has_no_form_for_is_refused_by_its_place(value: Any, words: str) -> None:
    """And told how to say it, not sent as some text; what it holds is not shown."""
    places: dict[str, dict[str, Any]] = {
        "x.y[1]": {"extra_body": {"x": {"y": [None, value]}}},
        "messages[0].at": {"messages": [{"role": "user", "content": "hi", "at": value}]},
        "messages[0].content[0].at": {"messages": [UserMessage([{"type": "text", "text": "hi", "at": value}])]},
        "tools[0].function.parameters.minimum": {
            "tools": [Tool(FunctionDefinition("f", parameters={"minimum": value}))]
        },
        "tools[0].function.parameters.default": {
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"default": value}}}]
        },
    }
    for where, parameters in places.items():
        request = ChatRequest(**{"model": "m", "messages": [UserMessage("hi")], **parameters})
        for write in (request_to_json, partial(request_to_json, sort_keys=True)):
            with pytest.raises(InvalidRequestError) as raised:
                write(request)
            assert raised.value.parameter == where
            assert words in raised.value.message
            assert "secret" not in raised.value.message
    if isinstance(value, (datetime, Path, set, bytes)):
        with pytest.raises(InvalidRequestError, match=r"to_json.*at messages\[0\]\.at"):
            ChatRequest(**{"model": "m", **places["messages[0].at"]}).to_json()


def test_a_null_is_no_nan() -> None:
    """Only NaN and infinities are refused; a null that was meant goes out."""
    assert sent({"role": "assistant", "content": None}, extra_body={"x": None, "y": "null", "z": 0.5})["x"] is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3), st.text())
def test_all_that_json_can_say_arrives(extra: dict[str, Any], prompt: str) -> None:
    """Any text and any value comes out of the server's JSON reader as it went in."""
    request = ChatRequest(model="m", messages=[UserMessage(prompt)], extra_body=extra)
    expected = {"model": "m", "messages": [{"role": "user", "content": prompt}], **extra}
    assert json.loads(request_to_json(request)) == expected
    assert body_of(request) == expected


def test_the_callers_values_are_not_changed() -> None:
    """Mappings and lists given by the caller are read, never written."""
    part = {"type": "text", "text": "t"}
    given: dict[str, Any] = {"role": "user", "content": [part]}
    extra = {"n": {"deep": [1]}}
    sent(given, extra_body=extra)
    assert given == {"role": "user", "content": [part]}
    assert given["content"][0] is part
    assert extra == {"n": {"deep": [1]}}
