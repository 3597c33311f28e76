"""OpenTelemetry: what its SDK has in memory after calls of every kind."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from deepseek_async import APIConnectionError, APITimeoutError, BadRequestError
from deepseek_async.contrib.otel import OpenTelemetryHook
from deepseek_async.hooks import ChunkIntervals, Ended
from deepseek_async.hooks.intervals import BOUNDS, IntervalCounts
from deepseek_async.transport import Answer, Pause

from ..wire import HELLO, chunk, client_on, completion, stream_of, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
USAGE = {
    "prompt_tokens": 13,
    "completion_tokens": 7,
    "total_tokens": 20,
    "prompt_cache_hit_tokens": 5,
    "prompt_cache_miss_tokens": 8,
    "completion_tokens_details": {"reasoning_tokens": 4},
}
PROMPT = "Hello?"


@attrs.define
class Telemetry:
    """An SDK in memory."""

    spans_in: InMemorySpanExporter
    reader: InMemoryMetricReader
    tracers: TracerProvider
    meters: MeterProvider

    def hook(self, **settings: Any) -> OpenTelemetryHook:
        return OpenTelemetryHook(tracer_provider=self.tracers, meter_provider=self.meters, **settings)

    @property
    def spans(self) -> list[ReadableSpan]:
        return [span for span in self.spans_in.get_finished_spans() if span.name != "outer"]

    def points(self, name: str) -> list[Any]:
        """The data points of one metric."""
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        found = [
            metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return [point for metric in found for point in metric.data.data_points]


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider(metric_readers=[reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    yield Telemetry(spans, reader, tracers, meters)
    tracers.shutdown()
    meters.shutdown()


def streamed() -> Answer:
    reads = [stream_of(chunk(text), done=False) for text in ("Hel", "lo", ".")]
    end = stream_of(chunk("", "stop"), {**chunk(), "choices": [], "usage": USAGE})
    return Answer([*reads, end], headers={"x-ds-trace-id": "t"})


async def test_a_call_is_a_span(telemetry: Telemetry) -> None:
    """Its name, its kind, what was asked, what came, where: by the conventions' names."""
    client, _ = client_on(whole({**completion(), "usage": USAGE}, **{"x-ds-trace-id": "t"}), hooks=[telemetry.hook()])
    await client.chat.completions.create(
        **ASK, temperature=0.5, max_tokens=9, top_p=0.9, frequency_penalty=0.1, presence_penalty=0.2, seed=3, n=2,
        response_format={"type": "json_object"}, reasoning_effort="high",
    )  # fmt: skip
    (span,) = telemetry.spans
    assert (span.name, span.kind) == ("chat deepseek-flash", trace.SpanKind.CLIENT)
    assert span.status.status_code is trace.StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-flash",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "gen_ai.request.seed": 3,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.stream": False,
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.output.type": "json",
        "gen_ai.response.id": "7f",
        "gen_ai.response.model": "deepseek-flash",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 13,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "server.address": "localhost",
        "server.port": 1,
        "http.response.status_code": 200,
        "deepseek_async.request.messages": 1,
        "deepseek_async.request_id": "t",
        "deepseek_async.attempts": 1,
        "deepseek_async.outcome": "completed",
    }
    assert [event.name for event in span.events] == ["attempt_started", "connected", "first_chunk"]
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time <= span.events[0].timestamp <= span.events[-1].timestamp <= span.end_time
    assert PROMPT not in span.to_json()
    assert "Hello." not in span.to_json()


