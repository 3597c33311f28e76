"""Answers of a given type: asked for in JSON mode, checked, and asked for again with what was wrong, within a bound."""

from __future__ import annotations

import dataclasses
import json
import traceback
import types
import typing
from typing import Any, TypedDict

import attrs
import msgspec
import pytest

from deepseek_async import (
    AsyncClient,
    AuthenticationError,
    ChatCompletion,
    InvalidRequestError,
    MalformedResponseError,
    ParsedChatCompletion,
    SystemMessage,
    Usage,
    UserMessage,
)
from deepseek_async.sandbox import SandboxServer
from deepseek_async.transport import ScriptedTransport

from ...codec.structuring.table import REFUSED, ROWS
from ...wire import HELLO, client_on, completion, whole

pytestmark = pytest.mark.anyio


@attrs.frozen
class City:
    name: str
    people: int = 0


@attrs.frozen
class Holder:
    value: int


@dataclasses.dataclass(frozen=True)
class Route:
    stops: list[str]
    length: float | None = None


class Person(TypedDict):
    name: str


class Shape(msgspec.Struct, frozen=True):
    sides: int


def said(*contents: str | None) -> list[Any]:
    """An answer for each content, in one piece, each of 10 tokens."""
    usage = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
    return [whole({**completion(content), "usage": usage}) for content in contents]


async def parsed(
    response_type: Any, *contents: str | None, **parameters: Any
) -> tuple[ParsedChatCompletion[Any], ScriptedTransport]:
    client, transport = client_on(*said(*contents))
    asked = {"model": "m", "messages": HELLO, **parameters}
    return await client.chat.completions.parse(response_type=response_type, **asked), transport


def bodies(transport: ScriptedTransport) -> list[dict[str, Any]]:
    return [json.loads(request.body or b"") for request in transport.requests]


@pytest.mark.parametrize(
    ("response_type", "content", "value"),
    [
        (City, '{"name": "Zürich", "people": 5}', City("Zürich", 5)),
        (Route, '{"stops": ["a", "b"], "length": 1}', Route(["a", "b"], 1.0)),
        (Person, '{"name": "n"}', {"name": "n"}),
        (Shape, '{"sides": 3}', Shape(3)),
        (list[City], '[{"name": "a"}]', [City("a")]),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (City | Route, '{"stops": []}', Route([])),
        (int, "5", 5),
        (int, '{"value": 5}', 5),
        (list[City], '{"value": [{"name": "a"}]}', [City("a")]),
        (City | int, '{"value": {"name": "a"}}', City("a")),
        (dict[str, int], '{"value": 1}', {"value": 1}),
        (Holder, '{"value": 1}', Holder(1)),
        (City, '  \n{"name": "a"}\n', City("a")),
        (City, '```json\n{"name": "a"}\n```', City("a")),
        (City, '```\n{"name": "a"}\n```', City("a")),
    ],
)
async def test_an_answer_becomes_a_value(response_type: Any, content: str, value: Any) -> None:
    """Of any of the kinds of class, fenced or not."""
    result, _ = await parsed(response_type, content)
    assert result.parsed == value
    assert type(result.parsed) is type(value)
    assert result.attempts == 1
    assert result.completion.text == content
    assert result.usage == Usage(4, 6, 10)


async def test_the_type_is_described_to_the_model() -> None:
    """JSON mode, which needs the word "json", and the schema before the caller's messages; the rest as it was given."""
    _, transport = await parsed(
        City, '{"name": "a"}', messages=[SystemMessage("Be brief."), UserMessage("Where?")], temperature=0.5
    )
    (body,) = bodies(transport)
    assert body["response_format"] == {"type": "json_object"}
    assert body["temperature"] == 0.5
    first, *others = body["messages"]
    assert first["role"] == "system"
    assert "JSON" in first["content"]
    schema = json.loads(first["content"].partition("\n")[2])
    assert schema["type"] == "object"
    assert schema["properties"]["name"] == {"type": "string"}
    assert [message["content"] for message in others] == ["Be brief.", "Where?"]


async def test_what_does_not_fit_is_asked_for_again_with_what_was_wrong() -> None:
    """The model sees its own answer and each problem in it; every try is counted, and every token."""
    result, transport = await parsed(City, '{"people": "many"}', "no JSON at all", '{"name": "a"}')
    assert result.parsed == City("a")
    assert result.attempts == 3
    assert result.usage == Usage(12, 18, 30)
    first, second, third = bodies(transport)
    assert second["messages"][: len(first["messages"])] == first["messages"]
    answer, correction = second["messages"][len(first["messages"]) :]
    assert (answer["role"], answer["content"]) == ("assistant", '{"people": "many"}')
    assert correction["role"] == "user"
    assert "$.name: required field missing" in correction["content"]
    assert '$.people: expected an integer, got "many"' in correction["content"]
    assert "not JSON" in third["messages"][-1]["content"]
    assert len(third["messages"]) == len(second["messages"]) + 2


