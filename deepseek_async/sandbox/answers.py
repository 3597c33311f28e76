"""An answer as a value: what is said, in the order it is said. Streamed or whole, the same answer is written down.

`Emission` is the unit: what one delta carries. A streamed answer is one chunk an emission; a whole one concatenates
them. That both come from one list of emissions is what makes the law of reassembly hold here.

Emissions and tokens are made by the hundred thousand, hence structs and not attrs classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import attrs
from msgspec import Struct

__all__ = ["Answer", "Called", "Emission", "Finished", "Token", "Usage"]

Channel = Literal["content", "reasoning_content"]


class Token(Struct, frozen=True):
    """A token with its log probability, as ``logprobs`` lists it; its ``top`` only where asked for."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None
    top_logprobs: tuple[Token, ...] = ()


class Emission(Struct, frozen=True):
    """Text of one channel, with the tokens it came from."""

    channel: Channel
    text: str
    count: int
    tokens: tuple[Token, ...] | None = None


class Called(Struct, frozen=True):
    """A fragment of a tool call: the first one of an index has ``id`` and ``name``, the rest only ``arguments``."""

    index: int
    arguments: str
    count: int
    id: str | None = None
    name: str | None = None


class Finished(Struct, frozen=True):
    """The end of a choice."""

    reason: str
    count: int = 0


@attrs.frozen
class Usage:
    """Token counts of one request."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None

    def to_wire(self) -> dict[str, object]:
        """As the API writes it; the completion's details are absent where there was no thinking."""
        usage: dict[str, object] = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
            "prompt_cache_hit_tokens": self.cached_tokens,
            "prompt_cache_miss_tokens": self.prompt_tokens - self.cached_tokens,
        }
        if self.reasoning_tokens is not None:
            usage["completion_tokens_details"] = {"reasoning_tokens": self.reasoning_tokens}
        return usage


@attrs.frozen
class Answer:
    """Everything a completion says, its emissions still to be drawn.

    ``emissions`` yields (choice index, emission) in the order a stream sends them, one `Finished` a choice, and can be
    read once. Drawing one is what costs time: it is the model's work.
    """

    id: str
    created: int
    model: str
    emissions: Iterator[tuple[int, Emission | Called | Finished]]
    choices: int
    prompt_tokens: int
    cached_tokens: int
    thinking: bool
    logprobs: bool
    fingerprint: str = "fp_sandbox_0001"
