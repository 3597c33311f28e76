"""The law of reassembly on a real server: the streamed answer is the whole one, field for field, at temperature 0."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import AsyncClient

from ..tables import Cell
from .conftest import Serve
from .engines import Engine
from .law import judge

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]
COLOURS = [{"role": "user", "content": "Name three colours."}]
EMOJI = "a🦄b👩‍🔬 雨が降る。"


def weather(*cities: str, number: int = 0) -> list[dict[str, Any]]:
    """A turn in which the model asked for the weather of two cities, and was told."""
    calls = [
        {
            "id": f"call_{number}_{at}",
            "type": "function",
            "function": {"name": "get_weather", "arguments": json.dumps({"city": city})},
        }
        for at, city in enumerate(cities)
    ]
    return [
        {"role": "user", "content": f"Weather in {' and '.join(cities)}?"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        *({"role": "tool", "tool_call_id": call["id"], "content": "sun"} for call in calls),
        {"role": "assistant", "content": ". ".join(f"{city}: sun" for city in cities)},
    ]


TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}

PLAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("", {}),
    "stopped by its own end": ("", {"max_tokens": 60}),
    "no alternatives told": ("logprobs", {"logprobs": True}),
    "0 alternatives": ("logprobs", {"logprobs": True, "top_logprobs": 0}),
    "2 alternatives": ("logprobs", {"logprobs": True, "top_logprobs": 2}),
    "3 alternatives": ("logprobs", {"logprobs": True, "top_logprobs": 3}),
    "20 alternatives": ("logprobs", {"logprobs": True, "top_logprobs": 20}),
    "a stop sequence": ("logprobs", {"stop": [" the"], "logprobs": True, "top_logprobs": 2}),
    "n=2": ("alternatives", {"extra_body": {"n": 2}}),
    "n=2 with log probabilities": ("alternatives logprobs", {"logprobs": True, "extra_body": {"n": 2}}),
}


async def both(client: AsyncClient, engine: Engine, **ask: Any) -> str:
    """Ask in one piece and as a stream, and compare."""
    extra = {**engine.steady, **ask.pop("extra_body", {})}
    ask = {"model": engine.model, "messages": COLOURS, "max_tokens": 12, "temperature": 0.0, **ask}
    whole = await client.chat.completions.create(**ask, extra_body=extra)
    async with client.chat.completions.stream(**ask, extra_body=extra) as stream:
        streamed = await stream.completion()
    assert whole.complete
    assert streamed.complete
    return judge(engine.name, whole, streamed)


@pytest.mark.parametrize("name", PLAIN)
async def test_answers(client: AsyncClient, engine: Engine, case: Case, name: str) -> None:
    """With and without log probabilities, however many alternatives, stop sequences and choices."""
    needs, ask = PLAIN[name]
    cell = case(f"law: {name}", needs=needs)
    cell.says(await both(client, engine, **ask))


async def test_characters_in_several_tokens(client: AsyncClient, engine: Engine, case: Case) -> None:
    """Emoji and CJK, whose tokens are parts of characters."""
    cell = case("law: emoji and CJK", needs="saying logprobs")
    ask = {"max_tokens": 120, "logprobs": True, "top_logprobs": 2, "extra_body": engine.saying(EMOJI)}
    async with client.chat.completions.stream(
        model=engine.model,
        messages=COLOURS,
        **{**ask, "temperature": 0.0},  # type: ignore[arg-type]
    ) as stream:
        completion = await stream.completion()
    # vLLM lets the end token of a grammar's text be text.
    assert completion.text.removesuffix("<|im_end|>") == EMOJI
    assert completion.logprobs is not None
    assert completion.logprobs.text.removesuffix("<|im_end|>") == EMOJI
    cell.says(await both(client, engine, **ask))


async def test_two_tool_calls(client: AsyncClient, engine: Engine, case: Case) -> None:
    """Two calls in one turn; their ids are the server's own, and differ."""
    cell = case("law: two tool calls", needs="tools")
    messages = [*weather("Oslo", "Bern"), *weather("Kiel", "Lima", number=1), *weather("Bonn", "Graz", number=2)]
    ask: dict[str, Any] = {
        "model": engine.model,
        "messages": [*messages, {"role": "user", "content": "Weather in Rome and Paris?"}],
        "tools": [TOOL],
        "max_tokens": 90,
        "temperature": 0.0,
        "extra_body": {**engine.steady, "parallel_tool_calls": True},
    }
    whole = await client.chat.completions.create(**ask)
    async with client.chat.completions.stream(**ask) as stream:
        streamed = await stream.completion()
    assert [json.loads(call.function.arguments) for call in streamed.message.tool_calls or ()] == [
        {"city": "Rome"},
        {"city": "Paris"},
    ]
    assert [call.function.name for call in streamed.message.tool_calls or ()] == ["get_weather", "get_weather"]
    assert len({call.id for call in streamed.message.tool_calls or ()}) == 2
    cell.says(judge(engine.name, whole, streamed))


async def test_reasoning_with_log_probabilities(serve: Serve, engine: Engine, case: Case) -> None:
    """Reasoning and text, each with its own tokens; think marks belong to neither."""
    cell = case("law: reasoning with log probabilities", needs="reasoning logprobs saying")
    said = engine.saying("<think>\nhm, 雨\n</think>\n\nYes, 🦄.")
    ask: dict[str, Any] = {
        "model": engine.model,
        "messages": COLOURS,
        "max_tokens": 80,
        "temperature": 0.0,
        "logprobs": True,
        "top_logprobs": 1,
        "extra_body": {**engine.steady, **said},
    }
    async with serve(template="think.jinja").client() as client:
        whole = await client.chat.completions.create(**ask)
        async with client.chat.completions.stream(**ask) as stream:
            streamed = await stream.completion()
    assert (streamed.reasoning or "").strip() == "hm, 雨"
    assert (streamed.text or "").strip() == "Yes, 🦄."
    assert streamed.logprobs is not None
    assert streamed.logprobs.text.strip() == "Yes, 🦄."
    cell.says(judge(engine.name, whole, streamed))


@pytest.mark.parametrize("logprobs", [None, 2])
async def test_fill_in_the_middle(client: AsyncClient, engine: Engine, case: Case, logprobs: int | None) -> None:
    """The older endpoint: text, and log probabilities in whatever shape the server has for them."""
    cell = case(f"law: /completions{'' if logprobs is None else ' with log probabilities'}", needs="completions")
    ask: dict[str, Any] = {"model": engine.model, "prompt": "def add(a, b):\n", "max_tokens": 8, "temperature": 0.0}
    ask["extra_body"] = engine.steady
    if logprobs is not None:
        ask["logprobs"] = logprobs
    whole = await client.completions.create(**ask)
    async with await client.completions.create(**ask, stream=True) as stream:
        streamed = await stream.completion()
    assert whole.text
    cell.says(judge(engine.name, whole, streamed))
