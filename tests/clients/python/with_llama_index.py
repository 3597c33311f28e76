"""llama-index-llms-deepseek: `DeepSeek`."""

from __future__ import annotations

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.deepseek import DeepSeek
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


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sun in {city}"


def model(**more):
    return DeepSeek(model=MODEL, api_base=BASE, api_key=KEY, **more)


@case("chat")
def chat():
    scripts(SAY)
    same(model().chat([ChatMessage(role="user", content=HELLO)]).message.content, "Hello there.")


@case("stream")
def stream():
    scripts(STREAM)
    parts = [part.delta for part in model().stream_chat([ChatMessage(role="user", content=HELLO)])]
    same([part for part in parts if part], PIECES)


@case("tool loop")
def tool_loop():
    loop(call(), additional_kwargs={"extra_body": {"thinking": {"type": "disabled"}}})
    return "yes, with thinking off"


def loop(first, **more):
    scripts(first, SUNNY)
    llm, tools = model(is_function_calling_model=True, **more), [FunctionTool.from_defaults(get_weather)]
    history = [ChatMessage(role="user", content=WEATHER)]
    answer = llm.chat_with_tools(tools, chat_history=history)
    asked = llm.get_tool_calls_from_response(answer)[0]
    history += [
        answer.message,
        ChatMessage(role="tool", content="sun", additional_kwargs={"tool_call_id": asked.tool_id}),
    ]
    same(llm.chat_with_tools(tools, chat_history=history).message.content, "Sunny.")


@case("structured output")
def structured():
    off = {"extra_body": {"thinking": {"type": "disabled"}}}
    llm = model(is_function_calling_model=True, additional_kwargs=off)
    same(type(llm.as_structured_llm(City).complete("Describe a city.").raw), City)
    return "yes, with thinking off: it forces the tool"


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
    same(model().chat([ChatMessage(role="user", content=HELLO)]).message.content, "Hello there.")
    return f"{len(requests())} requests"


@case("cut")
def cut():
    scripts(CUT)
    text, error = "", None
    try:
        for part in model().stream_chat([ChatMessage(role="user", content=HELLO)]):
            text += part.delta or ""
    except Exception as caught:
        error = caught
    return told(error, text)


play("llama-index-llms-deepseek", "llama-index-core")
