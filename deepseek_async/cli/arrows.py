"""The arrows of the data's way, one function each, without a network: bytes → events → chunks → deltas → completion.

Each yields what came before it raises what was wrong: the end of a stream that did not end well is an error here too.
Which endpoint's answer it is, chat's or fill in the middle's, its first event tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import attrs

from ..codec.answer import Interrupted, StreamedAnswer
from ..codec.dialects import CHAT, TEXT, Dialect
from ..errors import StreamInterruptedError
from ..sse import Comment, Decoder, ServerSentEvent
from ..types import ChatCompletion, ChatCompletionChunk, Delta, TextChoice, TextCompletion

Chunk = ChatCompletionChunk | TextCompletion

_EOF = b""  # the end is an input
_MAX_HEAD = 2**20  # of a body in which nothing tells whose answer it is


def events(reads: Iterable[bytes]) -> Iterator[ServerSentEvent | Comment]:
    """Bytes → events and comments. ``[DONE]`` is an event like any other.

    Raises:
        StreamInterruptedError: The bytes end inside an event.
        ResponseTooLargeError: An event is too large.
    """
    decoder = Decoder()
    for data in reads:
        yield from decoder.receive_data(data)
    yield from decoder.receive_eof()
    if decoder.unfinished is not None:
        raise StreamInterruptedError("the stream was cut inside an event: its blank line is missing")


def chunks(reads: Iterable[bytes]) -> Iterator[Chunk]:
    """Bytes → chunks. What follows ``[DONE]`` is not read.

    Raises:
        StreamInterruptedError, APIResponseError: The stream did not end well; ``partial`` carries what arrived.
    """
    dialect, reads = _recognised(reads)
    yield from _chunks_of(StreamedAnswer(dialect), reads)


def _chunks_of(answer: StreamedAnswer[Chunk, Any], reads: Iterable[bytes]) -> Iterator[Chunk]:
    for data in chain(reads, (_EOF,)):
        if data:
            answer.receive_data(data)
        else:
            answer.receive_eof()
        if answer.end is not None:
            answer.conclude()  # no other attempt follows
        while (chunk := answer.next_chunk()) is not None:
            yield chunk
        if answer.end is not None:
            break
    if isinstance(answer.end, Interrupted):
        answer.end.error.delivered = answer.delivered
        raise answer.end.error


def deltas(reads: Iterable[bytes]) -> Iterator[tuple[int, Delta | TextChoice]]:
    """Bytes → what each chunk adds to each choice, with the choice's index and its tokens; empty ones are left out.

    Raises:
        StreamInterruptedError, APIResponseError: As `chunks`.
    """
    for chunk in chunks(reads):
        for choice in chunk.choices:
            if isinstance(choice, TextChoice):
                if choice.text or choice.logprobs:
                    yield choice.index, choice
                continue
            delta = attrs.evolve(choice.delta, logprobs=choice.logprobs)
            if delta.content or delta.reasoning_content or delta.tool_calls or delta.logprobs:
                yield choice.index, delta


def completion(reads: Iterable[bytes]) -> ChatCompletion | TextCompletion:
    """Bytes → the whole answer.

    Raises:
        StreamInterruptedError, APIResponseError: As `chunks`.
    """
    dialect, reads = _recognised(reads)
    answer = StreamedAnswer(dialect)
    for _ in _chunks_of(answer, reads):
        pass
    whole: ChatCompletion | TextCompletion = answer.completion()
    return whole


def _recognised(reads: Iterable[bytes]) -> tuple[Dialect[Any, Any], Iterable[bytes]]:
    """Whose answer it is, and all its bytes."""
    reads = iter(reads)
    decoder, head, data = Decoder(), list[bytes](), b""
    while len(data) < _MAX_HEAD and (read := next(reads, _EOF)):
        head.append(read)
        data += read
        texts = [event.data for event in decoder.receive_data(read) if isinstance(event, ServerSentEvent)]
        if data.rstrip().endswith(b"}"):  # a document, perhaps
            texts.append(data.decode("utf-8-sig", "replace"))
        kinds = map(_is_of_a_gap, texts)
        if (is_gap := next((kind for kind in kinds if kind is not None), None)) is not None:
            return TEXT if is_gap else CHAT, chain(head, reads)
    return CHAT, chain(head, reads)


def _is_of_a_gap(text: str) -> bool | None:
    """Whether JSON is of a fill-in-the-middle answer; ``None``: it is no JSON, or tells neither."""
    try:
        said = json.loads(text)
        choice = said["choices"][0]
        return "text" in choice and not choice.keys() & {"delta", "message"}
    except (ValueError, RecursionError, TypeError, LookupError, AttributeError):
        return None
