"""Feed one stream in many cuts, and to both views at once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from deepseek_async.errors import ResponseTooLargeError
from deepseek_async.sse import Comment, Decoder, ServerSentEvent

from .reference import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def two_way_cuts(stream: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every way to cut a stream in two; of one over 8 KiB a sample.

    All would take a time that grows with the square of the length, and find the same few states again, for the long
    streams repeat a block of at most 21 bytes: the sample has each place of a block in the middle, the ends, and some.
    """
    size = len(stream)
    places: Iterable[int] = range(size + 1)
    if size > 8 * 2**10:
        block = 21 if size < 64 * 2**10 else 8
        middle = range((size - block) // 2, (size + block) // 2)
        places = [1, 2, *random.Random(size).sample(range(3, size - 2), 2), *middle, size - 2, size - 1]
    for place in places:
        yield stream[:place], stream[place:]


def byte_by_byte(stream: bytes) -> Iterator[bytes]:
    """The stream in reads of one byte."""
    for place in range(len(stream)):
        yield stream[place : place + 1]


def random_cuts(stream: bytes, rng: random.Random) -> list[bytes]:
    """The stream in up to eight reads, some of which may be empty."""
    places = sorted(rng.randint(0, len(stream)) for _ in range(rng.randint(0, 7)))
    return [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]


def feed(reads: Iterable[bytes], **options: int) -> Reading:
    """Feed the reads and the end to a decoder for each view; the views must agree at every read."""
    text, payloads = Decoder(**options), Decoder(**options)
    items: list[ServerSentEvent | Comment] = []
    for data in reads:
        seen = text.receive_data(data)
        assert [as_text(item) for item in payloads.receive_payloads(data)] == seen
        items += seen
    assert text.receive_eof() == payloads.receive_eof() == []
    assert (text.unfinished, text.unframed) == (payloads.unfinished, payloads.unframed)
    return Reading(items, text.unfinished, text.unframed.decode("utf-8", "replace"))


def feed_until_too_large(reads: Iterable[bytes], max_event_bytes: int) -> tuple[list[ServerSentEvent | Comment], bool]:
    """Feed the reads and the end to a decoder for each view; what came, and whether the cap ended it."""
    text, payloads = Decoder(max_event_bytes), Decoder(max_event_bytes)
    items: list[ServerSentEvent | Comment] = []
    for data in reads:
        try:
            seen = text.receive_data(data)
        except ResponseTooLargeError:
            _expect_too_large(payloads, data)
            return items, True
        assert [as_text(item) for item in payloads.receive_payloads(data)] == seen
        items += seen
    try:
        text.receive_eof()
    except ResponseTooLargeError:
        return items, True
    return items, False


def _expect_too_large(decoder: Decoder, data: bytes) -> None:
    try:
        items = decoder.receive_payloads(data)
    except ResponseTooLargeError:
        return
    raise AssertionError(f"one view is over the cap, the other returns {items!r}")


def as_text(item: bytes | ServerSentEvent | Comment) -> ServerSentEvent | Comment:
    """What `Decoder.receive_data` is documented to return for an item of `Decoder.receive_payloads`."""
    return ServerSentEvent(data=item.decode("utf-8", "replace")) if isinstance(item, bytes) else item
