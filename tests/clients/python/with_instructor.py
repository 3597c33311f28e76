"""instructor: objects out of answers, over the openai package."""

from __future__ import annotations

import instructor
import openai
from playing import (
    BASE,
    CUT,
    HELLO,
    KEY,
    MODEL,
    REFUSE,
    case,
    play,
    requests,
    same,
    scripts,
    told,
)  # fmt: skip
from pydantic import BaseModel

NO_THINKING = {"thinking": {"type": "disabled"}}


class City(BaseModel):
    name: str
    inhabitants: int


BERN = {"say": '{"name": "Bern", "inhabitants": 134000}'}


def client(mode):
    return instructor.from_openai(openai.OpenAI(base_url=BASE, api_key=KEY), mode=mode)


def ask(mode=instructor.Mode.JSON, **more):
    return client(mode).chat.completions.create(
        **{"model": MODEL, "messages": [{"role": "user", "content": HELLO}], "response_model": City, **more}
    )


@case("chat")
def chat():
    scripts(BERN)
    same(ask().model_dump(), {"name": "Bern", "inhabitants": 134000})


@case("stream")
def stream():
    scripts({"say": ['{"name": "Be', 'rn", "inhab', 'itants": 134000}']})
    made = client(instructor.Mode.JSON).chat.completions.create_partial(
        model=MODEL, messages=[{"role": "user", "content": HELLO}], response_model=City
    )
    same(list(made)[-1].inhabitants, 134000)


@case("tool loop")
def tool_loop():
    scripts({"calls": [{"name": "City", "arguments": {"name": "Bern", "inhabitants": 134000}}]})
    bern = ask(instructor.Mode.TOOLS, extra_body=NO_THINKING).model_dump()
    same(bern, {"name": "Bern", "inhabitants": 134000})
    return "its one forced call, with thinking off"


@case("structured output")
def structured():
    same(isinstance(ask(instructor.Mode.TOOLS, extra_body=NO_THINKING), City), True)


@case("thinking with a tool turn")
def thinking():
    return "has no such turn"


@case("429")
def refused():
    scripts(REFUSE, BERN)
    same(ask().name, "Bern")
    return f"{len(requests())} requests"


@case("cut")
def cut():
    scripts({**CUT, "say": ['{"name": "Be', 'rn", ', '"inhabitants"', ": 134000}"]})
    last, error = None, None
    try:
        for partial in client(instructor.Mode.JSON).chat.completions.create_partial(
            model=MODEL, messages=[{"role": "user", "content": HELLO}], response_model=City, max_retries=1
        ):
            last = partial
    except Exception as caught:
        error = caught
    return told(error, str(last))


play("instructor", "openai")
