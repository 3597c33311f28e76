"""Token counts of one answer, or of several added together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any

import attrs

from .structs import knows_its_names
from .values import Brief, Document, extra_field


def _add(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


@attrs.frozen(repr=False)
class PromptTokensDetails(Brief):
    """``cached_tokens``: prompt tokens read from the context cache; equals the cache hits."""

    cached_tokens: int | None = None
    extra: Mapping[str, Any] = extra_field()

    def __add__(self, other: PromptTokensDetails) -> PromptTokensDetails:
        return PromptTokensDetails(_add(self.cached_tokens, other.cached_tokens))


@attrs.frozen(repr=False)
class CompletionTokensDetails(Brief):
    """``reasoning_tokens``: completion tokens spent on reasoning."""

    reasoning_tokens: int | None = None
    extra: Mapping[str, Any] = extra_field()

    def __add__(self, other: CompletionTokensDetails) -> CompletionTokensDetails:
        return CompletionTokensDetails(_add(self.reasoning_tokens, other.reasoning_tokens))


@knows_its_names
@attrs.frozen(repr=False)
class Usage(Document):
    """Token counts. ``+`` adds two, `sum` any number; a count that neither has stays ``None``.

    Attributes:
        prompt_tokens: Tokens of the prompt; cache hits and misses together.
        completion_tokens: Tokens of the answer, reasoning included.
        total_tokens: Both together.
        prompt_cache_hit_tokens, prompt_cache_miss_tokens: How the prompt met the context cache; ``None`` where the
            server does not tell.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_cache_hit_tokens: int | None = None
    prompt_cache_miss_tokens: int | None = None
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None
    extra: Mapping[str, Any] = extra_field()

    @property
    def cached_tokens(self) -> int | None:
        """Prompt tokens read from the cache, from whichever place the server tells it."""
        if self.prompt_cache_hit_tokens is not None:
            return self.prompt_cache_hit_tokens
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None

    @property
    def reasoning_tokens(self) -> int | None:
        """Completion tokens spent on reasoning; ``None`` where the server does not tell (as with thinking off)."""
        return self.completion_tokens_details.reasoning_tokens if self.completion_tokens_details else None

    def __add__(self, other: Usage) -> Usage:
        if not isinstance(other, Usage):
            return NotImplemented
        prompts = [u.prompt_tokens_details for u in (self, other) if u.prompt_tokens_details]
        answers = [u.completion_tokens_details for u in (self, other) if u.completion_tokens_details]
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            prompt_cache_hit_tokens=_add(self.prompt_cache_hit_tokens, other.prompt_cache_hit_tokens),
            prompt_cache_miss_tokens=_add(self.prompt_cache_miss_tokens, other.prompt_cache_miss_tokens),
            prompt_tokens_details=reduce(add, prompts) if prompts else None,
            completion_tokens_details=reduce(add, answers) if answers else None,
        )

    def __radd__(self, other: int) -> Usage:
        return self if other == 0 and isinstance(other, int) else NotImplemented  # `sum` begins with it
