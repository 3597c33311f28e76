"""What is done to an error before anybody sees it: keys and prompts are taken out, and where it was is put in."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from ...codec.failures.redaction import has_words_of_others, prompts_in, redact
from ...errors import LIST_OF_MODELS, DeepSeekError
from ...transport import HTTPRequest
from ...types.secrecy import secrets_in

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


def name_url(error: DeepSeekError, url: str, advice: str = "") -> None:
    """Say where it was asked for in vain."""
    if url not in error.message:
        error.message += f"; asked at {url}{advice}"
        error.args = (error.message,)


_NO_MODEL: Final = re.compile(
    r"\bmodel\b.{0,100}\b(exist|not found|unknown)|\b(unknown|no such|invalid) model\b", re.IGNORECASE | re.DOTALL
)


def name_model(error: DeepSeekError, model: str) -> None:
    """Say which model a server does not have, if that is its complaint: DeepSeek says "Model Not Exist" and no more."""
    if _NO_MODEL.search(error.message) and model not in error.message:
        error.message += f"; asked for {model!r}, {LIST_OF_MODELS} tells which there are"
        error.args = (error.message,)
