"""What an error may not tell of the request that it ended."""

from __future__ import annotations

from ..codec.redaction import prompts_in, redact
from ..errors import APITimeoutError, DeepSeekError
from ..transport import HTTPRequest
from .settings import SECRET_HEADERS


def conceal(error: DeepSeekError, request: HTTPRequest) -> None:
    """Take the key and the prompts out of what a server said; see `redact`."""
    if isinstance(error, APITimeoutError):
        return  # the words are ours
    secrets = [
        value.removeprefix("Bearer ") for name, value in request.headers.items() if name.lower() in SECRET_HEADERS
    ]
    redact(error, secrets=secrets, prompts=prompts_in(request.body or b"{}"))
