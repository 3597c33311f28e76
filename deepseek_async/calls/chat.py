"""``client.chat.completions``: one answer, awaited or streamed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import attrs

from ..codec.answer import StreamedAnswer
from ..codec.requests import request_to_json
from ..transport import HTTPRequest
from ..types import ChatCompletion, ChatRequest
from .arguments.parameters import (
    CallOptions,
    ChatParameters,
    chat_request_of,
    check_stream,
    choices_of,
    hide_headers,
    split_off_options,
)
from .parsing.completions import ParsingCompletions
from .stream import ChatCompletionStream
from .whole import ask_whole

if TYPE_CHECKING:
    from ..policy.resume import Resume
    from .arguments.parameters import ParametersWithoutTools
    from .caller import Caller
    from .tools.function_tool import FunctionTool
    from .tools.rules import Consent
    from .tools.run import ToolRun


class Chat:
    """``client.chat``."""

    def __init__(self, caller: Caller) -> None:
        self.completions: ChatCompletions = ChatCompletions(caller)


class ChatCompletions(ParsingCompletions):
    """``client.chat.completions``: ``POST /chat/completions``."""

    @overload
    async def create(
        self, *, stream: Literal[False] | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatCompletion: ...
    @overload
    async def create(self, *, stream: Literal[True], **parameters: Unpack[ChatParameters]) -> ChatCompletionStream: ...
    @overload
    async def create(
        self, *, stream: bool | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatCompletion | ChatCompletionStream: ...
    async def create(
        self, *, stream: bool | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatCompletion | ChatCompletionStream:
        """Ask for an answer.

        Args:
            stream: Whether to return once the answer begins, as a stream to be read.
            parameters: Those of `ChatRequest`, and for this call: ``extra_headers``, ``timeouts``, ``retry``, ``via``,
                ``budget`` (see `Budget`).
                ``via="stream"`` asks for the answer as a stream and folds it: the same value and the same errors. Some
                servers (llama.cpp) compute an answer in one piece to its last token although nobody waits for it any
                more; a stream that is given up they end at once.

        Returns:
            The whole answer; with ``stream=True``, the stream of its chunks.

        Raises:
            InvalidRequestError: A parameter is out of range; nothing was sent.
            APIConnectionError, APITimeoutError: No answer, or none in time.
            APIStatusError: The server refused; its subclasses name the status.
            APIResponseError: The answer cannot be understood, is empty, or too large.
            ServiceUnavailableError: The server broke the answer off; ``partial`` carries it.
        """
        if "extra_headers" in parameters:
            hide_headers(parameters)
        check_stream(stream)
        if stream:
            opened = self.stream(**parameters)
            await opened.open()
            return opened
        given: dict[str, Any] = dict(parameters)
        options = split_off_options(given)
        return await self.send(chat_request_of(given, stream=False, method=ChatCompletions.create), options)

    def stream(self, *, resume: Resume | None = None, **parameters: Unpack[ChatParameters]) -> ChatCompletionStream:
        """Ask for a streamed answer: ``async with client.chat.completions.stream(…) as stream``.

        The request goes out on entering the block, or at the stream's first use.

        Args:
            resume: Continue an answer that is cut or too long instead of failing; see `Resume`.
            parameters: As for `create`.

        Raises:
            InvalidRequestError: A parameter is out of range, or ``resume`` with tools, JSON mode or several choices.
        """
        if "extra_headers" in parameters:
            hide_headers(parameters)
        given: dict[str, Any] = dict(parameters)
        options = split_off_options(given)
        return self._streamed(chat_request_of(given, stream=True, method=ChatCompletions.stream), options, resume)

    def _streamed(
        self, request: ChatRequest, options: CallOptions, resume: Resume | None = None
    ) -> ChatCompletionStream:
        caller = self._caller
        if caller.rules is not None:
            caller.rules.check(request)

        def send_as(request: ChatRequest) -> HTTPRequest:
            return caller.http_request("POST", caller.chat_url(request), request_to_json(request), options)

        resumption = None
        if resume is not None:
            from .streams.resumption import resumption_of  # not for those whose answers end where they end

            resumption = resumption_of(resume, request, send_as)
        first = send_as(request)
        answer = StreamedAnswer(
            caller.chat_dialect,
            choices=choices_of(request.extra_body),
            is_continuable=resume is not None,
            max_event_bytes=caller.max_event_bytes,
            max_body_bytes=caller.max_body_bytes,
        )
        start = partial(caller.call, first, options, model=request.model, streamed=True)
        return ChatCompletionStream(start, answer, resumption)

    async def send(self, request: ChatRequest, options: CallOptions | None = None) -> ChatCompletion:
        """Ask for the answer to a request that is a value already, in one piece. Raises as `create`."""
        caller = self._caller
        if request.stream:
            request = attrs.evolve(request, stream=None, stream_options=None)
        if caller.rules is not None:
            caller.rules.check(request)
        url = caller.chat_url(request)
        completion, _ = await ask_whole(caller, url, request_to_json(request), options or {}, model=request.model)
        if caller.goes_on_alone:
            from .streams.resumption import without_prefix

            completion = without_prefix(completion, request)
        return completion

    def run_tools(
        self,
        *,
        tools: Sequence[FunctionTool | Callable[..., Any]],
        max_turns: int = 10,
        max_parallel: int = 8,
        on_error: Literal["tell", "raise"] = "tell",
        stream: bool = False,
        consent: Consent | None = None,
        **parameters: Unpack[ParametersWithoutTools],
    ) -> ToolRun:
        """Let the model call functions until it has its answer.

            run = client.chat.completions.run_tools(model=…, messages=[…], tools=[weather, tool(search, timeout=20)])
            async for event in run: ...                 # what happens, as it happens; see `calls.tools.events`
            completion = await run.completion()         # the last answer; run.messages, run.usage, run.turns

        The calls of one answer run side by side. Arguments that are no JSON, that do not fit the annotations, or that
        are for a tool which does not exist are answered to the model with what was wrong; no function is called then.
        A ``tool_choice`` that forces a call holds for the first turn.

        Args:
            tools: Typed functions, sync or async, or what `tool` made of them.
            max_turns: At most so many answers.
            max_parallel: At most so many calls at once.
            on_error: What a function raises is told to the model (``"tell"``), or ends the run and is raised.
            stream: Whether to stream the answers: their deltas are events then.
            consent: Called before a function is, with the call and its arguments; may be async. True lets it run.
                False, or a reason as text, does not, and the model is told so.
            parameters: As for `create`.

        Raises:
            InvalidRequestError: A function cannot be a tool, or a parameter is out of range. Nothing was sent.
        """
        from .tools.function_tool import toolbox_of  # bring cattrs in, which other calls can do without
        from .tools.rules import RunRules
        from .tools.run import ToolRun

        rules = RunRules(
            max_turns=max_turns, max_parallel=max_parallel, on_error=on_error, stream=stream, consent=consent
        )
        toolbox = toolbox_of(tools)
        if "extra_headers" in parameters:
            hide_headers(parameters)
        given: dict[str, Any] = dict(parameters)
        options = split_off_options(given)
        given["tools"] = [each.tool for each in toolbox.values()]
        request = chat_request_of(given, stream=stream, method=ChatCompletions.run_tools)
        if (official := self._caller.rules) is not None:
            official.check(request)
        return ToolRun(
            lambda asked: self.send(asked, options),
            lambda asked: self._streamed(asked, options),
            request,
            toolbox,
            rules,
        )
