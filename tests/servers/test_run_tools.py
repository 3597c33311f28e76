"""The loop around tools with a real model: it calls two functions, hears what they return, and goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deepseek_async import AsyncClient

from ..tables import Cell
from .engines import Engine
from .test_reassembly import weather

pytestmark = pytest.mark.anyio
Case = Callable[..., Cell]


@pytest.mark.parametrize("streamed", [False, True])
async def test_two_calls_and_an_answer(client: AsyncClient, engine: Engine, case: Case, *, streamed: bool) -> None:
    """Both functions are called with their arguments, once, and the conversation ends with the model's own words."""
    cell = case(f"run_tools{', streamed' if streamed else ''}", needs="tools")
    asked: list[str] = []

    async def get_weather(city: str) -> str:
        """The weather of a city."""
        asked.append(city)
        return "sun"

    turns = [*weather("Oslo", "Bern"), *weather("Kiel", "Lima", number=1), *weather("Bonn", "Graz", number=2)]
    run = client.chat.completions.run_tools(
        model=engine.model,
        messages=[*turns, {"role": "user", "content": "Weather in Rome and Paris?"}],
        tools=[get_weather],
        max_turns=3,
        max_tokens=90,
        temperature=0.0,
        stream=streamed,
        extra_body={**engine.steady, "parallel_tool_calls": True},
    )
    async for _ in run:
        pass
    final = await run.completion()
    assert sorted(asked) == ["Paris", "Rome"]
    assert final.complete
    assert final.text
    assert run.turns == 2
    cell.says(f"2 calls, {run.turns} turns")
