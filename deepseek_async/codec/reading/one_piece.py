"""The body of an answer that was to come in one piece → the answer, also where the server streams all the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import attrs

from ...errors import APIConnectionError, APITimeoutError, MalformedResponseError, StreamInterruptedError
from ...types import ChatCompletion, TextCompletion
from ..answer import Complete, StreamedAnswer
from ..dialects import CHAT, TEXT, read_by
from .quirks.messages import is_json
from .responses import SHARED, completion_from_json, partial_in, text_completion_from_json
from .shapes import AnswerReader

C = TypeVar("C", ChatCompletion, TextCompletion)

_EVENTS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:")  # no JSON begins so


def completion_in(
    body: bytes, request_id: str | None = None, reader: AnswerReader = SHARED
) -> tuple[ChatCompletion, bytes]:
    """The completion in a body, and JSON that it can be read from again: the body, if it is nothing else.

    Args:
        reader: Of that server's answers.

    Raises:
        StreamInterruptedError: It is a stream of events that does not end well.
        DeepSeekError: As `completion_from_json`.
    """
    try:
        is_plain = body[:1] == b"{" or _EVENTS.match(body) is None
        completion = completion_from_json(body, request_id, reader) if is_plain else None
    except (MalformedResponseError, StreamInterruptedError):
        if not _is_stream(body):
            raise
        completion = None
    if completion is None or (completion.choices[0].finish_reason is None and _is_stream(body)):
        answer: Any = _read_as_stream(body, CHAT, reader)
        answer.request_id = request_id
        answer.receive_eof()
        completion = answer.completion()
    elif body[:1] == b"{" and (body[-1:] == b"}" or body.rstrip().endswith(b"}")):
        return completion, body
    from ..documents import json_of

    return completion, json_of(attrs.evolve(completion, request_id=None)).encode()


def text_completion_in(body: bytes, reader: AnswerReader = SHARED) -> TextCompletion:
    """The fill-in-the-middle answer in a body. Args and raises as `completion_in`."""
    if _EVENTS.match(body) is None:
        try:
            return text_completion_from_json(body, reader)
        except (MalformedResponseError, StreamInterruptedError):
            if not _is_stream(body):
                raise
    answer = _read_as_stream(body, TEXT, reader)
    answer.receive_eof()
    return answer.completion()  # type: ignore[no-any-return]


def _is_stream(body: bytes) -> bool:
    from ..unframed import is_stream  # for those only whose server sends something odd

    return is_stream(body)


def _read_as_stream(body: bytes, dialect: Any, reader: AnswerReader) -> Any:
    """A body as a stream of which all has come but the end."""
    answer = StreamedAnswer(read_by(dialect, reader), max_event_bytes=len(body), max_body_bytes=len(body))
    answer.receive_data(body)
    return answer


def body_before(
    error: APIConnectionError | APITimeoutError,
    arrived: Sequence[bytes],
    cls: type[C],
    reader: AnswerReader = SHARED,
) -> bytes | None:
    """The body of an answer whose connection broke, or was waited for in vain, before its end, if it is whole all the
    same: JSON says by itself where it ends, and a stream by ``[DONE]``.

    Args:
        error: How it broke off; its ``partial`` becomes what can be read of a body that is not whole.
        arrived: What had come.
        cls: What it is to be.

    Returns:
        The body; ``None``: it is not whole.
    """
    if not (body := b"".join(arrived)):
        return None  # at once: a deadline is not to be late by what is loaded first to read half an answer
    if _EVENTS.match(body) is not None or _is_stream(body):
        answer = _read_as_stream(body, CHAT if cls is ChatCompletion else TEXT, reader)
        if isinstance(answer.end, Complete):
            return body
        error.partial = answer.snapshot() if answer.has_text else None
    elif (text := body.decode("utf-8-sig", "replace")).startswith("{") and is_json(text):
        return body
    else:
        error.partial = partial_in(body, cls)
    return None
