"""The whole answer to one chat request: asked for in one piece, or as a stream that is folded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from ..codec.answer import StreamedAnswer
from ..codec.endings import finished
from ..codec.reading.one_piece import body_before, completion_in
from ..errors import APIConnectionError, APITimeoutError, StreamInterruptedError
from ..types import ChatCompletion
from .arguments.parameters import CallOptions, choices_of
from .attempt import Attempt
from .stream import ChatCompletionStream
from .streams.estimates import settle_whole

if TYPE_CHECKING:
    from .caller import Caller

_AS_STREAM = b'{"stream":true,"stream_options":{"include_usage":true},'


async def ask_whole(
    caller: Caller,
    url: str,
    body: bytes,
    options: CallOptions,
    *,
    model: str,
    admitted: Callable[[], object] | None = None,
    resent: Callable[[], object] | None = None,
) -> tuple[ChatCompletion, bytes]:
    """Send a request until it is answered or given up.

    Args:
        body: The request's JSON.
        admitted: Called when the head of a success has come, which may be long before the answer: the server has let
            the request in.
        resent: Called at the end of an attempt whose request went out twice, so that it may have been billed twice.

    Returns:
        The completion, and JSON that it can be read from: the server's, if it sent nothing else.

    Raises:
        DeepSeekError: As `ChatCompletions.create`.
    """
    via = options.get("via") or caller.via
    if via == "stream" or (via == "auto" and caller.goes_on_alone):
        from ..codec.documents import json_of

        completion = await _ask_by_stream(caller, url, body, options, model=model, admitted=admitted)
        return completion, json_of(attrs.evolve(completion, request_id=None)).encode()
    call = caller.call(caller.http_request("POST", url, body, options), options, model=model, streamed=False)

    async def ask(attempt: Attempt) -> tuple[ChatCompletion, bytes]:
        try:
            answer = await attempt.whole(caller.max_body_bytes, admitted)
        except (APIConnectionError, APITimeoutError) as error:
            answer = body_before(error, attempt.arrived, ChatCompletion, caller.reader)
        finally:
            if attempt.was_resent and resent is not None:
                resent()
        if attempt.response is not None and attempt.response.headers.get("server", "").startswith("llama.cpp"):
            caller.goes_on_alone = True
        completion, answer = completion_in(answer, attempt.request_id, caller.reader)
        finished(completion)
        if call.meter is not None:
            settle_whole(call.meter, completion)
        return completion, answer

    return await call.run(ask)


async def _ask_by_stream(
    caller: Caller,
    url: str,
    body: bytes,
    options: CallOptions,
    *,
    model: str,
    admitted: Callable[[], object] | None = None,
) -> ChatCompletion:
    """As `ask_whole`, asked for as a stream and folded: same value, same errors."""
    body = _AS_STREAM + body[1:]
    request = caller.http_request("POST", url, body, options)
    answer = StreamedAnswer(
        caller.chat_dialect,
        choices=choices_of(json.loads(body)) if b'"n"' in body else 1,
        max_event_bytes=caller.max_event_bytes,
        max_body_bytes=caller.max_body_bytes,
    )
    stream = ChatCompletionStream(lambda: caller.call(request, options, model=model, streamed=True), answer)
    try:
        async with stream:
            if admitted is not None:
                admitted()
            return await stream.completion()
    except StreamInterruptedError as error:
        cause = error.cause
        if cause is None:
            raise
        # What an answer in one piece would have ended with, with what is known of this one.
        for fact in ("request_id", "attempts", "partial", "history", "billed_before"):
            setattr(cause, fact, getattr(error, fact))
        raise cause from None