async def test_a_stream_has_its_times(telemetry: Telemetry) -> None:
    """To the first chunk, and of each further one: a histogram's sums and counts are those of the record."""
    ended: list[Any] = []
    client, _ = client_on(streamed(), hooks=[telemetry.hook(), ended.append])
    async with client.chat.completions.stream(**ASK) as stream:
        await stream.completion()
    (span,), record = telemetry.spans, ended[-1]
    assert isinstance(record, Ended)
    attributes = dict(span.attributes or {})
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.time_to_first_chunk"] == record.first_chunk
    assert attributes["deepseek_async.chunks"] == 5
    (first,) = telemetry.points("gen_ai.client.operation.time_to_first_chunk")
    (chunks,) = telemetry.points("gen_ai.client.operation.time_per_output_chunk")
    (duration,) = telemetry.points("gen_ai.client.operation.duration")
    assert (first.count, first.sum) == (1, record.first_chunk)
    assert (chunks.count, chunks.sum) == (4, pytest.approx(record.intervals.total))
    assert (duration.count, duration.sum) == (1, record.elapsed)
    tokens = telemetry.points("gen_ai.client.token.usage")
    assert {point.attributes["gen_ai.token.type"]: point.sum for point in tokens} == {"input": 13, "output": 7}
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-flash",
        "gen_ai.response.model": "deepseek-flash",
        "server.address": "localhost",
        "server.port": 1,
    }
    for point in (first, chunks, duration):
        assert dict(point.attributes) == common
    assert list(duration.explicit_bounds) == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48,
                                              40.96, 81.92]  # fmt: skip
    assert telemetry.points("gen_ai.client.token.usage")[0].explicit_bounds[:4] == (1, 4, 16, 64)


async def test_what_is_no_stream_has_no_times_of_chunks(telemetry: Telemetry) -> None:
    """The conventions have these for streams alone."""
    client, _ = client_on(whole(completion()), hooks=[telemetry.hook()])
    await client.chat.completions.create(**ASK)
    assert telemetry.points("gen_ai.client.operation.time_to_first_chunk") == []
    assert telemetry.points("gen_ai.client.operation.time_per_output_chunk") == []
    assert telemetry.points("gen_ai.client.token.usage") == []  # it told none
    assert "gen_ai.response.time_to_first_chunk" not in (telemetry.spans[0].attributes or {})


def buckets_of(intervals: ChunkIntervals, telemetry: Telemetry, hook: OpenTelemetryHook) -> Any:
    hook._measure_chunks(intervals, {})
    (point,) = telemetry.points("gen_ai.client.operation.time_per_output_chunk")
    return point


async def test_times_of_chunks_are_exact_to_their_buckets(telemetry: Telemetry) -> None:
    """Those on a bound, below all and above all of them too."""
    counts = IntervalCounts()
    seconds = [0.0, *BOUNDS, *(bound * 1.3 for bound in BOUNDS), 500.0, 900.0]
    for each in seconds:
        counts.add(each)
    point = buckets_of(counts.frozen(), telemetry, telemetry.hook())
    assert list(point.explicit_bounds) == list(BOUNDS)
    assert point.bucket_counts[0] == 2
    assert set(point.bucket_counts[1:-1]) == {2}
    assert point.bucket_counts[-1] == 3
    assert point.sum == pytest.approx(sum(seconds))


async def test_many_chunks_do_not_hold_the_loop(telemetry: Telemetry) -> None:
    """They are recorded beside it, and before it ends."""
    counts = IntervalCounts()
    counts.add(0.01, 999)
    telemetry.hook()._measure_chunks(counts.frozen(), {"a": 1})
    await asyncio.get_running_loop().shutdown_default_executor()
    (point,) = telemetry.points("gen_ai.client.operation.time_per_output_chunk")
    assert (point.count, point.sum) == (1000, pytest.approx(0.01))


