"""Every refusal: status, body and text."""

from __future__ import annotations

import functools
import io
from typing import Any

import aiohttp
import pytest

from deepseek_async.sandbox import Refuse, SandboxServer, Script

from ..talking import HELLO, THINKING, Talk

pytestmark = pytest.mark.anyio

TOOL = {"type": "function", "function": {"name": "f"}}


def strict(parameters: dict[str, Any], name: str = "f") -> dict[str, Any]:
    """A strict tool."""
    return {"type": "function", "function": {"name": name, "strict": True, "parameters": parameters}}


OUT_OF_RANGE = [
    ({"max_tokens": 0}, "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]"),
    ({"max_tokens": 393_217}, "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]"),
    ({"temperature": 2.1}, "Invalid temperature value, the valid range of temperature is [0, 2.0]"),
    ({"temperature": -0.1}, "Invalid temperature value, the valid range of temperature is [0, 2.0]"),
    ({"top_p": 0}, "Invalid top_p value, the valid range of top_p is (0, 1.0]"),
    ({"top_p": 1.01}, "Invalid top_p value, the valid range of top_p is (0, 1.0]"),
    (
        {"frequency_penalty": 2.5},
        "Invalid frequency_penalty value, the valid range of frequency_penalty is [-2.0, 2.0]",
    ),
    ({"presence_penalty": -3}, "Invalid presence_penalty value, the valid range of presence_penalty is [-2.0, 2.0]"),
    ({"n": 0}, "Invalid n value, the valid range of n is [1, 128]"),
    ({"stop": ["x"] * 17}, "Stop string array too long: 17"),
    ({"messages": []}, "Invalid messages value, messages must hold at least 1 message"),
    ({"logprobs": True, "top_logprobs": 21}, "Invalid top_logprobs value, the valid range of top_logprobs is [0, 20]"),
    ({"top_logprobs": 3}, "Invalid top_logprobs value, logprobs must be true if top_logprobs is used"),
    (
        {"stream_options": {"include_usage": True}},
        "Invalid stream_options value, stream_options is only allowed when stream is true",
    ),
    ({"user_id": "ü" * 257}, "Invalid user_id value, user_id must be at most 512 bytes of UTF-8"),
    ({"model": "gpt-4"}, "Model Not Exist"),
    ({"response_format": {"type": "json_schema"}}, "This response_format type is unavailable now"),
    (
        {"response_format": {"type": "json_object"}},
        "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
    ),
    (
        {"tools": [{**TOOL, "function": {"name": f"f{n}"}} for n in range(129)]},
        "Invalid tools value, at most 128 tools",
    ),
    ({"tools": [TOOL, TOOL]}, "Tool names must be unique (tools[1].function.name: f)"),
    (
        {"tools": [{"type": "function", "function": {"name": "not allowed"}}]},
        "Invalid 'tools[0].function.name': expected a string that matches the pattern '^[a-zA-Z0-9_-]+$', of at most",
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "Tool choice function 'g' is not among the tools",
    ),
    (
        {"max_tokens": 393_216, "messages": [{"role": "user", "content": "+a" * 450_000}]},
        "This model's maximum context length is 1048576 tokens. However, you requested 1293219 tokens (900003 in the",
    ),
]


@pytest.mark.parametrize(
    ("fields", "message"), OUT_OF_RANGE, ids=lambda value: ",".join(value) if isinstance(value, dict) else ""
)
async def test_out_of_range_is_400(talk: Talk, fields: dict[str, Any], message: str) -> None:
    """A value that is not allowed is refused under its name, with the usual error object."""
    answer = await talk.post(**fields)
    assert answer.status == 400
    assert answer.error["message"].startswith(message)
    assert {**answer.error, "message": ""} == {
        "message": "",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_request_error",
    }
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-ds-trace-id"]
    assert not talk.server.billed


