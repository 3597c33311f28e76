"""What messages may say to each other: calls answered once, reasoning passed back, images where they may be."""

from __future__ import annotations

from typing import Any

import pytest

from deepseek_async.sandbox import Call, Script

from ..talking import HELLO, THINKING, Talk

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "What is the weather?"}
TOOL = {"type": "function", "function": {"name": "get_weather"}}


def calling(*ids: str, **fields: Any) -> dict[str, Any]:
    """An assistant message that made calls."""
    calls = [{"id": id_, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}} for id_ in ids]
    return {"role": "assistant", "content": "", "tool_calls": calls, **fields}


def told(id_: str, content: Any = "sunny") -> dict[str, Any]:
    """A tool message."""
    return {"role": "tool", "tool_call_id": id_, "content": content}


GOOD = {
    "answered": [USER, calling("a"), told("a")],
    "several, any order": [USER, calling("a", "b"), told("b"), told("a")],
    "and on": [USER, calling("a"), told("a"), {"role": "assistant", "content": "Sunny."}, USER],
    "ids used again later": [USER, calling("a"), told("a"), USER, calling("a"), told("a")],
    "null content with calls": [USER, calling("a", content=None), told("a")],
    "no content with calls": [USER, {k: v for k, v in calling("a").items() if k != "content"}, told("a")],
    "parts in a tool message": [USER, calling("a"), told("a", [{"type": "text", "text": "sunny"}])],
    "system in the middle": [USER, {"role": "system", "content": "Be brief."}, USER],
    "reasoning without tools": [USER, {"role": "assistant", "content": "x", "reasoning_content": "y"}, USER],
    "names": [{"role": "user", "content": "hi", "name": "ada"}, {"role": "user", "content": "ho", "name": "alan"}],
    "the undocumented role": [{"role": "latest_reminder", "content": "x"}, USER],
}


@pytest.mark.parametrize("messages", GOOD.values(), ids=GOOD)
async def test_good_conversations(talk: Talk, messages: list[Any]) -> None:
    """These are answered."""
    assert (await talk.post(messages=messages)).status == 200


BAD = {
    "no pending call": ([USER, told("a")], "Messages with role 'tool' must be a response to a preceding message"),
    "call of an earlier turn": ([USER, calling("a"), told("a"), USER, told("a")], "Messages with role 'tool' must be"),
    "wrong id": ([USER, calling("a"), told("b")], "Tool message with tool_call_id 'b' does not match any pending"),
    "answered twice": (
        [USER, calling("a", "b"), told("a"), told("a")],
        "Duplicate tool message for tool_call_id 'a' (messages[3])",
    ),
    "unanswered at the end": (
        [USER, calling("a", "b"), told("a")],
        (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. (insufficient tool messages following tool_calls message: b)"
        ),
    ),
    "unanswered before a user": ([USER, calling("a"), USER], "An assistant message with 'tool_calls' must be followed"),
    "null content": (
        [USER, {"role": "assistant", "content": None}, USER],
        "Invalid assistant message: content or tool_calls must be set (messages[1])",
    ),
    "absent content": ([USER, {"role": "assistant"}, USER], "Invalid assistant message: content or tool_calls"),
    "empty calls": (
        [USER, {"role": "assistant", "content": None, "tool_calls": []}, USER],
        "Invalid assistant message: content or tool_calls",
    ),
    "one id twice": ([USER, calling("a", "a"), told("a")], "Duplicate id in messages[1].tool_calls"),
    "ends on the assistant": (
        [USER, {"role": "assistant", "content": "So"}],
        "The last message of deepseek-chat must be a user message, or an assistant message with prefix mode on",
    ),
    "prefix in the middle": (
        [USER, {"role": "assistant", "content": "So", "prefix": True}, USER],
        "Only the last message may have prefix (messages[1])",
    ),
}


@pytest.mark.parametrize(("messages", "message"), BAD.values(), ids=BAD)
async def test_bad_conversations(talk: Talk, messages: list[Any], message: str) -> None:
    """These are 400, and the text says where."""
    answer = await talk.post(messages=messages)
    assert answer.status == 400
    assert answer.error["message"].startswith(message)


