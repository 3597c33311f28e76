"""Prometheus: what a scrape of the registry tells after calls of every kind, and what a real server makes of it."""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from deepseek_async import APIConnectionError, AsyncClient, BadRequestError, RateLimitError, RetryPolicy
from deepseek_async.contrib.prometheus import PrometheusHook
from deepseek_async.hooks import Ended
from deepseek_async.sandbox import SandboxServer
from deepseek_async.transport import Answer, Pause

from ..wire import HELLO, chunk, client_on, completion, stream_of, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
USAGE = {
    "prompt_tokens": 13,
    "completion_tokens": 7,
    "total_tokens": 20,
    "prompt_cache_hit_tokens": 5,
    "completion_tokens_details": {"reasoning_tokens": 4},
}


class Scraped:
    """A registry, read as Prometheus reads it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def __call__(self, name: str, **labels: str) -> float | None:
        """A sample; ``None``: there is none with these labels."""
        for family in text_string_to_metric_families(generate_latest(self.registry).decode()):
            for sample in family.samples:
                if sample.name == f"deepseek_async_{name}" and labels.items() <= sample.labels.items():
                    return sample.value
        return None


async def test_a_stream_is_counted() -> None:
    """Its outcome, its times, its tokens; and the waits for its chunks as a mean and a longest."""
    scraped, records = Scraped(), []
    hook = PrometheusHook(scraped.registry)
    reads = [stream_of(chunk(text), done=False) for text in ("Hel", "lo", ".")]
    end = stream_of(chunk("", "stop"), {**chunk(), "choices": [], "usage": USAGE})
    client, _ = client_on(Answer([*reads, end]), hooks=[hook, records.append])
    async with client.chat.completions.stream(**ASK) as stream:
        await anext(stream)
        assert scraped("calls_in_flight", model="deepseek-flash") == 1
        await stream.completion()
    ended = records[-1]
    assert isinstance(ended, Ended)
    model = "deepseek-flash"
    assert scraped("calls_total", model=model, outcome="completed", error="") == 1
    assert scraped("calls_in_flight", model=model) == 0
    assert scraped("attempts_total", model=model) == 1
    assert scraped("call_seconds_sum", model=model) == ended.elapsed
    assert scraped("first_chunk_seconds_sum", model=model, streamed="true") == ended.first_chunk
    assert scraped("chunk_seconds_count", model=model) == scraped("longest_chunk_seconds_count", model=model) == 1
    assert scraped("chunk_seconds_sum", model=model) == ended.intervals.mean
    assert scraped("longest_chunk_seconds_sum", model=model) == ended.intervals.max
    assert scraped("connection_seconds_count", model=model, reused="false") == 1
    assert scraped("tokens_total", model=model, kind="prompt") == 13
    assert scraped("tokens_total", model=model, kind="completion") == 7
    assert scraped("cached_prompt_tokens_total", model=model) == 5
    assert scraped("reasoning_tokens_total", model=model) == 4
    assert hook._models == {}


async def test_failures_and_retries_have_their_classes() -> None:
    """A retry's error is the attempt's, a call's the last one."""
    scraped = Scraped()
    client, _ = client_on(
        APIConnectionError("refused"),
        whole({"error": {"message": "slow down"}}, 429),
        whole({"error": {"message": "no"}}, 400),
        whole(completion()),
        hooks=[PrometheusHook(scraped.registry)],
    )
    with pytest.raises(BadRequestError):
        await client.chat.completions.create(**ASK)
    await client.chat.completions.create(**ASK)
    assert scraped("calls_total", outcome="failed", error="BadRequestError") == 1
    assert scraped("calls_total", outcome="completed", error="") == 1
    assert scraped("retries_total", error="APIConnectionError") == 1
    assert scraped("retries_total", error="RateLimitError") == 1
    assert scraped("attempts_total", model="deepseek-flash") == 4
    assert scraped("first_chunk_seconds_count", streamed="false") == 1
    assert scraped("chunk_seconds_count", model="deepseek-flash") is None
    assert scraped("tokens_total", kind="prompt") is None  # none was told