async def test_attempts_are_events_and_a_span_covers_them_all(telemetry: Telemetry) -> None:
    """With what failed, how, and how long was waited."""
    client, transport = client_on(
        APIConnectionError("refused"),
        whole({"error": {"message": "slow down"}}, 429, **{"retry-after": "0"}),
        whole(completion()),
        hooks=[telemetry.hook()],
    )
    await client.chat.completions.create(**ASK)
    (span,) = telemetry.spans
    told = [(event.name, dict(event.attributes or {})) for event in span.events]
    assert [name for name, _ in told] == [
        *("attempt_started", "retry_scheduled"),
        *("attempt_started", "connected", "retry_scheduled"),
        *("attempt_started", "connected", "first_chunk"),
    ]
    assert told[1][1]["error.type"] == "APIConnectionError"
    assert told[4][1] == {
        "deepseek_async.attempt": 2,
        "deepseek_async.wait": 0.0,
        "error.type": "RateLimitError",
        "exception.message": told[4][1]["exception.message"],
        "http.response.status_code": 429,
    }
    assert (span.attributes or {})["deepseek_async.attempts"] == 3
    assert span.status.status_code is trace.StatusCode.UNSET
    assert len({request.headers["traceparent"] for request in transport.requests}) == 1


async def test_a_failed_call_is_an_error(telemetry: Telemetry) -> None:
    """Of its class, in the span and in the metric of durations; what it says is redacted."""
    key = "sk-0123456789abcdef"
    client, _ = client_on(whole({"error": {"message": f"no, {key}"}}, 400), hooks=[telemetry.hook()], api_key=key)
    with pytest.raises(BadRequestError):
        await client.chat.completions.create(**ASK)
    (span,) = telemetry.spans
    assert span.status.status_code is trace.StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "BadRequestError"
    assert (span.attributes or {})["http.response.status_code"] == 400
    assert key not in span.to_json()
    (duration,) = telemetry.points("gen_ai.client.operation.duration")
    assert duration.attributes["error.type"] == "BadRequestError"

    client, _ = client_on(Answer([], before_head=[Pause()]), hooks=[telemetry.hook()])
    with pytest.raises(APITimeoutError):
        await client.chat.completions.create(**ASK, timeouts={"total": 0.02}, retry={"attempts": 1})
    assert (telemetry.spans[-1].attributes or {})["error.type"] == "APITimeoutError"


@pytest.mark.parametrize("way", ["closed", "dropped", "cancelled"])
async def test_every_span_ends(telemetry: Telemetry, way: str) -> None:
    """Once, also of a stream that nobody reads to its end; and nothing of it stays in the hook."""
    hook = telemetry.hook()
    client, _ = client_on(Answer([stream_of(chunk("Hel"), done=False), Pause()]), hooks=[hook])

    async def leave() -> None:
        stream = await client.chat.completions.create(**ASK, stream=True)
        await anext(stream)
        if way == "closed":
            await stream.aclose()
        if way == "cancelled":
            async with stream:
                raise asyncio.CancelledError

    if way == "cancelled":
        with pytest.raises(asyncio.CancelledError):
            await leave()
    else:
        await leave()
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    (span,) = telemetry.spans
    assert (span.attributes or {})["deepseek_async.outcome"] == ("cancelled" if way == "cancelled" else "closed")
    assert span.status.status_code is trace.StatusCode.UNSET
    assert hook._operations == {}


async def test_the_trace_goes_on_at_the_server(telemetry: Telemetry) -> None:
    """A call is a child of the span that it is made in, and the request says so; the caller's baggage stays."""
    client, transport = client_on(whole(completion()), streamed(), hooks=[telemetry.hook()])
    token = context.attach(baggage.set_baggage("user", "someone"))
    try:
        with telemetry.tracers.get_tracer("test").start_as_current_span("outer") as outer:
            await client.chat.completions.create(**ASK)
            async with client.chat.completions.stream(**ASK) as stream:
                await stream.completion()
    finally:
        context.detach(token)
    for span, request in zip(telemetry.spans, transport.requests, strict=True):
        assert span.parent is not None
        assert span.parent.span_id == outer.get_span_context().span_id
        assert span.context is not None
        ids = f"{span.context.trace_id:032x}-{span.context.span_id:016x}"
        assert request.headers["traceparent"] == f"00-{ids}-{span.context.trace_flags:02x}"
        assert "baggage" not in request.headers


