"""The whole answer to one chat request: asked for in one piece, or as a stream that is folded."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

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
    from ..policy.metering import Meter
    from .caller import Caller
    from .watching.witness import Witness

_AS_STREAM = b'{"stream":true,"stream_options":{"include_usage":true},'


def ask_whole(
    caller: Caller,
    url: str,
    body: bytes,
    options: CallOptions,
    *,
    model: str,
    witness: Witness | None = None,
) -> Coroutine[Any, Any, tuple[ChatCompletion, bytes]]:
    """Send a request until it is answered or given up; to be awaited.

    Args:
        body: The request's JSON.
        witness: Told when the server has let the request in, and when one went out twice.

    Returns:
        The completion, and JSON that it can be read from: the server's, if it sent nothing else.

    Raises:
        DeepSeekError: As `ChatCompletions.create`.
    """
    via = options.get("via") or caller.via
    if via == "stream" or (via == "auto" and caller.goes_on_alone):
        return _ask_by_stream(caller, url, body, options, model=model, witness=witness)
    call = caller.call(caller.http_request("POST", url, body, options), options, model=model, streamed=False)
    return call.run(_ask, caller, call.meter, witness)


async def _ask(
    caller: Caller, meter: Meter | None, witness: Witness | None, attempt: Attempt
) -> tuple[ChatCompletion, bytes]:
    """One attempt at an answer in one piece."""
    try:
        answer = await attempt.whole(caller.max_body_bytes, witness)
    except (APIConnectionError, APITimeoutError) as error:
        if (whole := body_before(error, attempt.arrived, ChatCompletion, caller.reader)) is None:
            raise
        answer = whole
    finally:
        if attempt.was_resent and witness is not None:
            witness.resent()
    if attempt.response is not None and attempt.response.headers.get("server", "").startswith("llama.cpp"):
        caller.goes_on_alone = True
    completion, answer = completion_in(answer, attempt.request_id, caller.reader)
    if not completion.complete:
        finished(completion)
    if meter is not None:
        settle_whole(meter, completion)
    return completion, answer


async def _ask_by_stream(
    caller: Caller,
    url: str,
    body: bytes,
    options: CallOptions,
    *,
    model: str,
    witness: Witness | None = None,
) -> tuple[ChatCompletion, bytes]:
    """As `ask_whole`, asked for as a stream and folded: same value, same errors."""
    from ..codec.documents import json_of

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
            if witness is not None:
                witness.admitted()
            completion = await stream.completion()
    except StreamInterruptedError as error:
        cause = error.cause
        if cause is None:
            raise
        # What an answer in one piece would have ended with, with what is known of this one.
        for fact in ("request_id", "attempts", "partial", "history", "billed_before"):
            setattr(cause, fact, getattr(error, fact))
        raise cause from None
    return completion, json_of(attrs.evolve(completion, request_id=None)).encode()
