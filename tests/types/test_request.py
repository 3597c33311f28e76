"""A request's parameters: every range at its ends and past them, every type, and an error that names all three."""

from __future__ import annotations

import math
from collections import UserDict, UserList
from typing import Any

import attrs
import pytest

from deepseek_async.errors import InvalidRequestError
from deepseek_async.types import (
    AssistantMessage,
    ChatRequest,
    FilePart,
    FunctionDefinition,
    ImagePart,
    ImageURL,
    ModelName,
    SystemMessage,
    TextPart,
    TextRequest,
    Tool,
    ToolMessage,
    UserMessage,
)

HI = (UserMessage("hi"),)


def request(**parameters: Any) -> ChatRequest:
    return ChatRequest(**{"model": ModelName.FLASH, "messages": HI, **parameters})


def text_request(**parameters: Any) -> TextRequest:
    return TextRequest(**{"model": ModelName.FLASH, "prompt": "p", **parameters})


OF_BOTH = [
    ("max_tokens", [1, 393_216, None], [0, -1, 393_217, 1.0, "5", True, math.nan]),
    ("temperature", [0, 0.0, 2, 1.3, None], [-0.01, 2.01, math.nan, math.inf, "1", True, [1]]),
    ("top_p", [0, 0.95, 1, None], [-0.01, 1.01, math.nan, "1", False]),
    ("frequency_penalty", [-2, 2, 0, None], [-2.1, 2.1, "0", True]),
    ("presence_penalty", [-2, 2, 0, None], [-2.1, 2.1, "0", True]),
    ("stop", ["x", "", [], ["a"] * 16, ("a",), None], [["a"] * 17, ("a",) * 17, 5, [1], ["a", None], b"x", {"a"}]),
    ("stream", [True, False, None], ["yes", 1, 0]),
    ("extra_body", [{}, {"a": object()}, UserDict(a=1)], [5, "a", ["a"], {1: 2}]),
    ("model", ["m", "deepseek-flash-expires-on-0910"], ["", None, 5, b"m"]),
]
OF_CHAT = [
    (
        "thinking",
        [{"type": "enabled"}, {"type": "disabled"}, None],
        ["enabled", True, {}, {"type": "on"}, {"type": None}],
    ),
    (
        "reasoning_effort",
        ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra", None],
        ["", "huge", 5, ["low"]],
    ),
    (
        "response_format",
        [{"type": "text"}, {"type": "json_object"}, {"type": "json_schema", "json_schema": {}}, None],
        ["json_object", {}, {"type": "xml"}, []],
    ),
    (
        "tool_choice",
        ["none", "auto", "required", {"type": "function", "function": {"name": "f"}}, None],
        ["f", 5, ["auto"], True],
    ),
    ("logprobs", [True, False, None], ["yes", 1, 5]),
    ("user_id", ["u", "a" * 512, "é" * 256, "", None], ["a" * 513, "é" * 257, 5]),
    ("custom_id", ["row-1", None], [5, b"x"]),
    (
        "tools",
        [[], (), [Tool(FunctionDefinition(f"f{n}")) for n in range(128)], None],
        [
            "f",
            {"type": "function"},
            [5],
            [{}],
            [{"function": {}}],
            [{"function": {"name": ""}}],
            [{"function": {"name": 5}}],
        ],
    ),
]
OF_TEXT = [
    ("logprobs", [0, 20, None], [-1, 21, True, 1.0]),
    ("echo", [True, False, None], ["yes", 1]),
    ("suffix", ["s", "", None], [5, b"s"]),
    ("prompt", ["", "p"], [5, b"p", ["p"]]),
    ("stream_options", [None], [5, "x", [1], {"include_usage": True}]),  # with a stream: below
]

ALLOWED = [
    (make, name, value)
    for make, table in ((request, OF_BOTH + OF_CHAT), (text_request, OF_BOTH + OF_TEXT))
    for name, good, _ in table
    for value in good
]
REFUSED = [
    (make, name, value)
    for make, table in ((request, OF_BOTH + OF_CHAT), (text_request, OF_BOTH + OF_TEXT))
    for name, _, bad in table
    for value in bad
]


@pytest.mark.parametrize(("make", "name", "value"), ALLOWED)
def test_the_ends_of_every_range_are_allowed(make: Any, name: str, value: Any) -> None:
    """The widest documented range, its ends included, and `None` for "not sent"."""
    made = getattr(make(**{name: value}), name)
    assert made == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(("make", "name", "value"), REFUSED)
