"""What the guard measures: our CPU over that of hand-written loops which do the same, taking turns.

Decoding is measured alone, bytes → chunks → fold; answers in one piece, in bursts and in single events from a replaying
server over loopback. A turn of ours is compared with the turns of the floors beside it, and the median of those ratios
counts: a machine that is slow for a while is so for all. Decoding has msgspec's own dictionaries for a third floor:
ours is mostly msgspec's work, and how that compares with the others' depends on the processor, by a fifth.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from statistics import median
from typing import Any

import attrs
import msgspec
import orjson

from deepseek_async.codec import completion_from_json
from deepseek_async.codec.answer import Complete, StreamedAnswer
from deepseek_async.codec.dialects import CHAT, read_by
from deepseek_async.codec.reading.shapes import AnswerReader
from deepseek_async.types import ChatCompletion

from .contestants import Session, Tally, contestant
from .dialects import DIALECTS
from .processes import server
from .wire import Spec, body, bursts
from .worker import check

Turn = Callable[[], Awaitable[float]]
"""One turn → CPU seconds that it took."""

OURS = "ours"
LEAST_TURNS = 9

Reader = Callable[[list[bytes]], Tally]
"""Reads of one answer → what it said."""


def _iterate(reads: list[bytes], server: AnswerReader) -> Tally:
    answer, characters, chunks = StreamedAnswer(read_by(CHAT, server)), 0, 0
    for data in reads:
        answer.receive_data(data)
        while (chunk := answer.next_chunk()) is not None:
            chunks += 1
            for choice in chunk.choices:
                characters += len(choice.delta.content or "")
    assert isinstance(answer.end, Complete)
    return Tally(characters, chunks)


def _folded(reads: list[bytes], server: AnswerReader) -> tuple[ChatCompletion, int]:
    answer = StreamedAnswer(read_by(CHAT, server))
    answer.drain()
    for data in reads:
        answer.receive_data(data)
    return answer.completion(), answer.chunks


def _fold(reads: list[bytes], server: AnswerReader) -> Tally:
    completion, chunks = _folded(reads, server)
    return Tally(len(completion.text), chunks)


def _fold_and_look(reads: list[bytes], server: AnswerReader) -> Tally:
    completion, chunks = _folded(reads, server)
    tokens = (completion.logprobs and completion.logprobs.content) or ()
    values = [top.logprob for token in tokens for top in token.top_logprobs]
    return Tally(len(completion.text), chunks, len(values))


def _fold_and_look_at_chosen(reads: list[bytes], server: AnswerReader) -> Tally:
    completion, chunks = _folded(reads, server)
    tokens = (completion.logprobs and completion.logprobs.content) or ()
    assert sum(token.logprob for token in tokens) <= 0
    assert len(tokens) == chunks - 2
    return Tally(len(completion.text), chunks)


def _whole(reads: list[bytes], server: AnswerReader) -> Tally:
    return Tally(len(completion_from_json(reads[0], reader=server).text))


def _loop(loads: Callable[[bytes], Any]) -> Reader:
    """The loop that a user would write by hand."""

    def read(reads: list[bytes]) -> Tally:
        characters, chunks, rest = 0, 0, b""
        for data in reads:
            *events, rest = (rest + data).split(b"\n\n")
            for event in events:
                payload = event[6:]
                if payload == b"[DONE]":
                    break
                chunks += 1
                for choice in loads(payload)["choices"]:
                    characters += len(choice["delta"].get("content") or "")
        return Tally(characters, chunks)

    return read


def _loaded(loads: Callable[[bytes], Any]) -> Reader:
    return lambda reads: Tally(len(loads(reads[0])["choices"][0]["message"]["content"]))


_LOADS = {"json": json.loads, "orjson": orjson.loads, "msgspec": msgspec.json.decode}
_ASKED = ("json", "orjson")


@attrs.frozen
class Case:
    """Ours and the floors on one answer; `at_once` 0: decoded alone, without a network, by a reader of its server's."""

    name: str
    spec: Spec
    at_once: int = 0
    read: Callable[[list[bytes], AnswerReader], Tally] = _iterate


