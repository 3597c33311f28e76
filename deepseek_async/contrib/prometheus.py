"""Metrics for Prometheus: a hook that counts in a registry of prometheus_client's.

    client = AsyncClient(hooks=[PrometheusHook()])

The metrics, each with the label ``model`` (as it was asked for; empty for what asks no model):

| metric | further labels | |
| --- | --- | --- |
| ``deepseek_async_calls_total`` | ``outcome``, ``error`` | calls that are over, by the class of their error |
| ``deepseek_async_calls_in_flight`` | | calls of which an attempt has begun, and that are not over |
| ``deepseek_async_call_seconds`` | | how long they took, with all attempts and waits |
| ``deepseek_async_first_chunk_seconds`` | ``streamed`` | from the request's going out to its answer's beginning |
| ``deepseek_async_chunk_seconds`` | | of a stream, the mean of the waits for its further chunks |
| ``deepseek_async_longest_chunk_seconds`` | | of a stream, the longest of them |
| ``deepseek_async_attempts_total`` | | requests that went out |
| ``deepseek_async_retries_total`` | ``error`` | attempts that failed and were followed by another |
| ``deepseek_async_held_seconds_total`` | | waited because servers asked for it |
| ``deepseek_async_connection_seconds`` | ``reused`` | waited for a connection |
| ``deepseek_async_tokens_total`` | ``kind`` | ``prompt`` and ``completion`` |
| ``deepseek_async_cached_prompt_tokens_total`` | | of the prompts' tokens, those that the context cache had |
| ``deepseek_async_reasoning_tokens_total`` | | of the completions' tokens, those of reasoning |
"""

from __future__ import annotations

from typing import Any, Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from ..hooks import AttemptStarted, Connected, Ended, FirstChunk, Held, Record, RetryScheduled
from ..types.structs import knows_its_names

_CALLS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
_FIRST_CHUNKS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 600.0)
_CHUNKS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CONNECTIONS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0)


@knows_its_names
class PrometheusHook:
    """A hook that counts; it may serve any number of clients. One registry takes one hook of a namespace.

    Args:
        registry: Where the metrics are; else prometheus_client's own.
        namespace: What their names begin with.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, namespace: str = "deepseek_async") -> None:
        self._made_of = registry, namespace
        self._models: dict[tuple[int, int], tuple[str, bool]] = {}
        """The model of each call under way, and whether it is streamed."""

        def make(kind: Any, name: str, text: str, *labels: str, **more: Any) -> Any:
            return kind(name, text, ("model", *labels), namespace=namespace, registry=registry, **more)

        self._calls: Counter = make(Counter, "calls", "Calls that are over.", "outcome", "error")
        self._in_flight: Gauge = make(Gauge, "calls_in_flight", "Calls that are not over.")
        self._seconds: Histogram = make(Histogram, "call_seconds", "How long calls took.", buckets=_CALLS)
        self._first_chunk: Histogram = make(
            Histogram, "first_chunk_seconds", "How long answers took to begin.", "streamed", buckets=_FIRST_CHUNKS
        )
        self._chunk: Histogram = make(
            Histogram, "chunk_seconds", "Mean wait for a further chunk of a stream.", buckets=_CHUNKS
        )
        self._longest: Histogram = make(
            Histogram, "longest_chunk_seconds", "Longest wait for a further chunk of a stream.", buckets=_CHUNKS
        )
        self._attempts: Counter = make(Counter, "attempts", "Attempts that were begun.")
        self._retries: Counter = make(Counter, "retries", "Attempts that failed and were followed by another.", "error")
        self._held: Counter = make(Counter, "held_seconds", "Waited because servers asked for it.")
        self._connection: Histogram = make(
            Histogram,
            "connection_seconds",
            "How long attempts waited for a connection.",
            "reused",
            buckets=_CONNECTIONS,
        )
        self._tokens: Counter = make(Counter, "tokens", "Tokens of prompts and completions.", "kind")
        self._cached: Counter = make(Counter, "cached_prompt_tokens", "Tokens of prompts that the cache had.")
        self._reasoning: Counter = make(Counter, "reasoning_tokens", "Tokens of completions that were reasoning.")

    def __call__(self, record: Record) -> None:
        """Count a record."""
        key = record.client, record.call
        if isinstance(record, Ended):
            self._models.pop(key, None)
            self._end(record)
            return
        if isinstance(record, AttemptStarted):
            model = record.model or ""
            if record.attempt == 1:
                self._models[key] = model, record.parameters is not None and record.parameters.stream
                self._in_flight.labels(model).inc()
            self._attempts.labels(model).inc()
            return
        model, streamed = self._models.get(key, ("", False))
        match record:
            case Connected():
                seconds = record.waited + record.connecting
                self._connection.labels(model, str(record.reused).lower()).observe(seconds)
            case FirstChunk():
                self._first_chunk.labels(model, str(streamed).lower()).observe(record.elapsed)
            case RetryScheduled():
                self._retries.labels(model, type(record.error).__name__).inc()
            case Held():
                self._held.labels(record.model or "").inc(record.wait)

    def _end(self, record: Ended) -> None:
        model = record.model or ""
        error = "" if record.error is None else type(record.error).__name__
        self._calls.labels(model, record.outcome, error).inc()
        self._seconds.labels(model).observe(record.elapsed)
        if record.attempts:
            self._in_flight.labels(model).dec()
        if record.intervals.mean is not None:
            self._chunk.labels(model).observe(record.intervals.mean)
            self._longest.labels(model).observe(record.intervals.max)
        if (usage := record.usage) is not None:
            self._tokens.labels(model, "prompt").inc(usage.prompt_tokens)
            self._tokens.labels(model, "completion").inc(usage.completion_tokens)
            self._cached.labels(model).inc(usage.prompt_cache_hit_tokens or 0)
            details = usage.completion_tokens_details
            self._reasoning.labels(model).inc((details.reasoning_tokens if details is not None else None) or 0)

    def __reduce__(self) -> tuple[Any, ...]:
        registry, namespace = self._made_of
        if registry is not REGISTRY:
            raise TypeError("a PrometheusHook with a registry of the caller's cannot be pickled")
        return _of_process, (namespace,)


_hooks: dict[str, PrometheusHook] = {}


def _of_process(namespace: str) -> PrometheusHook:
    """The hook of a process that hooks are sent to: a registry takes one only."""
    if namespace not in _hooks:
        _hooks[namespace] = PrometheusHook(namespace=namespace)
    return _hooks[namespace]