@pytest.mark.parametrize("nothing", ["", "   \n", None])
async def test_an_empty_answer_is_not_shown_to_the_model(nothing: str | None) -> None:
    """JSON mode may answer empty (page "JSON Output"), and an empty assistant message is refused by some servers."""
    result, transport = await parsed(City, nothing, '{"name": "a"}')
    assert result.attempts == 2
    second = bodies(transport)[1]
    assert [message["role"] for message in second["messages"]] == ["system", "user", "user"]
    assert "empty" in second["messages"][-1]["content"]


async def test_when_nothing_fits_the_last_problem_is_raised() -> None:
    """After as many answers as were allowed; the error has the last answer, and no line of a library's in it."""
    with pytest.raises(MalformedResponseError, match=r"\$.name: required field missing") as raised:
        await parsed(City, "{}", '{"people": 1}', attempts=2)
    error = raised.value
    assert (error.attempts, error.path) == (2, "$.name")
    assert isinstance(error.partial, ChatCompletion)
    assert error.partial.text == '{"people": 1}'
    shown = "".join(traceback.format_exception(error))
    assert "cattrs" not in shown
    assert "msgspec" not in shown


async def test_one_attempt_asks_once() -> None:
    """A bound of one is a check without a repair."""
    with pytest.raises(MalformedResponseError):
        await parsed(City, "{}", attempts=1)


async def test_another_error_is_no_reason_to_ask_again() -> None:
    """A refusal by the server is raised as by `create`."""
    client, transport = client_on(whole({"error": {"message": "no"}}, 401))
    with pytest.raises(AuthenticationError):
        await client.chat.completions.parse(response_type=City, model="m", messages=HELLO)
    assert len(transport.requests) == 1


class Opaque:
    def __init__(self, one: int) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"attempts": 0}, "attempts"),
        ({"attempts": True}, "attempts"),
        ({"attempts": "3"}, "attempts"),
        ({"response_type": Opaque}, "response_type"),
        ({"response_type": list[Opaque]}, "response_type"),
        ({"response_type": 5}, "response_type"),
        ({"response_type": "City"}, "response_type"),
        ({"response_format": {"type": "text"}}, "parse"),
        ({"tools": []}, "parse"),
        ({"temperature": 3}, "temperature"),
        ({"stream": True}, "stream"),
        ({"messages": "hi"}, "messages"),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_for_is_refused_before_anything_is_sent(
    arguments: dict[str, Any], parameter: str
) -> None:
    """A type that no schema describes, no attempts, parameters that JSON mode excludes."""
    client, transport = client_on()
    asked: dict[str, Any] = {"response_type": City, "model": "m", "messages": HELLO, **arguments}
    with pytest.raises(InvalidRequestError) as raised:
        await client.chat.completions.parse(**asked)
    assert raised.value.parameter == parameter
    assert transport.requests == []


async def test_classes_may_be_defined_inside_a_function() -> None:
    """Their annotations are strings in a file like this one: the names are looked for around the call."""

    @attrs.frozen
    class Local:
        name: str

    @attrs.frozen
    class Outer:
        inner: Local
        more: list[Outer] = attrs.field(factory=list)

    result, _ = await parsed(Outer, '{"inner": {"name": "a"}, "more": [{"inner": {"name": "b"}}]}')
    assert result.parsed == Outer(Local("a"), [Outer(Local("b"))])


async def test_a_name_that_stands_nowhere_is_the_callers_mistake() -> None:
    """It is named, with the class that it belongs to, before anything is sent."""

    @attrs.frozen
    class Outer:
        inner: Nowhere  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(InvalidRequestError, match=r"response_type is .Outer.*Nowhere"):
        await parsed(Outer, "{}")


@attrs.frozen
class Tree:
    name: str
    branches: list[Tree]


