"""A streamed chat answer, in one part or continued."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from ..codec.endings import interruption_in
from ..codec.fold import Fold
from ..codec.stream import StreamDecoder
from ..errors import DeepSeekError
from ..types import ChatCompletion, ChatCompletionChunk, ChunkChoice, Delta
from .call import Call
from .event_stream import EventStream
from .reading import Reading
from .resumption import Resumption, Seam


class ChatCompletionStream(EventStream[ChatCompletionChunk, ChatCompletion]):
    """A streamed chat answer: ``async for`` over `ChatCompletionChunk`, or `deltas`, `text_deltas`, `completion`.

    Use it as an async context manager, or read it to its end, or `aclose` it. Each chunk is delivered once, whichever
    way it is read.

    Raises:
        StreamInterruptedError: From reading: the stream did not end well.
        APITimeoutError: From reading: a deadline passed; its ``phase`` says which.
    """

    _fold: Fold

    def __init__(
        self,
        start: Callable[[], Call],
        make_decoder: Callable[[], StreamDecoder[ChatCompletionChunk]],
        resumption: Resumption | None = None,
    ) -> None:
        super().__init__(start, make_decoder, Fold, _chunk_has_text)
        self._resumption = resumption
        self._closing: list[ChatCompletionChunk] = []

    @property
    def seams(self) -> tuple[Seam, ...]:
        """Where the answer was continued (see `Resume`); empty if it came in one piece."""
        return tuple(self._resumption.seams) if self._resumption is not None else ()

    # -- continuing --------------------------------------------------------------------------------------------------

    def _begin_fold(self) -> None:
        if self.seams:
            self._fold.reopen()
        else:
            self._fold = Fold()

    def _has_shown_part(self) -> bool:
        # A continuation's text is in the fold as soon as it comes, delivered or not.
        return self._part_has_text if self.seams else super()._has_shown_part()

    def _take(self, chunks: list[ChatCompletionChunk]) -> None:
        super()._take(self._without_closing(chunks) if self._resumption is not None else chunks)

    def _without_closing(self, chunks: list[ChatCompletionChunk]) -> list[ChatCompletionChunk]:
        """Hold the end back: only once it is sure that no other part follows is it the answer's end."""
        shown = []
        for chunk in chunks:
            if self._closing or any(choice.finish_reason is not None for choice in chunk.choices):
                if _chunk_has_text(chunk):
                    shown.append(_reopened(chunk))
                    chunk = _emptied(chunk)
                self._closing.append(chunk)
            elif not self.seams or _chunk_has_text(chunk):  # a part's first chunk says the role once more
                shown.append(chunk)
        return shown

    def _goes_on(self, failure: DeepSeekError | None) -> bool:
        resumption = self._resumption
        if resumption is None:
            return False
        reason = next(iter(self._fold.finish_reasons), None)
        end = failure or reason
        is_finished = reason is not None and interruption_in([reason]) is None
        if failure and reason is None and self._part_has_text and resumption.covers(failure):
            is_finished = resumption.has_all_tokens(self._fold.completion(done=False))
        if self._part_has_text and end is not None and not (failure and is_finished) and resumption.may_follow(end):
            self._continue(resumption, end)
            return True
        if self._closing:
            self._ready.extend(self._closing)
            self._closing.clear()
            return not self._is_draining
        if failure and is_finished:
            # Every word has come; what is missing is the [DONE] after them, or the chunk that says why they end.
            self._close_exchange()
            self._is_over = self._is_complete = True
            self._end_call("completed")
            return True
        return False

    def _continue(self, resumption: Resumption, end: DeepSeekError | str) -> None:
        assert self._call is not None  # noqa: S101 - there was text
        so_far = self._fold.completion(done=False)
        self._close_exchange()
        self._call.go_on(resumption.next_request(so_far, end, self._fold.usage, self.request_id))
        self._fold.reopen()
        self._closing.clear()
        self._begin_part()

    async def _again(self, error: DeepSeekError) -> None:
        if self.seams and error.partial is None:  # a continuation that was refused, say
            error.partial = self._fold.completion(done=False)
        await super()._again(error)

    # -- other ways to read ------------------------------------------------------------------------------------------

    def deltas(self, index: int = 0) -> Reading[ChatCompletionChunk, Delta]:
        """The deltas of one choice, each with its tokens in ``logprobs``; empty ones are left out."""
        return Reading(self, index, _deltas_in)

    def text_deltas(self, index: int = 0) -> Reading[ChatCompletionChunk, str]:
        """The content of one choice as it comes; never empty strings."""
        return Reading(self, index, _texts_in)


def _texts_in(chunk: ChatCompletionChunk, index: int) -> Iterator[str]:
    for choice in chunk.choices:
        if choice.index == index and choice.delta.content:
            yield choice.delta.content


def _deltas_in(chunk: ChatCompletionChunk, index: int) -> Iterator[Delta]:
    for choice in chunk.choices:
        if choice.index == index:
            delta = attrs.evolve(choice.delta, logprobs=choice.logprobs) if choice.logprobs else choice.delta
            if _has_text(choice) or choice.logprobs:
                yield delta


def _chunk_has_text(chunk: ChatCompletionChunk) -> bool:
    return any(map(_has_text, chunk.choices))


def _reopened(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """A chunk without the end in it."""
    choices = tuple(attrs.evolve(choice, finish_reason=None) for choice in chunk.choices)
    return attrs.evolve(chunk, choices=choices, usage=None)


def _emptied(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """A chunk without the text in it."""
    choices = tuple(attrs.evolve(choice, delta=Delta(), logprobs=None) for choice in chunk.choices)
    return attrs.evolve(chunk, choices=choices)


def _has_text(choice: ChunkChoice) -> bool:
    delta = choice.delta
    return bool(delta.content or delta.reasoning_content or delta.tool_calls or delta.extra)
