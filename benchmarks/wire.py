"""The bytes of answers as DeepSeek sends them, built once: the same tokens in chunks and in one piece.

A stream's name says all that its bytes depend on, and stands in the URL: ``stream.top20.500.32.4000`` is 500 tokens
with 20 alternatives each, 32 events a write, a write every 4,000 µs; ``whole.plain.64`` one body of 64 tokens.
"""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import attrs

from .dialects import DIALECTS

ALTERNATIVES = {"plain": 0, "top5": 5, "top20": 20, **dict.fromkeys(DIALECTS, 0), "llama5": 5}

_WORDS = (
    "the of and to in is that it was for on are with as his they be at one have this from or had by hot word but what"
    " some we can out other were all there when up use your how said an each she which do their time if will way about"
    " many then them write would like so these her long make thing see him two has look more day could go come did"
).split()
_PIECES = [" " + word for word in _WORDS] + [",", ".", "\n\n", " é", " 数", "据", " —", ' "', "ing", "ed", "s"]


ROWS = 4000
"""Of a batch."""


@attrs.frozen
class Spec:
    """What is sent.

    Attributes:
        kind: ``plain``, ``top5`` or ``top20``: the alternatives at each token; or the name of another server's dialect.
        tokens: Tokens of the answer; one chunk each.
        burst: Events a write; 0: the answer comes in one piece, not streamed.
        tick: Seconds between writes.
        is_idle: After the first write, nothing ever comes.
    """

    kind: str = "plain"
    tokens: int = 1000
    burst: int = 32
    tick: float = 0.004
    is_idle: bool = False

    @property
    def name(self) -> str:
        if not self.burst:
            return f"whole.{self.kind}.{self.tokens}"
        mode = "idle" if self.is_idle else "stream"
        return f"{mode}.{self.kind}.{self.tokens}.{self.burst}.{round(self.tick * 1e6)}"

    @classmethod
    def named(cls, name: str) -> Spec:
        mode, kind, tokens, *pace = name.split(".")
        if mode == "whole":
            return cls(kind, int(tokens), burst=0)
        return cls(kind, int(tokens), int(pace[0]), int(pace[1]) / 1e6, mode == "idle")

    @property
    def chunks(self) -> int:
        """Chunks of the stream: the role, the tokens, the end."""
        return self.tokens + 2

    @property
    def characters(self) -> int:
        """Characters of the answer's text."""
        return sum(map(len, _text(self.tokens)))

    @property
    def alternatives(self) -> int:
        """Tokens among ``top_logprobs``."""
        return ALTERNATIVES[self.kind] * self.tokens


@cache
def _text(tokens: int) -> list[str]:
    return random.Random(1).choices(_PIECES, k=tokens)


def _alternative(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _logprobs(kind: str, tokens: int) -> list[dict[str, Any]]:
    """The tokens with their alternatives, likeliest first, the answer's own token among them."""
    width, chance = ALTERNATIVES[kind], random.Random(2)
    entries = []
    for text in _text(tokens):
        others = sorted((round(-8 * chance.random() - 0.5, 7) for _ in range(width - 1)), reverse=True)
        top = [_alternative(text, -0.3142118)]
        top += [
            _alternative(word, logprob) for word, logprob in zip(chance.sample(_PIECES, width - 1), others, strict=True)
        ]
        entries.append({**top[0], "top_logprobs": top})
    return entries


_HEAD: dict[str, Any] = {
    "id": "930c60df-bf64-41c9-a88e-3ec75f81e00e",
    "object": "chat.completion.chunk",
    "created": 1760000000,
    "model": "deepseek-flash",
    "system_fingerprint": "fp_44709d6fcb",
}


def _usage(tokens: int) -> dict[str, Any]:
    return {
        "prompt_tokens": 17,
        "completion_tokens": tokens,
        "total_tokens": 17 + tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        "prompt_cache_hit_tokens": 0,
        "prompt_cache_miss_tokens": 17,
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _chunk(delta: dict[str, Any], logprobs: Any, finish_reason: str | None, usage: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
    return {**_HEAD, "choices": [choice], "usage": usage}


@cache
def payloads(kind: str, tokens: int) -> list[bytes]:
    """The JSON of each chunk: first the role, then a token each, last the finish reason and the usage."""
    entries = _logprobs(kind, tokens) if ALTERNATIVES[kind] else [None] * tokens
    texts = _text(tokens)
    chunks = [
        _chunk({"role": "assistant", "content": ""}, None, None, None),
        *(
            _chunk({"content": text}, entry and {"content": [entry]}, None, None)
            for text, entry in zip(texts, entries, strict=True)
        ),
        _chunk({"content": ""}, None, "stop", _usage(tokens)),
    ]
    if (dialect := DIALECTS.get(kind)) is not None:
        chunks = [dialect.chunk(chunk, number) for number, chunk in enumerate(chunks)]
    return list(map(_json, chunks))


@cache
def bursts(spec: Spec) -> list[bytes]:
    """The event stream, cut as it is written."""
    events = [b"data: %s\n\n" % payload for payload in payloads(spec.kind, spec.tokens)] + [b"data: [DONE]\n\n"]
    return [b"".join(events[start : start + spec.burst]) for start in range(0, len(events), spec.burst)]


@cache
def body(kind: str, tokens: int) -> bytes:
    """The answer in one piece."""
    message = {"role": "assistant", "content": "".join(_text(tokens))}
    logprobs = {"content": _logprobs(kind, tokens)} if ALTERNATIVES[kind] else None
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
    answer = {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": _usage(tokens)}
    return _json(DIALECTS[kind].whole(answer) if kind in DIALECTS else answer)


def request_of(spec: Spec) -> dict[str, Any]:
    """What every contestant asks; as keyword arguments for those that have them."""
    request: dict[str, Any] = {
        "model": "deepseek-flash",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Why is the sky blue? Explain it to a child of ten in a few sentences."},
        ],
        "temperature": 0.7,
        "max_tokens": spec.tokens,
    }
    if width := ALTERNATIVES[spec.kind]:
        request |= {"logprobs": True, "top_logprobs": width}
    return request
