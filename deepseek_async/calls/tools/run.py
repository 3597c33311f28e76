"""The loop of a model and its tools: ask, run what it calls, answer, ask again, until it has no more calls.

One task at a time drives a run: whoever iterates it, or awaits its `completion`. The calls of a turn are tasks of their
own, at most ``max_parallel`` of them; they end with the run, however that ends.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import AsyncGeneratorType, TracebackType
from typing import Any, Literal, Self, cast

import attrs

from ...errors import InvalidRequestError, MalformedResponseError, TurnLimitError
from ...types import ChatCompletion, ChatRequest, Message, ToolCall, ToolMessage, Usage
from ..stream import ChatCompletionStream
from .events import CallFinished, CallStarted, ToolEvent, TurnDelta, TurnFinished, TurnStarted
from .function_tool import FunctionTool
from .results import content_of

Consent = Callable[[ToolCall, Mapping[str, Any]], bool | str | Awaitable[bool | str]]
"""Asked before a tool runs, with the call and its arguments: True lets it run; False, or the reason as text, does not,
and the model is told so."""


@attrs.frozen(kw_only=True)
class RunRules:
    """How a run goes; see `ChatCompletions.run_tools`."""

    max_turns: int = 10
    max_parallel: int = 8
    on_error: Literal["tell", "raise"] = "tell"
    stream: bool = False
    consent: Consent | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("max_turns", "max_parallel"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidRequestError(name, value, "an integer of at least 1")
        if self.on_error not in ("tell", "raise"):
            raise InvalidRequestError("on_error", self.on_error, "'tell' (the model) or 'raise'")
        if not isinstance(self.stream, bool):
            raise InvalidRequestError("stream", self.stream, "True or False")
        if self.consent is not None and not callable(self.consent):
            raise InvalidRequestError("consent", None, f"a function or None, not {type(self.consent).__name__}")


class ToolRun:
    """An async iterator of what happens, and at its end the model's last completion. Single use.

        async with client.chat.completions.run_tools(messages=[…], tools=[weather]) as run:
            async for event in run:
                …
            completion = await run.completion()

    Nothing is sent before the first event is asked for. Leaving the block, or `aclose`, ends the tools that still run.

    Attributes:
        messages: The conversation so far: what was given, each answer, each result. The next request may begin with it.
        usage: Token counts of all turns together; ``None`` before the first answer.
        turns: Answers so far.
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
        self.usage: Usage | None = None
        self.turns = 0
        self._ask = ask
        self._ask_streamed = ask_streamed
        self._request = request
        self._toolbox = toolbox
        self._rules = rules
        self._final: ChatCompletion | None = None
        self._failure: Exception | None = None
        self._events = cast("AsyncGeneratorType[ToolEvent]", self._run())

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
            self.turns += 1
            turn = self.turns
            yield TurnStarted(turn)
            request = self._next_request()
            if self._rules.stream:
                async with self._ask_streamed(request) as stream:
                    async for delta in stream.deltas():
                        yield TurnDelta(turn, delta)
                    completion = await stream.completion()
            else:
                completion = await self._ask(request)
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
        if self.turns > 1 and choice not in (None, "none", "auto"):
            choice = None
        return attrs.evolve(self._request, messages=tuple(self.messages), tool_choice=choice)

    def _take(self, completion: ChatCompletion) -> None:
        message = completion.message
        if message.reasoning_content is None and message.tool_calls and _may_think(self._request):
            # A thinking model wants its reasoning back with every answer of the turn; empty is enough.
            # Source: page "Thinking Mode", section "Tool Calls".
            message = attrs.evolve(message, reasoning_content="")
        self.messages.append(message)
        if completion.usage is not None:
            self.usage = completion.usage if self.usage is None else self.usage + completion.usage

    async def _answer(self, turn: int, calls: Sequence[ToolCall]) -> AsyncGenerator[ToolEvent]:
        """Run the calls of one turn and put their results into the conversation, in the order of the calls."""
        answers: dict[int, ToolMessage] = {}
        happened: asyncio.Queue[tuple[int, ToolEvent | Exception]] = asyncio.Queue()
        slots = asyncio.Semaphore(self._rules.max_parallel)
        tasks = [
            asyncio.ensure_future(_carry_out(partial(self._call, turn, call), slots, number, happened))
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

    async def _call(self, turn: int, call: ToolCall, tell: Callable[[ToolEvent], None]) -> None:
        """Run one call to its end, whatever that is. Raises only what ``on_error="raise"`` lets out."""
        try:
            tool, arguments = self._understood(call)
            refusal = await _refusal(self._rules.consent, call, arguments)
        except MalformedResponseError as error:
            tell(_finished(turn, call, f"The call was not made: {error.message}.", error=error))
            return
        if refusal is not None:
            tell(_finished(turn, call, refusal, error=PermissionError(refusal)))
            return
        tell(CallStarted(turn, call))
        began = asyncio.get_running_loop().time()
        try:
            value = await _value_of(tool, arguments)
            content = content_of(value)
        except Exception as error:
            if self._rules.on_error == "raise":
                raise
            elapsed = asyncio.get_running_loop().time() - began
            tell(_finished(turn, call, _told(error, tool), error=error, elapsed=elapsed))
            return
        message = ToolMessage(content, call.id)
        tell(CallFinished(turn, call, message, value, None, asyncio.get_running_loop().time() - began))

    def _understood(self, call: ToolCall) -> tuple[FunctionTool, dict[str, Any]]:
        """The tool that a call means, and its arguments.

        Raises:
            MalformedResponseError: There is no such tool, or the arguments do not fit it.
        """
        name = call.function.name
        tool = self._toolbox.get(name)
        if tool is None:
            raise MalformedResponseError(f"there is no tool {name!r}; there are {', '.join(self._toolbox)}")
        return tool, tool.arguments_in(call.function.arguments)


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


async def _refusal(consent: Consent | None, call: ToolCall, arguments: Mapping[str, Any]) -> str | None:
    """Why a call may not be made, in the model's language; ``None``: it may."""
    if consent is None:
        return None
    answer = consent(call, arguments)
    if inspect.isawaitable(answer):
        answer = await answer
    if answer is True:
        return None
    return f"The call was not allowed: {answer}" if isinstance(answer, str) and answer else "The call was not allowed."


async def _value_of(tool: FunctionTool, arguments: dict[str, Any]) -> Any:
    async with asyncio.timeout(tool.timeout):
        if _is_async(tool.function):
            return await tool.function(**arguments)
        # In a thread, so that others are served meanwhile. A thread cannot be stopped: past the timeout nobody waits.
        value = await asyncio.to_thread(tool.function, **arguments)
        return await value if inspect.isawaitable(value) else value


def _is_async(function: Any) -> bool:
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _told(error: Exception, tool: FunctionTool) -> str:
    if isinstance(error, TimeoutError) and tool.timeout is not None and not str(error):
        return f"The tool took longer than {tool.timeout:g} s and was given up."
    return f"The tool failed: {type(error).__name__}: {error}"


def _finished(turn: int, call: ToolCall, text: str, *, error: Exception, elapsed: float = 0.0) -> CallFinished:
    return CallFinished(turn, call, ToolMessage(text, call.id), None, error, elapsed)


def _may_think(request: ChatRequest) -> bool:
    thinking = request.thinking
    return thinking is None or thinking.get("type") != "disabled"