def test_past_the_ends_is_refused_by_name(make: Any, name: str, value: Any) -> None:
    """The error is a ValueError too, names the parameter and what is allowed, and is of no use to try again."""
    with pytest.raises(InvalidRequestError) as raised:
        make(**{name: value})
    error = raised.value
    assert isinstance(error, ValueError)
    assert error.parameter.startswith(name)
    assert error.allowed
    assert error.allowed in error.message
    assert error.parameter in error.message
    assert (error.retryable, error.attempts, error.request_id) == (False, 0, None)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"temperature": 3}, "temperature is 3; allowed: 0 to 2"),
        ({"max_tokens": 0}, "max_tokens is 0; allowed: 1 to 393216"),
        ({"stop": ["a"] * 17}, "stop is '17 strings'; allowed: up to 16 strings"),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs is 21; allowed: 0 to 20"),
        ({"top_logprobs": 5}, "top_logprobs is 5; allowed: only together with logprobs=True"),
        ({"thinking": {"type": "on"}}, "thinking.type is 'on'; allowed: {'type': 'enabled'} or {'type': 'disabled'}"),
        ({"reasoning_effort": "x" * 99}, f"reasoning_effort is '{'x' * 58}…; allowed: 'none', "),
    ],
)
def test_the_message_reads_well(parameters: dict[str, Any], message: str) -> None:
    """What, its value (cut where long), what is allowed."""
    with pytest.raises(InvalidRequestError) as raised:
        request(**parameters)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("value", [0, 20, None])
def test_top_logprobs_needs_logprobs(value: int | None) -> None:
    """0 to 20 with `logprobs`; without it even 0 is refused by the server, and here first."""
    assert request(logprobs=True, top_logprobs=value).top_logprobs == value
    if value is not None:
        with pytest.raises(InvalidRequestError, match="logprobs=True"):
            request(logprobs=False, top_logprobs=value)


def test_stream_options_need_a_stream() -> None:
    """The server answers 400 to them where nothing is streamed."""
    for make in (request, text_request):
        assert make(stream=True, stream_options={"include_usage": True}).stream_options == {"include_usage": True}
    with pytest.raises(InvalidRequestError, match="stream=True"):
        request(stream_options={"include_usage": True})
    with pytest.raises(InvalidRequestError, match="stream_options"):
        request(stream=True, stream_options=5)


def test_echo_is_not_for_a_gap_nor_with_logprobs() -> None:
    """Page "FIM Completion": not together with `suffix` or `logprobs`."""
    assert text_request(echo=True).echo
    assert text_request(echo=False, suffix="s").suffix == "s"
    for other in ({"suffix": "s"}, {"logprobs": 1}):
        with pytest.raises(InvalidRequestError, match="echo"):
            text_request(echo=True, **other)


def test_names_of_tools_are_unique() -> None:
    """Two functions of one name, as values or mappings, are refused; so is the 129th."""
    twice = [Tool(FunctionDefinition("f")), {"type": "function", "function": {"name": "f"}}]
    with pytest.raises(InvalidRequestError, match=r"tools\[1\].function.name is 'f'"):
        request(tools=twice)
    with pytest.raises(InvalidRequestError, match="129 tools"):
        request(tools=[Tool(FunctionDefinition(f"f{n}")) for n in range(129)])


@pytest.mark.parametrize("name", ["f", "a-b_C9", "x" * 128])
def test_a_functions_name_may_be(name: str) -> None:
    """1 to 128 letters, digits, `_` and `-`."""
    assert FunctionDefinition(name).name == name


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "é", "f\n", 5, None])
def test_a_functions_name_may_not_be(name: Any) -> None:
    """Anything else, a trailing line end included."""
    with pytest.raises(InvalidRequestError, match=r"function\.name"):
        FunctionDefinition(name)


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"description": 5}, "description"),
        ({"parameters": "{}"}, "parameters"),
        ({"parameters": [1]}, "parameters"),
        ({"strict": "yes"}, "strict"),
    ],
)
def test_a_function_is_described_in_the_right_types(arguments: dict[str, Any], parameter: str) -> None:
    """A schema given as text, as other clients want it, is a likely slip."""
    with pytest.raises(InvalidRequestError) as raised:
        FunctionDefinition("f", **arguments)
    assert raised.value.parameter == parameter


def test_a_tool_is_a_function() -> None:
    """Not its name."""
    with pytest.raises(InvalidRequestError, match=r"tools\[0\]"):
        request(tools=[Tool("f")])  # type: ignore[arg-type]


MESSAGES_ALLOWED: list[Any] = [
    [UserMessage("a")],
    ({"role": "user", "content": "a"},),
    [SystemMessage("s"), {"role": "user", "content": [{"type": "text", "text": "a"}]}],
    [UserMessage([TextPart("a"), ImagePart(ImageURL("http://x")), FilePart("f")])],
    [UserMessage("a"), AssistantMessage(None), ToolMessage([TextPart("r")], "c")],
    [{"role": "assistant", "tool_calls": []}],
    [{"role": "developer", "content": None}],
    [UserDict(role="user", content="a")],
    UserList([UserMessage("a")]),
]


