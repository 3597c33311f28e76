"""Pieces of a fill-in-the-middle answer → the whole one. The rules are those of `fold`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from ...types import TextChoice, TextCompletion, TextLogprobs, Usage
from ..endings import interruption_in, last_reason, reason_of
from .choices import Choices
from .facts import AnswerFacts
from .joining import Pieces, frozen, joined, keep
from .usages import later


class TextFold:
    """A fold in progress; ``choices``: how many were asked for, ``None``: nobody knows."""

    def __init__(self, choices: int | None = None) -> None:
        self._id = ""
        self._created = 0
        self._model = ""
        self._system_fingerprint: str | None = None
        self.usage: Usage | None = None
        self._choices = Choices(_TextChoiceFold, is_of_one=choices == 1)
        self.extra: dict[str, Any] = {}
        self.changed: dict[int, TextChoice] = {}  # none ever is
        self.request_id: str | None = None

    def add(self, piece: TextCompletion) -> None:
        """Take the next piece."""
        self._id = self._id or piece.id
        self._created = self._created or piece.created
        self._model = self._model or piece.model
        if piece.system_fingerprint is not None and not self._system_fingerprint:
            self._system_fingerprint = piece.system_fingerprint
        if piece.usage is not None:
            self.usage = later(self.usage, piece.usage)
        keep(self.extra, piece.extra)
        choices = self._choices
        for choice in piece.choices:
            if choice.index == choices.index:
                choices.current.add(choice)
            else:
                choices.turn_to(choice, len(piece.choices)).add(choice)

    def append_to(self, name: str, index: int) -> None:  # noqa: ARG002
        """As `Fold.append_to`: they have to be taken whole."""
        return

    def add_all(self, pieces: Sequence[TextCompletion], _: object, /) -> None:
        """Take the next pieces. None of them repeats another."""
        for piece in pieces:
            self.add(piece)

    @property
    def finish_reasons(self) -> list[str | None]:
        """Of each choice, in order of arrival."""
        return [choice.finish_reason for _, choice in self._choices.all()]

    @property
    def is_of_one(self) -> bool:
        """Whether one choice was asked for, and nothing that came speaks against it."""
        return self._choices.is_of_one

    @property
    def is_blank(self) -> bool:
        """Whether no choice has come: one always has a text."""
        return not self._choices.all()

    def facts(self) -> AnswerFacts:
        """What has come so far besides the texts."""
        reasons = tuple(reason for reason in self.finish_reasons if reason is not None)
        return AnswerFacts(self._id, self._model, self.usage, reasons)

    def completion(self, *, done: bool) -> TextCompletion:
        """What has come so far, as a value; ``done``: whether the server has ended the answer."""
        return TextCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=tuple(folding.choice(index) for index, folding in self._choices.sorted()),
            usage=self.usage,
            system_fingerprint=self._system_fingerprint,
            complete=done and interruption_in(self.finish_reasons) is None,
            request_id=self.request_id,
            extra=frozen(self.extra),
        )


class _TextChoiceFold:
    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._text: list[str] = []
        self._offsets: list[int] | None = None
        self._values: list[float | None] | None = None
        self._tokens: list[str] | None = None
        self._tops: list[Mapping[str, float] | None] | None = None
        self._has_logprobs = False
        self._extra = Pieces(joins_texts=False)
        self._logprobs_extra = Pieces(joins_texts=False)

    def add(self, choice: TextChoice) -> None:
        self._text.append(choice.text)
        if choice.finish_reason is not None:
            self.finish_reason = last_reason(self.finish_reason, reason_of(choice) or choice.finish_reason)
        self._extra.add(choice.extra)
        if (logprobs := choice.logprobs) is not None:
            self._has_logprobs = True
            self._offsets = _extended(self._offsets, logprobs.text_offset)
            self._values = _extended(self._values, logprobs.token_logprobs)
            self._tokens = _extended(self._tokens, logprobs.tokens)
            self._tops = _extended(self._tops, logprobs.top_logprobs)
            self._logprobs_extra.add(logprobs.extra)

    def clone(self) -> _TextChoiceFold:
        new = _TextChoiceFold()
        new.finish_reason, new._text, new._has_logprobs = self.finish_reason, list(self._text), self._has_logprobs
        new._offsets, new._values = copy.copy(self._offsets), copy.copy(self._values)
        new._tokens, new._tops = copy.copy(self._tokens), copy.copy(self._tops)
        new._extra, new._logprobs_extra = self._extra.clone(), self._logprobs_extra.clone()
        return new

    def choice(self, index: int) -> TextChoice:
        logprobs = None
        if self._has_logprobs:
            logprobs = TextLogprobs(
                None if self._offsets is None else tuple(self._offsets),
                None if self._values is None else tuple(self._values),
                None if self._tokens is None else tuple(self._tokens),
                None if self._tops is None else tuple(self._tops),
                extra=frozen(self._logprobs_extra.joined()),
            )
        text, extra = joined(self._text) or "", frozen(self._extra.joined())
        return TextChoice(text, index, logprobs, self.finish_reason, extra=extra)


def _extended(so_far: list[Any] | None, new: tuple[Any, ...] | None) -> list[Any] | None:
    if new is None:
        return so_far
    if so_far is None:
        return list(new)
    so_far.extend(new)
    return so_far