MISSHAPEN = [
    ({"model": None}, "model: invalid type: null, expected string"),
    ({"messages": "hi"}, "messages: invalid type: string, expected sequence"),
    ({"messages": [{"content": "hi"}]}, "messages[0]: missing field `role`"),
    (
        {"messages": [{"role": "developer", "content": "hi"}]},
        (
            "messages[0].role: unknown variant `developer`, "
            "expected one of `system`, `user`, `assistant`, `tool`, `latest_reminder`"
        ),
    ),
    ({"messages": [{"role": "user"}]}, "messages[0]: missing field `content`"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0]: missing field `tool_call_id`"),
    ({"temperature": "hot"}, "temperature: invalid type: string, expected floating point or null"),
    ({"max_tokens": 1.5}, "max_tokens: invalid type: floating point, expected integer or null"),
    ({"stream": "yes"}, "stream: invalid type: string, expected boolean or null"),
    (
        {"reasoning_effort": "ultra"},
        (
            "reasoning_effort: unknown variant `ultra`, "
            "expected one of `none`, `low`, `high`, `max`, `minimal`, `medium`, `xhigh`"
        ),
    ),
    ({"thinking": {"type": "maybe"}}, "thinking.type: unknown variant `maybe`, expected one of `enabled`, `disabled`"),
    (
        {"tool_choice": "sometimes"},
        "tool_choice: unknown variant `sometimes`, expected one of `none`, `auto`, `required`",
    ),
    ({"logprobs": True, "top_logprobs": -1}, "top_logprobs: invalid value: integer `-1`, expected u8"),
    ({"tools": [{"type": "function"}]}, "tools[0]: missing field `function`"),
]


@pytest.mark.parametrize(
    ("fields", "why"), MISSHAPEN, ids=lambda value: ",".join(value) if isinstance(value, dict) else ""
)
async def test_another_shape_is_422(talk: Talk, fields: dict[str, Any], why: str) -> None:
    """A field that is missing or of another type is named with its path, in the words of the API's parser."""
    answer = await talk.post(**fields)
    assert answer.status == 422
    assert answer.error["message"] == f"Failed to deserialize the JSON body into the target type: {why}"


@pytest.mark.parametrize("name", ["messages", "model"])
async def test_a_missing_field_is_named(talk: Talk, name: str) -> None:
    """What is required and absent is named."""
    body = {key: value for key, value in HELLO.items() if key != name}
    answer = await talk.post(body=body)
    assert answer.status == 422
    assert answer.error["message"].endswith(f": missing field `{name}`")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", ""),
        (b'{"model"', ""),
        (b"{'model': 1}", ""),
        (b"\xff\xfe", ""),
        (b'{"model":"deepseek-chat","messages":[{"role":"user","content":"\\ud83d"}]}', "unexpected end of hex escape"),
        (b'{"model":"deepseek-chat","messages":[{"role":"user","content":"\xff"}]}', "invalid unicode code point"),
        (b'{"tools":[{"function":{"name":"f","parameters":{"a":' + b"[" * 100_000, "recursion limit exceeded"),
    ],
)
async def test_no_json_is_400(talk: Talk, data: bytes, why: str) -> None:
    """Broken JSON, bytes that are no UTF-8, and a lone surrogate are refused, and never crash it."""
    answer = await talk.post(data=data)
    assert answer.status == 400
    assert answer.error["message"].startswith("Failed to parse the request body as JSON: " + why)


@pytest.mark.parametrize(
    "value", ["text/plain", "application/json; charset=utf-8", "application/json, application/json"]
)
async def test_another_content_type_is_415(talk: Talk, value: str) -> None:
    """Exactly application/json is taken; the body of the refusal is a sentence."""
    answer = await talk.post(headers={"Content-Type": value})
    assert (answer.status, answer.data) == (415, b"Expected request with `Content-Type: application/json`")
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_the_content_type_is_case_insensitive(talk: Talk) -> None:
    """RFC 9110 says so."""
    assert (await talk.post(headers={"Content-Type": "Application/JSON"})).status == 200


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Bearer sk-wrong-abcd", "Authentication Fails, Your api key: ****abcd is invalid"),
        ("sk-right", "Authentication Fails (auth header format should be Bearer sk-...)"),
        ("Bearer ", "Authentication Fails (auth header format should be Bearer sk-...)"),
    ],
)
async def test_a_wrong_key_is_401(session: aiohttp.ClientSession, header: str, message: str) -> None:
    """A key that is not the server's is refused, four characters of it quoted."""
    async with SandboxServer(api_key="sk-right") as server:
        talk = Talk(server, session)
        answer = await talk.post(headers={"Authorization": header})
        assert answer.status == 401
        assert answer.error == {
            "message": message,
            "type": "authentication_error",
            "param": None,
            "code": "invalid_request_error",
        }
        without = await talk.post()
        assert (without.status, without.data) == (401, b"Authentication Fails (governor)")
        assert (await talk.send("GET", "/models")).status == 401
        assert (await talk.post(headers={"Authorization": "Bearer sk-right"})).status == 200


async def test_a_spent_balance_is_402(session: aiohttp.ClientSession) -> None:
    """Answers cost money; when it is gone the next request is refused."""
    async with SandboxServer(balance="0.00001") as server:
        talk = Talk(server, session)
        assert (await talk.post(max_tokens=50, min_tokens=50)).status == 200
        answer = await talk.post()
        assert (answer.status, answer.error) == (
            402,
            {
                "message": "Insufficient Balance",
                "type": "unknown_error",
                "param": None,
                "code": "invalid_request_error",
            },
        )
        balance = await talk.send("GET", "/user/balance")
        assert balance.json["is_available"] is False


