"""The ratios that a run shows, and what they are held to."""

from __future__ import annotations

import attrs

from .dialects import DIALECTS


@attrs.frozen
class Bar:
    """A ratio of two figures, each of an axis and a contestant, and the most it may be; ``None``: only shown."""

    title: str
    over: tuple[str, str]
    under: tuple[str, str]
    at_most: float | None = None


def _bar(title: str, axis: str, over: str, under: str, at_most: float | None = None) -> Bar:
    """Of two contestants on one axis."""
    return Bar(title, (axis, over), (axis, under), at_most)


_JSON, _ORJSON = "aiohttp + json", "aiohttp + orjson"
_CLIENT = "deepseek_async.AsyncClient"
_READ = "ours, fold and read logprobs"
_PLAIN, _TOP20 = "plain, bursts", "20 alternatives, 500 tokens"


def _growth(width: int, tokens: int) -> Bar:
    name = f"{tokens:,} tokens, {width} alternatives, read: cost per token / that of 500"
    return Bar(name, (f"read{width}-{tokens}", _READ), (f"read{width}-500", _READ), 1.15)


BARS = (
    _bar(f"{_PLAIN}: iterate / hand-written json loop", "plain", "ours", _JSON, 0.55),
    _bar(f"{_PLAIN}: iterate / hand-written orjson loop", "plain", "ours", _ORJSON, 1.2),
    *(
        _bar(f"{dialect.title}, bursts: iterate / json loop", name, "ours", _JSON, 0.8)
        for name, dialect in DIALECTS.items()
        if name != "llama5"
    ),
    _bar("llama.cpp with 5 alternatives: iterate and fold / json loop", "llama5", "ours, fold", _JSON, 0.9),
    *(
        _bar(f"{dialect.title}, not streamed, 64 tokens: ours / orjson", f"{name}, whole", "ours", _ORJSON, 1.1)
        for name, dialect in DIALECTS.items()
        if name != "llama5"
    ),
    _bar(f"{_TOP20}: iterate and fold / json loop", "top20", "ours, fold", _JSON, 0.7),
    _bar(f"{_TOP20}: fold and read every alternative / json loop", "top20", _READ, _JSON, 0.85),
    _bar(f"{_TOP20}: fold and read every alternative / orjson loop", "top20", _READ, _ORJSON, 2.1),
    _bar(f"{_TOP20}: fold and read chosen tokens / json loop", "top20", "ours, fold and read chosen", _JSON, 0.75),
    *(_growth(width, tokens) for width in (5, 20) for tokens in (16_000, 32_000)),
    _bar("peak memory, 16,000 × 20, every alternative read: ours / openai", "peak", _READ, "openai create", 0.25),
    _bar(f"{_PLAIN}: iterate / openai `create`", "plain", "ours", "openai create", 0.06),
    _bar(f"{_PLAIN}: iterate and fold / openai `.stream()`", "plain", "ours, fold", "openai .stream()", 0.04),
    _bar(f"{_TOP20}: iterate and fold / openai `.stream()`", "top20", "ours, fold", "openai .stream()", 0.015),
    Bar(
        "16,000 tokens, plain: cost per token / that of 500",
        ("tokens-16000", "ours, fold"),
        ("tokens-500", "ours, fold"),
        1.25,
    ),
    Bar(
        "16,000 tokens, 20 alternatives: cost per token / that of 500",
        ("read20-16000", "ours, fold"),
        ("read20-500", "ours, fold"),  # as many at once; what many short ones at once share would look like growth
        1.25,
    ),
    _bar("not streamed: ours / hand-written, orjson", "unary", "ours", _ORJSON, 1.35),
    _bar("not streamed: ours / openai", "unary", "ours", "openai create", 0.08),
    _bar("batch, instant server: a bare loop's throughput / run_batch's", "batch", "ours", _ORJSON, 1.11),
    _bar("1,000 paced streams: iterate / hand-written orjson loop", "paced-1000", "ours", _ORJSON, 1.25),
    _bar("memory of an open idle stream: ours / hand-written", "idle", "ours", _ORJSON, 1.3),
    _bar(
        "peak memory, 16,000 tokens with 20 alternatives, not streamed: ours / openai",
        "peak",
        "ours",
        "openai create",
        0.5,
    ),
    _bar("5 alternatives, 500 tokens: iterate and fold / json loop", "top5", "ours, fold", _JSON),
    _bar("100 tokens, plain: iterate / hand-written orjson loop", "tokens-100", "ours", _ORJSON),
    _bar("one event a write: iterate / hand-written orjson loop", "single", "ours", _ORJSON),
    _bar("1 paced stream: iterate / hand-written orjson loop", "paced-1", "ours", _ORJSON),
    _bar("100 paced streams: iterate / hand-written orjson loop", "paced-100", "ours", _ORJSON),
    _bar("100 paced streams: iterate / openai `create`", "paced-100", "ours", "openai create"),
    _bar("100 streams of 50 tokens/s: iterate / hand-written orjson loop", "paced-100-fast", "ours", _ORJSON),
    _bar("2,000 paced streams: iterate / hand-written orjson loop", "paced-2000", "ours", _ORJSON),
    _bar("not streamed: ours / openai over aiohttp", "unary", "ours", "openai create, aiohttp"),
    _bar(f"{_PLAIN}, on uvloop: iterate / hand-written json loop", "plain, uvloop", "ours", _JSON),
    _bar("1,000 paced streams, on uvloop: iterate / orjson loop", "paced-1000, uvloop", "ours", _ORJSON, 1.15),
    _bar("not streamed, on uvloop: ours / hand-written, orjson", "unary, uvloop", "ours", _ORJSON),
    _bar("memory of an open idle stream, on uvloop: ours / hand-written", "idle, uvloop", "ours", _ORJSON),
    _bar("import and make a client / import aiohttp", "import", f"{_CLIENT}()", "aiohttp.ClientSession", 1.3),
    _bar("import: ours / openai", "imports", _CLIENT, "openai.AsyncOpenAI"),
)