@pytest.mark.parametrize("messages", MESSAGES_ALLOWED)
def test_messages_may_be_values_and_mappings(messages: Any) -> None:
    """Mixed, with parts, with roles that only another server knows."""
    assert request(messages=messages).messages == tuple(messages)


MESSAGES_REFUSED: list[tuple[Any, str]] = [
    ([], "messages"),
    ("hello", "messages"),
    ({"role": "user", "content": "a"}, "messages"),
    (None, "messages"),
    (5, "messages"),
    (b"x", "messages"),
    (iter([UserMessage("a")]), "messages"),
    (["a"], "messages[0]"),
    ([UserMessage("a"), 5], "messages[1]"),
    ([TextPart("a")], "messages[0]"),
    ([{}], "messages[0].role"),
    ([{"role": 5, "content": "a"}], "messages[0].role"),
    ([{"role": "", "content": "a"}], "messages[0].role"),
    ([{"role": "user"}], "messages[0].content"),
    ([{"role": "user", "content": None}], "messages[0].content"),
    ([UserMessage(None)], "messages[0].content"),  # type: ignore[arg-type]
    ([UserMessage(5)], "messages[0].content"),  # type: ignore[arg-type]
    ([UserMessage(b"a")], "messages[0].content"),  # type: ignore[arg-type]
    ([UserMessage("a"), SystemMessage({"type": "text"})], "messages[1].content"),  # type: ignore[arg-type]
    ([UserMessage(["a"])], "messages[0].content[0]"),  # type: ignore[list-item]
    ([UserMessage([TextPart("a"), None])], "messages[0].content[1]"),  # type: ignore[list-item]
    ([AssistantMessage(5)], "messages[0].content"),  # type: ignore[arg-type]
    ([ToolMessage("r", None)], "messages[0].tool_call_id"),  # type: ignore[arg-type]
    ([{"role": "tool", "content": "r"}], "messages[0].tool_call_id"),
]


@pytest.mark.parametrize(("messages", "where"), MESSAGES_REFUSED)
def test_what_is_no_message_is_refused_by_its_place(messages: Any, where: str) -> None:
    """A bare string, a single mapping, a missing role, content of a wrong type: each named by its place."""
    with pytest.raises(InvalidRequestError) as raised:
        request(messages=messages)
    assert raised.value.parameter == where
    assert raised.value.allowed


SECRET = "the secret prompt"


@pytest.mark.parametrize(
    "value",
    [
        request(
            messages=[UserMessage(SECRET)],
            stop=[SECRET],
            user_id=SECRET,
            extra_body={"x": SECRET},
            tools=[Tool(FunctionDefinition("f", SECRET))],
        ),
        request(messages=[{"role": "user", "content": SECRET}], stop=SECRET),
        text_request(prompt=SECRET, suffix=SECRET, stop=SECRET, extra_body={"x": SECRET}),
        SystemMessage(SECRET),
        UserMessage(SECRET),
        UserMessage([TextPart(SECRET), ImagePart(ImageURL(SECRET)), FilePart(file_data=SECRET)]),
        ToolMessage(SECRET, "c"),
        UserMessage({"type": "text", "text": SECRET}),  # type: ignore[arg-type]
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_repr_shows_a_prompt(value: Any) -> None:
    """A request or message in a log or a traceback tells its size, not its text."""
    assert SECRET not in repr(value)
    assert SECRET not in str(value)
    assert "<" in repr(value)


def test_no_error_shows_a_prompt() -> None:
    """What is wrong with a prompt is said without it."""
    for wrong in (
        lambda: request(messages=SECRET),
        lambda: request(messages=[SECRET]),
        lambda: request(user_id=SECRET * 100),
        lambda: request(messages=[UserMessage([SECRET])]),  # type: ignore[list-item]
        lambda: request(messages={"role": SECRET}),
        lambda: text_request(prompt=[SECRET]),
        lambda: request(extra_body=[SECRET]),
        lambda: request(stop=[SECRET, 5]),
        lambda: request(stop={SECRET}),
    ):
        with pytest.raises(InvalidRequestError) as raised:
            wrong()
        assert SECRET not in str(raised.value) + repr(raised.value)


def test_a_request_can_be_changed_into_another() -> None:
    """`attrs.evolve` checks again."""
    hot = attrs.evolve(request(temperature=1.0), temperature=2.0)
    assert hot.temperature == 2.0
    with pytest.raises(InvalidRequestError):
        attrs.evolve(hot, temperature=3.0)
    assert hash(hot) == hash(request(temperature=2.0))


def test_the_seeds_page_is_still_valid() -> None:
    """The models and the eight stop sequences of 2024 are as good as today's."""
    for model in (ModelName.CHAT, ModelName.CODER):
        made = request(
            model=model, stop=[str(n) for n in range(8)], frequency_penalty=2, presence_penalty=-2, max_tokens=4096
        )
        assert made.model == model
