"""langchain-deepseek: `ChatDeepSeek`."""

from __future__ import annotations

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_deepseek import ChatDeepSeek
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


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sun in {city}"


def model(**more):
    return ChatDeepSeek(model=MODEL, api_base=BASE, api_key=KEY, **more)


@case("chat")
def chat():
    scripts(SAY)
    same(model().invoke(HELLO).content, "Hello there.")


@case("stream")
def stream():
    scripts(STREAM)
    same([part.content for part in model().stream(HELLO) if part.content], PIECES)


@case("tool loop")
def tool_loop():
    loop(call(), {"thinking": {"type": "disabled"}})
    return "yes, with thinking off"


def loop(first, more):
    scripts(first, SUNNY)
    bound = model(extra_body=more).bind_tools([get_weather])
    messages = [HumanMessage(WEATHER)]
    answer = bound.invoke(messages)
    asked = answer.tool_calls[0]
    messages += [answer, ToolMessage(get_weather.invoke(asked["args"]), tool_call_id=asked["id"])]
    same(bound.invoke(messages).content, "Sunny.")


@case("structured output")
def structured():
    city = model(extra_body={"thinking": {"type": "disabled"}}).with_structured_output(City).invoke("Describe a city.")
    same(type(city), City)
    return "yes, with thinking off: it forces the tool"


@case("thinking with a tool turn")
def thinking():
    try:
        loop(THINK, {})
    except Exception as error:
        if "reasoning_content" in str(error):
            return "loses reasoning_content: the second turn is refused, as by the API"
        raise
    same(requests()[-1]["body"]["messages"][1].get("reasoning_content"), "Hm, the weather.")
    return None


@case("429")
def refused():
    scripts(REFUSE, SAY)
    same(model().invoke(HELLO).content, "Hello there.")
    return f"{len(requests())} requests"


@case("cut")
def cut():
    scripts(CUT)
    text, error = "", None
    try:
        for part in model().stream(HELLO):
            text += part.content
    except Exception as caught:
        error = caught
    return told(error, text)


play("langchain-deepseek", "langchain-core")
