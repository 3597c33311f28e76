"""The description at /openapi.json, and schemathesis holding the server to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from deepseek_async.sandbox import SandboxServer, in_background
from deepseek_async.sandbox.answers.replies import ChatCompletion, ChatCompletionChunk, ErrorBody, TextCompletion
from deepseek_async.sandbox.scripts.faults import Fault, Stall
from deepseek_async.sandbox.scripts.json_form import _snake, to_script
from deepseek_async.sandbox.server.control.openapi import describe
from deepseek_async.sandbox.server.control.paths import CONTROL

from ....examples import examples
from ...talking import HELLO, THINKING, Talk

schemathesis = pytest.importorskip("schemathesis", reason="extra conformance")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)


@pytest.fixture(scope="module")
def live_url() -> Iterator[str]:
    """A server in a thread of its own: schemathesis does not know asyncio."""
    with in_background(SandboxServer(keep_requests=1)) as server:
        yield server.base_url


@pytest.fixture(scope="module")
def api(live_url: str) -> Any:
    """The description as the server serves it."""
    return schemathesis.openapi.from_url(live_url + "/openapi.json")


def _brief(body: Any) -> Any:
    """Long answers prove nothing more, and cost seconds."""
    if isinstance(body, dict):
        for name, most in (("n", 3), ("min_tokens", 40)):
            if isinstance(body.get(name), int) and body[name] > most and body[name] <= 393_216:
                body[name] = most
    return body


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/chat/completions", GenerationMode.POSITIVE),
        ("/chat/completions", GenerationMode.NEGATIVE),
        ("/beta/completions", GenerationMode.POSITIVE),
        ("/beta/completions", GenerationMode.NEGATIVE),
        ("/models", GenerationMode.POSITIVE),
        ("/user/balance", GenerationMode.POSITIVE),
    ],
)
def test_conformance(api: Any, path: str, mode: GenerationMode) -> None:
    """Whatever is sent: no 5xx, no undocumented status or type, no body outside its schema, bad data refused."""
    (method,) = api[path]
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
        negative_data_rejection,
    ]

    # Not schemathesis' own pytest integration: it reaches into a pytest older than ours.
    @settings(
        max_examples=examples(12),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(api[path][method].as_strategy(generation_mode=mode))
    def conforms(case: Any) -> None:
        case.body = _brief(case.body)
        case.validate_response(case.call(), checks=checks)

    conforms()


@pytest.mark.anyio
async def test_it_describes_every_endpoint_under_every_prefix(talk: Talk) -> None:
    """Served without a key, with this server's address."""
    document = (await talk.send("GET", "/openapi.json")).json
    assert document == json.loads(json.dumps(describe(talk.server.base_url, CONTROL)))
    endpoints = ["/chat/completions", "/completions", "/files", "/files/{file_id}", "/models", "/user/balance"]
    served = {prefix + path for prefix in ("", "/v1", "/beta") for path in endpoints}
    assert set(document["paths"]) == served | set(CONTROL)
    assert {path: {method.upper() for method in document["paths"][path]} for path in CONTROL} == {
        path: set(methods) for path, methods in CONTROL.items()
    }
    chat = document["components"]["schemas"]["ChatBody"]
    assert chat["required"] == ["messages", "model"]
    assert chat["properties"]["max_tokens"]["maximum"] == 393_216
    assert document["servers"] == [{"url": talk.server.base_url}]


def test_the_bodies_of_the_control_paths_are_described() -> None:
    """What a script may be, with every fault by its name, is what `read_script` takes."""
    schemas = describe("http://x", CONTROL)["components"]["schemas"]
    root = {**schemas["NewScripts"], "components": {"schemas": schemas}}
    faults = [{_snake(fault.__name__): {}} for fault in get_args(Fault) if fault is not Stall]
    good = [
        {"say": "Hello.", "faults": [{"stall": {"seconds": 2}}, {"cut": {"at_byte": 400}}, "late_head"]},
        {"say": ["a", "b"], "calls": [{"name": "f", "arguments": {"a": 1}}], "rate": 5, "usage": {"total_tokens": 1}},
        {"faults": faults},
    ]
    for script in good:
        to_script(script)
        jsonschema.validate({"scripts": [script], "times": None, "caller": "a", "optional": True}, root)
    bad = [
        {"sya": 1},
        {"faults": ["stall"]},
        {"faults": [{"cut": {}, "bom": {}}]},
        {"faults": [{"kut": {}}]},
        {"say": 5},
    ]
    for script in bad:
        with pytest.raises(ValueError, match=r".+"):
            to_script(script)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"scripts": [script]}, root)


@pytest.mark.anyio
async def test_answers_have_no_field_that_is_not_described(talk: Talk) -> None:
    """The structs forbid unknown fields, so decoding through them proves it."""
    tools = [{"type": "function", "function": {"name": "get_weather"}}]
    for fields in ({}, {"logprobs": True, "top_logprobs": 2}, {"tools": tools, "tool_choice": "required"}):
        msgspec.json.decode((await talk.post(body=HELLO, **fields)).data, type=ChatCompletion)
        for event in (await talk.post(body=HELLO, stream=True, **fields)).events[:-1]:
            msgspec.json.decode(event, type=ChatCompletionChunk)
    msgspec.json.decode((await talk.post(body=THINKING, logprobs=True)).data, type=ChatCompletion)
    fim = {"model": "deepseek-chat", "prompt": "x", "logprobs": 1}
    msgspec.json.decode((await talk.post("/beta/completions", body=fim)).data, type=TextCompletion)
    msgspec.json.decode((await talk.post(max_tokens=0)).data, type=ErrorBody)


def test_files_are_described(live_url: str) -> None:
    """Each path of theirs, under each prefix, with what it takes."""
    paths = describe(live_url, {})["paths"]
    for prefix in ("", "/v1", "/beta"):
        assert set(paths[f"{prefix}/files"]) == {"post", "get"}
        assert set(paths[f"{prefix}/files/{{file_id}}"]) == {"get", "delete"}
    form = paths["/files"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["purpose", "file"]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(names) == len(set(names))
