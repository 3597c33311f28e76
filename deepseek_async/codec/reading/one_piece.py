"""The body of an answer that was to come in one piece → the answer, also where the server streams all the same."""

from __future__ import annotations

import re

import attrs

from ...types import ChatCompletion, TextCompletion
from ..answer import StreamedAnswer
from ..dialects import CHAT, TEXT, read_by
from ..documents import json_of
from .responses import SHARED, completion_from_json, text_completion_from_json
from .shapes import AnswerReader

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
    if _EVENTS.match(body) is not None:
        answer = StreamedAnswer(read_by(CHAT, reader), max_event_bytes=len(body), max_body_bytes=len(body))
        answer.request_id = request_id
        answer.receive_data(body)
        answer.receive_eof()
        completion = answer.completion()
    else:
        completion = completion_from_json(body, request_id, reader)
        if body[:1] == b"{" and body.rstrip().endswith(b"}"):
            return completion, body
    return completion, json_of(attrs.evolve(completion, request_id=None)).encode()


def text_completion_in(body: bytes, reader: AnswerReader = SHARED) -> TextCompletion:
    """The fill-in-the-middle answer in a body. Args and raises as `completion_in`."""
    if _EVENTS.match(body) is None:
        return text_completion_from_json(body, reader)
    answer = StreamedAnswer(read_by(TEXT, reader), max_event_bytes=len(body), max_body_bytes=len(body))
    answer.receive_data(body)
    answer.receive_eof()
    return answer.completion()
