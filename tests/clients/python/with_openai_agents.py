"""openai-agents: an agent over chat completions."""

from __future__ import annotations

import openai
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
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

set_tracing_disabled(True)


class City(BaseModel):
    name: str
    inhabitants: int


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sun in {city}"


def agent(**more):
    model = OpenAIChatCompletionsModel(MODEL, openai.AsyncOpenAI(base_url=BASE, api_key=KEY))
    return Agent(name="a", model=model, **more)


def deltas(event):
    data = getattr(event, "data", None)
    return data.delta if getattr(data, "type", "") == "response.output_text.delta" else ""


@case("chat")
async def chat():
    scripts(SAY)
    same((await Runner.run(agent(), HELLO)).final_output, "Hello there.")


@case("stream")
async def stream():
    scripts(STREAM)
    pieces = [deltas(event) async for event in Runner.run_streamed(agent(), HELLO).stream_events()]
    same([piece for piece in pieces if piece], PIECES)


@case("tool loop")
async def tool_loop():
    scripts(call(), SUNNY)
    settings = ModelSettings(extra_body={"thinking": {"type": "disabled"}})
    same((await Runner.run(agent(tools=[get_weather], model_settings=settings), WEATHER)).final_output, "Sunny.")
    return "yes, with thinking off"


@case("structured output")
async def structured():
    try:
        await Runner.run(agent(output_type=City), "Describe a city.")
    except openai.BadRequestError:
        return "asks for json_schema, which the API refuses"


@case("thinking with a tool turn")
async def thinking():
    scripts(THINK, SUNNY)
    try:
        result = await Runner.run(agent(tools=[get_weather]), WEATHER)
    except openai.BadRequestError as error:
        if "reasoning_content" in str(error):
            return "loses reasoning_content: the second turn is refused, as by the API"
        raise
    same(result.final_output, "Sunny.")
    return None


@case("429")
async def refused():
    scripts(REFUSE, SAY)
    same((await Runner.run(agent(), HELLO)).final_output, "Hello there.")
    return f"{len(requests())} requests"


@case("cut")
async def cut():
    scripts(CUT)
    text, error = "", None
    try:
        async for event in Runner.run_streamed(agent(), HELLO).stream_events():
            text += deltas(event)
    except Exception as caught:
        error = caught
    return told(error, text)


play("openai-agents", "openai")
