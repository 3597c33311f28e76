"""An `Answer` holds what the model says, in the order it is said, before anything decides how it is sent.

`Emission` is the unit: what one delta carries. A streamed answer is one chunk an emission; a whole one concatenates
them. That both come from one list of emissions is what makes the law of reassembly hold here.

Emissions and tokens are made by the hundred thousand, hence structs and not attrs classes: they are made in C.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct, field

__all__ = ["Alternative", "Answer", "Called", "Channel", "Emission", "Finished", "Said", "Token", "Usage"]

Channel = Literal["content", "reasoning_content"]


class Alternative(Struct, frozen=True, forbid_unknown_fields=True):
    """A token that could have stood there, with its log probability."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None


class Token(Struct, frozen=True, forbid_unknown_fields=True):
    """A token as ``logprobs`` lists it."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None
    top_logprobs: tuple[Alternative, ...] = ()


class Emission(Struct, frozen=True):
    """Text of one channel.

    Attributes:
        count: How many tokens were generated for it.
        tokens: Those that belong to the answer; None if none are listed at all.
    """

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
    """The end of a choice; ``count`` tokens were generated that nothing shows, such as those of a stop sequence."""

    reason: str
    count: int = 0


Said = Emission | Called | Finished


class Usage(Struct, frozen=True, kw_only=True):
    """Token counts of one request.

    Attributes:
        reasoning_tokens: None without thinking: the API then leaves the details out.
        changes: Fields that replace those counted, where a script says so.
    """

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)

    def to_wire(self) -> Any:
        """As the API writes it: the fields of `replies.ReplyUsage`, and what a script makes of them."""
        usage: dict[str, Any] = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
            "prompt_cache_hit_tokens": self.cached_tokens,
            "prompt_cache_miss_tokens": self.prompt_tokens - self.cached_tokens,
        }
        if self.reasoning_tokens is not None:
            usage["completion_tokens_details"] = {"reasoning_tokens": self.reasoning_tokens}
        return {**usage, **self.changes}


class Answer(Struct, frozen=True, kw_only=True):
    """Everything that a completion says. Its emissions are drawn while it is sent.

    Attributes:
        emissions: (choice index, what is said), in the order a stream sends them, one `Finished` a choice. Can be read
            once. Drawing is what costs time: it is the model's work.
    """

    id: str
    created: int
    model: str
    fingerprint: str
    emissions: Iterator[tuple[int, Said]]
    choices: int
    prompt_tokens: int
    cached_tokens: int
    thinking: bool
    usage_changes: Mapping[str, Any] = field(default_factory=dict)

    def usage(self, completion_tokens: int, reasoning_tokens: int) -> Usage:
        """The usage, once everything was said."""
        return Usage(
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=completion_tokens,
            reasoning_tokens=reasoning_tokens if self.thinking else None,
            changes=self.usage_changes,
        )
