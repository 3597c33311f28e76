"""``client.chat.completions``: one answer, awaited or streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

import attrs

from ..codec.requests import request_to_json
from ..codec.stream import chat_decoder
from ..errors import InvalidRequestError
from ..policy.resume import Resume
from ..transport import HTTPRequest
from ..types import ChatCompletion, ChatRequest, ParsedChatCompletion
from .parameters import CallOptions, ChatParameters, chat_request_of, check_stream, split_off_options
from .resumption import Resumption
from .stream import ChatCompletionStream
from .whole import ask_whole

if TYPE_CHECKING:
    from .caller import Caller

T = TypeVar("T")


class Chat:
    """``client.chat``."""

    def __init__(self, caller: Caller) -> None:
        self.completions = ChatCompletions(caller)


class ChatCompletions:
    """``client.chat.completions``: ``POST /chat/completions``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

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
            parameters: Those of `ChatRequest`, and for this call: ``extra_headers``, ``timeouts``, ``retry``.

        Returns:
            The whole answer; with ``stream=True``, the stream of its chunks.

        Raises:
            InvalidRequestError: A parameter is out of range; nothing was sent.
            APIConnectionError, APITimeoutError: No answer, or none in time.
            APIStatusError: The server refused; its subclasses name the status.
            APIResponseError: The answer cannot be understood, is empty, or too large.
            ServiceUnavailableError: The server broke the answer off; ``partial`` carries it.
        """
        check_stream(stream)
        if stream:
            opened = self.stream(**parameters)
            await opened.open()
            return opened
        given: dict[str, Any] = dict(parameters)
        options = split_off_options(given)
        return await self.send(chat_request_of(given, stream=False), options)

    def stream(self, *, resume: Resume | None = None, **parameters: Unpack[ChatParameters]) -> ChatCompletionStream:
        """Ask for a streamed answer: ``async with client.chat.completions.stream(…) as stream``.

        The request goes out on entering the block, or at the stream's first use.

        Args:
            resume: Continue an answer that is cut or too long instead of failing; see `Resume`.
            parameters: As for `create`.

        Raises:
            InvalidRequestError: A parameter is out of range, or ``resume`` with tools, JSON mode or several choices.
        """
        given: dict[str, Any] = dict(parameters)
        options = split_off_options(given)
        request = chat_request_of(given, stream=True)
        caller = self._caller

        def send_as(request: ChatRequest) -> HTTPRequest:
            return caller.http_request("POST", caller.chat_url(request), request_to_json(request), options)

        if resume is not None and not isinstance(resume, Resume):
            raise InvalidRequestError("resume", None, f"Resume or None, not {type(resume).__name__}")
        first = send_as(request)
        return ChatCompletionStream(
            lambda: caller.call(first, options, model=request.model, streamed=True),
            lambda: chat_decoder(caller.max_event_bytes, caller.max_body_bytes),
            Resumption(resume, request, send_as) if resume is not None else None,
        )

    async def send(self, request: ChatRequest, options: CallOptions | None = None) -> ChatCompletion:
        """Ask for the answer to a request that is a value already, in one piece. Raises as `create`."""
        caller = self._caller
        if request.stream:
            request = attrs.evolve(request, stream=None, stream_options=None)
        url = caller.chat_url(request)
        completion, _ = await ask_whole(caller, url, request_to_json(request), options or {}, model=request.model)
        return completion

    async def parse(
        self, *, response_type: type[T], attempts: int = 3, **parameters: Unpack[ChatParameters]
    ) -> ParsedChatCompletion[T]:
        """Ask for an answer of a given type.

        JSON mode with the type's JSON Schema in a system message. An answer that does not fit is shown to the model
        with what is wrong, and asked for again.

        Args:
            response_type: An attrs class, dataclass, TypedDict, msgspec Struct, or what cattrs can structure.
            attempts: At most so many answers, the first included.
            parameters: As for `create`, but for ``response_format``.

        Raises:
            MalformedResponseError: No answer fitted; the message says what was wrong with the last.
            DeepSeekError: As `create`.
        """
        from .parse import ask_until_it_fits  # brings cattrs in, which other calls can do without

        given: dict[str, Any] = dict(parameters)
        options = split_off_options(given)
        request = chat_request_of(given, stream=False)
        return await ask_until_it_fits(
            lambda asked: self.send(asked, options), request, response_type=response_type, attempts=attempts
        )