async def test_what_is_left_is_not_in_flight() -> None:
    """Closed, cancelled, and of which no attempt was made."""
    scraped = Scraped()
    half = [Answer([stream_of(chunk("Hel"), done=False), Pause()]) for _ in range(2)]
    client, _ = client_on(*half, hooks=[PrometheusHook(scraped.registry)])
    async with client.chat.completions.stream(**ASK) as stream:
        await anext(stream)
    with pytest.raises(asyncio.CancelledError):
        async with client.chat.completions.stream(**ASK) as stream:
            raise asyncio.CancelledError
    assert scraped("calls_total", outcome="closed") == scraped("calls_total", outcome="cancelled") == 1
    assert scraped("calls_in_flight", model="deepseek-flash") == 0


async def test_a_wait_for_the_servers_sake_is_counted() -> None:
    """By the model that waits, though its first attempt has not begun."""
    scraped = Scraped()
    busy = whole({"error": {"message": "slow down"}}, 429, **{"retry-after": "0.02"})
    once = RetryPolicy(attempts=1, wait_initial=0.0)
    client, _ = client_on(busy, whole(completion()), hooks=[PrometheusHook(scraped.registry)], retry=once)
    with pytest.raises(RateLimitError):
        await client.chat.completions.create(**ASK)
    await client.chat.completions.create(**ASK)
    held = scraped("held_seconds_total", model="deepseek-flash")
    assert held is not None
    assert 0 < held < 0.1


async def test_lists_have_no_model() -> None:
    """And no tokens."""
    scraped = Scraped()
    client, _ = client_on(whole({"data": []}), hooks=[PrometheusHook(scraped.registry, namespace="deepseek_async")])
    await client.models.list()
    assert scraped("calls_total", model="", outcome="completed") == 1


async def test_several_clients_share_a_hook_and_a_registry_takes_one() -> None:
    """Another namespace is another set of metrics."""
    scraped = Scraped()
    hook = PrometheusHook(scraped.registry)
    for _ in range(2):
        client, _transport = client_on(whole(completion()), hooks=[hook])
        await client.chat.completions.create(**ASK)
    assert scraped("calls_total", outcome="completed") == 2
    with pytest.raises(ValueError, match="Duplicated"):
        PrometheusHook(scraped.registry)
    PrometheusHook(scraped.registry, namespace="mine")


def test_a_hook_of_the_default_registry_can_be_sent_to_a_worker() -> None:
    """Twice, and it is one there; a registry of the caller's stays where it is."""
    hook = PrometheusHook(namespace="deepseek_async_sent")
    sent = pickle.dumps(hook)
    del hook
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(PrometheusHook(CollectorRegistry()))
    assert b"deepseek_async_sent" in sent


PROMETHEUS = shutil.which("prometheus")
QUERIES = {
    'sum(deepseek_async_calls_total{outcome="completed"})': 3,
    "sum(deepseek_async_tokens_total) > bool 0": 1,
    "histogram_quantile(0.5, sum by (le) (deepseek_async_first_chunk_seconds_bucket)) > bool 0": 1,
    "sum(deepseek_async_chunk_seconds_count)": 2,
}


@pytest.mark.outside
@pytest.mark.skipif(PROMETHEUS is None, reason="there is no prometheus: apt-get install prometheus")
async def test_a_real_server_scrapes_it(tmp_path: Path) -> None:
    """Debian's Prometheus finds the metrics by itself and answers questions about them."""
    registry = CollectorRegistry()
    httpd, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        f"  - {{job_name: app, static_configs: [{{targets: ['127.0.0.1:{httpd.server_port}']}}]}}\n"
    )
    async with (
        SandboxServer(seed=1) as server,
        AsyncClient(base_url=server.base_url, hooks=[PrometheusHook(registry)]) as client,
    ):
        for number in range(3):
            asked = {"model": "deepseek-flash", "messages": HELLO, "max_tokens": 9}
            if number:
                await (await client.chat.completions.create(**asked, stream=True)).completion()
            else:
                await client.chat.completions.create(**asked)
    port = _free_port()
    assert PROMETHEUS is not None
    process = await asyncio.create_subprocess_exec(
        PROMETHEUS,
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for query, wanted in QUERIES.items():
            await asyncio.to_thread(_wait_for, port, query, wanted)
    finally:
        process.terminate()
        await process.wait()
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, query: str, wanted: float) -> None:
    until = time.monotonic() + 60
    while (found := _ask(port, query)) != wanted:
        assert time.monotonic() < until, f"{query}: {found}, not {wanted}"
        time.sleep(0.25)


def _ask(port: int, query: str) -> float | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={quote(query)}", timeout=5) as answer:
            found = json.load(answer)["data"]["result"]
    except OSError:
        return None  # it is not up yet
    return float(found[0]["value"][1]) if found else None
