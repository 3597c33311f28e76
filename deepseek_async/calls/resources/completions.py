"""``client.completions``: fill in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import attrs

from ...codec.answer import StreamedAnswer
from ...codec.endings import finished
from ...codec.reading.one_piece import body_before, text_completion_in
from ...codec.requests import request_to_json
from ...errors import APIConnectionError, APITimeoutError, name_ours
from ...types import TextCompletion
from ..arguments.parameters import (
    TextParameters,
    check_stream,
    choices_of,
    hide_headers,
    split_off_options,
    text_request_of,
)
from ..arguments.spellings import WORDS_OF_RESOURCES
from ..attempt import Attempt
from ..stream import TextCompletionStream
from ..streams.estimates import settle_whole

if TYPE_CHECKING:
    from ..caller import Caller


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
        request = text_request_of(given, stream=bool(stream), method=Completions.create)
        caller = self._caller
        if caller.rules is not None:
            caller.rules.check_gap(request)
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
            try:
                body = await attempt.whole(caller.max_body_bytes)
            except (APIConnectionError, APITimeoutError) as error:
                if (whole := body_before(error, attempt.arrived, TextCompletion, caller.reader)) is None:
                    raise
                body = whole
            completion = text_completion_in(body, caller.reader)
            finished(completion := attrs.evolve(completion, request_id=attempt.request_id))
            if call.meter is not None:
                settle_whole(call.meter, completion)
            return completion

        return await call.run(ask)


name_ours(Completions, WORDS_OF_RESOURCES)
