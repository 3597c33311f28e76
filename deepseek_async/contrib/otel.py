"""Traces and metrics for OpenTelemetry: one span for each call, by the semantic conventions for generative AI.

    client = AsyncClient(hooks=[OpenTelemetryHook()])

A call is a CLIENT span ``chat {model}`` (``text_completion {model}`` for fill in the middle, ``GET /models`` for what
asks no model); what happens to it are the span's events: attempts, connections, the first chunk, retries, waits. Each
attempt's request carries ``traceparent``; baggage stays at home. Texts are in no span unless ``content=True``.

The names are strings of this file's own: OpenTelemetry's package of constants calls each of them deprecated, since the
conventions have moved to a repository of their own. They are still in development.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from time import time_ns
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .. import __version__
from ..hooks import AttemptStarted, Connected, Content, Ended, FirstChunk, Held, Record, RetryScheduled
from ..hooks.intervals import BOUNDS, ChunkIntervals
from ..types import ChatCompletion, TextCompletion
from ..types.structs import knows_its_names

_SCOPE: Final = "deepseek_async"
_SECONDS: Final = [0.01 * 2.0**power for power in range(14)]
_FIRST_CHUNK: Final = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_TOKENS: Final = [4.0**power for power in range(14)]

# A record costs some 9 µs: more of them than this at once would hold the event loop for too long.
_RECORDS_AT_ONCE: Final = 200

_Attributes = dict[str, str | int | float | bool | Sequence[str]]
_propagator = TraceContextTextMapPropagator()


@attrs.define
class _Operation:
    """A call under way."""

    begun_at: int
    held: list[Held] = attrs.field(factory=list)
    span: trace.Span = trace.INVALID_SPAN
    common: _Attributes = attrs.field(factory=dict)
    is_streamed: bool = False


@knows_its_names
class OpenTelemetryHook:
    """A hook that makes spans and metrics; it may serve any number of clients.

    Metrics: ``gen_ai.client.operation.duration``; ``gen_ai.client.token.usage`` where the answer told it; for streams,
    ``gen_ai.client.operation.time_to_first_chunk`` and ``….time_per_output_chunk``. The times of chunks are those that
    the client waited for them, recorded at the end, exact to the bounds of `deepseek_async.hooks.ChunkIntervals`.

    Args:
        provider: ``gen_ai.provider.name``: whose server it is; "vllm", say, for one of your own.
        content: Whether spans carry prompts and answers (``gen_ai.input.messages``, ``gen_ai.output.messages``,
            ``gen_ai.tool.definitions``). Whoever reads the traces then reads them.
        tracer_provider, meter_provider: Of the OpenTelemetry SDK; ``None``: the global ones.

    Attributes:
        wants_content: As ``content``.
    """

    def __init__(
        self,
        *,
        provider: str = "deepseek",
        content: bool = False,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self.wants_content: bool = content is True
        self._provider = provider
        self._is_global = tracer_provider is None and meter_provider is None
        self._tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
        meter = metrics.get_meter(_SCOPE, __version__, meter_provider)

        def histogram(name: str, unit: str, text: str, bounds: Sequence[float]) -> metrics.Histogram:
            return meter.create_histogram(
                name, unit=unit, description=text, explicit_bucket_boundaries_advisory=list(bounds)
            )

        operation = "gen_ai.client.operation"
        self._duration = histogram(
            f"{operation}.duration", "s", "How long calls took, with all their attempts.", _SECONDS
        )
        self._first_chunk = histogram(
            f"{operation}.time_to_first_chunk", "s", "How long streams took to begin.", _FIRST_CHUNK
        )
        self._chunk = histogram(f"{operation}.time_per_output_chunk", "s", "How long each further chunk took.", BOUNDS)
        self._tokens = histogram("gen_ai.client.token.usage", "{token}", "Tokens of prompts and answers.", _TOKENS)
        self._operations: dict[tuple[int, int], _Operation] = {}

    def __call__(self, record: Record) -> Mapping[str, str] | None:
        """Take a record. To an `AttemptStarted`, returns ``traceparent`` (and ``tracestate``) of the call's span."""
        key = record.client, record.call
        if isinstance(record, Ended):
            if (operation := self._operations.pop(key, None)) is not None:
                self._end(operation, record)
            return None
        operation = self._operations.get(key)
        if operation is None:
            operation = self._operations[key] = _Operation(time_ns())
        match record:
            case AttemptStarted():
                return self._start_attempt(operation, record)
            case Held() if operation.span is trace.INVALID_SPAN:
                operation.held.append(record)  # before the first attempt: what is asked is not known yet
            case Content():
                operation.span.set_attributes(_texts(record))
            case Connected() | FirstChunk() | RetryScheduled() | Held():
                operation.span.add_event(*_event(record))
        return None

    def _start_attempt(self, operation: _Operation, record: AttemptStarted) -> Mapping[str, str]:
        if operation.span is trace.INVALID_SPAN:
            name, operation.common = _what_is_asked(record, self._provider)
            operation.is_streamed = record.parameters is not None and record.parameters.stream
            operation.span = self._tracer.start_span(
                name,
                kind=trace.SpanKind.CLIENT,
                attributes={**operation.common, **_asked(record)},
                start_time=operation.begun_at,
            )
            for held in operation.held:
                operation.span.add_event(*_event(held), timestamp=operation.begun_at)
        operation.span.add_event("attempt_started", {"deepseek_async.attempt": record.attempt})
        headers: dict[str, str] = {}
        _propagator.inject(headers, trace.set_span_in_context(operation.span))
        return headers

    def _end(self, operation: _Operation, record: Ended) -> None:
        span, said = operation.span, _said(record)
        if operation.is_streamed and record.first_chunk is not None:
            said["gen_ai.response.time_to_first_chunk"] = record.first_chunk
        span.set_attributes(said)
        if record.error is not None:
            span.set_status(trace.Status(trace.StatusCode.ERROR, record.error.message))
        span.end()
        if "gen_ai.operation.name" in operation.common:
            self._measure(operation, record)

    def _measure(self, operation: _Operation, record: Ended) -> None:
        common = operation.common
        if record.response_model is not None:
            common = {**common, "gen_ai.response.model": record.response_model}
        if record.usage is not None:
            for kind, count in (("input", record.usage.prompt_tokens), ("output", record.usage.completion_tokens)):
                self._tokens.record(count, {**common, "gen_ai.token.type": kind})
        if operation.is_streamed:
            if record.first_chunk is not None:
                self._first_chunk.record(record.first_chunk, common)
            self._measure_chunks(record.intervals, common)
        if record.error is not None:
            common = {**common, "error.type": type(record.error).__name__}
        self._duration.record(record.elapsed, common)

    def _measure_chunks(self, intervals: ChunkIntervals, common: _Attributes) -> None:
        if intervals.count > _RECORDS_AT_ONCE:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                pass  # nobody waits
            else:
                loop.run_in_executor(None, self._record_chunks, intervals, common)
                return
        self._record_chunks(intervals, common)

    def _record_chunks(self, intervals: ChunkIntervals, common: _Attributes) -> None:
        for place, (count, total) in enumerate(zip(intervals.counts, intervals.totals, strict=True)):
            if count:
                low = math.nextafter(BOUNDS[place - 1], math.inf) if place else 0.0
                high = BOUNDS[place] if place < len(BOUNDS) else math.inf
                seconds = min(max(total / count, low), high)
                for _ in range(count):
                    self._chunk.record(seconds, common)

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._is_global:
            raise TypeError("an OpenTelemetryHook with providers of the caller's cannot be pickled")
        return _again, (self._provider, self.wants_content)


