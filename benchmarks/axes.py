"""What is measured: which answers, by whom, how many at once, how often; and the bars that ratios are held to."""

from __future__ import annotations

from typing import Any

import attrs

from .wire import Spec

# They take 20 to 200 times as long as the others: fewer rounds of them say as much.
SLOW = frozenset(
    ("openai create", "openai .stream()", "openai create, aiohttp", "openai .stream(), aiohttp"),
)


@attrs.frozen
class Axis:
    """One table of figures.

    Attributes:
        name: As ``--only`` takes it.
        title: What is measured, in words.
        measure: ``streams`` (CPU), ``idle`` or ``peak`` (memory), ``import`` (CPU).
        unit: Of the figures; see `SCALES`.
        spec: What each stream asks for; ``None`` for imports.
        at_once: How many at once, by contestant.
        rounds: Counted rounds of each contestant; the slow ones have half of them.
        is_fresh: A new process for every round: memory that was once taken is not given back.
        with_uvloop: On uvloop, where there is one.
    """

    name: str
    title: str
    measure: str
    unit: str
    spec: Spec | None
    at_once: dict[str, int]
    rounds: int = 9
    is_fresh: bool = False
    with_uvloop: bool = False

    def rounds_of(self, name: str) -> int:
        return max(1, self.rounds // 2) if name in SLOW else self.rounds


SCALES = {
    "µs per chunk": 1e6,
    "µs per request": 1e6,
    "KiB per stream": 1 / 1024,
    "MiB": 1 / 2**20,
    "ms": 1e3,
}


@attrs.frozen
class Bar:
    """A ratio of two figures, and the most it may be; ``None``: shown for the reader, held to nothing."""

    title: str
    over: tuple[str, str]
    under: tuple[str, str]
    at_most: float | None


HAND = ("aiohttp + orjson", "aiohttp + json")
OURS = ("ours", "ours, fold")


def _each(*names: str, count: int, **others: int) -> dict[str, int]:
    return dict.fromkeys(names, count) | others


def axes(*, quick: bool) -> tuple[Axis, ...]:
    """All of them; the quick ones are smaller and have fewer rounds, and say less for it."""
    rounds = 2 if quick else 7
    slow = 1 if quick else 8
    long = 4000 if quick else 16_000
    few = 40 if quick else 100
    streams = 200 if quick else 1000
    plain = _each("bare socket", *HAND, *OURS, "ours, text only", count=20) | dict.fromkeys(sorted(SLOW), slow)
    top20 = _each(*HAND, *OURS, "ours, fold and read logprobs", count=20) | {
        "openai create": 4,
        "openai .stream()": 1 if quick else 2,
    }
    cpu: dict[str, Any] = {"measure": "streams", "unit": "µs per chunk", "rounds": rounds}
    return (
        Axis("plain", "Plain, 1,000 tokens, 32 events a write", spec=Spec("plain", 1000), at_once=plain, **cpu),
        Axis(
            "top5",
            "5 alternatives, 500 tokens, 32 events a write",
            spec=Spec("top5", 500),
            **cpu,
            at_once=_each(*HAND, *OURS, count=20) | ({} if quick else {"openai create": 4}),
        ),
        Axis("top20", "20 alternatives, 500 tokens, 32 events a write", spec=Spec("top20", 500), at_once=top20, **cpu),
        Axis(
            "single",
            f"Plain, {few} tokens, one event a write",
            spec=Spec("plain", few, 1, 0.005),
            **cpu,
            at_once=_each("bare socket", *HAND, *OURS, count=10) | ({} if quick else {"openai create": 4}),
        ),
        Axis("short", "Plain, 500 tokens", spec=Spec("plain", 500), at_once=_each(*HAND, *OURS, count=4), **cpu),
        Axis(
            "long",
            f"Plain, {long:,} tokens",
            spec=Spec("plain", long, 32, 0.002),
            **cpu,
            at_once=_each(*HAND, *OURS, count=4),
        ),
        Axis(
            "long20",
            f"20 alternatives, {long:,} tokens",
            spec=Spec("top20", long, 32, 0.002),
            at_once=_each(*HAND, *OURS, count=2),
            measure="streams",
            unit="µs per chunk",
            rounds=min(rounds, 5),
        ),
        Axis(
            "paced",
            f"{streams:,} streams at once, 20 tokens/s each, one event a write",
            measure="streams",
            unit="µs per chunk",
            spec=Spec("plain", 20 if quick else 60, 1, 0.05),
            rounds=2 if quick else 4,
            at_once=_each("aiohttp + orjson", "ours", count=streams),
        ),
        Axis(
            "unary",
            "Not streamed, 64 tokens, 64 at once",
            measure="streams",
            unit="µs per request",
            spec=Spec("plain", 64, 0),
            rounds=5 if quick else 41,
            at_once=_each(*HAND, "ours", "openai create", "openai create, aiohttp", count=64),
        ),
        Axis(
            "idle",
            f"Memory of each of {streams:,} open, idle streams",
            measure="idle",
            unit="KiB per stream",
            spec=Spec("plain", 500, 32, 0.004, is_idle=True),
            rounds=1 if quick else 3,
            is_fresh=True,
            at_once=_each("aiohttp + orjson", "ours", count=streams) | {"openai create": streams // 4},
        ),
        Axis(
            "peak",
            f"Peak memory of a whole completion, {long:,} tokens with 20 alternatives",
            measure="peak",
            unit="MiB",
            spec=Spec("top20", long, 0),
            rounds=1 if quick else 3,
            is_fresh=True,
            at_once=_each(*HAND, "ours", "ours, fold and read logprobs", "openai create", count=1),
        ),
        Axis(
            "import",
            "Import, CPU",
            measure="import",
            unit="ms",
            spec=None,
            rounds=2 if quick else 7,
            at_once=_each("aiohttp.ClientSession", "deepseek_async.AsyncClient", "openai.AsyncOpenAI", count=1),
        ),
        Axis(
            "plain, uvloop",
            "Plain, 1,000 tokens, 32 events a write, on uvloop",
            spec=Spec("plain", 1000),
            **cpu,
            at_once=_each("bare socket", *HAND, *OURS, count=20),
            with_uvloop=True,
        ),
        Axis(
            "unary, uvloop",
            "Not streamed, 64 tokens, 64 at once, on uvloop",
            measure="streams",
            unit="µs per request",
            spec=Spec("plain", 64, 0),
            rounds=5 if quick else 41,
            at_once=_each(*HAND, "ours", count=64),
            with_uvloop=True,
        ),
    )


_PLAIN, _TOP20 = "plain, bursts", "20 alternatives, 500 tokens"

BARS = (
    Bar(f"{_PLAIN}: iterate / hand-written json loop", ("plain", "ours"), ("plain", "aiohttp + json"), 1.0),
    Bar(f"{_PLAIN}: iterate / hand-written orjson loop", ("plain", "ours"), ("plain", "aiohttp + orjson"), 2.5),
    Bar(f"{_PLAIN}: iterate / openai `create`", ("plain", "ours"), ("plain", "openai create"), 0.06),
    Bar(
        f"{_PLAIN}: iterate and fold / openai `.stream()`", ("plain", "ours, fold"), ("plain", "openai .stream()"), 0.04
    ),
    Bar(f"{_TOP20}: iterate and fold / json loop", ("top20", "ours, fold"), ("top20", "aiohttp + json"), 0.7),
    Bar(
        f"{_TOP20}: iterate and fold / openai `.stream()`",
        ("top20", "ours, fold"),
        ("top20", "openai .stream()"),
        0.015,
    ),
    Bar("16,000 tokens, plain: cost per token / that of 500", ("long", "ours, fold"), ("short", "ours, fold"), 1.25),
    Bar(
        "16,000 tokens, 20 alternatives: cost per token / that of 500",
        ("long20", "ours, fold"),
        ("top20", "ours, fold"),
        1.25,
    ),
    Bar("not streamed: ours / hand-written, orjson", ("unary", "ours"), ("unary", "aiohttp + orjson"), 1.35),
    Bar("not streamed: ours / openai", ("unary", "ours"), ("unary", "openai create"), 0.08),
    Bar(
        "1,000 paced streams: iterate / hand-written orjson loop",
        ("paced", "ours"),
        ("paced", "aiohttp + orjson"),
        1.25,
    ),
    Bar("memory of an open idle stream: ours / hand-written", ("idle", "ours"), ("idle", "aiohttp + orjson"), 1.3),
    Bar(
        "peak memory, 16,000 tokens with 20 alternatives, not streamed: ours / openai",
        ("peak", "ours"),
        ("peak", "openai create"),
        0.5,
    ),
    Bar(
        "the same, every alternative looked at: ours / openai",
        ("peak", "ours, fold and read logprobs"),
        ("peak", "openai create"),
        None,
    ),
    Bar(
        f"{_TOP20}: fold and look at every alternative / json loop",
        ("top20", "ours, fold and read logprobs"),
        ("top20", "aiohttp + json"),
        None,
    ),
    Bar(
        "5 alternatives, 500 tokens: iterate and fold / json loop",
        ("top5", "ours, fold"),
        ("top5", "aiohttp + json"),
        None,
    ),
    Bar(
        "one event a write: iterate / hand-written orjson loop",
        ("single", "ours"),
        ("single", "aiohttp + orjson"),
        None,
    ),
    Bar("not streamed: ours / openai over aiohttp", ("unary", "ours"), ("unary", "openai create, aiohttp"), None),
    Bar(
        f"{_PLAIN}, on uvloop: iterate / hand-written json loop",
        ("plain, uvloop", "ours"),
        ("plain, uvloop", "aiohttp + json"),
        None,
    ),
    Bar(
        "not streamed, on uvloop: ours / hand-written, orjson",
        ("unary, uvloop", "ours"),
        ("unary, uvloop", "aiohttp + orjson"),
        None,
    ),
    Bar("import: ours / openai", ("import", "deepseek_async.AsyncClient"), ("import", "openai.AsyncOpenAI"), None),
)
