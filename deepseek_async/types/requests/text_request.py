"""A fill-in-the-middle request with every parameter of the page "Create FIM Completion"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ...errors import InvalidRequestError
from ..structs import knows_its_names
from ..values import NO_EXTRA, Document, hidden
from . import ranges
from .request import MAX_OUTPUT_TOKENS, MAX_STOP_SEQUENCES, MAX_TOP_LOGPROBS, check_stream_options, to_tuple


def _check_echo(request: TextRequest, attribute: Any, value: object) -> None:
    ranges.boolean(request, attribute, value)
    if value and (request.suffix is not None or request.logprobs is not None):
        raise InvalidRequestError("echo", value, "not together with suffix or logprobs")


@knows_its_names
@attrs.frozen(kw_only=True, repr=False)
class TextRequest(Document):
    """One fill-in-the-middle request to ``POST {beta}/completions``. ``None`` means: not sent.

    Args:
        model: A model without thinking.
        prompt: The text before the gap.
        suffix: The text after the gap.
        echo: Whether the answer begins with the prompt; not together with ``suffix`` or ``logprobs``.
        logprobs: Alternatives a token, 0 to 20 (an int here, unlike chat's).
        max_tokens: 1 to 393,216; DeepSeek's own API takes up to 4,096, by its guide.
        stop, stream, stream_options, temperature, top_p, frequency_penalty, presence_penalty: As in `ChatRequest`.
        extra_body: Further fields for the body, unchecked.

    Raises:
        InvalidRequestError: A value is out of range.
    """

    model: str = attrs.field(validator=ranges.text(required=True))
    prompt: str = attrs.field(validator=ranges.text(), repr=hidden)
    suffix: str | None = attrs.field(default=None, validator=ranges.text(), repr=hidden)
    max_tokens: int | None = attrs.field(default=None, validator=ranges.integer(1, MAX_OUTPUT_TOKENS))
    temperature: float | None = attrs.field(default=None, validator=ranges.number(0, 2))
    top_p: float | None = attrs.field(default=None, validator=ranges.number(0, 1))
    frequency_penalty: float | None = attrs.field(default=None, validator=ranges.number(-2, 2))
    presence_penalty: float | None = attrs.field(default=None, validator=ranges.number(-2, 2))
    stop: str | Sequence[str] | None = attrs.field(
        default=None, converter=to_tuple, validator=ranges.strings(MAX_STOP_SEQUENCES), repr=hidden
    )
    stream: bool | None = attrs.field(default=None, validator=ranges.boolean)
    stream_options: Mapping[str, Any] | None = attrs.field(default=None, hash=False, validator=check_stream_options)
    logprobs: int | None = attrs.field(default=None, validator=ranges.integer(0, MAX_TOP_LOGPROBS))
    echo: bool | None = attrs.field(default=None, validator=_check_echo)
    extra_body: Mapping[str, Any] = attrs.field(
        default=NO_EXTRA, hash=False, validator=ranges.mapping, repr=lambda body: f"<{len(body)} fields>"
    )
