"""pydantic-ai: an agent with DeepSeek's provider."""

from __future__ import annotations

import openai
from playing import (
    BASE,
    CUT,
    HELLO,
    KEY,
    MODEL,
    PIECES,
    REFUSE,
    SAY,
    STREAM,
    SUNNY,
    THINK,
    WEATHER,
    call,
    case,
    play,
    requests,
    same,
    scripts,
    told,
)  # fmt: skip
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.deepseek import DeepSeekProvider


class City(BaseModel):
    name: str
    inhabitants: int


def agent(**more):
    provider = DeepSeekProvider(openai_client=openai.AsyncOpenAI(base_url=BASE, api_key=KEY))
    return Agent(OpenAIChatModel(MODEL, provider=provider), **more)


def with_weather():
    made = agent()

    @made.tool_plain
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"sun in {city}"

    return made


@case("chat")
async def chat():
    scripts(SAY)
    same((await agent().run(HELLO)).output, "Hello there.")


@case("stream")
async def stream():
    scripts(STREAM)
    async with agent().run_stream(HELLO) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
    same("".join(pieces), "".join(PIECES))


@case("tool loop")
async def tool_loop():
    scripts(call(), SUNNY)
    same((await with_weather().run(WEATHER)).output, "Sunny.")


@case("structured output")
async def structured():
    scripts({"calls": [{"name": "final_result", "arguments": {"name": "Bern", "inhabitants": 134000}}]})
    settings = {"extra_body": {"thinking": {"type": "disabled"}}}
    result = await agent(output_type=City).run("Describe Bern.", model_settings=settings)
    same(result.output, City(name="Bern", inhabitants=134000))
    return "yes, with thinking off: it forces the tool"


@case("thinking with a tool turn")
async def thinking():
    scripts(THINK, SUNNY)
    same((await with_weather().run(WEATHER)).output, "Sunny.")
    same(requests()[-1]["body"]["messages"][1].get("reasoning_content"), "Hm, the weather.")


@case("429")
async def refused():
    scripts(REFUSE, SAY)
    same((await agent().run(HELLO)).output, "Hello there.")
    return f"{len(requests())} requests"


@case("cut")
async def cut():
    scripts(CUT)
    text, error = "", None
    try:
        async with agent().run_stream(HELLO) as result:
            async for piece in result.stream_text(delta=True, debounce_by=None):
                text += piece
    except Exception as caught:
        error = caught
    return told(error, text)


play("pydantic-ai-slim", "openai")
