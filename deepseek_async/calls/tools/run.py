"""The loop of a model and its tools: ask, run what it calls, answer, ask again, until it has no more calls.

One task at a time drives a run: whoever iterates it, or awaits its `completion`. The calls of a turn are tasks of their
own, at most ``max_parallel`` of them; they end with the run, however that ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import AsyncGeneratorType, TracebackType
from typing import Any, Self, cast

import attrs

from ...errors import BudgetExceededError, InvalidRequestError, TurnLimitError, name_ours, refuse_sync
from ...types import ChatCompletion, ChatRequest, Message, ToolCall, ToolMessage, Usage
from ..stream import ChatCompletionStream
from .events import CallFinished, ToolEvent, TurnDelta, TurnFinished, TurnStarted
from .execution import execute
from .function_tool import FunctionTool
from .rules import RunRules


class ToolRun:
    """An async iterator of what happens, and at its end the model's last completion. Single use.

        async with client.chat.completions.run_tools(messages=[…], tools=[weather]) as run:
            async for event in run:
                …
            completion = await run.completion()

    Nothing is sent before the first event is asked for. Leaving the block, or `aclose`, ends the tools that still run.

    Attributes:
        messages: The conversation so far: what was given, each answer, each result. The next request may begin with it.
        answers: The model's answers so far, one a turn.
    """

    def __init__(
        self,
        ask: Callable[[ChatRequest], Awaitable[ChatCompletion]],
        ask_streamed: Callable[[ChatRequest], ChatCompletionStream],
        request: ChatRequest,
        toolbox: Mapping[str, FunctionTool],
        rules: RunRules,
    ) -> None:
        self.messages: list[Message | Mapping[str, Any]] = list(request.messages)
        self.answers: list[ChatCompletion] = []
        self._ask = ask
        self._ask_streamed = ask_streamed
        self._request = request
        self._toolbox = toolbox
        self._rules = rules
        self._final: ChatCompletion | None = None
        self._failure: Exception | None = None
        self._events = cast("AsyncGeneratorType[ToolEvent]", self._run())

    @property
    def turns(self) -> int:
        """How many answers have come."""
        return len(self.answers)

    @property
    def usage(self) -> Usage | None:
        """Token counts of all turns together; ``None`` where none was told."""
        usages = [answer.usage for answer in self.answers if answer.usage is not None]
        return sum(usages[1:], usages[0]) if usages else None

    # -- for the caller ----------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ToolEvent:
        if self._failure is not None:
            raise self._failure
        if self._events.ag_running:
            raise RuntimeError("two tasks read one run at the same time")
        try:
            return await anext(self._events)
        except StopAsyncIteration:
            raise
        except Exception as error:
            self._failure = error
            raise

    async def completion(self) -> ChatCompletion:
        """Run on to the end and return the model's last answer, the one without calls.

        Raises:
            TurnLimitError: After ``max_turns`` answers the model still called tools.
            BudgetExceededError: A budget is used up; ``partial`` is the last answer.
            DeepSeekError: A request failed; see `ChatCompletions.create`.
            Exception: With ``on_error="raise"``, what a tool raised.
        """
        async for _ in self:
            pass
        if self._final is None:
            raise InvalidRequestError("run", None, "a run that was not closed before its end")
        return self._final

    async def aclose(self) -> None:
        """End the run: tools that still run are cancelled, and an answer that is being read is given up."""
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    # -- the loop ----------------------------------------------------------------------------------------------------

    async def _run(self) -> AsyncGenerator[ToolEvent]:
        while True:
            turn = self.turns + 1
            yield TurnStarted(turn)
            request = self._next_request()
            try:
                if self._rules.stream:
                    async with self._ask_streamed(request) as stream:
                        async for delta in stream.deltas():
                            yield TurnDelta(turn, delta)
                        completion = await stream.completion()
                else:
                    completion = await self._ask(request)
            except BudgetExceededError as error:
                error.partial = error.partial or (self.answers[-1] if self.answers else None)
                raise
            self._take(completion)
            yield TurnFinished(turn, completion)
            calls = completion.message.tool_calls
            if not calls:
                self._final = completion
                return
            if turn >= self._rules.max_turns:
                raise TurnLimitError(
                    f"the model still calls tools after {turn} turns (max_turns)",
                    partial=completion,
                    request_id=completion.request_id,
                )
            async with aclosing(self._answer(turn, calls)) as events:  # closed with the run, and its tools with it
                async for event in events:
                    yield event

    def _next_request(self) -> ChatRequest:
        choice = self._request.tool_choice
        # A call that was forced once is not forced again: the loop would have no end.
        if self.answers and choice not in (None, "none", "auto"):
            choice = None
        return attrs.evolve(self._request, messages=tuple(self.messages), tool_choice=choice)

    def _take(self, completion: ChatCompletion) -> None:
        message = completion.message
        if message.reasoning_content is None and message.tool_calls and _may_think(self._request):
            # A thinking model wants its reasoning back with every answer of the turn; empty is enough.
            # Source: page "Thinking Mode", section "Tool Calls".
            message = attrs.evolve(message, reasoning_content="")
        self.messages.append(message)
        self.answers.append(completion)

    async def _answer(self, turn: int, calls: Sequence[ToolCall]) -> AsyncGenerator[ToolEvent]:
        """Run the calls of one turn and put their results into the conversation, in the order of the calls."""
        answers: dict[int, ToolMessage] = {}
        happened: asyncio.Queue[tuple[int, ToolEvent | Exception]] = asyncio.Queue()
        slots = asyncio.Semaphore(self._rules.max_parallel)
        tasks = [
            asyncio.ensure_future(
                _carry_out(partial(execute, self._toolbox, self._rules, turn, call), slots, number, happened)
            )
            for number, call in enumerate(calls)
        ]
        try:
            while len(answers) < len(calls):
                number, event = await happened.get()
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, CallFinished):
                    answers[number] = event.message
                yield event
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.messages += [message for _, message in sorted(answers.items())]


async def _carry_out(
    run: Callable[[Callable[[ToolEvent], None]], Awaitable[None]],
    slots: asyncio.Semaphore,
    number: int,
    happened: asyncio.Queue[tuple[int, ToolEvent | Exception]],
) -> None:
    async with slots:
        try:
            await run(lambda event: happened.put_nowait((number, event)))
        except Exception as error:
            happened.put_nowait((number, error))


def _may_think(request: ChatRequest) -> bool:
    thinking = request.thinking
    return thinking is None or thinking.get("type") != "disabled"


refuse_sync(ToolRun)


name_ours(ToolRun, dict.fromkeys(("text", "message", "choices", "content", "result"), "(await run.completion()).text"))