async def test_paths_and_methods(talk: Talk) -> None:
    """Unknown paths are 404, other methods 405 with Allow."""
    assert (await talk.send("GET", "/nowhere")).status == 404
    missing = await talk.send("POST", "/v2/chat/completions")
    assert missing.status == 404
    for path in ("/v2/chat/completions.", "POST /chat/completions", "GET /models", "/v1", "/beta", "/openapi.json"):
        assert path in missing.error["message"]
    answer = await talk.send("GET", "/chat/completions")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert (await talk.send("DELETE", "/sandbox")).headers["Allow"] == "GET"


async def test_a_body_over_48_mib_is_413(talk: Talk) -> None:
    """The cap of the vision page."""
    too_much = io.BytesIO(b" " * (48 * 2**20 + 1))  # aiohttp warns of bytes that large
    answer = await talk.send("POST", "/chat/completions", data=too_much, headers={"Content-Type": "application/json"})
    assert answer.status == 413


@pytest.mark.parametrize("path", ["/models", "/v1/models", "/beta/models"])
async def test_models(talk: Talk, path: str) -> None:
    """Current names, no aliases, under every prefix."""
    answer = await talk.send("GET", path)
    assert [model["id"] for model in answer.json["data"]] == ["deepseek-flash", "deepseek-v4-pro"]
    assert answer.json["data"][0]["context_window"] == 1_048_576


async def test_balance_amounts_are_strings(talk: Talk) -> None:
    """An account that never runs dry shows 110.00."""
    answer = await talk.send("GET", "/user/balance")
    assert answer.json == {
        "is_available": True,
        "balance_infos": [
            {"currency": "USD", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"}
        ],
    }


async def test_today_retired_models_are_refused(talk: Talk) -> None:
    """With today's rules the names of 2024 are unknown, and the text names the ones there are."""
    talk.server.rules = "today"
    answer = await talk.post()
    assert (answer.status, answer.error["message"]) == (
        400,
        "The supported API model names are deepseek-flash, deepseek-v4-pro, but you passed deepseek-chat.",
    )
    assert (await talk.post(body=THINKING)).status == 200


async def test_thinking_refuses_a_forced_call(talk: Talk) -> None:
    """required and named are 400 while thinking, fine without it, and not looked at without tools."""
    for choice in ("required", {"type": "function", "function": {"name": "f"}}):
        refused = await talk.post(body=THINKING, tools=[TOOL], tool_choice=choice)
        assert (refused.status, refused.error["message"]) == (400, "Thinking mode does not support this tool_choice")
        assert (await talk.post(body=THINKING, tool_choice=choice)).status == 200
        called = await talk.post(tools=[TOOL], tool_choice=choice)
        assert called.json["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}, "missing: a"),
        ({"type": "object", "properties": {}}, "additionalProperties must be false"),
        (
            {"type": "array", "items": {"type": "string", "minLength": 2}},
            "keyword not supported in strict mode: minLength (tools[0].function.parameters.items)",
        ),
        ({"type": "string", "format": "uri"}, "format must be one of email, hostname, ipv4, ipv6, uuid"),
        ({"type": "map"}, "type must be one of"),
        ({"anyOf": []}, "anyOf must be a list of schemas"),
        (
            {"$defs": {"x": {"type": "array", "minItems": 1}}, "$ref": "#/$defs/x"},
            "keyword not supported in strict mode: minItems (tools[0].function.parameters.$defs.x)",
        ),
        ({"type": "object", "properties": []}, "properties must be an object"),
        ({"type": "array", "items": "string"}, "a schema must be an object (tools[0].function.parameters.items)"),
        (
            {"anyOf": [{"type": "string"}, {"type": "date"}]},
            "type must be one of object, string, number, integer, boolean, array, null",
        ),
        ({"enum": ["a"], "pattern": "a"}, "keyword not supported in strict mode: pattern"),
        (
            {"type": "array", "items": {"type": ["object", "null"]}},
            "unknown variant `object`, expected one of",
        ),
        (
            {"type": "array", "items": {"type": ["integer", "null"], "maxLength": 1}},
            "keyword not supported in strict mode: maxLength (tools[0].function.parameters.items)",
        ),
        ({"anyOf": [{"type": "object", "properties": {}, "additionalProperties": False}]}, "must be of type object"),
        ({"type": "string"}, "the parameters of a function must be of type object"),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer"}}}, "must be of type object"),
        ({"$ref": "#"}, "must be of type object"),
        (functools.reduce(lambda inner, _: {"type": "array", "items": inner}, range(70), {}), "nested deeper than 64"),
    ],
)
async def test_strict_schemas_stay_in_their_subset(talk: Talk, parameters: dict[str, Any], why: str) -> None:
    """On the beta path a strict schema outside the subset is refused, with the place."""
    answer = await talk.post("/beta/chat/completions", tools=[strict(parameters)])
    assert answer.status == 400
    assert answer.error["message"].startswith("Invalid tool parameters schema : ")
    assert "(tools[0].function.parameters" in answer.error["message"]
    assert why in answer.error["message"]