def _again(provider: str, content: bool) -> OpenTelemetryHook:
    return OpenTelemetryHook(provider=provider, content=content)


def _what_is_asked(record: AttemptStarted, provider: str) -> tuple[str, _Attributes]:
    """The span's name, and what spans and metrics have in common."""
    url = urlsplit(record.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    where: _Attributes = {"server.address": url.hostname or "", "server.port": port}
    if record.model is None:
        return f"{record.method} {url.path}", {"http.request.method": record.method, **where}
    operation = "chat" if url.path.endswith("/chat/completions") else "text_completion"
    return f"{operation} {record.model}", {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": record.model,
        **where,
    }


_REQUEST: Final = ("max_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "seed")
_EVENTS: Final[Mapping[type, str]] = {
    Connected: "connected",
    FirstChunk: "first_chunk",
    RetryScheduled: "retry_scheduled",
    Held: "held",
}
_TOLD: Final = frozenset(("attempt", "waited", "connecting", "reused", "elapsed", "wait", "why"))
_FORMATS: Final = {"text": "text", "json_object": "json", "json_schema": "json"}


def _asked(record: AttemptStarted) -> _Attributes:
    asked = record.parameters
    if asked is None:
        return {}
    values = {f"gen_ai.request.{name}": getattr(asked, name) for name in _REQUEST}
    values["gen_ai.request.stream"] = asked.stream
    values["gen_ai.request.choice.count"] = asked.n if asked.n != 1 else None
    values["gen_ai.request.reasoning.level"] = asked.reasoning_effort
    values["gen_ai.output.type"] = _FORMATS.get(asked.response_format or "")
    values["deepseek_async.request.messages"] = asked.messages or None
    values["deepseek_async.request.tools"] = asked.tools or None
    values["deepseek_async.request.thinking"] = asked.thinking
    return {name: value for name, value in values.items() if value is not None}


def _said(record: Ended) -> _Attributes:
    values: dict[str, Any] = {
        "gen_ai.response.id": record.response_id,
        "gen_ai.response.model": record.response_model,
        "gen_ai.response.finish_reasons": record.finish_reasons or None,
        "http.response.status_code": record.status,
        "deepseek_async.request_id": record.request_id,
        "deepseek_async.attempts": record.attempts,
        "deepseek_async.outcome": record.outcome,
        "deepseek_async.chunks": record.chunks or None,
        "error.type": None if record.error is None else type(record.error).__name__,
    }
    if (usage := record.usage) is not None:
        values["gen_ai.usage.input_tokens"] = usage.prompt_tokens
        values["gen_ai.usage.output_tokens"] = usage.completion_tokens
        values["gen_ai.usage.cache_read.input_tokens"] = usage.prompt_cache_hit_tokens
        if usage.completion_tokens_details is not None:
            values["gen_ai.usage.reasoning.output_tokens"] = usage.completion_tokens_details.reasoning_tokens
    return {name: value for name, value in values.items() if value is not None}


def _event(record: Connected | FirstChunk | RetryScheduled | Held) -> tuple[str, _Attributes]:
    """A span's event: its name and attributes."""
    told = [field.name for field in attrs.fields(type(record)) if field.name in _TOLD]
    attributes: _Attributes = {f"deepseek_async.{name}": getattr(record, name) for name in told}
    if isinstance(record, RetryScheduled):
        attributes |= {"error.type": type(record.error).__name__, "exception.message": record.error.message}
        if (status := getattr(record.error, "status", None)) is not None:
            attributes["http.response.status_code"] = status
    return _EVENTS[type(record)], attributes


# -- texts, for those who asked for them -------------------------------------------------------------------------------


def _texts(record: Content) -> dict[str, str]:
    """Prompts and answers in the conventions' form, as JSON."""
    try:
        body = json.loads(record.request or b"{}")
    except ValueError:
        body = {}
    texts: dict[str, Any] = {"gen_ai.input.messages": [_message(each) for each in body.get("messages") or ()]}
    if "prompt" in body:
        texts["gen_ai.input.messages"] = [{"role": "user", "parts": [_text(body["prompt"])]}]
    texts["gen_ai.tool.definitions"] = body.get("tools")
    if isinstance(answer := record.answer, ChatCompletion):
        texts["gen_ai.output.messages"] = [
            {**_message(choice.message.to_dict()), "finish_reason": choice.finish_reason or ""}
            for choice in answer.choices
        ]
    elif isinstance(answer, TextCompletion):
        texts["gen_ai.output.messages"] = [
            {"role": "assistant", "parts": [_text(choice.text)], "finish_reason": choice.finish_reason or ""}
            for choice in answer.choices
        ]
    return {name: json.dumps(value, ensure_ascii=False) for name, value in texts.items() if value}


def _text(content: object) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _message(message: Any) -> dict[str, Any]:
    role, content = message.get("role"), message.get("content")
    if role == "tool":
        part = {"type": "tool_call_response", "id": message.get("tool_call_id"), "response": content}
        return {"role": role, "parts": [part]}
    parts: list[dict[str, Any]] = []
    if message.get("reasoning_content"):
        parts.append({"type": "reasoning", "content": message["reasoning_content"]})
    if isinstance(content, str) and content:
        parts.append(_text(content))
    elif isinstance(content, list):
        parts += [_text(part["text"]) if part.get("type") == "text" else part for part in content]
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        parts.append(
            {
                "type": "tool_call",
                "id": call.get("id"),
                "name": function.get("name"),
                "arguments": function.get("arguments"),
            }
        )
    return {"role": role, "parts": parts}
