"""What is measured: which answers, by whom, how many at once, how often."""

from __future__ import annotations

from typing import Any

import attrs

from .dialects import DIALECTS
from .wire import ROWS, Spec

OTHERS = ("litellm", "langchain-deepseek", "pydantic-ai", "mistralai")

# They take 20 to 200 times as long as the rest: fewer rounds of them say as much.
SLOW = frozenset(
    ("openai create", "openai .stream()", "openai create, aiohttp", "openai .stream(), aiohttp", *OTHERS),
)


@attrs.frozen
class Axis:
    """One table of figures.

    Attributes:
        name: As ``--only`` takes it.
        title: What is measured, in words.
        measure: ``streams`` (CPU), ``rows`` (time of a batch), ``idle`` or ``peak`` (memory), ``import`` (CPU).
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
    "µs per row": 1e6,
    "KiB per stream": 1 / 1024,
    "MiB": 1 / 2**20,
    "ms": 1e3,
}


HAND = ("aiohttp + orjson", "aiohttp + json")
OURS = ("ours", "ours, fold")
READ = "ours, fold and read logprobs"
PAIR = ("aiohttp + orjson", "ours")
CLIENT = "deepseek_async.AsyncClient"


def _each(*names: str, count: int) -> dict[str, int]:
    return dict.fromkeys(names, count)


def axes(*, quick: bool) -> tuple[Axis, ...]:
    """All of them; the quick ones are smaller and have fewer rounds, and say less for it."""
    by_what = (_bursts, _dialects, _reads, _lengths, _paced, _whole, _batches, _rest)
    return tuple(axis for some in by_what for axis in some(quick=quick))


def _cpu(quick: bool, rounds: int = 7) -> dict[str, Any]:
    return {"measure": "streams", "unit": "µs per chunk", "rounds": 2 if quick else rounds}


def _bursts(*, quick: bool) -> tuple[Axis, ...]:
    """Streams as fast as they are read, by what a chunk holds."""
    plain = Spec("plain", 1000)
    few = 40 if quick else 100
    slow = _each(*sorted(SLOW - set(OTHERS)), count=1 if quick else 8) | _each(*OTHERS, count=1 if quick else 2)
    top20 = {"openai create": 4, "openai .stream()": 1 if quick else 2}
    top20 |= _each("litellm", "langchain-deepseek", "pydantic-ai", count=1 if quick else 2)
    return (
        Axis(
            "plain",
            "Plain, 1,000 tokens, 32 events a write",
            spec=plain,
            at_once=_each("bare socket", *HAND, *OURS, "ours, text only", count=20) | slow,
            **_cpu(quick),
        ),
        Axis(
            "plain, uvloop",
            "Plain, 1,000 tokens, 32 events a write, on uvloop",
            spec=plain,
            at_once=_each("bare socket", *HAND, *OURS, count=20),
            with_uvloop=True,
            **_cpu(quick),
        ),
        Axis(
            "top5",
            "5 alternatives, 500 tokens, 32 events a write",
            spec=Spec("top5", 500),
            at_once=_each(*HAND, *OURS, count=20) | ({} if quick else {"openai create": 4}),
            **_cpu(quick),
        ),
        Axis(
            "top20",
            "20 alternatives, 500 tokens, 32 events a write",
            spec=Spec("top20", 500),
            at_once=_each(*HAND, *OURS, READ, "ours, fold and read chosen", count=20) | top20,
            **_cpu(quick),
        ),
        Axis(
            "single",
            f"Plain, {few} tokens, one event a write",
            spec=Spec("plain", few, 1, 0.005),
            at_once=_each("bare socket", *HAND, *OURS, count=10) | ({} if quick else {"openai create": 4}),
            **_cpu(quick),
        ),
    )


def _dialects(*, quick: bool) -> tuple[Axis, ...]:
    """The same answer as other servers write it, streamed and in one piece."""
    streamed = [
        Axis(
            name,
            f"{dialect.title}'s chunks, 500 tokens, 32 events a write",
            spec=Spec(name, 500),
            at_once=_each(*HAND, *OURS, count=20),
            **_cpu(quick),
        )
        for name, dialect in DIALECTS.items()
    ]
    whole = [
        Axis(
            f"{name}, whole",
            f"{dialect.title}'s answer in one piece, 64 tokens, 64 at once",
            measure="streams",
            unit="µs per request",
            spec=Spec(name, 64, 0),
            rounds=3 if quick else 21,
            at_once=_each(*HAND, "ours", count=64),
        )
        for name, dialect in DIALECTS.items()
    ]
    return (*streamed, *whole)


def _reads(*, quick: bool) -> tuple[Axis, ...]:
    """Log probabilities that are read, in answers of several lengths, as many at once in each.

    Sixteen short ones at once would share what the loop does for one long one alone, and look like growth.
    """
    rounds = {500: 41, 16_000: 5} if quick else {500: 81, 16_000: 5, 32_000: 5}
    return tuple(
        Axis(
            f"read{width}-{tokens}",
            f"{width} alternatives, {sent:,} tokens, folded, every logprob read",
            spec=Spec(f"top{width}", sent, 32, 0.002),
            at_once=_each(READ, "ours, fold", count=2),
            **_cpu(quick, rounds[tokens]),
        )
        for width in (5, 20)
        for tokens in rounds
        if (sent := min(tokens, 4000) if quick else tokens)
    )


def _lengths(*, quick: bool) -> tuple[Axis, ...]:
    """The same in answers of several lengths."""
    long = 4000 if quick else 16_000

    def axis(name: str, tokens: int, *, rounds: int) -> Axis:
        return Axis(
            name,
            f"Plain, {tokens:,} tokens",
            spec=Spec("plain", tokens, 32, 0.002),
            at_once=_each(*HAND, *OURS, count=4),
            **_cpu(quick, rounds),
        )

    return (
        axis("tokens-100", 100, rounds=41),
        axis("tokens-500", 500, rounds=21),
        *(() if quick else (axis("tokens-4000", 4000, rounds=7),)),
        axis("tokens-16000", long, rounds=7),
        Axis(
            "long20",
            f"20 alternatives, {long:,} tokens",
            spec=Spec("top20", long, 32, 0.002),
            at_once=_each(*HAND, *OURS, count=2),
            **_cpu(quick, rounds=5),
        ),
    )


def _paced(*, quick: bool) -> tuple[Axis, ...]:
    """Streams at the pace of a model that writes, one event a write, for some seconds."""

    def axis(
        name: str, streams: int, per_second: int, *others: str, rounds: int = 4, with_uvloop: bool = False
    ) -> Axis:
        loop = ", on uvloop" if with_uvloop else ""
        return Axis(
            name,
            f"{streams:,} at once, {per_second} tokens/s each, one event a write{loop}",
            spec=Spec("plain", 20 if quick else 60, 1, 1 / per_second),
            at_once=_each(*PAIR, *others, count=streams),
            with_uvloop=with_uvloop,
            **_cpu(quick, rounds),
        )

    many = 200 if quick else 1000
    some = (
        axis("paced-1", 1, 20, rounds=8),  # nearly all of it is waking up, which takes what it takes
        axis("paced-100", 100, 20, "openai create"),
        axis("paced-1000", many, 20),
        axis("paced-1000, uvloop", many, 20, with_uvloop=True),
    )
    return some if quick else (*some, axis("paced-100-fast", 100, 50), axis("paced-2000", 2000, 20))


def _whole(*, quick: bool) -> tuple[Axis, ...]:
    """Answers in one piece, 64 at once."""

    def axis(name: str, *contestants: str, with_uvloop: bool = False) -> Axis:
        return Axis(
            name,
            "Not streamed, 64 tokens, 64 at once" + (", on uvloop" if with_uvloop else ""),
            measure="streams",
            unit="µs per request",
            spec=Spec("plain", 64, 0),
            rounds=5 if quick else 41,
            at_once=_each(*contestants, count=64),
            with_uvloop=with_uvloop,
        )

    return (
        axis("unary", *HAND, "ours", "openai create", "openai create, aiohttp", *OTHERS),
        axis("unary, uvloop", *HAND, "ours", with_uvloop=True),
    )


def _batches(*, quick: bool) -> tuple[Axis, ...]:
    """Many rows from a server that answers in no time."""
    return (
        Axis(
            "batch",
            f"Batch of {ROWS:,} rows, 64 in flight, answered at once, journal with durability process",
            measure="rows",
            unit="µs per row",
            spec=Spec("plain", 64, 0),
            rounds=3 if quick else 9,
            at_once=_each(*PAIR, count=64),
        ),
    )


def _rest(*, quick: bool) -> tuple[Axis, ...]:
    """Memory, and imports."""
    streams = 200 if quick else 1000
    long = 4000 if quick else 16_000
    idle: dict[str, Any] = {
        "measure": "idle",
        "unit": "KiB per stream",
        "spec": Spec("plain", 500, 32, 0.004, is_idle=True),
        "rounds": 1 if quick else 3,
        "is_fresh": True,
    }
    title = f"Memory of each of {streams:,} open, idle streams"
    return (
        Axis("idle", title, at_once=_each(*PAIR, count=streams) | {"openai create": streams // 4}, **idle),
        Axis("idle, uvloop", f"{title}, on uvloop", at_once=_each(*PAIR, count=streams), with_uvloop=True, **idle),
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
            rounds=3 if quick else 21,
            at_once=_each("aiohttp.ClientSession", CLIENT, f"{CLIENT}()", count=1),
        ),
        Axis(
            "imports",
            "Import of others, CPU",
            measure="import",
            unit="ms",
            spec=None,
            rounds=2 if quick else 5,
            at_once=_each(
                CLIENT,
                "openai.AsyncOpenAI",
                "litellm.acompletion",
                "langchain_deepseek.ChatDeepSeek",
                "pydantic_ai.Agent",
                "mistralai.client.Mistral",
                count=1,
            ),
        ),
    )
