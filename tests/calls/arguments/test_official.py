"""What the official API would refuse is refused before a byte leaves; what changes nothing there is warned of once."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from deepseek_async import (
    AssistantMessage,
    AsyncClient,
    FunctionDefinition,
    ImagePart,
    InvalidRequestError,
    NoEffectWarning,
    Tool,
    UserMessage,
)
from deepseek_async.batch.outcomes import Failed
from deepseek_async.transport import Answer, ScriptedTransport

from ...wire import HELLO, completion, hello, whole

pytestmark = pytest.mark.anyio

OFF = {"type": "disabled"}
NAMED = {"type": "function", "function": {"name": "weather"}}
OBJECT = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def tool(name: str = "weather", *, strict: bool | None = None) -> dict[str, Any]:
    """A function as a mapping."""
    said = {} if strict is None else {"strict": strict}
    return {"type": "function", "function": {"name": name, "parameters": OBJECT, **said}}


IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
MIXED = [tool("a", strict=True), tool("b")]
BEFORE = [UserMessage("a"), AssistantMessage("b", prefix=True), UserMessage("c")]
BEFORE_AS_MAPPINGS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "prefix": True}, *HELLO]

# Parameters, the path that is named, and a word of the advice.
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "required while thinking": ({"tools": [tool()], "tool_choice": "required"}, "tool_choice", "disabled"),
    "named while thinking": ({"tools": [tool()], "tool_choice": NAMED}, "tool_choice", "disabled"),
    "thinking said": (
        {"tools": [tool()], "tool_choice": "required", "thinking": {"type": "enabled"}},
        "tool_choice",
        "auto",
    ),
    "mixed strict tools": ({"tools": MIXED}, "tools[1].function.strict", "every function"),
    "mixed values": (
        {"tools": [tool("a"), Tool(FunctionDefinition("b", parameters=OBJECT, strict=True))]},
        "tools[0].function.strict",
        "none",
    ),
    "prefix before the last": ({"messages": BEFORE}, "messages[1].prefix", "messages[2]"),
    "prefix as a mapping": ({"messages": BEFORE_AS_MAPPINGS}, "messages[1].prefix", "last message alone"),
    "user_id with a blank": ({"user_id": "a b"}, "user_id", "digits"),
    "user_id of an address": ({"user_id": "someone@example.org"}, "user_id", "extra_body"),
    "user_id beyond ASCII": ({"user_id": "Zo\u00eb"}, "user_id", "letters"),
    "empty user_id": ({"user_id": ""}, "user_id", "1 to 512"),
    "user, as openai says it": ({"user": "a/b"}, "user_id", "letters"),
    "json_schema": ({"response_format": {"type": "json_schema"}}, "response_format.type", "parse"),
    "JSON mode unsaid": ({"response_format": {"type": "json_object"}}, "response_format.type", "the word JSON"),
    "an image of the system's": (
        {"messages": [{"role": "system", "content": [IMAGE]}, *HELLO]},
        "messages[0].content[0]",
        "users and tools",
    ),
    "an image of the assistant's": (
        {"messages": [*HELLO, {"role": "assistant", "content": [{"type": "text", "text": "a"}, IMAGE]}, *HELLO]},
        "messages[1].content[1]",
        "assistant",
    ),
    "too many images": (
        {"messages": [UserMessage([ImagePart.from_url("https://a.example/b")] * 601)]},
        "messages",
        "600",
    ),
    "a long address": (
        {"messages": [UserMessage([ImagePart.from_url("https://a.example/" + "b" * 8200)])]},
        "messages[0].content[0].image_url.url",
        "8,192",
    ),
    "top_p of 0": ({"top_p": 0}, "top_p", "more than 0"),
}

TAKEN: dict[str, dict[str, Any]] = {
    "required, not thinking": {"tools": [tool()], "tool_choice": "required", "thinking": OFF},
    "required, no effort": {"tools": [tool()], "tool_choice": "required", "reasoning_effort": "none"},
    "required, thinking off unchecked": {
        "tools": [tool()],
        "tool_choice": "required",
        "extra_body": {"thinking": OFF},
    },
    "required without tools": {"tool_choice": "required"},
    "auto": {"tools": [tool()], "tool_choice": "auto"},
    "none": {"tools": [tool()], "tool_choice": "none"},
    "all strict": {"tools": [tool("a", strict=True), tool("b", strict=True)]},
    "none strict": {"tools": [tool("a", strict=False), tool("b")]},
    "prefix at the end": {"messages": [*HELLO, AssistantMessage("b", prefix=True)]},
    "user_id": {"user_id": "Some_one-7"},
    "JSON mode": {"response_format": {"type": "json_object"}, "messages": [UserMessage("As JSON.")]},
    "JSON mode, in a part": {
        "response_format": {"type": "json_object"},
        "messages": [{"role": "user", "content": [{"type": "text", "text": "json"}]}],
    },
    "top_p": {"top_p": 0.95},
    "images": {"messages": [UserMessage([ImagePart.from_url("https://a.example/b")] * 600)]},
    "an image as data": {"messages": [UserMessage([ImagePart.from_url("data:image/png;base64," + "A" * 9000)])]},
}

AROUND: dict[str, dict[str, Any]] = {
    "tool_choice": {"tools": [tool()], "extra_body": {"tool_choice": "required"}},
    "tools": {"extra_body": {"tools": MIXED}},
    "messages": {"messages": HELLO, "extra_body": {"messages": BEFORE_AS_MAPPINGS[1:2] + BEFORE_AS_MAPPINGS[:1]}},
    "user_id": {"extra_body": {"user_id": "a b"}},
    "frequency_penalty": {"extra_body": {"frequency_penalty": 3}},
    "response_format": {"extra_body": {"response_format": {"type": "json_schema"}}},
    "top_p": {"extra_body": {"top_p": 0}},
}


@pytest.fixture(autouse=True)
def _warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def client_on(*answers: Answer, **settings: Any) -> tuple[AsyncClient, ScriptedTransport]:
    """A client of the official API."""
    transport = ScriptedTransport(answers)
    return AsyncClient("sk-x", transport=transport, **settings), transport


def asking(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"model": "deepseek-flash", "messages": HELLO, **parameters}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_before_a_byte_leaves(case: str) -> None:
    """It names the parameter, what to do, and how to send it all the same; streamed or not."""
    parameters, path, word = REFUSED[case]
    client, transport = client_on()
    completions = client.chat.completions
    for ask in (
        lambda: completions.create(**asking(parameters)),
        lambda: completions.create(**asking(parameters), stream=True),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            await ask()
        assert caught.value.parameter == path
        assert word in str(caught.value)
        assert "extra_body" in str(caught.value)
        assert "someone" not in str(caught.value)
    with pytest.raises(InvalidRequestError):
        completions.stream(**asking(parameters))
    assert not transport.requests


@pytest.mark.parametrize("case", REFUSED)
async def test_other_servers_are_asked(case: str) -> None:
    """They may take it; so may whoever turned the rules off."""
    parameters, _, _ = REFUSED[case]
    for settings in ({"base_url": "https://gateway.example/v1"}, {"official_rules": False}):
        client, transport = client_on(whole(completion()), **settings)
        await client.chat.completions.create(**asking(parameters))
        assert len(transport.requests) == 1


@pytest.mark.parametrize("case", TAKEN)
async def test_what_the_api_takes_is_sent(case: str) -> None:
    """Nothing is refused that need not be."""
    client, transport = client_on(whole(completion()))
    await client.chat.completions.create(**asking(TAKEN[case]))
    assert len(transport.requests) == 1


@pytest.mark.parametrize("field", AROUND)
async def test_the_way_round(field: str) -> None:
    """What stands in extra_body is sent as it is."""
    client, transport = client_on(whole(completion()))
    await client.chat.completions.create(**asking(AROUND[field]))
    body = json.loads(transport.requests[0].body or b"")
    assert body[field] == json.loads(json.dumps(AROUND[field]["extra_body"][field]))


@pytest.mark.parametrize("base_url", ["https://api.deepseek.com/v1", "https://api.deepseek.com/beta"])
async def test_each_address_of_the_api_is_official(base_url: str) -> None:
    """Also with the version, and the beta base URL itself."""
    client, _ = client_on(base_url=base_url)
    with pytest.raises(InvalidRequestError):
        await client.chat.completions.create(**asking({"user_id": "a b"}))


async def test_a_gateway_to_it_can_be_held_to_the_rules() -> None:
    """So can a sandbox; clients made of one have its rules."""
    client, _ = client_on(base_url="http://localhost:1", official_rules=True)
    for each in (client, client.with_options(timeout=5)):
        with pytest.raises(InvalidRequestError):
            await each.chat.completions.create(**asking({"user_id": "a b"}))


async def test_without_the_beta_base_url_no_prefix_goes_out() -> None:
    """The API refuses it elsewhere."""
    client, _ = client_on(has_beta=False)
    with pytest.raises(InvalidRequestError, match=r"messages\[1\]\.prefix.*has_beta"):
        await client.chat.completions.create(**asking({"messages": [*HELLO, AssistantMessage("b", prefix=True)]}))


async def test_runs_of_tools_are_refused_before_they_begin() -> None:
    """As soon as they are asked for."""

    def weather(city: str) -> str:
        return city

    client, transport = client_on()
    with pytest.raises(InvalidRequestError, match="tool_choice"):
        client.chat.completions.run_tools(**asking({"tools": [weather], "tool_choice": "required"}))
    assert not transport.requests


async def test_a_row_of_a_batch_fails_alone() -> None:
    """Nothing of it is sent."""
    client, transport = client_on(whole(completion()))
    rows = [{"prompt": "a", "user_id": "a b"}, {"prompt": "b"}]
    async with client.batch(rows) as outcomes:
        ended = [outcome async for outcome in outcomes]
    failed = [outcome for outcome in ended if isinstance(outcome, Failed)]
    assert [getattr(outcome.error, "parameter", "") for outcome in failed] == ["user_id"]
    assert (len(ended), len(transport.requests)) == (2, 1)


# -- fill in the middle ------------------------------------------------------------------------------------------------

GAP = whole({"id": "g", "choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]})
GAPS_REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "4,097 tokens": ({"max_tokens": 4097}, "max_tokens", "1 to 4,096 for fill in the middle"),
    "as many as chat takes": ({"max_tokens": 393_216, "suffix": ")"}, "max_tokens", "4,096"),
    "openai's word for it": ({"max_completion_tokens": 5000}, "max_tokens", "4,096"),
    "top_p of 0": ({"top_p": 0}, "top_p", "more than 0"),
}


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("case", GAPS_REFUSED)
async def test_gaps_are_refused_before_a_byte_leaves(case: str, streamed: bool) -> None:
    """As chat's requests; other servers, and whoever turned the rules off, are asked; extra_body is the way round."""
    parameters, path, word = GAPS_REFUSED[case]
    asked: dict[str, Any] = {"model": "deepseek-flash", "prompt": "secret words", "stream": streamed}
    client, transport = client_on()
    with pytest.raises(InvalidRequestError) as caught:
        await client.completions.create(**asked, **parameters)
    assert caught.value.parameter == path
    assert word in str(caught.value)
    assert "extra_body" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not transport.requests
    if not streamed:
        way_round = {"extra_body": {path: next(iter(parameters.values()))}}
        for settings, said in (
            ({"base_url": "https://gateway.example/v1"}, parameters),
            ({"official_rules": False}, parameters),
            ({}, way_round),
        ):
            client, transport = client_on(GAP, **settings)
            assert (await client.completions.create(**asked, **said)).text == "x"


