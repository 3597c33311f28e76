"""Programs as people write them for the openai package, run with two changes: the import, and the client's name.

Each does something that the guides to chat completions show, in words of our own. It runs twice against the sandbox: as
it stands with the openai package, which proves that it is what people write, and changed with ours.
The first way is for `make test-clients`.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from deepseek_async.sandbox import Refuse, SandboxServer, Script, in_background

PROGRAMS = """
# a question
client = AsyncOpenAI()
completion = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
assert completion.choices[0].message.content == "one"

# instructions first
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "system", "content": "You are terse."}, {"role": "user", "content": "Say: yes"}],
)
message = completion.choices[0].message
assert (message.role, message.content) == ("assistant", "yes")

# a history that grows by the answer itself
client = AsyncOpenAI()
history = [{"role": "user", "content": "Say: first"}]
for word in ("second", "third"):
    answer = await client.chat.completions.create(model=MODEL, messages=history)
    history.append(answer.choices[0].message)
    history.append({"role": "user", "content": "Say: " + word})
last = await client.chat.completions.create(model=MODEL, messages=history)
assert last.choices[0].message.content == "third"
assert history[1].content == "first"

# a stream, printed as it comes
client = AsyncOpenAI()
stream = await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Say: a b c d"}], stream=True
)
text = ""
async for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content is not None:
        text += chunk.choices[0].delta.content
assert text == "a b c d"

# a stream that tells its usage last
client = AsyncOpenAI()
stream = await client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": "Say: a b c d"}],
    stream=True,
    stream_options={"include_usage": True},
)
usage = None
async for chunk in stream:
    usage = chunk.usage or usage
assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens

# a stream that is left early
client = AsyncOpenAI()
stream = await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Tell me a lot."}], stream=True
)
async for chunk in stream:
    break
await stream.close()

# a stream in a block
client = AsyncOpenAI()
pieces = []
async with await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Say: in a block"}], stream=True
) as stream:
    async for chunk in stream:
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
assert "".join(pieces) == "in a block"

# a stream that is put together by the client
client = AsyncOpenAI()
async with client.chat.completions.stream(
    model=MODEL, messages=[{"role": "user", "content": "Say: whole"}]
) as stream:
    completion = await stream.get_final_completion()
assert completion.choices[0].message.content == "whole"

# a stream that is waited for
client = AsyncOpenAI()
async with client.chat.completions.stream(
    model=MODEL, messages=[{"role": "user", "content": "Say: done"}]
) as stream:
    await stream.until_done()
    assert (await stream.get_final_completion()).choices[0].finish_reason == "stop"

# sampling
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": "Hello?"}],
    temperature=0.2,
    top_p=0.9,
    frequency_penalty=0.1,
    presence_penalty=0.1,
    seed=7,
)
assert completion.choices[0].message.content

# an answer that must be short
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Tell me a lot."}], max_completion_tokens=3
)
assert completion.choices[0].finish_reason == "length"
assert completion.usage.completion_tokens == 3

# an answer that stops at a word
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Say: one STOP two"}], stop=["STOP"]
)
assert "two" not in completion.choices[0].message.content

# what is not given
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Say: one"}], temperature=NOT_GIVEN, stop=None
)
assert completion.choices[0].message.content == "one"

# log probabilities
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": "Hello?"}],
    logprobs=True,
    top_logprobs=2,
    max_tokens=4,
    extra_body={"thinking": {"type": "disabled"}},
)
for token in completion.choices[0].logprobs.content:
    assert token.logprob <= 0
    assert len(token.top_logprobs) == 2
tokens = completion.choices[0].logprobs.content
assert "".join(token.token for token in tokens) == completion.choices[0].message.content

# JSON
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": "A city and its country, as JSON."}],
    response_format={"type": "json_object"},
)
assert isinstance(json.loads(completion.choices[0].message.content), dict)

# a function that the model calls, and the answer to its result
client = AsyncOpenAI()
tools = [
    {
        "type": "function",
        "function": {
            "name": "temperature_in",
            "description": "How warm it is in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
messages = [{"role": "user", "content": "How warm is it in Oslo?"}]
completion = await client.chat.completions.create(
    model=MODEL, messages=messages, tools=tools, tool_choice="required", extra_body={"thinking": {"type": "disabled"}}
)
message = completion.choices[0].message
messages.append(message)
for call in message.tool_calls:
    arguments = json.loads(call.function.arguments)
    assert call.function.name == "temperature_in" and "city" in arguments
    messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps({"celsius": 3})})
final = await client.chat.completions.create(
    model=MODEL, messages=messages, tools=tools, tool_choice="none", extra_body={"thinking": {"type": "disabled"}}
)
assert final.choices[0].message.content

# a function that the model has to call
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": "Note this."}],
    tools=[{"type": "function", "function": {"name": "note", "parameters": {"type": "object", "properties": {}}}}],
    tool_choice={"type": "function", "function": {"name": "note"}},
    parallel_tool_calls=False,
    extra_body={"thinking": {"type": "disabled"}},
)
assert [call.function.name for call in completion.choices[0].message.tool_calls] == ["note"]
assert completion.choices[0].finish_reason in ("tool_calls", "stop")

# calls that come in a stream
client = AsyncOpenAI()
stream = await client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": "Note this."}],
    tools=[{"type": "function", "function": {"name": "note", "parameters": {"type": "object", "properties": {}}}}],
    tool_choice="required",
    extra_body={"thinking": {"type": "disabled"}},
    stream=True,
)
calls = {}
async for chunk in stream:
    for choice in chunk.choices:
        for part in choice.delta.tool_calls or []:
            kept = calls.setdefault(part.index, {"name": "", "arguments": ""})
            kept["name"] += part.function.name or ""
            kept["arguments"] += part.function.arguments or ""