async def test_what_is_no_object_is_asked_for_inside_one() -> None:
    """JSON mode makes objects: a list, a number or a union with one is asked for under `value`."""
    _, transport = await parsed(list[City], "[]")
    schema = json.loads(bodies(transport)[0]["messages"][0]["content"].partition("\n")[2])
    assert (schema["type"], schema["required"]) == ("object", ["value"])
    assert schema["properties"]["value"] == {"type": "array", "items": {"$ref": "#/$defs/City"}}
    assert schema["$defs"]["City"]["type"] == "object"


@pytest.mark.parametrize("response_type", [row.wanted for row in ROWS if row.json != "null"], ids=str)
async def test_a_type_that_was_asked_for_is_never_the_callers_mistake(response_type: Any) -> None:
    """Every type of the table either is refused with nothing sent, or ends with a value or a wrong answer."""
    client, transport = client_on(*said("{}", "{}"))
    try:
        await client.chat.completions.parse(response_type=response_type, model="m", messages=HELLO, attempts=2)
    except MalformedResponseError:
        assert len(transport.requests) == 2


@pytest.mark.parametrize("response_type", [wanted for wanted, _ in REFUSED], ids=str)
async def test_a_type_that_cannot_work_costs_nothing(response_type: Any) -> None:
    """It is refused before a request."""
    client, transport = client_on(*said("{}"))
    with pytest.raises(InvalidRequestError):
        await client.chat.completions.parse(response_type=response_type, model="m", messages=HELLO)
    assert transport.requests == []


@pytest.mark.parametrize("response_type", [City, Route, Shape, Tree, list[City], int, City | Route])
async def test_against_the_sandbox(response_type: Any) -> None:
    """Its model answers by the schema that it is shown: each type at the first attempt, offline."""
    async with SandboxServer(seed=3) as server, AsyncClient(base_url=server.base_url) as client:
        result = await client.chat.completions.parse(
            response_type=response_type, model="deepseek-flash", messages=[UserMessage("Which city?")],
            thinking={"type": "disabled"}, max_tokens=2000,
        )  # fmt: skip
    kinds = typing.get_args(response_type) if isinstance(response_type, types.UnionType) else (response_type,)
    assert isinstance(result.parsed, tuple(typing.get_origin(kind) or kind for kind in kinds))
    assert result.attempts == 1


async def test_an_answer_cut_by_its_limit_is_not_asked_for_again() -> None:
    """It would be cut again: the error says where, and what helps."""
    usage = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
    cut = whole({**completion('{"name": "Zür', "length"), "usage": usage})
    for limit, words in ((6, "max_tokens=6"), (None, "the server's own limit")):
        client, transport = client_on(cut)
        with pytest.raises(MalformedResponseError, match=f"cut at {words}.*after 6 tokens.*length") as raised:
            await client.chat.completions.parse(response_type=City, model="m", messages=HELLO, max_tokens=limit)
        assert len(transport.requests) == 1
        assert (raised.value.attempts, raised.value.usage) == (1, Usage(4, 6, 10))
        assert isinstance(raised.value.partial, ChatCompletion)


async def test_an_answer_that_was_whole_before_the_cut_is_taken() -> None:
    """What was cut are words after it."""
    client, _ = client_on(whole(completion('{"name": "a"}\nThis is', "length")))
    result = await client.chat.completions.parse(response_type=City, model="m", messages=HELLO)
    assert result.parsed == City("a")


async def test_a_filtered_answer_is_not_asked_for_again() -> None:
    """The same messages would be filtered again."""
    client, transport = client_on(whole(completion("{", "content_filter")))
    with pytest.raises(MalformedResponseError, match="content filter"):
        await client.chat.completions.parse(response_type=City, model="m", messages=HELLO)
    assert len(transport.requests) == 1


async def test_every_error_says_what_was_asked_and_paid_for() -> None:
    """Also one of the server's, after an answer that did not fit."""
    client, _ = client_on(*said("{}"), whole({"error": {"message": "no"}}, 401))
    with pytest.raises(AuthenticationError) as raised:
        await client.chat.completions.parse(response_type=City, model="m", messages=HELLO)
    assert raised.value.attempts == 2
    assert raised.value.usage == Usage(4, 6, 10)
    assert raised.value.partial is not None
    assert raised.value.partial.text == "{}"


async def test_many_problems_are_told_as_far_as_there_is_room() -> None:
    """Whole ones, and how many more there are."""
    wrong = json.dumps([{"name": 5, "people": "x" * 30}] * 100)
    _, transport = await parsed(list[City], wrong, "[]")
    correction = bodies(transport)[1]["messages"][-1]["content"]
    assert "$[0].name: expected a string, got an integer" in correction
    assert "more" in correction
    assert len(correction) < 1300