@pytest.mark.parametrize(
    "parameters",
    [{}, {"max_tokens": 4096}, {"logprobs": 20}, {"suffix": "b"}, {"echo": True}, {"top_p": 0.1}, {"temperature": 0}],
    ids=str,
)
async def test_gaps_that_the_api_takes_are_sent(parameters: dict[str, Any]) -> None:
    """And nobody is warned of what counts there: the model does not think."""
    client, transport = client_on(GAP)
    assert (await client.completions.create(model="m", prompt="a", **parameters)).text == "x"
    assert transport.requests[0].url == "https://api.deepseek.com/beta/completions"


async def test_without_the_beta_base_url_no_gap_goes_out() -> None:
    """It is served nowhere else; other servers have it at their base URL."""
    client, _ = client_on(has_beta=False)
    with pytest.raises(InvalidRequestError, match="has_beta"):
        await client.completions.create(model="m", prompt="a")
    client, transport = client_on(GAP, base_url="http://localhost:1/v1")
    await client.completions.create(model="m", prompt="a")
    assert transport.requests[0].url == "http://localhost:1/v1/completions"


@pytest.mark.parametrize("name", ["frequency_penalty", "presence_penalty", "seed"])
async def test_gaps_are_warned_of_once(name: str) -> None:
    """By name, together with chat's."""
    client, _ = client_on(GAP, GAP, whole(completion()))
    asked: dict[str, Any] = {"model": "m", "prompt": "a", name: 1}
    with pytest.warns(NoEffectWarning, match=name):
        await client.completions.create(**asked)
    await client.completions.create(**asked)
    await client.chat.completions.create(**asking({name: 1}))


