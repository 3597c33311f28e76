"""`identify` gives an answer its id, its seed and its time.

With a seed, of the request or of the server, an answer is a function of the request alone: tokens, ids and ``created``
are the same each time, streamed or not, on any machine. Without one they differ each time, and ``created`` is now.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from typing import Any

import msgspec
from msgspec import Struct

from .bodies import ChatBody, CompletionBody

__all__ = ["Identity", "identify"]


# A time for which prices are known, so that a repeatable answer has a cost.
_SEPTEMBER = 1_788_220_800  # 2026-09-01, 00:00:00 UTC
_PERIOD = 30 * 86_400  # seconds


class Identity(Struct, frozen=True):
    """What tells one answer from another.

    Attributes:
        id: Of the completion, a UUID.
        seed: What its tokens are drawn with.
        created: Unix time, seconds. Of a repeatable answer it is a time of September 2026 that the request decides,
            like its id.
    """

    id: str
    seed: int
    created: int


def identify(body: ChatBody | CompletionBody, *, server_seed: int | None, now: float) -> Identity:
    """Give an answer its id, seed and time.

    Args:
        server_seed: Stands in where the request has no seed.
        now: Unix time.
    """
    seed = body.seed if body.seed is not None else server_seed
    if seed is None:
        return Identity(str(uuid.uuid4()), random.getrandbits(63), int(now))
    asked: dict[str, Any] = msgspec.to_builtins(body)
    for name in ("stream", "stream_options"):  # how it is sent is no part of what is said
        asked.pop(name, None)
    digest = hashlib.sha256(msgspec.json.encode([seed, asked], order="sorted")).digest()
    created = _SEPTEMBER + int.from_bytes(digest[16:20], "big") % _PERIOD
    return Identity(str(uuid.UUID(bytes=digest[:16], version=4)), seed, created)
