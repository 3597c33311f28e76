"""Pieces of a fill-in-the-middle answer → the whole one. The rules are those of `fold`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..types import TextChoice, TextCompletion, TextLogprobs, Usage
from .endings import interruption_in
from .fold import frozen, joined, keep


class TextFold:
    """A fold in progress."""

    def __init__(self) -> None:
        self._id = ""
        self._created = 0
        self._model = ""
        self._system_fingerprint: str | None = None
        self._usage: Usage | None = None
        self._choices: dict[int, _ChoiceFold] = {}
        self._extra: dict[str, Any] = {}
        self.request_id: str | None = None

    def add(self, piece: TextCompletion) -> None:
        """Take the next piece."""
        self._id = self._id or piece.id
        self._created = self._created or piece.created
        self._model = self._model or piece.model
        if piece.system_fingerprint is not None and not self._system_fingerprint:
            self._system_fingerprint = piece.system_fingerprint
        if piece.usage is not None:
            self._usage = piece.usage
        keep(self._extra, piece.extra)
        for choice in piece.choices:
            self._choices.setdefault(choice.index, _ChoiceFold()).add(choice)

    @property
    def finish_reasons(self) -> list[str | None]:
        """Of each choice, in order of arrival."""
        return [choice.finish_reason for choice in self._choices.values()]

    def completion(self, *, done: bool) -> TextCompletion:
        """What has come so far, as a value; ``done``: whether the server has ended the answer."""
        return TextCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=tuple(folding.choice(index) for index, folding in sorted(self._choices.items())),
            usage=self._usage,
            system_fingerprint=self._system_fingerprint,
            complete=done and interruption_in(self.finish_reasons) is None,
            request_id=self.request_id,
            extra=frozen(self._extra),
        )


class _ChoiceFold:
    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._text: list[str] = []
        self._offsets: list[int] | None = None
        self._values: list[float | None] | None = None
        self._tokens: list[str] | None = None
        self._tops: list[Mapping[str, float] | None] | None = None
        self._has_logprobs = False
        self._extra: dict[str, Any] = {}
        self._logprobs_extra: dict[str, Any] = {}

    def add(self, choice: TextChoice) -> None:
        self._text.append(choice.text)
        if choice.finish_reason is not None:
            self.finish_reason = choice.finish_reason
        keep(self._extra, choice.extra)
        if (logprobs := choice.logprobs) is not None:
            self._has_logprobs = True
            self._offsets = _extended(self._offsets, logprobs.text_offset)
            self._values = _extended(self._values, logprobs.token_logprobs)
            self._tokens = _extended(self._tokens, logprobs.tokens)
            self._tops = _extended(self._tops, logprobs.top_logprobs)
            keep(self._logprobs_extra, logprobs.extra)

    def choice(self, index: int) -> TextChoice:
        logprobs = None
        if self._has_logprobs:
            logprobs = TextLogprobs(
                None if self._offsets is None else tuple(self._offsets),
                None if self._values is None else tuple(self._values),
                None if self._tokens is None else tuple(self._tokens),
                None if self._tops is None else tuple(self._tops),
                extra=frozen(self._logprobs_extra),
            )
        return TextChoice(joined(self._text) or "", index, logprobs, self.finish_reason, extra=frozen(self._extra))


def _extended(so_far: list[Any] | None, new: tuple[Any, ...] | None) -> list[Any] | None:
    if new is None:
        return so_far
    if so_far is None:
        return list(new)
    so_far.extend(new)
    return so_far
