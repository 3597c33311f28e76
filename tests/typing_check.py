"""What type checkers are told: checked by ``mypy --strict``, never run.

Each function is as a user would write it; `assert_type` says what the checker must find, and a line that must not pass
carries the error that it must be, since an unused ``type: ignore`` is an error itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, assert_type

import attrs
import msgspec
import numpy as np
from pydantic import BaseModel, TypeAdapter

from deepseek_async import (
    APIStatusError,
    APITimeoutError,
    AssistantMessage,
    AsyncClient,
    Budget,
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionStream,
    ChatRequest,
    Choice,
    ChoiceLogprobs,
    Delta,
    Failed,
    FileObject,
    FilePart,
    FunctionDefinition,
    ImagePart,
    ParsedChatCompletion,
    ParsedStream,
    RateLimitError,
    Resume,
    RetryPolicy,
    Seam,
    StreamInterruptedError,
    Succeeded,
    SystemMessage,
    TextCompletion,
    TextCompletionStream,
    TextPart,
    Timeouts,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
    fold,
)
from deepseek_async.errors import PartialCompletion
from deepseek_async.hooks import (
    AttemptStarted,
    ChunkIntervals,
    Connected,
    Content,
    Ended,
    FirstChunk,
    Record,
    RequestParameters,
    RetryScheduled,
)
from deepseek_async.sse import Comment, Decoder, ServerSentEvent
from deepseek_async.transport import Answer, ScriptedTransport
from deepseek_async.types import BalanceInfo, FileList, Message, Model, ModelList, TextChoice

client = AsyncClient()
messages: list[Message] = [SystemMessage("s"), UserMessage("u"), AssistantMessage("a"), ToolMessage("t", "c")]


async def create_is_overloaded_on_stream(flag: bool) -> None:
    assert_type(await client.chat.completions.create(model="m", messages=messages), ChatCompletion)
    assert_type(await client.chat.completions.create(model="m", messages=messages, stream=None), ChatCompletion)
    assert_type(await client.chat.completions.create(model="m", messages=messages, stream=False), ChatCompletion)
    assert_type(await client.chat.completions.create(model="m", messages=messages, stream=True), ChatCompletionStream)
    assert_type(
        await client.chat.completions.create(model="m", messages=messages, stream=flag),
        ChatCompletion | ChatCompletionStream,
    )
    assert_type(await client.completions.create(model="m", prompt="p"), TextCompletion)
    assert_type(await client.completions.create(model="m", prompt="p", stream=True), TextCompletionStream)


async def parameters_have_types() -> None:
    await client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "u"}, UserMessage("v"), {"role": "user", "content": [{"type": "text"}]}],
        temperature=1, top_p=0.5, max_tokens=5, stop=["a"], logprobs=True, top_logprobs=5, user_id="u",
        thinking={"type": "enabled"}, reasoning_effort="high", response_format={"type": "json_object"},
        tools=[Tool(FunctionDefinition("f", parameters={"type": "object"})), {"type": "function"}], tool_choice="auto",
        frequency_penalty=0, presence_penalty=0.5, extra_body={"n": 2}, extra_headers={"x": "y"},
        timeouts=Timeouts(total=5), retry=RetryPolicy(attempts=1),
    )  # fmt: skip
    await client.chat.completions.create(
        model="m",
        messages=messages,
        temperature=Fraction(1, 2),
        max_tokens=np.int64(5),
        top_p=np.float32(0.5),
        seed=True,
    )
    await client.chat.completions.create(model="m", messages=messages, max_tokens=0.5)  # type: ignore[call-overload]
    await client.chat.completions.create(model="m")  # type: ignore[call-overload]
    await client.chat.completions.create(messages=messages)  # type: ignore[call-overload]
    await client.chat.completions.create(model="m", messages=messages, temperature="hot")  # type: ignore[call-overload]
    await client.chat.completions.create(model="m", messages=messages, temprature=1)  # type: ignore[call-overload]
    await client.chat.completions.create(model="m", messages="hello")  # type: ignore[arg-type]
    await client.chat.completions.create(model="m", messages=messages, timeout=5)
    client.chat.completions.stream(model="m", messages=messages, stream=True)  # type: ignore[call-arg]
    client.chat.completions.stream(model="m", messages=messages, resume=Resume(on={"length"}, attempts=2))


async def streams_have_typed_members() -> None:
    async with client.chat.completions.stream(model="m", messages=messages) as stream:
        assert_type(stream, ChatCompletionStream)
        async for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)
            assert_type(chunk.choices[0].delta, Delta)
            assert_type(chunk.choices[0].logprobs, ChoiceLogprobs | None)
        async for delta in stream.deltas(index=1):
            assert_type(delta, Delta)
            assert_type(delta.content, str | None)
        async for text in stream.text_deltas():
            assert_type(text, str)
        assert_type(await anext(stream), ChatCompletionChunk)
        assert_type(await stream.completion(), ChatCompletion)
        assert_type(stream.snapshot(), ChatCompletion)
        assert_type(stream.request_id, str | None)
        assert_type(stream.status, int | None)
        assert_type(stream.headers, Mapping[str, str])
        assert_type(stream.keepalives, int)
        assert_type(stream.delivered, int)
        assert_type(stream.seams, tuple[Seam, ...])
        await stream.aclose()
    iterator: AsyncIterator[ChatCompletionChunk] = stream
    del iterator
    text_stream = await client.completions.create(model="m", prompt="p", stream=True)
    async for piece in text_stream:
        assert_type(piece, TextCompletion)
        assert_type(piece.choices, tuple[TextChoice, ...])
    assert_type(await text_stream.completion(), TextCompletion)


async def results_have_typed_fields(completion: ChatCompletion) -> None:
    assert_type(completion.text, str)
    assert_type(completion.reasoning, str)
    assert_type(completion.message, AssistantMessage)
    assert_type(completion.message.tool_calls, tuple[ToolCall, ...] | None)
    assert_type(completion.choices, tuple[Choice, ...])
    assert_type(completion.finish_reason, str | None)
    assert_type(completion.usage, Usage | None)
    assert_type(completion.complete, bool)
    assert_type(completion.extra, Mapping[str, Any])
    if completion.logprobs is not None and completion.logprobs.content is not None:
        assert_type(completion.logprobs.content, tuple[TokenLogprob, ...])
        assert_type(completion.logprobs.content[0].probability, float | None)
        assert_type(completion.logprobs.spans, tuple[tuple[int, int], ...])
        assert_type(completion.logprobs.perplexity, float | None)
    assert_type(Usage() + Usage(), Usage)
    await client.chat.completions.create(model="m", messages=[*messages, completion.message])
    completion.text = "other"  # type: ignore[misc]


@attrs.frozen
class City:
    name: str


@dataclasses.dataclass
class Route:
    stops: list[str]


class Person(TypedDict):
    name: str


class Shape(msgspec.Struct):
    sides: int


class Flight(BaseModel):
    name: str


Either = City | Route
Positive = Annotated[int, msgspec.Meta(gt=0)]


async def parse_returns_what_was_asked_for() -> None:
    parse = client.chat.completions.parse
    city = await parse(response_type=City, model="m", messages=messages)
    assert_type(city, ParsedChatCompletion[City])
    assert_type(city.parsed, City)
    assert_type(city.parsed.name, str)
    assert_type(city.completion, ChatCompletion)
    assert_type((await parse(response_type=Route, model="m", messages=messages)).parsed.stops, list[str])
    assert_type((await parse(response_type=Person, model="m", messages=messages)).parsed["name"], str)
    assert_type((await parse(response_type=Shape, model="m", messages=messages, attempts=1)).parsed.sides, int)
    assert_type((await parse(response_type=list[City], model="m", messages=messages)).parsed, list[City])
    assert_type((await parse(response_type=dict[str, int], model="m", messages=messages)).parsed, dict[str, int])
    assert_type((await parse(response_type=City | Route, model="m", messages=messages)).parsed, City | Route)
    assert_type((await parse(response_type=City | None, model="m", messages=messages)).parsed, City | None)
    assert_type((await parse(response_type=Either, model="m", messages=messages)).parsed, City | Route)
    assert_type((await parse(response_type=list[City | None], model="m", messages=messages)).parsed, list[City | None])
    assert_type((await parse(response_type=Positive, model="m", messages=messages)).parsed, int)
    assert_type((await parse(response_type=Literal["a", "b"], model="m", messages=messages)).parsed, Literal["a", "b"])
    assert_type((await parse(response_type=Flight, model="m", messages=messages)).parsed, Flight)
    assert_type(
        (await parse(response_type=TypeAdapter(list[Flight]), model="m", messages=messages)).parsed, list[Flight]
    )
    assert_type(
        (await parse(response_type=Flight | City, model="m", messages=messages, mode="json")).parsed, Flight | City
    )
    await parse(response_type=City, model="m", messages=messages, mode="xml")  # type: ignore[call-overload]


async def parsed_streams_have_types() -> None:
    async with client.chat.completions.stream_parse(response_type=City, model="m", messages=messages) as stream:
        assert_type(stream, ParsedStream[City])
        async for partial in stream.partial_objects():
            del partial
        assert_type((await stream.parsed()).parsed, City)
    either = client.chat.completions.stream_parse(response_type=City | None, model="m", messages=messages)
    assert_type((await either.parsed()).parsed, City | None)


async def the_account_has_types() -> None:
    models = await client.models.list()
    assert_type(models, ModelList)
    for model in models:
        assert_type(model, Model)
    balance = await client.user.balance()
    assert_type(balance.balance_infos, tuple[BalanceInfo, ...])
    assert_type(balance.balance_infos[0].total_balance, Decimal)


async def batches_take_a_type(requests: list[ChatRequest]) -> None:
    async with client.batch(requests, response_type=City | None, mode="json") as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, Succeeded):
                assert_type(outcome.usage, Usage | None)


async def outcomes_are_one_of_two(requests: list[ChatRequest]) -> None:
    async with client.batch(requests, max_concurrency=64) as outcomes:
        async for outcome in outcomes:
            match outcome:
                case Succeeded(completion=completion):
                    assert_type(outcome.attempts, int)
                    del completion
                case Failed(error=error):
                    assert_type(outcome.custom_id, str)
                    del error


async def errors_carry_what_they_say() -> None:
    try:
        await client.chat.completions.create(model="m", messages=messages)
    except RateLimitError as error:
        assert_type(error.limit, int | None)
        assert_type(error.retry_after, float | None)
    except APIStatusError as error:
        assert_type(error.status, int)
        assert_type(error.code, str | None)
    except APITimeoutError as error:
        assert_type(error.seconds, float)
        assert_type(error.request_id, str | None)
    except StreamInterruptedError as error:
        assert_type(error.partial, PartialCompletion | None)
        assert_type(error.delivered, int)
        if error.partial is not None:
            assert_type(error.partial.text, str)


def the_core_has_types(chunks: list[ChatCompletionChunk]) -> None:
    assert_type(fold(chunks), ChatCompletion)
    decoder = Decoder(max_event_bytes=1024)
    assert_type(decoder.receive_data(b""), list[ServerSentEvent | Comment])
    assert_type(decoder.receive_eof(), list[ServerSentEvent | Comment])


def hooks_and_transports_are_typed() -> None:
    def watch(record: Record) -> None:
        match record:
            case AttemptStarted(call=call) | FirstChunk(call=call) | RetryScheduled(call=call) | Ended(call=call):
                assert_type(call, int)
            case _:
                pass
        match record:
            case AttemptStarted(parameters=parameters):
                assert_type(parameters, RequestParameters | None)
            case Connected(waited=waited, connecting=connecting, reused=reused):
                assert_type((waited, connecting, reused), tuple[float, float, bool])
            case Content(request=request, answer=answer):
                assert_type(request, bytes | None)
                assert_type(answer, ChatCompletion | TextCompletion | None)
            case Ended(usage=usage, finish_reasons=reasons, first_chunk=first, intervals=intervals):
                assert_type(usage, Usage | None)
                assert_type(reasons, tuple[str, ...])
                assert_type(first, float | None)
                assert_type(intervals, ChunkIntervals)
                assert_type(intervals.mean, float | None)
                assert_type(intervals.quantile(0.5), float | None)
            case _:
                pass

    def trace(record: Record) -> Mapping[str, str] | None:
        return {"traceparent": "00"} if isinstance(record, AttemptStarted) else None

    async def waits(record: Record) -> None: ...

    def deaf() -> None: ...

    AsyncClient(hooks=[watch], transport=ScriptedTransport([Answer([b""])]))
    AsyncClient(hooks=[deaf])  # type: ignore[list-item]
    AsyncClient(hooks=[trace, watch])
    AsyncClient(hooks=[waits])  # type: ignore[list-item]
    AsyncClient(timeouts=5)  # type: ignore[arg-type]
    assert_type(client.statistics().in_flight, int)


async def entered_it_is_itself() -> None:
    async with AsyncClient("k") as entered:
        assert_type(entered, AsyncClient)


async def files_budgets_and_rules(client: AsyncClient) -> None:
    budget = Budget(max_cost="1.00", max_tokens=10)
    assert_type(await client.files.create("a.png", expires_after=3600, budget=budget), FileObject)
    assert_type(await client.files.list(limit=2), FileList)
    async for file in client.files.list(order="desc"):
        assert_type(file, FileObject)
    assert_type((await client.files.delete("file-api-1")).deleted, bool)
    asked = UserMessage([TextPart("a"), ImagePart.from_path(Path("a.png")), FilePart.from_upload("file-api-1")])
    completion = await client.with_options(budget=budget).chat.completions.create(
        model="m", messages=[asked], budget=budget
    )
    assert_type(completion.cost_is_estimate, bool)
    assert_type(completion.estimated_usage, Usage | None)
    AsyncClient("k", budget=budget, official_rules=False)
    AsyncClient("k", budget="1.00")  # type: ignore[arg-type]
