"""litellm: its provider for DeepSeek, pointed at the sandbox by DEEPSEEK_API_BASE."""

from __future__ import annotations

import json
import os

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

os.environ.update(DEEPSEEK_API_BASE=f"{BASE}/beta", DEEPSEEK_API_KEY=KEY, LITELLM_LOCAL_MODEL_COST_MAP="True")

import litellm

litellm.suppress_debug_info = True
litellm.telemetry = False
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
    return litellm.completion(
        **{"model": f"deepseek/{MODEL}", "messages": [{"role": "user", "content": HELLO}], **more}
    )


@case("chat")
def chat():
    scripts(SAY)
    same(ask().choices[0].message.content, "Hello there.")


@case("stream")
def stream():
    scripts(STREAM)
    pieces = [chunk.choices[0].delta.content for chunk in ask(stream=True)]
    same("".join(piece for piece in pieces if piece), "".join(PIECES))


@case("tool loop")
def tool_loop(first=None):
    scripts(first or call(), SUNNY)
    messages = [{"role": "user", "content": WEATHER}]
    answer = ask(messages=messages, tools=TOOLS).choices[0].message
    same(json.loads(answer.tool_calls[0].function.arguments), {"city": "Paris"})
    messages += [answer.model_dump(), {"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": "sun"}]
    same(ask(messages=messages, tools=TOOLS).choices[0].message.content, "Sunny.")


@case("structured output")
def structured():
    answer = ask(messages=[{"role": "user", "content": "A city as JSON."}], response_format={"type": "json_object"})
    json.loads(answer.choices[0].message.content)


@case("thinking with a tool turn")
def thinking():
    tool_loop(THINK)
    same(requests()[-1]["body"]["messages"][1].get("reasoning_content"), "Hm, the weather.")


@case("429")
def refused():
    scripts(REFUSE, SAY)
    same(ask(num_retries=2).choices[0].message.content, "Hello there.")
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


play("litellm")