async def test_calls_side_by_side_and_of_several_clients_are_told_apart(telemetry: Telemetry) -> None:
    """One hook for all of them."""
    hook = telemetry.hook()
    clients = [client_on(*[whole({**completion(), "id": f"{n}-{i}"}) for i in range(3)], hooks=[hook])[0] for n in "ab"]
    await asyncio.gather(
        *(
            client.chat.completions.create(**{**ASK, "model": f"m{n}"})
            for n, client in enumerate(clients)
            for _ in "123"
        )
    )
    assert sorted(span.name for span in telemetry.spans) == ["chat m0"] * 3 + ["chat m1"] * 3
    assert len({(span.attributes or {})["gen_ai.response.id"] for span in telemetry.spans}) == 6
    assert hook._operations == {}


async def test_other_endpoints(telemetry: Telemetry) -> None:
    """Fill in the middle is a text completion; what asks no model is a request, and in no metric of models."""
    text = {"id": "1", "choices": [{"index": 0, "text": "a", "finish_reason": "stop"}], "usage": USAGE}
    client, _ = client_on(whole(text), whole({"data": []}), hooks=[telemetry.hook(provider="vllm")])
    await client.completions.create(model="m", prompt="p")
    await client.models.list()
    fim, listing = telemetry.spans
    assert fim.name == "text_completion m"
    assert (fim.attributes or {})["gen_ai.provider.name"] == "vllm"
    assert listing.name == "GET /models"
    assert (listing.attributes or {})["http.request.method"] == "GET"
    assert [point.count for point in telemetry.points("gen_ai.client.operation.duration")] == [1]


async def test_texts_only_for_who_asks(telemetry: Telemetry) -> None:
    """In the conventions' form: parts of messages, calls and their results, reasoning; half an answer as well."""
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Weather?"}, {"type": "image_url", "image_url": {"url": "u"}}],
        },
        {"role": "assistant", "content": None, "reasoning_content": "Ask.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "rain"},
    ]
    tools: list[Any] = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    answers = [
        whole(completion("It rains.", reasoning_content="So.")),
        Answer([stream_of(chunk("It"), done=False), Pause()]),
    ]
    client, _ = client_on(*answers, hooks=[telemetry.hook(content=True)])
    await client.chat.completions.create(model="m", messages=messages, tools=tools)
    async with client.chat.completions.stream(**ASK) as stream:
        await anext(stream)
    whole_span, half = (dict(span.attributes or {}) for span in telemetry.spans)
    assert json.loads(str(whole_span["gen_ai.input.messages"])) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {
            "role": "user",
            "parts": [{"type": "text", "content": "Weather?"}, {"type": "image_url", "image_url": {"url": "u"}}],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Ask."},
                {"type": "tool_call", "id": "c", "name": "weather", "arguments": '{"city": "Oslo"}'},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "rain"}]},
    ]
    assert json.loads(str(whole_span["gen_ai.tool.definitions"])) == tools
    parts = [{"type": "reasoning", "content": "So."}, {"type": "text", "content": "It rains."}]
    said = [{"role": "assistant", "parts": parts, "finish_reason": "stop"}]
    assert json.loads(str(whole_span["gen_ai.output.messages"])) == said
    assert json.loads(str(half["gen_ai.output.messages"]))[0]["parts"] == [{"type": "text", "content": "It"}]


async def test_without_an_sdk_it_is_quiet() -> None:
    """No header, no error: the API's own spans do nothing."""
    client, transport = client_on(whole(completion()), hooks=[OpenTelemetryHook()])
    assert (await client.chat.completions.create(**ASK)).text == "Hello."
    assert "traceparent" not in transport.requests[0].headers


def test_a_client_with_it_can_be_sent_to_a_worker(telemetry: Telemetry) -> None:
    """There it finds that process's providers; with providers of the caller's it says that it cannot."""
    again = pickle.loads(pickle.dumps(OpenTelemetryHook(provider="vllm", content=True)))  # noqa: S301
    assert (again._provider, again.wants_content) == ("vllm", True)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(telemetry.hook())
