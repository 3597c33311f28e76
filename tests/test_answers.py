"""What other servers answer, and what has to be made of it: the cases of `data/answers.json`, through the client.

A case names what a server sends (``status``, ``headers``, ``events`` or a ``body``, ``cut``: the connection ends inside
it), who is known to send so, and what must hold: all keys of ``expect``, or of one of a list of such objects.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import AsyncClient, Resume, RetryPolicy

from .byte_server import ByteServer, Connection, chunked

Json = dict[str, Any]
CASES: dict[str, Json] = {
    case["name"]: case for case in json.loads((Path(__file__).parent / "data/answers.json").read_text("utf-8"))
}
ATTEMPTS = RetryPolicy(attempts=3, wait_initial=0.001, wait_max=0.002)


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def bytes_of(case: Json) -> bytes:
    """The whole answer, head and body."""
    status, is_cut = case.get("status", 200), bool(case.get("cut"))
    headers: dict[str, str] = {}
    body = b""
    if "events" in case:
        blocks = ["\n".join(e) if isinstance(e, list) else f"data: {text_of(e)}" for e in case["events"]]
        body = chunked(*[f"{block}\n\n".encode() for block in blocks]) + (b"" if is_cut else b"0\r\n\r\n")
        headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
    elif "body" in case:
        body = text_of(case["body"]).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body) + is_cut)}
    elif status not in (204, 304):
        headers = {"Content-Length": "0"}
    headers |= {**case.get("headers", {}), "Connection": "close"}
    head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


async def ask(client: AsyncClient, case: Json, deltas: list[Json]) -> Any:
    """What the client makes of the answer; of a case that expects deltas they are read one by one."""
    asked: Json = {"model": "m", **case.get("ask", {})}
    if "resume" in asked:
        asked["resume"] = Resume(**asked["resume"])
    match case["kind"]:
        case "models":
            return await client.models.list()
        case "fim":
            return await client.completions.create(prompt="x = ", **asked)
        case "fim-stream":
            return await (await client.completions.create(prompt="x = ", stream=True, **asked)).completion()
        case "whole":
            return await client.chat.completions.create(**{"messages": [{"role": "user", "content": "Hi"}], **asked})
    asked = {"messages": [{"role": "user", "content": "Hi"}], **asked}
    async with client.chat.completions.stream(**asked) as stream:
        if any("deltas" in expected for expected in expectations_of(case)):
            async for delta in stream.deltas():
                said = {"content": delta.content, "reasoning_content": delta.reasoning_content, **delta.extra}
                deltas.append({name: value for name, value in said.items() if value is not None})
        return await stream.completion()


def expectations_of(case: Json) -> list[Json]:
    return case["expect"] if isinstance(case["expect"], list) else [case["expect"]]


def told_of_error(error: BaseException) -> Json:
    partial = getattr(error, "partial", None)
    return {
        "error": [cls.__name__ for cls in type(error).__mro__],
        "message_has": str(error),
        "message_lacks": str(error),
        "retryable": getattr(error, "retryable", None),
        "partial_text": partial.text if partial is not None else None,
    }


def told_of_answer(answer: Any) -> Json:
    if not hasattr(answer, "choices"):
        return {"models": [model.id for model in answer]}
    (choice, *_) = answer.choices
    message = getattr(choice, "message", None)
    logprobs = choice.logprobs
    if getattr(logprobs, "tokens", None):
        pairs = list(zip(logprobs.tokens, logprobs.token_logprobs, strict=True))
    else:
        pairs = [(token.token, token.logprob) for token in getattr(logprobs, "content", None) or ()]
    calls = getattr(message, "tool_calls", None) or ()
    parts = [part for part in (answer, choice, message) if part is not None]
    return {
        **{name: getattr(answer, name, None) for name in ("text", "reasoning", "finish_reason", "complete", "usage")},
        "tool_calls": [{"id": c.id, "name": c.function.name, "arguments": c.function.arguments} for c in calls],
        "logprobs": [[token, value if value is not None and -9999 < value <= 0 else None] for token, value in pairs],
        "extra": {name: value for part in parts for name, value in part.extra.items()},
    }


def fits(wanted: Any, told: Any, key: str = "") -> bool:
    """Whether what was told is what is wanted; of an object only the keys that are named."""
    if key == "error":
        return wanted in told
    if key in ("message_has", "message_lacks"):
        return all((words in told) is (key == "message_has") for words in wanted)
    if isinstance(wanted, dict) and isinstance(told, str):  # a call's arguments: any JSON text of them
        return bool(json.loads(told or "null") == wanted)
    if isinstance(wanted, dict):
        get: Any = dict.get if isinstance(told, dict) else getattr
        return told is not None and all(fits(value, get(told, name, None), name) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(told, (list, tuple)):
        return len(wanted) == len(told) and all(map(fits, wanted, told))
    return bool(wanted == told)


async def played(case: Json) -> Json:
    """What the client told of the case, with the number of requests and the deltas."""
    requests, deltas = 0, list[Json]()

    async def play(connection: Connection) -> None:
        nonlocal requests
        await connection.request()
        requests += 1
        connection.send(bytes_of(case))

    async with (
        ByteServer(play) as server,
        AsyncClient("sk-any", base_url=f"{server.base_url}/v1", retry=ATTEMPTS, trust_env=False) as client,
    ):
        try:
            told = told_of_answer(await ask(client, case, deltas))
        except Exception as error:  # which one it has to be is the case's
            told = told_of_error(error)
    return {**told, "requests": requests, "deltas": deltas}


@pytest.mark.anyio
@pytest.mark.parametrize("name", CASES)
async def test_what_others_answer(name: str) -> None:
    """Neither lost nor invented, and asked for as often as it must be."""
    case = CASES[name]
    told = await played(case)
    expected = expectations_of(case)
    assert any(set(one) <= told.keys() and fits(one, told) for one in expected), (case["why"], told)
