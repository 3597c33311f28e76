"""haystack: `OpenAIChatGenerator` with another address."""

from __future__ import annotations

import json
import os

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool
from haystack.utils import Secret
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

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [Tool("get_weather", "The weather of a city.", SCHEMA, lambda city: f"sun in {city}")]


def ask(*messages, **more):
    made = OpenAIChatGenerator(api_key=Secret.from_token(KEY), api_base_url=BASE, model=MODEL, **more)
    return made.run(list(messages) or [ChatMessage.from_user(HELLO)])["replies"][0]


@case("chat")
def chat():
    scripts(SAY)
    same(ask().text, "Hello there.")


@case("stream")
def stream():
    scripts(STREAM)
    pieces = []
    same(ask(streaming_callback=lambda chunk: pieces.append(chunk.content)).text, "".join(PIECES))
    same([piece for piece in pieces if piece], PIECES)


@case("tool loop")
def tool_loop():
    loop(call(), generation_kwargs={"extra_body": {"thinking": {"type": "disabled"}}})
    return "yes, with thinking off"


def loop(first, **more):
    scripts(first, SUNNY)
    question = ChatMessage.from_user(WEATHER)
    answer = ask(question, tools=TOOLS, **more)
    asked = answer.tool_calls[0]
    result = ChatMessage.from_tool(TOOLS[0].invoke(**asked.arguments), origin=asked)
    same(ask(question, answer, result, tools=TOOLS, **more).text, "Sunny.")


@case("structured output")
def structured():
    kwargs = {"response_format": {"type": "json_object"}}
    json.loads(ask(ChatMessage.from_user("A city as JSON."), generation_kwargs=kwargs).text)


@case("thinking with a tool turn")
def thinking():
    try:
        loop(THINK)
    except Exception as error:
        if "reasoning_content" in str(error):
            return "loses reasoning_content: the second turn is refused, as by the API"
        raise


@case("429")
def refused():
    scripts(REFUSE, SAY)
    same(ask().text, "Hello there.")
    return f"{len(requests())} requests"


@case("cut")
def cut():
    scripts(CUT)
    text, error = "", None
    try:
        text = ask(streaming_callback=lambda chunk: None).text
    except Exception as caught:
        error = caught
    return told(error, text)


play("haystack-ai", "openai")
