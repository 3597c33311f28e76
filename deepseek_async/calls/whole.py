"""A chat request whose answer comes in one piece, with what a batch wants to see of it besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..codec.endings import finished
from ..codec.responses import completion_from_json
from ..types import ChatCompletion
from .attempt import Exchange
from .parameters import CallOptions

if TYPE_CHECKING:
    from .caller import Caller


async def ask_whole(
    caller: Caller,
    url: str,
    body: bytes,
    options: CallOptions,
    *,
    model: str,
    admitted: Callable[[], object] | None = None,
) -> tuple[ChatCompletion, bytes]:
    """Send a request until it is answered or given up.

    Args:
        body: The request's JSON.
        admitted: Called when the head of a 200 has come, which may be long before the answer: the server has let the
            request in.

    Returns:
        The completion, and the JSON that it was read from.

    Raises:
        DeepSeekError: As `ChatCompletions.create`.
    """
    call = caller.call(caller.http_request("POST", url, body, options), options, model=model, streamed=False)

    async def attempt(exchange: Exchange) -> tuple[ChatCompletion, bytes]:
        answer = await exchange.whole(caller.max_body_bytes, admitted)
        return finished(completion_from_json(answer, exchange.request_id)), answer

    return await call.run(attempt)
