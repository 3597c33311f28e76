"""Fill-in-the-middle answers (``POST /beta/completions``): their own shape, older than chat's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .usage import Usage
from .values import Brief, Document, extra_field


@attrs.frozen(repr=False)
class TextLogprobs(Brief):
    """Parallel lists, one entry a token; ``top_logprobs`` maps token to logprob."""

    text_offset: tuple[int, ...] | None = None
    token_logprobs: tuple[float | None, ...] | None = None
    tokens: tuple[str, ...] | None = None
    top_logprobs: tuple[Mapping[str, float] | None, ...] | None = attrs.field(default=None, hash=False)
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class TextChoice(Brief):
    """One answer; in a stream, one piece of it."""

    text: str = ""
    index: int = 0
    logprobs: TextLogprobs | None = None
    finish_reason: str | None = None
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class TextCompletion(Document):
    """The answer to a FIM request; in a stream, one event of it."""

    id: str = ""
    object: str = "text_completion"
    created: int = 0
    model: str = ""
    choices: tuple[TextChoice, ...] = ()
    usage: Usage | None = None
    system_fingerprint: str | None = None
    complete: bool = attrs.field(default=True, kw_only=True)
    request_id: str | None = attrs.field(default=None, eq=False, kw_only=True)
    extra: Mapping[str, Any] = extra_field()

    @property
    def text(self) -> str:
        """The text of choice 0; ``""`` where there is none."""
        return self.choices[0].text if self.choices else ""

    @property
    def finish_reason(self) -> str | None:
        """Why choice 0 ended."""
        return self.choices[0].finish_reason if self.choices else None