async def test_options_of_a_stream_need_one() -> None:
    """Of fill in the middle as of chat, on every server."""
    client, _ = client_on(base_url="http://localhost:1")
    with pytest.raises(InvalidRequestError, match="stream=True"):
        await client.completions.create(model="m", prompt="a", stream_options={"include_usage": True})


# -- warned of ---------------------------------------------------------------------------------------------------------

WARNED: dict[str, tuple[dict[str, Any], str]] = {
    "temperature": ({"temperature": 0.3}, "temperature has no effect: the model thinks"),
    "temperature of 0": ({"temperature": 0}, "temperature"),
    "top_p while thinking": ({"top_p": 0.5}, "top_p has no effect: while the model thinks, what is below 0.95"),
    "top_p without thinking": ({"top_p": 0.99, "thinking": OFF}, "top_p has no effect: without thinking it is 1"),
    "frequency_penalty": ({"frequency_penalty": 1}, "frequency_penalty"),
    "presence_penalty": ({"presence_penalty": -1, "thinking": OFF}, "presence_penalty"),
    "seed": ({"seed": 7}, "seed has no effect"),
    "seed, unchecked": ({"extra_body": {"seed": 0}}, "seed"),
    "two choices": ({"n": 2}, "n has no effect"),
    "one call at a time": ({"parallel_tool_calls": False}, "parallel_tool_calls has no effect"),
    "biases": ({"logit_bias": {"5": 3}}, "logit_bias has no effect"),
    "vLLM's sampling": ({"extra_body": {"top_k": 5}}, "top_k has no effect"),
}
UNWARNED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "temperature without thinking": {"temperature": 0.3, "thinking": OFF},
    "temperature without effort": {"temperature": 0.3, "reasoning_effort": "none"},
    "top_p that counts": {"top_p": 0.97},
    "penalties of 0": {"frequency_penalty": 0, "presence_penalty": 0.0},
    "what is so anyway": {"n": 1, "parallel_tool_calls": True, "logit_bias": None},
    "fields that nobody knows": {"extra_body": {"metadata": {"a": "b"}, "x": 1}},
}


