"""Parts of a source, for several machines: which part a row belongs to."""

from __future__ import annotations

import hashlib
import re

import attrs

from ...errors import InvalidRequestError


@attrs.frozen
class Shard:
    """One part of several that a source is divided into, by a hash of ``custom_id`` that is the same everywhere.

    Args:
        index: Which part, from 1.
        count: Of how many.
    """

    index: int
    count: int

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise InvalidRequestError("shard", f"{self.index}/{self.count}", "i/n with 1 <= i <= n")

    def holds(self, custom_id: str) -> bool:
        """Whether a row belongs to this part."""
        digest = hashlib.blake2b(custom_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.index - 1


def shard_of(given: Shard | str | tuple[int, int] | None) -> Shard | None:
    """The part that ``"i/n"`` or ``(i, n)`` means. Raises `InvalidRequestError`."""
    if given is None or isinstance(given, Shard):
        return given
    if isinstance(given, str) and (match := re.fullmatch(r"(\d+)/(\d+)", given)):
        return Shard(int(match[1]), int(match[2]))
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(part, int) for part in given):
        return Shard(*given)
    raise InvalidRequestError("shard", given, "'i/n' or (i, n) with 1 <= i <= n")
