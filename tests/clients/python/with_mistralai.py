"""mistralai: speaks the protocol with a server of another name."""

from __future__ import annotations

import json

try:
    from mistralai.client import Mistral
except ImportError:
    from mistralai import Mistral
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

client = Mistral(api_key=KEY, server_url=BASE)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def ask(**more):
    return client.chat.complete(**{"model": MODEL, "messages": [{"role": "user", "content": HELLO}], **more})


@case("chat")
def chat():
    scripts(SAY)
    same(ask().choices[0].message.content, "Hello there.")


@case("stream")
def stream():
    scripts(STREAM)
    with client.chat.stream(model=MODEL, messages=[{"role": "user", "content": HELLO}]) as events:
        pieces = [event.data.choices[0].delta.content for event in events if event.data.choices]
    same([piece for piece in pieces if isinstance(piece, str) and piece], PIECES)


@case("tool loop")
def tool_loop():
    loop(call(), reasoning_effort="none")
    return "yes, with thinking off"


def loop(first, **more):
    scripts(first, SUNNY)
    messages = [{"role": "user", "content": WEATHER}]
    answer = ask(messages=messages, tools=TOOLS, **more).choices[0].message
    asked = answer.tool_calls[0]
    same(json.loads(asked.function.arguments), {"city": "Paris"})
    messages += [answer, {"role": "tool", "tool_call_id": asked.id, "name": "get_weather", "content": "sun"}]
    same(ask(messages=messages, tools=TOOLS, **more).choices[0].message.content, "Sunny.")


@case("structured output")
def structured():
    answer = ask(messages=[{"role": "user", "content": "A city as JSON."}], response_format={"type": "json_object"})
    json.loads(answer.choices[0].message.content)


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
    try:
        same(ask().choices[0].message.content, "Hello there.")
    except Exception as error:
        if "429" in str(error):
            return f"raised at once, {len(requests())} request"
        raise
    return f"{len(requests())} requests"


@case("cut")
def cut():
    scripts(CUT)
    text, error = "", None
    try:
        with client.chat.stream(model=MODEL, messages=[{"role": "user", "content": HELLO}]) as events:
            for event in events:
                piece = event.data.choices[0].delta.content
                text += piece if isinstance(piece, str) else ""
    except Exception as caught:
        error = caught
    return told(error, text)


play("mistralai")
