"""The two ways to ask for a type, and which is taken."""

from __future__ import annotations

import dataclasses
import datetime
import json
from decimal import Decimal
from typing import Any

import attrs
import pytest

from deepseek_async import AsyncClient, BadRequestError, InvalidRequestError, MalformedResponseError, UserMessage
from deepseek_async.sandbox import SandboxServer
from deepseek_async.sandbox.requests.strict_schema import check_strict_schema
from deepseek_async.transport import ScriptedTransport

from ...codec.structuring import shapes
from ...wire import HELLO, client_on, completion, whole

pytestmark = pytest.mark.anyio

AWAKE = {"type": "disabled"}  # a model that does not think


@attrs.frozen
class City:
    """A city of the world."""

    name: str
    people: int = 0
    place: tuple[float, float] | None = None


@dataclasses.dataclass
class Free:
    anything: dict[str, Any]


def called(arguments: str, **more: Any) -> Any:
    """An answer that calls the function."""
    call = {"id": "call_0", "type": "function", "function": {"name": "City", "arguments": arguments}}
    return whole(completion(None, "tool_calls", tool_calls=[call], **more))


def bodies(transport: ScriptedTransport) -> list[dict[str, Any]]:
    return [json.loads(request.body or b"") for request in transport.requests]


async def ask(*answers: Any, response_type: Any = City, **asked: Any) -> tuple[Any, ScriptedTransport]:
    client, transport = client_on(*answers)
    parameters = {"model": "m", "messages": HELLO, "thinking": AWAKE, **asked}
    return await client.chat.completions.parse(response_type=response_type, **parameters), transport


async def test_auto_asks_by_a_strict_function() -> None:
    """On the beta base URL, forced, its schema within the strict subset."""
    result, transport = await ask(called('{"name": "a", "people": null, "place": {"0": 1, "1": 2}}'))
    assert result.parsed == City("a", 0, (1.0, 2.0))
    assert (result.mode, result.fallback) == ("tool", "")
    (body,) = bodies(transport)
    assert transport.requests[0].url.endswith("/beta/chat/completions")
    assert "response_format" not in body
    assert body["tool_choice"] == {"type": "function", "function": {"name": "City"}}
    (tool,) = body["tools"]
    assert tool["function"]["strict"] is True
    parameters = tool["function"]["parameters"]
    assert parameters["required"] == ["name", "people", "place"]
    assert parameters["additionalProperties"] is False
    check_strict_schema(parameters, "parameters")


@pytest.mark.parametrize("thinking", [None, {"type": "enabled"}])
async def test_auto_does_not_force_a_model_that_thinks(thinking: Any) -> None:
    """It asks in JSON mode, and says why; thinking is what models do unless told not to."""
    result, transport = await ask(whole(completion('{"name": "a"}')), thinking=thinking)
    assert result.mode == "json"
    assert "thinks" in result.fallback
    (body,) = bodies(transport)
    assert "tools" not in body
    assert body["response_format"] == {"type": "json_object"}


async def test_reasoning_effort_none_is_not_thinking() -> None:
    """It turns thinking off as well."""
    result, _ = await ask(called('{"name": "a"}'), thinking=None, reasoning_effort="none")
    assert result.mode == "tool"


async def test_a_model_that_thinks_is_asked_to_call_and_not_forced() -> None:
    """`tool_choice` is refused while thinking; an answer in words is read all the same."""
    result, transport = await ask(called('{"name": "a"}'), mode="tool", thinking={"type": "enabled"})
    assert result.parsed == City("a")
    (body,) = bodies(transport)
    assert "tool_choice" not in body
    assert "calling the function City" in body["messages"][0]["content"]
    result, _ = await ask(whole(completion('So: {"name": "b"}')), mode="tool", thinking=None)
    assert result.parsed == City("b")


async def test_what_strict_cannot_say_falls_back_with_a_reason() -> None:
    """In ``"auto"`` to JSON mode, in ``"tool"`` to a function that is not strict."""
    free = '{"anything": {"a": 1}}'
    result, _ = await ask(whole(completion(free)), response_type=Free)
    assert (result.parsed, result.mode) == (Free({"a": 1}), "json")
    assert "Any" in result.fallback
    result, transport = await ask(called(free), response_type=Free, mode="tool")
    assert (result.parsed, result.mode) == (Free({"a": 1}), "tool")
    assert "Any" in result.fallback
    assert "strict" not in bodies(transport)[0]["tools"][0]["function"]


