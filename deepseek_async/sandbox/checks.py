"""Whether a request is allowed: decoded, in range, and no contradiction in it. Breaking a rule raises a `Refusal`."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from . import refusals
from .bodies import MAX_CHOICES, MAX_STOPS, MAX_TOKENS, MAX_TOP_LOGPROBS, ChatBody, CompletionBody

__all__ = ["read_chat", "read_completion"]

Body = TypeVar("Body", ChatBody, CompletionBody)
_chat = msgspec.json.Decoder(ChatBody)
_completion = msgspec.json.Decoder(CompletionBody)


def read_chat(data: bytes) -> ChatBody:
    """Decode and check the body of POST /chat/completions.

    Raises:
        Refusal: 400 or 422, naming the field.
    """
    body = _decode(_chat, data)
    if not body.messages:
        raise refusals.bad_request("Invalid messages value, messages must hold at least 1 message")
    _check_shared(body)
    if body.top_logprobs is not None:
        if not 0 <= body.top_logprobs <= MAX_TOP_LOGPROBS:
            raise refusals.out_of_range("top_logprobs", f"[0, {MAX_TOP_LOGPROBS}]")
        if not body.logprobs:
            raise refusals.bad_request("Invalid top_logprobs value, logprobs must be true if top_logprobs is used")
    return body


def read_completion(data: bytes) -> CompletionBody:
    """Decode and check the body of POST /completions.

    Raises:
        Refusal: 400 or 422, naming the field.
    """
    body = _decode(_completion, data)
    _check_shared(body)
    if body.logprobs is not None and not 0 <= body.logprobs <= MAX_TOP_LOGPROBS:
        raise refusals.out_of_range("logprobs", f"[0, {MAX_TOP_LOGPROBS}]")
    if body.echo and (body.suffix is not None or body.logprobs is not None):
        raise refusals.bad_request("Invalid echo value, echo cannot be used together with suffix or logprobs")
    return body


def _check_shared(body: ChatBody | CompletionBody) -> None:
    if body.max_tokens is not None and not 1 <= body.max_tokens <= MAX_TOKENS:
        raise refusals.out_of_range("max_tokens", f"[1, {MAX_TOKENS}]")
    if body.temperature is not None and not 0 <= body.temperature <= 2:
        raise refusals.out_of_range("temperature", "[0, 2.0]")
    if body.top_p is not None and not 0 < body.top_p <= 1:
        raise refusals.out_of_range("top_p", "(0, 1.0]")
    for name in ("frequency_penalty", "presence_penalty"):
        value = getattr(body, name)
        if value is not None and not -2 <= value <= 2:
            raise refusals.out_of_range(name, "[-2.0, 2.0]")
    if body.n is not None and not 1 <= body.n <= MAX_CHOICES:
        raise refusals.out_of_range("n", f"[1, {MAX_CHOICES}]")
    if isinstance(body.stop, list) and len(body.stop) > MAX_STOPS:
        raise refusals.bad_request(f"Stop string array too long: {len(body.stop)}")
    if body.stream_options is not None and not body.stream:
        raise refusals.bad_request("Invalid stream_options value, stream_options is only allowed when stream is true")


def _decode(decoder: msgspec.json.Decoder[Body], data: bytes) -> Body:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise refusals.not_deserialized(_named(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refusals.not_json(str(error)) from None


_AT = re.compile(r" - at `\$\.?(.*)`$")


def _named(text: str) -> str:
    """The decoder's sentence with the field in front: ``messages[0].role: …``."""
    match = _AT.search(text)
    if match is None:
        return text[0].lower() + text[1:]
    what = text[: match.start()]
    return f"{match[1]}: {what[0].lower()}{what[1:]}"
