"""Chunks → completion, field by field and in linear time.

Merging dictionaries by type doubles ids and roles, loses logprobs and costs the square of the length. Here every
field has its own rule:

| field | rule |
| --- | --- |
| id, created, model, system_fingerprint | the first that is not empty (some first chunks are blank) |
| role | set once; an empty one never counts |
| content, reasoning_content | appended, joined once at the end |
| tool calls | fragment by fragment, see `folding.calls` |
| logprobs | extended per choice and per channel; which channel, see `folding.channels` |
| finish_reason | the last that is not null, wherever it arrives, but one by which the server broke off stays |
| usage | the last, see `folding.usages` for those that say little or nothing |
| unknown fields | those of a chunk: the last that is not null, but for `PROGRESS`; others as `folding.joining` says |

A field that never came stays ``None``; one that came empty stays ``""``: so the fold equals the answer in one piece.
Only the content of an answer that was finished is ``""`` where none came: so say servers in one piece, and a message
without content would be refused when it goes back.

Which choice a chunk's belongs to its ``index`` says, but for servers that count chunks in it: see `folding.choices`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ...errors import InvalidRequestError
from ...types import ChatCompletion, ChatCompletionChunk, ChunkChoice, Usage
from ...types.values import NO_EXTRA
from ..endings import interruption_in
from ..reading.repetition import Repetition
from .chat_choice import ChoiceFold
from .choices import Choices
from .facts import AnswerFacts
from .joining import PROGRESS, frozen, keep
from .usages import later


def fold(chunks: Iterable[ChatCompletionChunk]) -> ChatCompletion:
    """The completion that the chunks add up to; pure, and linear in their number.

    Returns:
        ``complete`` is True if every choice has a ``finish_reason`` other than an interruption's.

    Raises:
        InvalidRequestError: One is no chunk.
    """
    folding = Fold()
    chunk: Any = ...
    try:
        for chunk in chunks:
            folding.add(chunk)
    except (AttributeError, TypeError):
        if chunk is ... or isinstance(chunk, ChatCompletionChunk):
            raise
        what = f"ChatCompletionChunk each, not {type(chunk).__name__}; ChatCompletionChunk.from_dict makes one"
        raise InvalidRequestError("chunks", None, what) from None
    return folding.completion(done=folding.is_finished)


class Fold:
    """A fold in progress: `add` each chunk, ask for the `completion` at any time.

    Args:
        choices: How many choices were asked for; ``None``: nobody knows.
    """

    def __init__(self, choices: int | None = None) -> None:
        self._id = ""
        self._created = 0
        self._model = ""
        self._has_head = False
        self._system_fingerprint: str | None = None
        self.usage: Usage | None = None
        """What the server last said of its counts."""
        self._usage_before: Usage | None = None
        self.changed: dict[int, ChunkChoice] = {}
        """Choices that were taken otherwise than they came, by the `id` of what came: see `folding.messages`."""
        self._choices = Choices(partial(ChoiceFold, self.changed), is_of_one=choices == 1)
        self.extra: dict[str, Any] = {}
        self._last_extra: Mapping[str, Any] = NO_EXTRA
        self.request_id: str | None = None

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Take the next chunk."""
        # The head repeats in every chunk: looked at until it is whole.
        if not self._has_head:
            self._id = self._id or chunk.id
            self._created = self._created or chunk.created
            self._model = self._model or chunk.model
            self._has_head = bool(self._id and self._created and self._model)
        if chunk.system_fingerprint is not None and not self._system_fingerprint:
            self._system_fingerprint = chunk.system_fingerprint
        if chunk.usage is not None:
            self.usage = later(self.usage, chunk.usage)
        if (extra := chunk.extra) and extra is not self._last_extra:
            keep(self.extra, extra)
            self._last_extra = extra
        choices = self._choices
        for choice in chunk.choices:
            if choice.index == choices.index:
                choices.current.add(choice)
            else:
                choices.turn_to(choice, len(chunk.choices)).add(choice)

    def add_all(self, chunks: Sequence[ChatCompletionChunk], runs: list[Repetition]) -> None:
        """Take the next chunks.

        Args:
            runs: Which of them differ in a text alone: one of them is taken, and then the texts of the others.
        """
        add, choices = self.add, self._choices
        at = 0
        for start, name, texts in runs:
            for chunk in chunks[at : start + 1]:
                add(chunk)
            at = start + 1
            if chunks[start].choices[0].index == choices.index:
                so_far = choices.current.texts(name)
                assert so_far is not None  # noqa: S101 - the first has added to it
                so_far += texts[1:]
                at = start + len(texts)
        for chunk in chunks[at:] if at else chunks:
            add(chunk)

    def append_to(self, name: str, index: int) -> Callable[[str], object] | None:
        """What takes the texts of more chunks that say the same as the last one but for them; ``None``: they have to be
        taken whole.

        Args:
            name: Whose texts: ``content`` or ``reasoning_content``.
            index: Of the choice.
        """
        texts = self._choices.current.texts(name) if self._choices.index == index else None
        return None if texts is None else texts.append

    def reopen(self, pending: int = 0) -> None:
        """Take the end back: what comes now continues the same answer. Its usage is added to what was used before."""
        self._usage_before, self.usage = self._usage_of_all(), None
        self.drop(pending)

    def drop(self, pending: int) -> None:
        """Forget the end, and the tokens of the last chunks that brought any: their text will come again."""
        self.usage = None
        self._choices.settle()
        for _, choice in self._choices.all():
            choice.finish_reason = None
            choice.drop(pending)

    def _usage_of_all(self) -> Usage | None:
        if self._usage_before is None or self.usage is None:
            return self.usage or self._usage_before
        return self._usage_before + self.usage

    @property
    def finish_reasons(self) -> list[str | None]:
        """Of each choice, in order of arrival."""
        return [choice.finish_reason for _, choice in self._choices.all()]

    @property
    def is_of_one(self) -> bool:
        """Whether one choice was asked for, and nothing that came speaks against it."""
        return self._choices.is_of_one

    @property
    def is_finished(self) -> bool:
        """Whether there is a choice and every one has its ``finish_reason``."""
        return bool(self._choices.all()) and None not in self.finish_reasons

    @property
    def is_blank(self) -> bool:
        """Whether no choice has brought a message, not even one that says nothing."""
        return all(choice.is_blank for _, choice in self._choices.all())

    def facts(self) -> AnswerFacts:
        """What has come so far besides the texts; costs nothing."""
        reasons = tuple(reason for reason in self.finish_reasons if reason is not None)
        return AnswerFacts(self._id, self._model, self._usage_of_all(), reasons)

    def completion(self, *, done: bool) -> ChatCompletion:
        """What has come so far, as a value.

        Args:
            done: Whether the server has ended the answer.
        """
        complete = done and interruption_in(self.finish_reasons) is None
        choices = tuple(folding.choice(index, done=complete) for index, folding in self._choices.sorted())
        return ChatCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=self._usage_of_all(),
            system_fingerprint=self._system_fingerprint,
            complete=complete,
            request_id=self.request_id,
            extra=frozen({name: value for name, value in self.extra.items() if name not in PROGRESS}),
        )
