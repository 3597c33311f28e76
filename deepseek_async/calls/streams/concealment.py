"""What is done to an error before anybody sees it: keys and prompts are taken out, and where it was is put in."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from ...codec.failures.redaction import has_words_of_others, prompts_in, redact
from ...errors import LIST_OF_MODELS, APIStatusError, DeepSeekError, NotFoundError
from ...transport import HTTPRequest
from ...types.secrecy import secrets_in

# A longer request is searched by another thread, so that the event loop goes on meanwhile.
_LONG_BYTES = 2**18


def conceal(error: DeepSeekError, request: HTTPRequest) -> None:
    """Take the key and the prompts out of what a server said; see `redact`."""
    redact(error, secrets=secrets_in(request.headers), prompts=lambda: prompts_in(request.body or b"{}"))


async def conceal_aside(error: DeepSeekError, request: HTTPRequest) -> None:
    """As `conceal`, without stopping the event loop for longer than a few milliseconds."""
    if request.body is not None and len(request.body) > _LONG_BYTES and has_words_of_others(error):
        await asyncio.to_thread(conceal, error, request)
    else:
        conceal(error, request)


_NO_MODEL: Final = re.compile(
    r"\bmodel\b.{0,100}\b(exist|not found|unknown)|\b(unknown|no such|invalid) model\b", re.IGNORECASE | re.DOTALL
)


def name_asked(error: APIStatusError, url: str, model: str | None) -> None:
    """Say what was asked for in vain, and where: DeepSeek says "Model Not Exist" and no more, a 404 may say nothing."""
    if model and model not in error.message and _NO_MODEL.search(error.message):
        _add(error, f"; asked for {model!r}, {LIST_OF_MODELS} tells which there are")
    is_lost = isinstance(error, NotFoundError)
    lacks_beta = not is_lost and "beta" in error.message and "/beta/" not in url
    if (is_lost or lacks_beta) and url not in error.message:
        _add(error, f"; asked at {url}" + ("; has_beta=True asks under /beta" if lacks_beta else ""))


def _add(error: DeepSeekError, words: str) -> None:
    error.message += words
    error.args = (error.message,)
