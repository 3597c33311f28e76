"""From a request to what is said: the model's tokens become emissions."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import Any

from .answers import Channel, Emission, Finished, Token
from .stops import StopGate

__all__ = ["emit_text"]


def emit_text(
    steps: Iterator[Any],
    tokenizer: Any,
    channel: Channel,
    *,
    stops: Sequence[str],
    budget: int,
    top_logprobs: int | None,
) -> Iterator[Emission | Finished]:
    """Turn a model's steps into emissions of one channel, then `Finished`.

    Args:
        budget: How many tokens may be drawn; reaching it finishes with ``length``.
        top_logprobs: How many alternatives each token lists; ``None``: no log probabilities at all.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    gate = StopGate(stops)
    held: list[Token] = []
    drawn = unreported = 0
    reason = "stop"
    for step in steps:
        drawn += 1
        unreported += 1
        text = gate.receive_text(decoder.decode(tokenizer.token_bytes(step.token) or b""))
        if top_logprobs is not None:
            held.append(_listed(tokenizer, step, top_logprobs))
        if text or (held and not gate._held and not gate.stopped):  # noqa: SLF001
            yield Emission(channel, text, unreported, tuple(held) if top_logprobs is not None else None)
            held.clear()
            unreported = 0
        if gate.stopped:
            break
        if drawn >= budget:
            reason = "length"
            break
    rest = gate.receive_end()
    if rest:
        yield Emission(channel, rest, unreported, tuple(held) if top_logprobs is not None else None)
        unreported = 0
    yield Finished(reason, unreported)


def _listed(tokenizer: Any, step: Any, top_logprobs: int) -> Token:
    top = tuple(_token(tokenizer, token, logprob) for token, logprob in step.top[:top_logprobs])
    return _token(tokenizer, step.token, step.logprob, top)


def _token(tokenizer: Any, token: int, logprob: float, top: tuple[Token, ...] = ()) -> Token:
    data = tokenizer.token_bytes(token)
    return Token(tokenizer.token_text(token), logprob, None if data is None else tuple(data), top)