CASES = (
    Case("decode plain", Spec("plain", 256)),
    Case("decode and fold plain", Spec("plain", 256), read=_fold),
    Case("decode and fold 20 alternatives", Spec("top20", 128), read=_fold),
    Case("decode, fold and look at 20 alternatives", Spec("top20", 128), read=_fold_and_look),
    Case("decode, fold and look at chosen tokens", Spec("top20", 128), read=_fold_and_look_at_chosen),
    Case("decode, fold and look, 5 alternatives, 1,000 tokens", Spec("top5", 1000), read=_fold_and_look),
    Case("decode, fold and look, 20 alternatives, 1,000 tokens", Spec("top20", 1000), read=_fold_and_look),
    Case("decode one piece, 20 alternatives", Spec("top20", 128, 0), read=_whole),
    *(Case(f"decode {dialect.title}", Spec(name, 256)) for name, dialect in DIALECTS.items() if name != "llama5"),
    Case("decode and fold llama.cpp, 5 alternatives", Spec("llama5", 128), read=_fold),
    *(
        Case(f"decode one piece, {dialect.title}", Spec(name, 64, 0), read=_whole)
        for name, dialect in DIALECTS.items()
        if name != "llama5"
    ),
    Case("not streamed", Spec("plain", 64, 0), at_once=64),
    Case("bursts", Spec("plain", 200, 32, 0.0), at_once=4),
    Case("one event a write", Spec("plain", 40, 1, 0.001), at_once=10),
)


OVER_LOOPBACK = frozenset(case.name for case in CASES if case.at_once)


def _decoding(case: Case) -> dict[str, Turn]:
    reads = bursts(case.spec) if case.spec.burst else [body(case.spec.kind, case.spec.tokens)]

    def turn(read: Reader) -> Turn:
        async def take() -> float:
            start = time.process_time()
            tally = read(reads)
            seconds = time.process_time() - start
            check(tally, case.spec)
            return seconds

        return take

    floor = _loop if case.spec.burst else _loaded
    server = AnswerReader()
    return {
        OURS: turn(lambda reads: case.read(reads, server)),
        **{name: turn(floor(loads)) for name, loads in _LOADS.items()},
    }


def _asking(case: Case, sessions: dict[str, Session]) -> dict[str, Turn]:
    def turn(session: Session) -> Turn:
        ask = session.stream if case.spec.burst else session.whole

        async def take() -> float:
            start = time.process_time()
            tallies = await asyncio.gather(*(ask(case.spec) for _ in range(case.at_once)))
            seconds = time.process_time() - start
            for tally in tallies:
                check(tally, case.spec)
            return seconds

        return take

    return {name: turn(session) for name, session in sessions.items()}


async def _ratios_of(turns: dict[str, Turn], seconds: float) -> dict[str, float]:
    for turn in turns.values():
        await turn()  # opens connections, fills caches
    gc.collect()
    taken: dict[str, list[float]] = {name: [] for name in turns}
    end = time.monotonic() + seconds
    while time.monotonic() < end or (seconds and len(taken[OURS]) < LEAST_TURNS) or not taken[OURS]:
        for name, turn in turns.items():
            taken[name].append(await turn())
    return {
        floor: median(ours / theirs for ours, theirs in zip(taken[OURS], taken[floor], strict=True))
        for floor in turns
        if floor != OURS
    }


async def _ratios(seconds: float, names: frozenset[str]) -> dict[str, dict[str, float]]:
    async with AsyncExitStack() as opened:
        root = opened.enter_context(server()).root
        homes = {OURS: "ours", **{floor: f"aiohttp + {floor}" for floor in _ASKED}}
        sessions = {name: await opened.enter_async_context(contestant(home)(root)) for name, home in homes.items()}
        return {
            case.name: await _ratios_of(_asking(case, sessions) if case.at_once else _decoding(case), seconds)
            for case in CASES
            if case.name in names
        }


def ratios(seconds: float, names: Iterable[str] | None = None) -> dict[str, dict[str, float]]:
    """Case → floor → ours over the floor, the median of the turns of `seconds` seconds, at least nine.

    Args:
        seconds: How long to measure each case; 0 for one turn each.
        names: Of the cases to measure; all by default.
    """
    return asyncio.run(_ratios(seconds, frozenset(names if names is not None else (case.name for case in CASES))))
