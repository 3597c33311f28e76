"""Answers of a given type while they come."""

from __future__ import annotations

import json
import time
from typing import Any

import attrs
import pytest

from deepseek_async import (
    AsyncClient,
    InvalidRequestError,
    MalformedResponseError,
    StreamInterruptedError,
    Usage,
    UserMessage,
)
from deepseek_async.sandbox import SandboxServer
from deepseek_async.transport import Answer

from ...wire import HELLO, chunk, client_on, completion, of_choices, stream_of, whole

pytestmark = pytest.mark.anyio

AWAKE = {"type": "disabled"}


@attrs.frozen
class Day:
    name: str
    hours: list[int] = attrs.field(factory=list)


@attrs.frozen
class Trip:
    city: str
    days: list[Day]


TRIP = '{"city": "Zürich", "days": [{"name": "Mon", "hours": [8, 10]}]}'
VALUE = Trip("Zürich", [Day("Mon", [8, 10])])


def streamed(*pieces: str, finish_reason: str = "stop", done: bool = True) -> Answer:
    """A streamed answer of these pieces."""
    body = stream_of(chunk("", role="assistant"), *map(chunk, pieces), chunk("", finish_reason), done=done)
    return Answer([body], 200, {"content-type": "text/event-stream"})


def called(*pieces: str) -> Answer:
    """A streamed call of a function."""
    begin = {"index": 0, "id": "call_0", "type": "function", "function": {"name": "Trip", "arguments": ""}}
    fragments = [begin, *({"index": 0, "function": {"arguments": one}} for one in pieces)]
    deltas = [{"tool_calls": [fragment]} for fragment in fragments]
    chunks = [of_choices({"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}) for delta in deltas]
    body = stream_of(*chunks, chunk(None, "tool_calls"))
    return Answer([body], 200, {"content-type": "text/event-stream"})


async def read(*answers: Any, response_type: Any = Trip, **asked: Any) -> tuple[list[Any], Any]:
    client, _ = client_on(*answers)
    parameters = {"model": "m", "messages": HELLO, **asked}
    async with client.chat.completions.stream_parse(response_type=response_type, **parameters) as stream:
        partials = [partial async for partial in stream.partial_objects()]
        return partials, await stream.parsed()


PIECES = ('{"city": "Zü', "rich", '", "days": [', '{"name": "Mon", "hours": [8, 1', "0]}]}")
STATES = [
    {"city": "Zü"},
    {"city": "Zürich"},
    {"city": "Zürich", "days": []},
    {"city": "Zürich", "days": [{"name": "Mon", "hours": [8]}]},
    {"city": "Zürich", "days": [{"name": "Mon", "hours": [8, 10]}]},
]


async def test_objects_grow() -> None:
    """Each state is handed out once and stays; the value at the end is of the type."""
    partials, parsed = await read(streamed(*PIECES))
    assert partials == STATES
    assert parsed.parsed == VALUE
    assert (parsed.attempts, parsed.mode) == (1, "json")


async def test_arguments_of_a_call_grow() -> None:
    """A strict function's arguments are the value."""
    partials, parsed = await read(called(*PIECES), thinking=AWAKE)
    assert partials == STATES
    assert (parsed.parsed, parsed.mode) == (VALUE, "tool")


async def test_what_stands_around_is_passed_over() -> None:
    """Thoughts with drafts in them, words and fences."""
    before = ("<think>Perhaps ", '{"city": "Bern"', "}</th", "ink>Here:\n```json\n")
    partials, parsed = await read(streamed(*before, *PIECES, "\n```"))
    assert partials[-len(STATES) :] == STATES
    assert parsed.parsed == VALUE


async def test_what_is_no_object_grows_without_its_wrapper() -> None:
    """A list stands under ``value`` for the model alone."""
    partials, parsed = await read(streamed('{"va', 'lue": [1', ", 2", "]}"), response_type=list[int])
    assert partials == [[], [1], [1, 2]]
    assert parsed.parsed == [1, 2]


async def test_the_value_can_be_had_without_looking_at_its_states() -> None:
    """And twice."""
    client, _ = client_on(streamed(*PIECES))
    async with client.chat.completions.stream_parse(response_type=Trip, model="m", messages=HELLO) as stream:
        assert (await stream.parsed()).parsed == VALUE
        assert (await stream.parsed()).parsed == VALUE


async def test_what_does_not_fit_is_asked_for_again() -> None:
    """In one piece, within the attempts; all is counted."""
    usage = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
    again = whole({**completion(TRIP), "usage": usage})
    _, parsed = await read(streamed('{"city": 1}'), again)
    assert (parsed.parsed, parsed.attempts, parsed.usage) == (VALUE, 2, Usage(4, 6, 10))
    with pytest.raises(MalformedResponseError, match=r"\$.city: expected a string"):
        await read(streamed('{"city": 1}'), attempts=1)


async def test_a_cut_answer_is_not_asked_for_again() -> None:
    """As with `parse`."""
    with pytest.raises(MalformedResponseError, match="max_tokens=3"):
        await read(streamed('{"city', finish_reason="length"), max_tokens=3)


async def test_a_stream_that_breaks_off_says_what_came() -> None:
    """The error is the stream's own."""
    client, _ = client_on(streamed(*PIECES[:2], finish_reason="", done=False))
    with pytest.raises(StreamInterruptedError) as raised:
        async with client.chat.completions.stream_parse(response_type=Trip, model="m", messages=HELLO) as stream:
            async for _ in stream.partial_objects():
                pass
    assert raised.value.partial is not None
    assert raised.value.partial.text == "".join(PIECES[:2])


async def test_a_refused_function_is_asked_for_in_json_mode() -> None:
    """Before the first state."""
    refusal = whole({"error": {"message": "no such schema"}}, 400)
    partials, parsed = await read(refusal, streamed(*PIECES), thinking=AWAKE)
    assert partials == STATES
    assert parsed.mode == "json"


async def test_a_type_that_cannot_work_is_refused_at_once() -> None:
    """When the method is called, not when the stream is read."""
    client, transport = client_on()
    with pytest.raises(InvalidRequestError):
        client.chat.completions.stream_parse(response_type=complex, model="m", messages=HELLO)
    assert transport.requests == []


async def test_against_the_sandbox() -> None:
    """The last state is the value as plain data."""
    async with SandboxServer(seed=3) as server, AsyncClient(base_url=server.base_url) as client:
        for mode in ("json", "tool"):
            stream = client.chat.completions.stream_parse(
                response_type=Trip, mode=mode, model="deepseek-flash", messages=[UserMessage("A trip?")],
                thinking=AWAKE, max_tokens=2000,
            )  # fmt: skip
            async with stream:
                partials = [partial async for partial in stream.partial_objects()]
                parsed = await stream.parsed()
            assert partials[-1]["city"] == parsed.parsed.city
            assert len(partials) > 3


async def cost_of(tokens: int) -> float:
    """Seconds of the processor for reading an answer of so many tokens, with every state looked at."""
    items = [{"name": f"day {number}", "hours": [number]} for number in range(tokens // 12)]
    text = json.dumps({"city": "Zürich", "days": items})
    pieces = [text[place : place + 4] for place in range(0, len(text), 4)]
    client, _ = client_on(streamed(*pieces))
    began = time.process_time()
    async with client.chat.completions.stream_parse(response_type=Trip, model="m", messages=HELLO) as stream:
        states = 0
        async for _ in stream.partial_objects():
            states += 1
        await stream.parsed()
    assert states > min(tokens // 3, 1000)
    return time.process_time() - began


async def test_the_cost_is_linear() -> None:
    """4,000 tokens cost at most 1.3 × 10 times what 400 cost; the best of some tries, since machines are busy."""
    await cost_of(400)
    for _ in range(5):
        short, long = min([await cost_of(400) for _ in range(5)]), min([await cost_of(4000) for _ in range(3)])
        if long <= 1.3 * 10 * short:
            return
    pytest.fail(f"{long / short:.1f} times")