@pytest.mark.parametrize("case", WARNED)
async def test_what_has_no_effect_is_warned_of_once(case: str) -> None:
    """By name and with why, at the caller's line; the request is sent as it is. Another client says it again."""
    parameters, words = WARNED[case]
    for _ in range(2):
        client, transport = client_on(*[whole(completion())] * 2, Answer([hello()]))
        with pytest.warns(NoEffectWarning) as caught:
            await client.chat.completions.create(**asking(parameters))
        assert [str(each.message)[: len(words)] for each in caught] == [words]
        assert caught[0].filename == __file__
        await client.chat.completions.create(**asking(parameters))
        async with client.with_options(timeout=5).chat.completions.stream(**asking(parameters)) as stream:
            await stream.completion()
        assert len(transport.requests) == 3


@pytest.mark.parametrize("case", UNWARNED)
async def test_what_has_an_effect_is_not(case: str) -> None:
    """Warnings are errors here; the request went out."""
    client, transport = client_on(whole(completion()))
    await client.chat.completions.create(**asking(UNWARNED[case]))
    assert len(transport.requests) == 1


async def test_several_at_once() -> None:
    """Each has its own warning."""
    client, _ = client_on(whole(completion()))
    with pytest.warns(NoEffectWarning) as caught:
        await client.chat.completions.create(**asking({"temperature": 1, "seed": 1, "presence_penalty": 1}))
    assert [str(each.message).split()[0] for each in caught] == ["temperature", "presence_penalty", "seed"]


@pytest.mark.parametrize("settings", [{"base_url": "https://gateway.example/v1"}, {"official_rules": False}])
async def test_others_are_not_warned_of(settings: dict[str, Any]) -> None:
    """They may heed it."""
    for parameters, _ in WARNED.values():
        client, transport = client_on(whole(completion()), **settings)
        await client.chat.completions.create(**asking(parameters))
        assert len(transport.requests) == 1


async def test_it_can_be_turned_off_by_its_class() -> None:
    """As any warning."""
    warnings.simplefilter("ignore", NoEffectWarning)
    client, transport = client_on(whole(completion()))
    await client.chat.completions.create(**asking({"seed": 7}))
    assert len(transport.requests) == 1


async def test_strict_functions_without_the_beta_base_url() -> None:
    """There the API ignores the word."""
    client, _ = client_on(whole(completion()), has_beta=False)
    with pytest.warns(NoEffectWarning, match="strict has no effect"):
        await client.chat.completions.create(**asking({"tools": [tool(strict=True)]}))
