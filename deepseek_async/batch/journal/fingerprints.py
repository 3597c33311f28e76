"""Sets of millions of ids, in a few bytes each.

    known = Fingerprints()                       # of ids alone: 5 bytes each, and 2 more for room to grow
    known.add("row-1"); known.has("row-1")
    known = Fingerprints(with_digests=True)      # of ids and a digest with each: 9 bytes, and 3 more
    known.add("row-1", digest); known.has("row-1", digest); known.has("row-1")

Of an id the set keeps 53 bits of its hash, and not the id itself. So `has` may be wrong in one direction only. It is
always right about an id that was added. About an id that was not added it says True with a probability of n / 2**53,
where n is the number of entries: of 180 sources of ten million ids, one has a single such id. Where a wrong True would
do harm, the caller has to look into the output itself.

Of an id with its digest the set keeps 85 bits: the 53 of the id, and 32 of a hash of both. A pair that was not added is
taken for one that was with a probability of n / 2**85 if its id is new, and of 1 / 2**32 if its id was added with
another digest.

The hash is Python's own `hash`, which is quick. It differs from process to process, so nobody can choose ids that
collide.
"""

from __future__ import annotations

from typing import Final

# The lowest bits of a hash say in which bucket an entry is; the bucket holds the others. With so many buckets a search
# among ten million ids takes less than 4 µs, and from a hundred thousand ids on the buckets themselves cost less than
# 4 bytes an id.
_BUCKET_BITS: Final = 13
_BUCKET_MASK: Final = 2**_BUCKET_BITS - 1
_NAME_BYTES: Final = 5
_NAME_MASK: Final = 2 ** (8 * _NAME_BYTES) - 1
_DIGEST_BYTES: Final = 4
_DIGEST_BITS: Final = 8 * _DIGEST_BYTES
_DIGEST_MASK: Final = 2**_DIGEST_BITS - 1

_hash = hash


class Fingerprints:
    """A set of ids, or of pairs of an id and a digest.

    Args:
        with_digests: Whether the entries are pairs.
    """

    __slots__ = ("_buckets", "_count", "_width")

    def __init__(self, *, with_digests: bool = False) -> None:
        # A bucket is entries of equal width, unsorted, one after the other: appending and searching are done in C.
        self._buckets: list[bytearray | bytes] = [b""] * (_BUCKET_MASK + 1)
        self._width = _NAME_BYTES + _DIGEST_BYTES * with_digests
        self._count = 0

    def __len__(self) -> int:
        """How many entries there are; what was added twice counts twice."""
        return self._count

    def add(self, name: str, digest: str | None = None) -> None:
        """Add an id, with its digest in a set that has them."""
        key = _hash(name)
        entry = _entry(key, name, digest)
        index = key & _BUCKET_MASK
        if bucket := self._buckets[index]:
            bucket += entry
        else:
            self._buckets[index] = bytearray(entry)
        self._count += 1

    def has(self, name: str, digest: str | None = None) -> bool:
        """Whether an id is known, with this digest or, without one, with any."""
        key = _hash(name)
        bucket, entry, width = self._buckets[key & _BUCKET_MASK], _entry(key, name, digest), self._width
        at = bucket.find(entry)
        while at > 0 and at % width:
            at = bucket.find(entry, at + 1)
        return at >= 0

    def discard(self, name: str) -> None:
        """Remove an id, with whatever digests."""
        key = _hash(name)
        bucket, entry, width = self._buckets[key & _BUCKET_MASK], _entry(key, name, None), self._width
        at = bucket.find(entry)
        while at >= 0:
            if at % width:  # across the border of two entries
                at = bucket.find(entry, at + 1)
            else:
                assert isinstance(bucket, bytearray)  # noqa: S101 - else it were empty
                del bucket[at : at + width]
                self._count -= 1
                at = bucket.find(entry, at)


def _entry(key: int, name: str, digest: str | None) -> bytes:
    bits = key >> _BUCKET_BITS & _NAME_MASK
    if digest is None:
        return bits.to_bytes(_NAME_BYTES, "big")
    both = _hash(digest + name) & _DIGEST_MASK
    return (bits << _DIGEST_BITS | both).to_bytes(_NAME_BYTES + _DIGEST_BYTES, "big")
