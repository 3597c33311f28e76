"""What an error must not tell of the request that it ended."""

from __future__ import annotations

import asyncio

from ..codec.redaction import has_words_of_others, prompts_in, redact
from ..errors import DeepSeekError
from ..secrecy import secrets_in
from ..transport import HTTPRequest

# A longer request is searched by another thread, so that the event loop goes on meanwhile.
_LONG_BYTES = 2**20


def conceal(error: DeepSeekError, request: HTTPRequest) -> None:
    """Take the key and the prompts out of what a server said; see `redact`."""
    redact(error, secrets=secrets_in(request.headers), prompts=lambda: prompts_in(request.body or b"{}"))


async def conceal_aside(error: DeepSeekError, request: HTTPRequest) -> None:
    """As `conceal`, without stopping the event loop for longer than a few milliseconds."""
    if request.body is not None and len(request.body) > _LONG_BYTES and has_words_of_others(error):
        await asyncio.to_thread(conceal, error, request)
    else:
        conceal(error, request)
