"""The arrows of the data's way, one function each, without a network: bytes → events → chunks → deltas → completion.

Each yields what came before it raises what was wrong: the end of a stream that did not end well is an error here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import attrs

from ..codec.answer import Interrupted, StreamedAnswer
from ..codec.dialects import CHAT
from ..errors import StreamInterruptedError
from ..sse import Comment, Decoder, ServerSentEvent
from ..types import ChatCompletion, ChatCompletionChunk, Delta

_EOF = b""  # the end is an input


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


def chunks(reads: Iterable[bytes]) -> Iterator[ChatCompletionChunk]:
    """Bytes → chunks. What follows ``[DONE]`` is not read.

    Raises:
        StreamInterruptedError, APIResponseError: The stream did not end well; ``partial`` carries what arrived.
    """
    yield from _chunks_of(StreamedAnswer(CHAT), reads)


def _chunks_of(
    answer: StreamedAnswer[ChatCompletionChunk, ChatCompletion], reads: Iterable[bytes]
) -> Iterator[ChatCompletionChunk]:
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


def deltas(reads: Iterable[bytes]) -> Iterator[tuple[int, Delta]]:
    """Bytes → the deltas of every choice, each with the choice's index and its tokens; empty ones are left out.

    Raises:
        StreamInterruptedError, APIResponseError: As `chunks`.
    """
    for chunk in chunks(reads):
        for choice in chunk.choices:
            delta = attrs.evolve(choice.delta, logprobs=choice.logprobs)
            if delta.content or delta.reasoning_content or delta.tool_calls or delta.logprobs:
                yield choice.index, delta


def completion(reads: Iterable[bytes]) -> ChatCompletion:
    """Bytes → the whole answer.

    Raises:
        StreamInterruptedError, APIResponseError: As `chunks`.
    """
    answer = StreamedAnswer(CHAT)
    for _ in _chunks_of(answer, reads):
        pass
    return answer.completion()
