"""openai: the client that DeepSeek's own samples use."""

from __future__ import annotations

import json

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

client = openai.OpenAI(base_url=BASE, api_key=KEY)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


class City(BaseModel):
    name: str
    inhabitants: int


def ask(**more):
    return client.chat.completions.create(**{"model": MODEL, "messages": [{"role": "user", "content": HELLO}], **more})


@case("chat")
def chat():
    scripts(SAY)
    same(ask().choices[0].message.content, "Hello there.")


@case("stream")
def stream():
    scripts(STREAM)
    pieces = [chunk.choices[0].delta.content for chunk in ask(stream=True) if chunk.choices]
    same([piece for piece in pieces if piece], PIECES)


@case("tool loop")
def tool_loop(first=None):
    scripts(first or call(), SUNNY)
    messages = [{"role": "user", "content": WEATHER}]
    answer = ask(messages=messages, tools=TOOLS).choices[0].message
    same(json.loads(answer.tool_calls[0].function.arguments), {"city": "Paris"})
    messages += [answer, {"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": "sun"}]
    same(ask(messages=messages, tools=TOOLS).choices[0].message.content, "Sunny.")


@case("structured output")
def structured():
    answer = ask(messages=[{"role": "user", "content": "A city as JSON."}], response_format={"type": "json_object"})
    json.loads(answer.choices[0].message.content)
    try:
        client.chat.completions.parse(model=MODEL, messages=[{"role": "user", "content": HELLO}], response_format=City)
    except openai.BadRequestError:
        return "JSON mode; its own `parse` asks for json_schema, which the API refuses"


@case("thinking with a tool turn")
def thinking():
    tool_loop(THINK)
    same(requests()[-1]["body"]["messages"][1]["reasoning_content"], "Hm, the weather.")


@case("429")
def refused():
    scripts(REFUSE, SAY)
    same(ask().choices[0].message.content, "Hello there.")
    return f"{len(requests())} requests"


@case("cut")
def cut():
    scripts(CUT)
    text, error = "", None
    try:
        for chunk in ask(stream=True):
            text += chunk.choices[0].delta.content or ""
    except Exception as caught:
        error = caught
    return told(error, text)


play("openai")