@pytest.mark.parametrize(
    ("reasoning", "status"), [({}, 400), ({"reasoning_content": None}, 400), ({"reasoning_content": ""}, 200)]
)
async def test_reasoning_goes_back_with_tools(talk: Talk, reasoning: dict[str, Any], status: int) -> None:
    """Thinking, with tools, ending on a tool's result: the calling message must carry its reasoning; "" will do."""
    messages = [USER, calling("a", **reasoning), told("a")]
    answer = await talk.post(body=THINKING, messages=messages, tools=[TOOL])
    assert answer.status == status
    if status == 400:
        assert answer.error["message"] == WANTED


WANTED = "The `reasoning_content` in the thinking mode must be passed back to the API."
THOUGHT: dict[str, Any] = {"reasoning_content": ""}
SAID = {"role": "assistant", "content": "x"}


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([USER, calling("a"), told("a"), calling("b", **THOUGHT), told("b")], 400),  # not the last call's alone
        ([USER, calling("a", **THOUGHT), told("a"), calling("b", **THOUGHT), told("b")], 200),
        ([USER, calling("a"), told("a"), SAID, USER, calling("b", **THOUGHT), told("b")], 200),  # earlier turns
        ([USER, SAID, {"role": "system", "content": "x"}], 400),  # a system message begins no turn
        ([USER, {**SAID, **THOUGHT}, {"role": "system", "content": "x"}], 200),
        ([calling("a"), told("a")], 400),  # no user message at all
        ([USER, {**SAID, "prefix": True}], 200),  # the beginning of the answer itself
    ],
)
async def test_reasoning_of_every_message_of_the_turn(talk: Talk, messages: list[Any], status: int) -> None:
    """Every assistant message since the last user message must carry it."""
    answer = await talk.post("/beta/chat/completions", body=THINKING, messages=messages, tools=[TOOL])
    assert answer.status == status
    if status == 400:
        assert answer.error["message"] == WANTED


async def test_when_reasoning_needs_not_go_back(talk: Talk) -> None:
    """Thinking off, no tools, or a user message at the end lift the rule."""
    messages = [USER, calling("a"), told("a")]
    assert (await talk.post(messages=messages, tools=[TOOL])).status == 200
    assert (await talk.post(body=THINKING, messages=messages)).status == 200
    assert (await talk.post(body=THINKING, messages=[*messages, USER], tools=[TOOL])).status == 200


@pytest.mark.parametrize(
    ("instruction", "calls"),
    [
        ("Give your answer by calling the function Report, once.", ["Report"]),
        ("You must call Report.", ["Report"]),
        ("Always call the tool `Report`", ["Report"]),
        ("You can call Report if need be.", []),
        ("Give your answer by calling Reporter.", []),
    ],
)
async def test_an_instruction_to_call_is_followed(talk: Talk, instruction: str, calls: list[str]) -> None:
    """Whatever the user's words are, thinking or not; but not after the tool's result."""
    tools = [{"type": "function", "function": {"name": "Report"}}]
    messages = [{"role": "system", "content": instruction}, {"role": "user", "content": "What is up?"}]
    for body in (HELLO, THINKING):
        answer = await talk.post(body=body, messages=messages, tools=tools)
        message = answer.json["choices"][0]["message"]
        assert [call["function"]["name"] for call in message.get("tool_calls", ())] == calls


async def test_a_tool_turn_round(talk: Talk) -> None:
    """The model calls what the user's words name, its message goes back as it came, and then it answers."""
    city = {"type": "string", "enum": ["Paris", "Rome"]}
    parameters = {"type": "object", "properties": {"city": city}, "required": ["city"]}
    tools = [
        {"type": "function", "function": {"name": "get_weather", "parameters": parameters}},
        {"type": "function", "function": {"name": "bookFlights"}},
    ]
    first = await talk.post(body=THINKING, messages=[USER], tools=tools)
    message = first.json["choices"][0]["message"]
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["get_weather"]
    assert message["tool_calls"][0]["function"]["arguments"] in ('{"city": "Paris"}', '{"city": "Rome"}')
    assert message["reasoning_content"]
    again = [USER, message, told(message["tool_calls"][0]["id"])]
    second = await talk.post(body=THINKING, messages=again, tools=tools)
    assert second.json["choices"][0]["finish_reason"] == "stop"
    assert second.text