async def test_strict_is_for_all_tools_or_none(talk: Talk) -> None:
    """Mixed tools are refused; a schema within the subset is taken."""
    good = {
        "type": "object",
        "$defs": {"count": {"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["many"]}]}},
        "properties": {
            "to": {"type": "string", "format": "email"},
            "n": {"$ref": "#/$defs/count"},
            "note": {"type": ["string", "null"]},
            "other": {"anyOf": [{"$ref": "#/$defs/count"}, {"type": "null"}]},
        },
        "required": ["to", "n", "note", "other"],
        "additionalProperties": False,
    }
    mixed = await talk.post("/beta/chat/completions", tools=[strict(good), {**TOOL, "function": {"name": "g"}}])
    assert mixed.status == 400
    assert (await talk.post("/beta/chat/completions", tools=[strict(good)])).status == 200
    nothing = {"type": "function", "function": {"name": "now", "strict": True}}
    assert (await talk.post("/beta/chat/completions", tools=[nothing])).status == 200


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [False, True])
async def test_strict_is_ignored_outside_beta(talk: Talk, path: str, stream: bool) -> None:
    """Whatever the schema, also beside tools that are not strict, for all models."""
    loose = {"type": "object", "properties": {"n": {"type": "array", "minItems": 1}}}
    for tools in ([strict(loose)], [strict({}, "g"), TOOL], [strict(loose, "a"), strict({"type": "map"}, "b")]):
        assert (await talk.post(path, tools=tools, stream=stream)).status == 200


@pytest.mark.parametrize(
    ("status", "message", "type_", "code"),
    [
        (
            401,
            "Authentication Fails, Your api key: ****rong is invalid",
            "authentication_error",
            "invalid_request_error",
        ),
        (402, "Insufficient Balance", "unknown_error", "invalid_request_error"),
        (
            429,
            (
                "Too many requests. Your current concurrency is 26, which exceeds your concurrency limit of 25 "
                "based on your remaining balance. Please top up your balance to raise the limit."
            ),
            "rate_limit_error",
            "invalid_request_error",
        ),
        (500, "Internal Server Error", "server_error", "internal_server_error"),
        (
            503,
            "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.",
            "service_unavailable_error",
            "service_unavailable_error",
        ),
    ],
)
async def test_scripted_refusals_have_the_real_texts(
    talk: Talk, status: int, message: str, type_: str, code: str
) -> None:
    """A refusal by script says what the API says with that status; Retry-After only where asked for."""
    answer = await talk.post(script=Script(faults=(Refuse(status=status),)))
    assert (answer.status, answer.error) == (
        status,
        {"message": message, "type": type_, "param": None, "code": code},
    )
    assert "Retry-After" not in answer.headers


async def test_scripted_refusals_can_be_anything(talk: Talk) -> None:
    """Another message, type, code, Retry-After, or a body of one's own, such as the one of 2024."""
    refuse = Refuse(status=429, message="Slow down", type="t", code="c", retry_after=1.5)
    answer = await talk.post(script=Script(faults=(refuse,)))
    assert answer.error == {"message": "Slow down", "type": "t", "param": None, "code": "c"}
    assert answer.headers["Retry-After"] == "1.5"
    dated = Refuse(status=503, retry_after="Mon, 23 Nov 2026 10:00:00 GMT", body="<html>busy</html>")
    answer = await talk.post(script=Script(faults=(dated,), headers={"Content-Type": "text/html"}))
    assert (answer.status, answer.data) == (503, b"<html>busy</html>")
    assert answer.headers["Retry-After"] == "Mon, 23 Nov 2026 10:00:00 GMT"
    assert answer.headers["Content-Type"] == "text/html"
    old = await talk.post(script=Script(faults=(Refuse(status=400, body='{"detail":"Content Exists Risk"}'),)))
    assert old.json == {"detail": "Content Exists Risk"}