async def test_a_server_without_beta_is_asked_in_json_mode() -> None:
    """A base URL with a path serves all itself, and knows no strict functions."""
    client, transport = client_on(whole(completion('{"name": "a"}')), base_url="http://127.0.0.1:1/v1")
    result = await client.chat.completions.parse(response_type=City, model="m", messages=HELLO, thinking=AWAKE)
    assert result.mode == "json"
    assert "beta" in result.fallback
    assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refused_function_is_not_the_end(status: int) -> None:
    """The server takes none of this schema: JSON mode asks the same, from then on."""
    refusal = whole({"error": {"message": "no such thing"}}, status)
    client, transport = client_on(refusal, whole(completion('{"name": "a"}')), whole(completion('{"name": "b"}')))
    parse = client.chat.completions.parse
    result = await parse(response_type=City, model="m", messages=HELLO, thinking=AWAKE)
    assert (result.parsed, result.mode, result.attempts) == (City("a"), "json", 1)
    assert str(status) in result.fallback
    result = await parse(response_type=City, model="m", messages=HELLO, thinking=AWAKE)
    assert result.parsed == City("b")
    assert len(transport.requests) == 3


async def test_a_server_without_strict_functions_is_known_from_then_on() -> None:
    """There is nothing under /beta: the first call goes where there is something, the next ask in JSON mode."""
    missing = whole({"error": {"message": "no such path"}}, 404)
    client, transport = client_on(missing, whole(completion('{"name": "a"}')), whole(completion('{"name": "b"}')))
    parse = client.chat.completions.parse
    result = await parse(response_type=City, model="m", messages=HELLO, thinking=AWAKE)
    assert (result.parsed, result.attempts) == (City("a"), 1)
    result = await parse(response_type=City, model="m", messages=HELLO, thinking=AWAKE)
    assert (result.parsed, result.mode) == (City("b"), "json")
    assert "404" in result.fallback
    assert len(transport.requests) == 3


async def test_a_refusal_of_what_was_demanded_is_raised() -> None:
    """``mode="tool"`` means it."""
    with pytest.raises(BadRequestError):
        await ask(whole({"error": {"message": "no"}}, 400), mode="tool")


async def test_a_call_that_does_not_fit_is_answered() -> None:
    """Each call by a message of its own, with all that is wrong in the arguments; reasoning goes back with it."""
    wrong = called('{"name": 1, "people": "x"}', reasoning_content="Hm")
    result, transport = await ask(wrong, called('{"name": "a", "people": 1}'))
    assert (result.parsed, result.attempts) == (City("a", 1), 2)
    answer, correction = bodies(transport)[1]["messages"][-2:]
    assert answer["tool_calls"][0]["id"] == "call_0"
    assert answer["reasoning_content"] == "Hm"
    assert (correction["role"], correction["tool_call_id"]) == ("tool", "call_0")
    assert "$.name: expected a string" in correction["content"]
    assert "$.people: expected an integer" in correction["content"]


async def test_two_calls_that_differ_are_no_answer() -> None:
    """Which was meant nobody knows: the model is asked. Said twice it is one, and another function's call is none."""
    one, other = '{"name": "a", "people": 1}', '{"name": "b", "people": 2}'

    def both(first: str, second: str, name: str = "City") -> Any:
        calls = [("call_0", name, first), ("call_1", "City", second)]
        said = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in calls]
        return whole(completion(None, "tool_calls", tool_calls=said))

    result, transport = await ask(both(one, other), called(one))
    assert (result.parsed, result.attempts) == (City("a", 1), 2)
    assert [m["tool_call_id"] for m in bodies(transport)[1]["messages"][-2:]] == ["call_0", "call_1"]
    for answer in (both(one, one), both(other, one, "look_up")):
        result, _ = await ask(answer)
        assert (result.parsed, result.attempts) == (City("a", 1), 1)


@pytest.mark.parametrize(
    "asked",
    [{"mode": "xml"}, {"mode": None}, {"tools": []}, {"tool_choice": "auto"}, {"response_format": {"type": "text"}}],
)
async def test_what_cannot_be_asked_together_is_refused(asked: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidRequestError):
        await ask(**asked)


TYPES: list[Any] = [
    shapes.Times, shapes.Described, shapes.Circle | shapes.Square, shapes.Tree, shapes.Cat | shapes.Dog | None,
    shapes.Bird | shapes.Fish, shapes.Linked, shapes.Places, shapes.Tagged, dict[shapes.Colour, Decimal],
    list[shapes.Level], datetime.date | str, shapes.Pair, shapes.Family, set[int],
]  # fmt: skip


@pytest.mark.parametrize("response_type", TYPES, ids=str)
@pytest.mark.parametrize("mode", ["json", "tool"])
async def test_the_sandbox_fits_both_ways(response_type: Any, mode: Any) -> None:
    """Each answer at the first attempt, strict schemas within the subset that the sandbox holds them to."""
    async with SandboxServer(seed=5) as server, AsyncClient(base_url=server.base_url) as client:
        for number in range(5):
            result = await client.chat.completions.parse(
                response_type=response_type, mode=mode, model="deepseek-flash", thinking=AWAKE, attempts=1,
                messages=[UserMessage(f"Question {number}?")], max_tokens=4000,
            )  # fmt: skip
            assert (result.mode, result.fallback) == (mode, "")


async def test_words_instead_of_a_call_are_corrected() -> None:
    """The function is named again."""
    with pytest.raises(MalformedResponseError, match="not JSON"):
        await ask(whole(completion("Sorry")), whole(completion("Sorry")), mode="tool", attempts=2)