assert calls[0]["name"] == "note"
assert isinstance(json.loads(calls[0]["arguments"]), dict)

# what it took
client = AsyncOpenAI()
completion = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
usage = completion.usage
assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
assert usage.prompt_tokens_details.cached_tokens >= 0

# what identifies an answer
client = AsyncOpenAI()
completion = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
assert completion.id and completion.created > 0 and completion.object == "chat.completion"
assert completion.model == MODEL

# an answer as plain data
client = AsyncOpenAI()
completion = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
assert completion.model_dump()["choices"][0]["message"]["content"] == "one"
assert json.loads(completion.model_dump_json())["id"] == completion.id
assert json.loads(completion.to_json())["usage"]["total_tokens"] == completion.usage.total_tokens

# many questions at once
client = AsyncOpenAI()
async def ask(word):
    answer = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: " + word}])
    return answer.choices[0].message.content
assert await asyncio.gather(*(ask(word) for word in ("one", "two", "three"))) == ["one", "two", "three"]

# a client in a block
async with AsyncOpenAI(timeout=20.0, max_retries=1) as client:
    completion = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
    assert completion.choices[0].message.content == "one"

# a client that is closed
client = AsyncOpenAI(default_headers={"X-Team": "a"})
await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Say: one"}], extra_headers={"X-Call": "b"}
)
await client.close()
assert (server.requests[-1].headers["x-team"], server.requests[-1].headers["x-call"]) == ("a", "b")

# options of one call
client = AsyncOpenAI(max_retries=0)
completion = await client.with_options(timeout=5.0, max_retries=3).chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Say: one"}], timeout=8.0
)
assert completion.choices[0].message.content == "one"

# a limit that is met
client = AsyncOpenAI(max_retries=0)
server.script(Script(faults=(Refuse(status=429),)))
try:
    await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
    raise AssertionError("it was let in")
except RateLimitError as error:
    assert error.status_code == 429
    assert error.response.headers

# a request that is wrong
client = AsyncOpenAI()
server.script(Script(faults=(Refuse(status=400),)))
try:
    await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
    raise AssertionError("it was let in")
except BadRequestError as error:
    assert isinstance(error, APIStatusError)
    assert error.status_code == 400 and error.message

# nobody there
client = AsyncOpenAI(base_url="http://127.0.0.1:9", api_key="sk-test", max_retries=0)
try:
    await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
    raise AssertionError("somebody was")
except APIConnectionError as error:
    assert str(error)

# a failure that is tried again
client = AsyncOpenAI(max_retries=2)
server.script(Script(faults=(Refuse(status=503, retry_after=0.01),)))
completion = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say: one"}])
assert len(server.requests) == 2

# the models there are
client = AsyncOpenAI()
names = [model.id async for model in client.models.list()]
assert MODEL in names
assert (await client.models.retrieve(MODEL)).id == MODEL if hasattr(client, "statistics") else True

# whose request it is
client = AsyncOpenAI()
await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Say: one"}], user="ada", metadata={"job": "7"}, store=False
)
assert server.requests[-1].json["metadata"] == {"job": "7"}

# a question about a picture
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL,
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is in it?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}},
            ],
        }
    ],
)
assert completion.choices[0].message.content

# how long to think
client = AsyncOpenAI()
completion = await client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Say: one"}], reasoning_effort="low"
)
assert completion.choices[0].message.content == "one"
"""

SNIPPETS: dict[str, str] = {
    part.partition("\n")[0]: part.partition("\n")[2] for part in re.split(r"^# ", PROGRAMS, flags=re.M)[1:]
}
IMPORT = """
from openai import (
    NOT_GIVEN,
    APIConnectionError,
    APIStatusError,
    AsyncOpenAI,
    BadRequestError,
    RateLimitError,
)
"""
COMMON = "import asyncio\nimport json\n"


def moved_over(program: str) -> str:
    """The program with our package: another import, another name of the client, and nothing else."""
    return program.replace("from openai import", "from deepseek_async import").replace("AsyncOpenAI", "AsyncClient")


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    """One server for all of them."""
    with in_background(SandboxServer(seed=1)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """A sandbox that the environment points to, by both packages' names."""
    for name in ("OPENAI", "DEEPSEEK"):
        monkeypatch.setenv(f"{name}_BASE_URL", running.base_url)
        monkeypatch.setenv(f"{name}_API_KEY", "sk-test")
    running.requests.clear()
    return running


def run(program: str, server: SandboxServer) -> None:
    names: dict[str, Any] = {"server": server, "MODEL": "deepseek-flash", "Script": Script, "Refuse": Refuse}
    program = f"{COMMON}{program}\nawait client.close()\n"
    code = compile(program, "the program", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)  # noqa: S307 - our own text
    if asyncio.iscoroutine(result):
        asyncio.run(result)


def test_there_are_thirty() -> None:
    """At least, and all are read."""
    assert len(SNIPPETS) >= 30


@pytest.mark.parametrize("name", SNIPPETS)
def test_with_the_import_and_the_name_changed(name: str, server: SandboxServer) -> None:
    """What they say about the answer holds for ours."""
    run(moved_over(IMPORT + SNIPPETS[name]), server)


@pytest.mark.outside
@pytest.mark.parametrize("name", SNIPPETS)
def test_they_are_what_people_write(name: str, server: SandboxServer) -> None:
    """As they stand, with the openai package."""
    if name == "an answer that must be short":
        pytest.skip("its word for max_tokens is none of this API's; ours translates it")
    run(IMPORT + SNIPPETS[name], server)
