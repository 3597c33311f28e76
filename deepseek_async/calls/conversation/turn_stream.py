"""One turn while it is answered: what the model says as it comes, and at the end the turn for the history."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal
from types import AsyncGeneratorType, TracebackType
from typing import Any, Self, cast

import attrs

from ...errors import DeepSeekError, InvalidRequestError, refuse_sync
from ...types import ChatCompletion, Delta, Usage
from ..chat import ChatCompletions
from ..tools.events import TurnDelta
from .turn import Turn, is_worth_keeping, sendable


@attrs.frozen(kw_only=True)
class Question:
    """What a turn asks.

    Attributes:
        messages: All that is sent; the last is the turn's own.
        parameters: Of the request, ``model`` among them.
        is_streamed: Whether to stream the answers.
        keeps_partial: Whether a turn that does not come to its end is kept with what came.
    """

    completions: ChatCompletions
    messages: Sequence[Any]
    parameters: Mapping[str, Any]
    tools: Sequence[Any]
    is_streamed: bool
    keeps_partial: bool


class TurnStream:
    """An async iterator of the `Delta` values of one turn. Single use; an async context manager.

    Leaving the block early, or `aclose`, ends the turn: what came is kept or dropped, as the conversation says.

    Args:
        begin: Makes the question, once the turn before is over.
        take: Takes the turn into the history.
    """

    def __init__(self, begin: Callable[[TurnStream], Awaitable[Question]], take: Callable[[Turn], None]) -> None:
        self._begin = begin
        self._take = take
        self._completion: ChatCompletion | None = None
        self._failure: DeepSeekError | None = None
        self._deltas = cast("AsyncGeneratorType[Delta]", self._play())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        if self._failure is not None:
            raise self._failure
        if self._deltas.ag_running:
            raise RuntimeError("two tasks read one turn at the same time")
        try:
            return await anext(self._deltas)
        except DeepSeekError as error:
            self._failure = error
            raise

    async def completion(self) -> ChatCompletion:
        """Read what is left, and return the model's last words of the turn. Raises as `Conversation.say`."""
        async for _ in self:
            pass
        if self._completion is None:
            raise InvalidRequestError("turn", None, "a turn that was not ended before its answer was whole")
        return self._completion

    async def aclose(self) -> None:
        """End the turn."""
        await self._deltas.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _play(self) -> AsyncGenerator[Delta]:
        question = await self._begin(self)
        record = _Record(question)
        try:
            if question.tools or question.is_streamed:
                answer = self._with_tools if question.tools else self._streamed
                async with aclosing(answer(question, record)) as deltas:
                    async for delta in deltas:
                        yield delta
            else:
                completion = await question.completions.create(messages=question.messages, **question.parameters)
                record.add(completion)
                self._completion = completion
        except DeepSeekError as error:
            record.break_off(error.partial)
            raise
        finally:
            if (turn := record.turn(is_complete=self._completion is not None)) is not None:
                self._take(turn)

    async def _streamed(self, question: Question, record: _Record) -> AsyncGenerator[Delta]:
        async with question.completions.stream(messages=question.messages, **question.parameters) as stream:
            try:
                async for delta in stream.deltas():
                    yield delta
                completion = await stream.completion()
            except BaseException:
                record.break_off(stream.snapshot())
                raise
            record.add(completion)
            self._completion = completion

    async def _with_tools(self, question: Question, record: _Record) -> AsyncGenerator[Delta]:
        async with question.completions.run_tools(
            messages=question.messages, tools=question.tools, stream=question.is_streamed, **question.parameters
        ) as run:
            try:
                async for event in run:
                    if isinstance(event, TurnDelta):
                        yield event.delta
                self._completion = await run.completion()
            finally:
                await run.aclose()  # the results of the calls that were answered are in its messages then
                record.said += run.messages[len(question.messages) :]
                record.answers += run.answers


class _Record:
    """What a turn has come to so far."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._sent_at = datetime.now(UTC)
        self._partial: Any = None
        self.said: list[Any] = [question.messages[-1]]
        self.answers: list[ChatCompletion] = []

    def add(self, completion: ChatCompletion) -> None:
        self.said.append(completion.message)
        self.answers.append(completion)

    def break_off(self, partial: Any) -> None:
        """The answer that was under way ends here; the first to say so knows it best."""
        if self._partial is None and isinstance(partial, ChatCompletion) and not partial.complete:
            self._partial = partial

    def turn(self, *, is_complete: bool) -> Turn | None:
        """The turn for the history, or ``None`` if nothing of it is kept."""
        usage: Usage | None = None
        cost: Decimal | None = Decimal(0)
        for answer in self.answers:
            if answer.usage is not None:
                usage = answer.usage if usage is None else usage + answer.usage
            each = answer.cost(self._sent_at)
            cost = None if cost is None or each is None else cost + each
        reason = self.answers[-1].finish_reason if self.answers else None
        if is_complete:
            return Turn(tuple(self.said), usage, cost, reason)
        if not self._question.keeps_partial:
            return None
        if self._partial is not None:
            each = self._partial.cost(self._sent_at)
            cost = None if cost is None or each is None else cost + each
        said = sendable([*self.said, *([] if self._partial is None else [self._partial.message])])
        return Turn(tuple(said), usage, cost, reason, complete=False) if is_worth_keeping(said[1:]) else None


refuse_sync(TurnStream)
