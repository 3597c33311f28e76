"""The prefix cache knows the beginnings of earlier prompts, because the API bills them at a lower price.

Units of 64 tokens; a unit counts only if it and all before it match. Isolated by user and model. Units are stored when
a request is over, those of its answer included.

Source: https://api-docs.deepseek.com/guides/kv_cache
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import blake2b

__all__ = ["UNIT", "PrefixCache"]

UNIT = 64


class PrefixCache:
    """Remembers which prefixes were seen.

    Args:
        max_units: How many units are kept; the one not used for longest goes first.
    """

    __slots__ = ("_max_units", "_seen")

    def __init__(self, max_units: int = 65_536) -> None:
        self._max_units = max_units
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def hit(self, owner: str, tokens: Sequence[int]) -> int:
        """How many tokens at the beginning are known, a multiple of 64."""
        units = 0
        for digest in _digests(owner, tokens):
            if digest not in self._seen:
                break
            self._seen.move_to_end(digest)
            units += 1
        return units * UNIT

    def store(self, owner: str, tokens: Sequence[int]) -> None:
        """Remember every whole unit of a sequence."""
        for digest in _digests(owner, tokens):
            self._seen[digest] = None
            self._seen.move_to_end(digest)
        while len(self._seen) > self._max_units:
            self._seen.popitem(last=False)


def _digests(owner: str, tokens: Sequence[int]) -> Iterator[bytes]:
    """One digest for each whole unit, of everything up to its end."""
    running = blake2b(owner.encode("utf-8", "surrogatepass"), digest_size=16)
    for start in range(0, len(tokens) - UNIT + 1, UNIT):
        running.update(" ".join(map(str, tokens[start : start + UNIT])).encode("ascii"))
        yield running.digest()