async def test_which_tools_are_called(talk: Talk) -> None:
    """In the order of the words; none if no word fits, or tool_choice is none; the named one whatever the words are."""
    tools = [{"type": "function", "function": {"name": name}} for name in ("get_weather", "bookFlights", "local_time")]

    async def called(text: str, **fields: Any) -> list[str]:
        answer = await talk.post(messages=[{"role": "user", "content": text}], tools=tools, **fields)
        calls = answer.json["choices"][0]["message"].get("tool_calls", [])
        return [call["function"]["name"] for call in calls]

    assert await called("Is there a flight, and how is the weather?") == ["bookFlights", "get_weather"]
    assert await called("Tell me a joke") == []
    assert await called("The weather?", tool_choice="none") == []
    assert len(await called("Tell me a joke", tool_choice="required")) == 1
    named = {"type": "function", "function": {"name": "local_time"}}
    assert await called("The weather?", tool_choice=named) == ["local_time"]


async def test_a_script_calls_what_it_likes(talk: Talk) -> None:
    """Also tools that nobody offered, with arguments that are no JSON."""
    answer = await talk.post(script=Script(say="Wait.", calls=(Call("x", "{oops"),)))
    message = answer.json["choices"][0]["message"]
    assert (message["content"], message["tool_calls"][0]["function"]["arguments"]) == ("Wait.", "{oops")


IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
FLASH = {**HELLO, "model": "deepseek-flash", "thinking": {"type": "disabled"}}


@pytest.mark.parametrize(
    ("messages", "status", "message"),
    [
        ([{"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]}], 200, ""),
        ([{"role": "user", "content": [{**IMAGE, "image_url": {"url": "data:image/png;base64,AA=="}}]}], 200, ""),
        ([USER, calling("a"), told("a", [IMAGE])], 200, ""),
        ([{"role": "system", "content": [IMAGE]}, USER], 400, "An image is not allowed in a message of role system"),
        ([{"role": "user", "content": [IMAGE] * 601}], 400, "Too many images: 601"),
        ([{"role": "user", "content": [{**IMAGE, "image_url": {"url": "ftp://x"}}]}], 400, "Invalid image url"),
        (
            [{"role": "user", "content": [{**IMAGE, "image_url": {"url": "https://" + "x" * 8200}}]}],
            400,
            "Invalid image",
        ),
        ([{"role": "user", "content": [{"type": "file"}]}], 400, "A file part takes either file_id or file_data"),
        ([{"role": "user", "content": [{"type": "file", "file_id": "file-api-1"}]}], 400, "File 'file-api-1' does not"),
        ([{"role": "user", "content": [{"type": "file", "file_data": "x"}]}], 400, "Invalid file_data: a data URL is"),
        ([{"role": "user", "content": [{"type": "file", "file_data": "data:text/plain,x"}]}], 200, ""),
        ([{"role": "user", "content": []}], 400, "messages[0].content must hold at least 1 part"),
    ],
)
async def test_parts(talk: Talk, messages: list[Any], status: int, message: str) -> None:
    """Images in user and tool messages, within their limits; files by one of two ways."""
    answer = await talk.post(body=FLASH, messages=messages)
    assert answer.status == status
    if status != 200:
        assert answer.error["message"].startswith(message)


async def test_a_model_without_vision_knows_only_text(talk: Talk) -> None:
    """Its parser has no other variant."""
    answer = await talk.post(messages=[{"role": "user", "content": [IMAGE]}])
    assert answer.status == 422
    assert answer.error["message"].endswith("messages[0]: unknown variant `image_url`, expected `text`")
