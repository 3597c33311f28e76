"""Random streams in random cuts, against the reference parser."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .feeding import byte_by_byte, feed, feed_until_too_large, random_cuts
from .reference import read

pytestmark = pytest.mark.usefixtures("untraced")

# What the rules turn on, and what looks like it. Line ends stand several times: they are what cuts go wrong at.
_PIECES = [
    *[b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n"] * 4,
    *[b":", b": ", b" ", b"\0", b"\t", b"data", b"data:", b"data: ", b"event", b"event: ", b"id", b"id: ", b"retry: "]
    * 2,
    *[
        b"data: {}\n\n",
        b"data: x\n\n",
        b"data: 1\n\ndata: 2\n\n",
        b": keep-alive\n\n",
        b"\n\ndata: ",
        b"data: [DONE]\n\n",
    ],
    *[
        b"data:x\n\n",
        b"data: x\r\n\r\n",
        b"data: a\ndata: b\n\n",
        b"event: e\n\n",
        b"id: 1\n",
        b"retry: 5\n",
        b"id: a\0b\n",
    ],
    *[b"x", b"7", b"00", b"Data: ", b" data: ", b"message", b"unknown: "],
    *[b"\xef\xbb\xbf", b"\xef\xbb", b"\xbf", b"\xef"],  # a BOM, and parts of one
    *["é".encode(), "中".encode(), "😀".encode(), b"\xf0\x9f", b"\x98\x80", b"\xff", b"\xc0\x8a", b"\xed\xa0\x80"],
    *["\u2028".encode(), "\u2029".encode(), "\x85".encode(), b"\x0b", b"\x0c", b"\x1e"],
]


def _random_stream(rng: random.Random) -> bytes:
    stream = b"".join(rng.choices(_PIECES, k=rng.randint(0, 25)))
    return rng.choice([b"", b"", b"\xef\xbb\xbf", b"data: {}\n\n"]) + stream


def test_ten_thousand_random_streams_read_as_the_reference_reads_them() -> None:
    """All that the decoder says of a stream, the reference says too: whole, cut at random, byte by byte."""
    rng = random.Random(20261123)
    events = 0
    for number in range(10_000):
        stream = _random_stream(rng)
        expected = read(stream)
        events += len(expected.items)
        for reads in ([stream], random_cuts(stream, rng), [*byte_by_byte(stream)]):
            assert feed(reads) == expected, f"stream {number}: {reads!r}"
    assert events > 10_000  # the streams do say something


@given(st.lists(st.sampled_from(_PIECES) | st.binary(max_size=4), max_size=30), st.randoms(use_true_random=False))
def test_any_stream_in_any_cut_reads_as_the_reference_reads_it(pieces: list[bytes], rng: random.Random) -> None:
    """The same as a property, with arbitrary bytes among the pieces, so that a failure shrinks to its cause."""
    stream = b"".join(pieces)
    assert feed(random_cuts(stream, rng)) == read(stream)


def test_the_cap_falls_at_the_same_item_in_every_cut() -> None:
    """However a stream is cut, the same items come before the error of the cap, and it comes or does not."""
    rng = random.Random(9)
    over = 0
    for number in range(2_000):
        stream, cap = _random_stream(rng), rng.randint(1, 40)
        whole = feed_until_too_large([stream], cap)
        over += whole[1]
        for reads in (random_cuts(stream, rng), [*byte_by_byte(stream)]):
            assert feed_until_too_large(reads, cap) == whole, f"stream {number}, cap {cap}: {reads!r}"
    assert 200 < over < 1_800
