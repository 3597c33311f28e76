"""The smaller resources: fill-in-the-middle, models, balance."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

import attrs

from ..codec.answer import StreamedAnswer
from ..codec.endings import finished
from ..codec.reading.one_piece import text_completion_in
from ..codec.reading.responses import balance_from_json, models_from_json
from ..codec.requests import request_to_json
from ..errors import InvalidRequestError
from ..types import Balance, Model, ModelList, TextCompletion
from .arguments.parameters import (
    CallOptions,
    TextParameters,
    check_stream,
    choices_of,
    hide_headers,
    split_off_options,
    text_request_of,
)
from .attempt import Attempt
from .stream import TextCompletionStream
from .streams.estimates import settle_whole

if TYPE_CHECKING:
    from .caller import Caller

T = TypeVar("T")


class Completions:
    """``client.completions``: fill in the middle, ``POST {beta}/completions``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @overload
    async def create(
        self, *, stream: Literal[False] | None = None, **parameters: Unpack[TextParameters]
    ) -> TextCompletion: ...
    @overload
    async def create(self, *, stream: Literal[True], **parameters: Unpack[TextParameters]) -> TextCompletionStream: ...
    @overload
    async def create(
        self, *, stream: bool | None = None, **parameters: Unpack[TextParameters]
    ) -> TextCompletion | TextCompletionStream: ...
    async def create(
        self, *, stream: bool | None = None, **parameters: Unpack[TextParameters]
    ) -> TextCompletion | TextCompletionStream:
        """Ask for the text between ``prompt`` and ``suffix``; parameters and ranges as in `TextRequest`.

        Raises:
            InvalidRequestError, APIConnectionError, APITimeoutError, APIStatusError, APIResponseError: As
                `ChatCompletions.create`.
        """
        if "extra_headers" in parameters:
            hide_headers(parameters)
        check_stream(stream)
        given: dict[str, Any] = dict(parameters)
        options = split_off_options(given)
        request = text_request_of(given, stream=bool(stream))
        caller = self._caller
        url = caller.text_url
        http_request = caller.http_request("POST", url, request_to_json(request), options)
        if stream:
            opened = TextCompletionStream(
                lambda: caller.call(http_request, options, model=request.model, streamed=True),
                StreamedAnswer(
                    caller.text_dialect,
                    choices=choices_of(request.extra_body),
                    max_event_bytes=caller.max_event_bytes,
                    max_body_bytes=caller.max_body_bytes,
                ),
            )
            await opened.open()
            return opened
        call = caller.call(http_request, options, model=request.model, streamed=False)

        async def ask(attempt: Attempt) -> TextCompletion:
            completion = text_completion_in(await attempt.whole(caller.max_body_bytes), caller.reader)
            finished(completion := attrs.evolve(completion, request_id=attempt.request_id))
            settle_whole(call.meter, completion)
            return completion

        return await call.run(ask)


class Models:
    """``client.models``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, **options: Unpack[CallOptions]) -> ModelListing:
        """``GET /models``: to be awaited, or iterated by ``async for``. Raises as `ChatCompletions.create`."""
        hide_headers(options)
        return ModelListing(lambda: _get(self._caller, "/models", models_from_json, options))

    async def retrieve(self, model: str, **options: Unpack[CallOptions]) -> Model:
        """One model, out of the list: servers differ in whether they tell of one alone.

        Raises:
            InvalidRequestError: It is not among them.
            DeepSeekError: As `ChatCompletions.create`.
        """
        hide_headers(options)
        models = await self.list(**options)
        for found in models:
            if found.id == model:
                return found
        raise InvalidRequestError("model", model, ", ".join(found.id for found in models) or "none: the list is empty")


class ModelListing:
    """The list of models, asked for when it is awaited or iterated."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, ModelList]]) -> None:
        self._ask = ask

    def __await__(self) -> Generator[Any, Any, ModelList]:
        return self._ask().__await__()

    async def __aiter__(self) -> AsyncIterator[Model]:
        for model in await self._ask():
            yield model


class User:
    """``client.user``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def balance(self, **options: Unpack[CallOptions]) -> Balance:
        """``GET /user/balance``. Raises as `ChatCompletions.create`."""
        hide_headers(options)
        return await _get(self._caller, "/user/balance", balance_from_json, options)


async def _get(caller: Caller, path: str, read: Callable[[bytes], T], options: CallOptions) -> T:
    request = caller.http_request("GET", caller.endpoint.url(path), None, options)
    call = caller.call(request, options, model=None, streamed=False)

    async def ask(attempt: Attempt) -> T:
        return read(await attempt.whole(caller.max_body_bytes))

    return await call.run(ask)
